import { describe, expect, it } from 'vitest';
import { bucketAt, niceTop, placeMarks, runsOf, shares, sparkPaths, sparkTop, unfinished } from './scale.ts';

describe('the top of an axis', () => {
  it.each([
    [142, 200],
    [0.061, 0.08],
    [1030, 2000],
    [600, 600],
    [0, 1],
    [7, 8],
  ])('%d -> %d', (most, top) => expect(niceTop(most)).toBeCloseTo(top, 9));
  it('has a floor', () => expect(niceTop(0.001, 0.04)).toBeCloseTo(0.04, 9));
});

describe('buckets', () => {
  const times = [0, 10, 20];
  it('are found by time', () => {
    expect([-1, 0, 9, 10, 29, 30].map((at) => bucketAt(times, 10, at))).toEqual([-1, 0, 0, 1, 2, -1]);
    expect(bucketAt([], 10, 0)).toBe(-1);
  });
  it('know the one that still fills', () => {
    expect(unfinished(times, 10, 25)).toBe(2);
    expect(unfinished(times, 10, 30)).toBe(-1);
  });
  it('have gaps, not zeros', () => {
    expect(runsOf([1, 2, null, 3, undefined, null, 4])).toEqual([
      [0, 1],
      [3, 3],
      [6, 6],
    ]);
    expect(shares([1, 0], [4, 0])).toEqual([0.25, null]);
  });
});

describe('marks', () => {
  const place = (at: number[], bad = -1) =>
    placeMarks(
      at,
      (n) => n,
      () => 50,
      (n) => (n === bad ? 1 : 0),
      0,
      400,
    );
  it('have their label at the left, at the edge on the right', () => {
    expect(place([200])[0]?.label).toEqual({ x: 196, align: 'right' });
    expect(place([20])[0]?.label).toEqual({ x: 24, align: 'left' });
  });
  it('go without one where another stands, the more important first', () => {
    const placed = place([100, 110, 120], 110);
    expect(placed[0]).toMatchObject({ mark: 110, label: { align: 'right' } });
    expect(placed.filter((entry) => entry.label).map((entry) => entry.mark)).toEqual([110, 120]);
  });
});

describe('a sparkline', () => {
  it('is interrupted by gaps and keeps inside its box', () => {
    const { line } = sparkPaths([0, 10, null, 5], 10, 88, 24);
    expect(line).toBe('M0 23L29.3 1.5M88 12.3L88 12.3');
  });
  it('is drawn against its floor', () => {
    expect(sparkTop([0.001, null], 0.04)).toBe(0.04);
    expect(sparkTop([0.2], 0.04)).toBe(0.2);
    expect(sparkTop([], 0)).toBe(1);
  });
});
