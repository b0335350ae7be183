import { describe, expect, it } from 'vitest';
import { detailQueries, inCommon, newPatterns } from './load.ts';

describe('what all failing requests have in common', () => {
  const row = (field: string, inside: number, out: number) => ({ field, value: 'x', in: inside, out, score: inside - out });
  it('is what nearly all of them have and few others do', () => {
    expect(inCommon([row('app.coupon.kind', 1, 0.04), row('app.weak', 0.5, 0), row('app.common', 1, 0.9)])).toEqual([
      { field: 'app.coupon.kind', value: 'x', share: 1 },
    ]);
  });
  it('is not that they failed', () => {
    const fields = [
      'http.response.status_code',
      'status',
      'message',
      'event.exception.type',
      'error.type',
      'duration',
      'resource.process.pid',
      'resource.host.name',
    ];
    expect(inCommon(fields.map((field) => row(field, 1, 0))).map((entry) => entry.field)).toEqual(['resource.host.name']);
  });
});

describe('the queries behind the second line', () => {
  it('are about the service that fails', () => {
    expect(detailQueries({ state: 'failing', service: 'checkout', query: 'spans service=checkout status=error kind=server' })).toEqual({
      users: 'spans service=checkout status=error kind=server | stats uniq(user) as users',
      cause: 'spans service=checkout status=error event.exception.type:* | stats count() as n by event.exception.type | sort n desc',
      common: 'spans service=checkout (kind=(server, consumer) or root=true) | differ status=error',
    });
  });
  it('compare the slow ones with the rest', () => {
    expect(detailQueries({ state: 'slow', service: 'web', query: 'spans service=web duration>=400ms' })?.common).toMatch(
      /differ duration>=400ms$/,
    );
  });
  it('are none when all is well', () => {
    expect(detailQueries({ state: 'healthy' })).toBeUndefined();
  });
});

describe('new patterns', () => {
  const row = (pattern: string, count: number, level: string) => ({ pattern, count, share: 0, level, services: ['web'] });
  it('are those that were not there before, the worst first', () => {
    const { rows, known } = newPatterns(
      [row('a', 50, 'warn'), row('b', 3, 'error'), row('c', 9, 'error'), row('d', 1, 'warn')],
      [row('d', 99, 'warn')],
    );
    expect(rows.map((entry) => entry.pattern)).toEqual(['c', 'b', 'a']);
    expect(known).toBe(1);
    expect(rows[0]?.service).toBe('web');
  });
});
