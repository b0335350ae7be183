import { describe, expect, it } from 'vitest';
import { fit, focusOn, isFit, pan, pinch, range, zoom } from './viewport.ts';

const DURATION = 1e9;

describe('viewport', () => {
  it('keeps the time under the pointer', () => {
    const closer = zoom(fit(DURATION), 0.5, 0.25e9, DURATION);
    expect(closer).toEqual({ from: 0.125e9, to: 0.625e9 });
    expect((0.25e9 - closer.from) / (closer.to - closer.from)).toBeCloseTo(0.25);
  });
  it('never leaves the trace, never shows nothing', () => {
    expect(zoom({ from: 0.9e9, to: 1e9 }, 4, 1e9, DURATION)).toEqual({ from: 0.6e9, to: 1e9 });
    expect(pan({ from: 0, to: 0.5e9 }, -1e9, DURATION)).toEqual({ from: 0, to: 0.5e9 });
    expect(pan({ from: 0, to: 0.5e9 }, 9e9, DURATION)).toEqual({ from: 0.5e9, to: 1e9 });
    const deep = zoom(fit(DURATION), 1e-12, 5e8, DURATION);
    expect(deep.to - deep.from).toBeGreaterThan(0);
    expect(isFit(zoom(deep, 1e12, 5e8, DURATION), DURATION)).toBe(true);
  });
  it('takes a range either way round', () => {
    expect(range(0.6e9, 0.2e9, DURATION)).toEqual({ from: 0.2e9, to: 0.6e9 });
  });
  it('gives a span some room', () => {
    expect(focusOn(0.4e9, 0.6e9, DURATION).from).toBeLessThan(0.4e9);
  });
  it('has a width for a trace of no duration', () => {
    expect(fit(0).to).toBeGreaterThan(0);
  });

  it('follows two fingers: apart is closer, together sideways pans, and never leaves the trace', () => {
    const whole = { from: 0, to: 1e9 };
    const began = { gap: 0.2, middle: 0.5 };
    expect(pinch(whole, began, { gap: 0.4, middle: 0.5 }, 1e9)).toEqual({ from: 0.25e9, to: 0.75e9 });
    const moved = pinch({ from: 0.4e9, to: 0.6e9 }, began, { gap: 0.2, middle: 0.25 }, 1e9);
    expect([moved.from, moved.to].map(Math.round)).toEqual([0.45e9, 0.65e9]);
    expect(pinch(whole, began, { gap: 0.1, middle: 0.9 }, 1e9)).toEqual(whole);
  });
});
