import { expect, it } from 'vitest';
import { readRows } from './value.ts';

const at = (minute: number) => new Date(minute * 60_000).toISOString().replace('Z', '000000Z');

it('makes a line of each subject, the largest first, and counts windows that cross', () => {
  const rows = [
    { bucket: at(0), service: 'web', n: 1, v: 3 },
    { bucket: at(1), service: 'web', n: 1, v: 4 },
    { bucket: at(1), service: 'pay', n: 9, v: 12 },
    { bucket: at(9), service: 'pay', n: 9, v: 99 },
  ];
  const read = readRows(rows, 0, 180_000, 60_000);
  expect(read.times).toEqual([0, 60_000, 120_000]);
  expect(read.lines).toEqual([
    { label: 'pay', values: [null, 12, null] },
    { label: 'web', values: [3, 4, null] },
  ]);
  expect(read.crossings('>', 3)).toBe(1);
  expect(read.crossings('>=', 3)).toBe(2);
  expect(read.crossings('<', 4)).toBe(1);
});
