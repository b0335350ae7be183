import { describe, expect, it } from 'vitest';
import { columnStep, durationOf, heatOf, heatQuery, parsePick, pickTerms, pickText, rowOf } from './heat.ts';

describe('cells', () => {
  it('come back to their own durations', () => {
    for (const ns of [1e3, 5e5, 1e6, 42e6, 1e9, 30e9]) {
      const row = rowOf(ns);
      expect(durationOf(row)).toBeLessThanOrEqual(ns * 1.000001);
      expect(durationOf(row + 1)).toBeGreaterThan(ns * 0.999999);
    }
    expect(rowOf(0)).toBe(0);
    expect(rowOf(-5)).toBe(0);
  });
  it('are at most 120 side by side', () => {
    for (const minutes of [1, 5, 15, 60, 360, 1440, 10_080])
      expect((minutes * 60_000) / columnStep(minutes * 60_000)).toBeLessThanOrEqual(120);
  });
});

describe('heatQuery', () => {
  it('counts what the filter finds, whatever steps follow it', () => {
    const query = heatQuery('spans service=web | sort duration', 30_000);
    expect(query).toMatch(/^spans service=web \| let y = floor\(/);
    expect(query).toContain('| bucket 30s |');
    expect(query).not.toContain('sort');
    expect(heatQuery('spans', 120_000)).toContain('bucket 2m');
  });
});

describe('heatOf', () => {
  const range = { from: 60_000, to: 360_000 };
  const bucket = (ms: number) => new Date(ms).toISOString().replace('Z', '000000Z');
  it('places cells and errors, and drops what is outside', () => {
    const heat = heatOf(
      [
        { bucket: bucket(60_000), y: 33, n: 3, bad: 0 },
        { bucket: bucket(120_000), y: 44, n: 5, bad: 2 },
        { bucket: bucket(999_000), y: 44, n: 5, bad: 2 },
      ],
      range,
      60_000,
    );
    expect(heat.cells).toEqual([
      { column: 0, row: 33, n: 3 },
      { column: 1, row: 44, n: 5 },
    ]);
    expect(heat.errors).toEqual([0, 2, 0, 0, 0]);
    expect(heat).toMatchObject({ low: 33, high: 55, most: 5, total: 8, bad: 2 });
  });
  it('has axes without data', () => {
    expect(heatOf([], range, 60_000)).toMatchObject({ total: 0, cells: [] });
  });
});

describe('a box', () => {
  const pick = { from: 1_000, to: 2_000, least: 1e6, most: 2e6 };
  it('lives in the address', () => {
    expect(parsePick(pickText(pick))).toEqual(pick);
    expect(parsePick(undefined)).toBeUndefined();
    expect(parsePick('1-2-3')).toBeUndefined();
    expect(parsePick('2-1-3-4')).toBeUndefined();
  });
  it('is four terms of the filter', () => {
    expect(pickTerms(pick)).toBe('time>=1970-01-01T00:00:01.000Z time<1970-01-01T00:00:02.000Z duration>=1000000ns duration<2000000ns');
  });
});
