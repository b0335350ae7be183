import { expect, test } from 'vitest';
import type { Probe } from '../api/probes.ts';
import { differences, differQuery, nothingDiffers } from './ended.ts';

const row = (field: string, value: string | number, inside: number, out: number, score = 0) => ({ field, value, in: inside, out, score });

test('what differs is told of values and of where they came from, the surest first', () => {
  const found = differences([
    row('bytes', 408, 1, 0, 0.9),
    row('vars.order.tier', 'gold', 0.9, 0.1, 0.4),
    row('expr.len(order.items)', 3, 0.5, 0.1),
    row('vars.currency', 'EUR', 0.5, 0.4),
    { ...row('vars.order.total', '..110', 0.8, 0.1, 0.3), to: 110 },
    { ...row('expr.order.total', '..110', 0.8, 0.1, 0.3), to: 110 },
    row('version', '1.3', 1, 0.2, 0.6),
  ]);
  expect(found.map((one) => one.label)).toEqual(['version = 1.3', 'order.tier = gold', 'order.total < 110', 'len(order.items) = 3']);
});

test('failed is what has a span or an error that failed, in the traces of the hits alone', () => {
  expect(differQuery({ id: 'p1' } as Probe)).toBe(
    "snapshots probe='p1' trace:* | differ trace in {spans status=error trace in {snapshots probe='p1'}} or trace in {events level>=error trace in {snapshots probe='p1'}}",
  );
});

test('where nothing can be compared it is said why', () => {
  expect(nothingDiffers(undefined)).toMatch(/No hit is of a request with a trace/);
  expect(nothingDiffers({ in: 0, out: 4 })).toMatch(/No request of the 4 hits with a trace has failed/);
  expect(nothingDiffers({ in: 3, out: 0 })).toMatch(/each of the 3 hits with a trace failed/);
  expect(nothingDiffers({ in: 1, out: 2 })).toMatch(/Nothing sets the hit of the request that failed apart from the other 2/);
});
