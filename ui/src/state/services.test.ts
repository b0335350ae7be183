import { describe, expect, it } from 'vitest';
import { HUES, ServiceHues } from './services.ts';

describe('ServiceHues', () => {
  it('keeps what it gave', () => {
    const hues = new ServiceHues();
    const first = hues.of('web');
    hues.of('checkout');
    expect(hues.of('web')).toBe(first);
  });
  it('gives the same service the same hue elsewhere', () => {
    expect(new ServiceHues().of('checkout')).toBe(new ServiceHues().of('checkout'));
  });
  it('gives no hue twice while there is a free one, then any', () => {
    const hues = new ServiceHues();
    const given = Array.from({ length: HUES }, (_, i) => hues.of(`service-${i}`));
    expect(new Set(given).size).toBe(HUES);
    expect(hues.of('one more')).toBeGreaterThanOrEqual(1);
    expect(hues.of('one more')).toBeLessThanOrEqual(HUES);
  });
  it('remembers', () => {
    let kept: [string, number][] = [];
    new ServiceHues([], (all) => {
      kept = all;
    }).of('web');
    expect(new ServiceHues(kept).of('web')).toBe(kept[0]?.[1]);
  });
});
