import { describe, expect, it } from 'vitest';
import { rangeLabel, resolveRange, shiftRange, spanOf } from './range.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

describe('resolveRange', () => {
  it('lets a relative range end now', () => {
    expect(resolveRange('-6h', undefined, NOW)).toEqual({ from: NOW - 21_600_000, to: NOW, relative: true });
  });
  it('takes an absolute one as it is', () => {
    expect(resolveRange('1000', '2000', NOW)).toEqual({ from: 1000, to: 2000, relative: false });
  });
  it('answers nonsense with the default', () => {
    for (const [from, to] of [
      ['2000', '1000'],
      ['x', 'y'],
      ['-6h', 'x'],
      ['1000', undefined],
      ['-9y', undefined],
    ] as const) {
      expect(resolveRange(from, to, NOW)).toEqual(resolveRange(undefined, undefined, NOW));
    }
  });
});

describe('the rest', () => {
  it('knows the units', () => {
    expect(spanOf('-90s')).toBe(90_000);
    expect(spanOf('90s')).toBeUndefined();
  });
  it('moves by half a window, never past now', () => {
    const range = { from: NOW - 10_000, to: NOW - 2_000, relative: false };
    expect(shiftRange(range, -1, NOW)).toEqual({ from: NOW - 14_000, to: NOW - 6_000 });
    expect(shiftRange(range, 1, NOW)).toEqual({ from: NOW - 8_000, to: NOW });
  });
  it('names presets', () => {
    expect(rangeLabel('-6h', undefined)).toBe('Last 6 h');
    expect(rangeLabel('-42m', undefined)).toBe('Last 42m');
  });
});
