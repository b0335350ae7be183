import { describe, expect, it } from 'vitest';
import { rateNumber, rateUnit } from './rate.ts';

describe('rates', () => {
  it('are per minute until that would be long', () => {
    expect(rateUnit(3).label).toBe('/min');
    expect(rateUnit(250).label).toBe('/s');
  });
  it('have two digits below ten', () => {
    const unit = rateUnit(1);
    expect([0, 0.0005, 0.068, 0.53, 9].map((rate) => rateNumber(rate, unit))).toEqual(['0', '0.03', '4.1', '32', '540']);
  });
});
