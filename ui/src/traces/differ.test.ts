import { describe, expect, it } from 'vitest';
import {
  candidateOf,
  causeOf,
  countQuery,
  differQuery,
  merged,
  narrowed,
  pairsOf,
  type Ranked,
  rankedOf,
  score,
  wholeSides,
} from './differ.ts';

const all = 'spans root=true';
const selected = 'spans root=true status=error';

const whole = wholeSides({ all, selected, by: [] });

describe('the questions', () => {
  it('compare all spans of the traces, not only the ones that the query finds', () => {
    expect(differQuery(whole)).toBe('spans trace in {spans root=true} | differ trace in {spans root=true status=error}');
  });
  it('count traces, once among the selected and once among the others', () => {
    const candidates = [candidateOf({ field: 'coupon.kind', value: 'percent_bp', in: 1, out: 0, score: 1 })];
    expect(countQuery(whole, candidates, true)).toBe(
      'spans trace in {spans root=true status=error} | stats uniq(trace) as traces, uniq(trace) if (coupon.kind=percent_bp) as n0, values(service, 2) if (coupon.kind=percent_bp) as s0',
    );
    expect(countQuery(whole, candidates, false)).toBe(
      'spans trace in {spans root=true} not trace in {spans root=true status=error} | stats uniq(trace) as traces, uniq(trace) if (coupon.kind=percent_bp) as n0',
    );
  });
  it('ask for a tenth of the numbers by its bounds', () => {
    const tenth = { field: 'duration', value: '1ms..2ms', in: 1, out: 0, score: 1, from: 1_000_000, to: 2_000_000 };
    expect(candidateOf(tenth).term).toBe('duration>=1000000ns duration<2000000ns');
    expect(candidateOf({ field: 'rows', value: '7..', in: 1, out: 0, score: 1, from: 7 }).term).toBe('rows>=7');
  });
  it('narrow the list by what any span of the trace has', () => {
    const row = candidateOf({ field: 'coupon.kind', value: 'percent_bp', in: 1, out: 0, score: 1 });
    expect(narrowed(all, row, false)).toBe('spans root=true trace in {spans coupon.kind=percent_bp}');
    expect(narrowed(`${all} | limit 3`, row, true)).toBe('spans root=true not trace in {spans coupon.kind=percent_bp} | limit 3');
  });
});

describe('the score', () => {
  it('is 0 when few rows prove nothing, and grows with them', () => {
    expect(score(1, 1, 0, 1)).toBe(0);
    expect(score(47, 47, 0, 1000)).toBeGreaterThan(0.9);
    expect(score(0, 47, 1000, 1000)).toBeLessThan(-0.9);
    expect(score(10, 100, 10, 100)).toBe(0);
  });
  // Newcombe 1998, method 10, 56/70 against 48/80: 0.0524 to 0.3339.
  it('is the published interval', () => expect(score(56, 70, 48, 80)).toBeCloseTo(0.0524, 4));
});

describe('the conclusion', () => {
  const row = (field: string, inside: number, out: number, extra: Partial<Ranked> = {}): Ranked => ({
    field,
    value: 'x',
    term: `${field}=x`,
    in: inside,
    out,
    score: 0.5,
    ...extra,
  });
  it('pairs the version with the most telling cause, not with what followed from it', () => {
    const pairs = pairsOf([row('status', 47, 3), row('coupon.kind', 47, 30), row('version', 47, 200)], 47);
    expect(pairs[0]?.map((one) => one.field)).toEqual(['version', 'coupon.kind']);
  });
  it('names the version beside what alone is enough, and no second cause where one is', () => {
    expect(pairsOf([row('coupon.kind', 47, 0), row('version', 47, 200)], 47)[0]?.map((one) => one.field)).toEqual([
      'version',
      'coupon.kind',
    ]);
    expect(pairsOf([row('coupon.kind', 47, 0), row('coupon.code', 47, 0)], 47)).toEqual([]);
  });
  it('is a cause before it is what followed from it', () => {
    expect(causeOf([row('error.type', 47, 0), row('coupon.kind', 47, 3)])?.field).toBe('coupon.kind');
    expect(causeOf([row('error.type', 47, 0)])?.field).toBe('error.type');
  });
  it('has each proposed value once, what the selected have first', () => {
    const of = (field: string, score: number) => ({ field, value: 'x', in: 0, out: 0, score });
    expect(
      merged(
        [
          [of('a', -0.9), of('b', 0.1)],
          [of('b', 0.5), of('c', 0.2), of('d', 0)],
        ],
        ['c'],
      ).map((one) => one.field),
    ).toEqual(['b', 'a']);
  });
  it('takes only what all of the selected have', () => {
    expect(pairsOf([row('coupon.kind', 46, 30), row('version', 47, 200)], 47)).toEqual([]);
  });
  it('counts by trace and names the service that has it', () => {
    const candidates = [candidateOf({ field: 'version', value: '1.4.2', in: 1, out: 0, score: 1 })];
    const ranked = rankedOf(candidates, { traces: 47, n0: 47, s0: ['checkout'] }, { traces: 1000, n0: 60 });
    expect(ranked[0]).toMatchObject({ in: 47, out: 60, service: 'checkout' });
  });
});
