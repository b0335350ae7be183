import { expect, it } from 'vitest';
import { Pager } from './pager.ts';

const rows = (page: number, n = 3) => Array.from({ length: n }, (_, i) => page * 3 + i);

it('keeps few pages, and asks again for one that was dropped by the cursor that it came with', () => {
  const pager = new Pager<number>(3, 2);
  pager.begin(rows(0), 'c1');
  expect(pager.wanted(0, 3)).toEqual({ page: 1, cursor: 'c1' });
  pager.put(1, rows(1), 'c2');
  expect(pager.wanted(2, 5)).toBeUndefined();
  pager.put(2, rows(2), 'c3');
  expect(pager.held).toBe(6);
  expect(pager.length).toBe(9);
  expect(pager.at(0)).toBeUndefined();
  expect(pager.at(8)).toBe(8);
  expect(pager.wanted(0, 2)).toEqual({ page: 0, cursor: undefined });
  pager.put(0, rows(0), 'c1');
  expect(pager.at(1)).toBe(1);
  expect(pager.at(8)).toBeUndefined();
  expect(pager.wanted(7, 8)).toEqual({ page: 2, cursor: 'c2' });
});

it('ends where the answer does', () => {
  const pager = new Pager<number>(3, 9);
  pager.begin(rows(0), 'c1');
  pager.put(1, rows(1, 1), undefined);
  expect(pager.length).toBe(4);
  expect(pager.wanted(2, 4)).toBeUndefined();
});

it('a million rows are as many in memory as a few thousand', () => {
  const pager = new Pager<number>(500, 8);
  pager.begin(new Array(500).fill(0), 'c');
  for (let page = 1; page < 2000; page++) pager.put(page, new Array(500).fill(0), 'c');
  expect(pager.length).toBe(1_000_000);
  expect(pager.held).toBe(4000);
});
