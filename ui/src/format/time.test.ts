import { describe, expect, it } from 'vitest';
import { ago, durationTicks, nsBetween, parseInstant, timeTicks } from './time.ts';

describe('parseInstant', () => {
  it('keeps nine digits', () => {
    const instant = parseInstant('2026-01-01T00:00:00.123456789Z');
    expect(instant).toEqual({ ms: Date.UTC(2026, 0, 1) + 123, ns: 456_789 });
  });
  it('takes fewer', () => {
    expect(parseInstant('2026-01-01T00:00:00Z').ns).toBe(0);
    expect(parseInstant('2026-01-01T00:00:00.5Z').ms % 1000).toBe(500);
  });
  it('subtracts exactly', () => {
    const a = parseInstant('2026-01-01T00:00:00.999999999Z');
    const b = parseInstant('2026-01-01T00:00:01.000000001Z');
    expect(nsBetween(a, b)).toBe(2);
    expect(nsBetween(b, a)).toBe(-2);
  });
});

describe('ago', () => {
  it.each([
    [0, 'now'],
    [14_000, '14 s ago'],
    [59_000, '59 s ago'],
    [125_000, '2 min ago'],
    [7_300_000, '2 h ago'],
    [200_000_000, '2 d ago'],
    [-5_000, 'now'],
  ])('%d ms', (ms, text) => expect(ago(1e12 - ms, 1e12).replaceAll('\u202f', ' ')).toBe(text));
});

describe('timeTicks', () => {
  const from = new Date(2026, 0, 1, 9, 3).getTime();
  it('stands at clock times and is never more than asked for', () => {
    for (const minutes of [1, 7, 15, 60, 360, 1440, 10_080]) {
      const ticks = timeTicks(from, from + minutes * 60_000, 8);
      expect(ticks.length).toBeLessThanOrEqual(9);
      expect(ticks.length).toBeGreaterThan(0);
    }
    expect(timeTicks(from, from + 6 * 3_600_000, 8)[0]?.label).toBe('10:00');
  });
  it('prints a change of day', () => {
    const late = new Date(2026, 0, 1, 22, 0).getTime();
    const labels = timeTicks(late, late + 4 * 3_600_000, 8).map((tick) => tick.label);
    expect(labels).toContain('2 Jan');
  });
});

describe('durationTicks', () => {
  it('takes round steps', () => {
    expect(durationTicks(0, 842e6, 6).map((tick) => tick.at / 1e6)).toEqual([0, 200, 400, 600, 800]);
    expect(durationTicks(130e6, 170e6, 4).map((tick) => tick.at / 1e6)).toEqual([130, 140, 150, 160, 170]);
    expect(durationTicks(0, 880e9, 8).map((tick) => tick.at / 60e9)).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
    expect(durationTicks(0, 100e9, 6).map((tick) => tick.at / 1e9)).toEqual([0, 30, 60, 90]);
  });
});
