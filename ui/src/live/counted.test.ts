import { expect, it } from 'vitest';
import type { Probe } from '../api/probes.ts';
import { countedOf, countedQuery, countedRange, writeOf } from './counted.ts';

const probe = (more: object) =>
  ({
    id: 'p1',
    kind: 'metric',
    created: '2026-01-01T10:00:05Z',
    expires: '2026-01-01T10:30:00Z',
    instances: [],
    ...more,
  }) as unknown as Probe;
const counter = probe({ metric: { kind: 'count', name: 'orders.placed', by: { tier: 'order.tier' } } });
const T = Date.parse('2026-01-01T10:00:00Z');

it('asks for what its kind is good for', () => {
  const query = 'metrics name=orders.placed probe=p1 | bucket 10s | stats';
  expect(countedQuery(counter)).toBe(`${query} rate(value) as v by bucket, tier`);
  expect(countedQuery(probe({ metric: { kind: 'gauge', name: 'orders.placed' } }))).toBe(`${query} avg(value) as v by bucket`);
  expect(countedQuery(probe({ kind: 'timer' }))).toBe(
    'metrics name=probe.duration probe=p1 | bucket 10s | stats increase(sum) as s, increase(count) as c by bucket',
  );
});

it('shows the time since it was placed, at most a quarter of an hour', () => {
  expect(countedRange(counter, T + 300_000)).toEqual({ from: T - 10_000, to: T + 310_000 });
  const late = countedRange(counter, T + 1_700_000);
  expect(late.to - late.from).toBe(900_000);
  // One that has ended is not asked about beyond its end; one that has just begun has an axis all the same.
  expect(countedRange(counter, T + 86_400_000).to).toBe(T + 1_830_000);
  expect(countedRange(counter, T + 6_000)).toEqual({ from: T - 50_000, to: T + 10_000 });
});

it('draws a line for each value of its first attribute', () => {
  const row = (at: number, tier: string, v: number) => ({ bucket: new Date(T + at).toISOString(), tier, v });
  const found = countedOf(counter, [row(0, 'gold', 1), row(10_000, 'gold', 3), row(10_000, 'new', 2)], { from: T, to: T + 20_000 });
  expect(found.lines).toEqual([
    { label: 'gold', values: [1, 3] },
    { label: 'new', values: [null, 2] },
  ]);
  expect(writeOf(probe({ kind: 'timer' }))(0.012)).toBe('12\u202fms');
});
