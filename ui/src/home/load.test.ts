import { describe, expect, it } from 'vitest';
import { detailQueries, differQueries, inCommon, merged, newPatterns, topCause } from './load.ts';

describe('what sets the failing ones apart', () => {
  const row = (field: string, inside: number, out: number) => ({ field, value: 'x', in: inside, out, score: inside - out });
  const rows = (...list: ReturnType<typeof row>[]) => merged([{ among: 'spans', rows: list }]);

  it('is what nearly all of them have and few others do', () => {
    const found = inCommon(rows(row('app.coupon.kind', 1, 0.04), row('app.weak', 0.5, 0), row('app.common', 1, 0.9)));
    expect(found.map((entry) => entry.field)).toEqual(['app.coupon.kind']);
  });
  it('is not that they failed, and not what only the others have', () => {
    const fields = [
      'http.response.status_code',
      'status',
      'message',
      'event.exception.type',
      'error.type',
      'duration',
      'resource.process.pid',
    ];
    expect(
      rows(...fields.map((field) => row(field, 1, 0)), row('app.other', 0, 1), row('resource.host.name', 1, 0)).map((entry) => entry.field),
    ).toEqual(['resource.host.name']);
  });
  it('is found among the operation where it is surest', () => {
    const found = merged([
      { among: 'spans name=request', rows: [row('app.coupon.kind', 1, 0.5)] },
      { among: 'spans name=discount', rows: [row('app.coupon.kind', 1, 0.1), row('app.line', 0.9, 0)] },
    ]);
    expect(found.map((entry) => `${entry.field} ${entry.among}`)).toEqual([
      'app.coupon.kind spans name=discount',
      'app.line spans name=discount',
    ]);
  });
});

describe('what was thrown', () => {
  const finding = { state: 'failing', service: 'checkout' } as const;
  it('is the type of most', () => {
    const rows = [
      { n: 9, 'event.exception.type': ['builtins.TypeError'] },
      { n: 1, 'event.exception.type': 'KeyError' },
    ];
    expect(topCause(rows, finding)).toEqual({
      type: 'TypeError',
      share: 0.9,
      query: 'spans service=checkout status=error event.exception.type=builtins.TypeError',
    });
  });
  it('is nothing where there is no such type', () => {
    expect(topCause([], finding)).toBeUndefined();
    expect(
      topCause(
        ['a', 'b', 'c'].map((type) => ({ n: 1, 'event.exception.type': type })),
        finding,
      ),
    ).toBeUndefined();
  });
});

describe('the queries behind the second line', () => {
  it('are about the service that fails', () => {
    const finding = { state: 'failing', service: 'checkout', query: 'spans service=checkout status=error kind=server' } as const;
    expect(detailQueries(finding)?.users).toBe('spans service=checkout status=error kind=server | stats uniq(user) as users');
    expect(differQueries(finding, ['POST /orders']).map((entry) => entry.query)).toEqual([
      "spans service=checkout name='POST /orders' | differ status=error",
    ]);
  });
  it('compare the slow ones with the rest', () => {
    const slow = { state: 'slow', service: 'web', query: 'spans service=web duration>=400ms' } as const;
    expect(differQueries(slow, [])[0]?.query).toMatch(/^spans service=web .* differ duration>=400ms$/);
  });
  it('are none when all is well', () => {
    expect(detailQueries({ state: 'healthy' })).toBeUndefined();
  });
});

describe('new patterns', () => {
  const row = (pattern: string, count: number, level: string) => ({ pattern, count, share: 0, level, services: 1 });
  it('are those that were not there before, the worst first', () => {
    const { rows, known } = newPatterns(
      [row('a', 50, 'warn'), row('b', 3, 'error'), row('c', 9, 'error'), row('d', 1, 'warn')],
      [row('d', 99, 'warn')],
      new Map([['c', 'web']]),
    );
    expect(rows.map((entry) => entry.pattern)).toEqual(['c', 'b', 'a']);
    expect(known).toBe(1);
    expect(rows[0]?.service).toBe('web');
  });
});
