// Rates in one unit for everything that is compared: per minute, or per second where that would be long.
import { count } from './number.ts';

export interface RateUnit {
  /** Per second times this. */
  factor: number;
  label: string;
  words: string;
}

const MINUTE: RateUnit = { factor: 60, label: '/min', words: 'per minute' };
const SECOND: RateUnit = { factor: 1, label: '/s', words: 'per second' };

export function rateUnit(mostPerSecond: number): RateUnit {
  return mostPerSecond >= 100 ? SECOND : MINUTE;
}

/** Two significant digits below ten, whole above. */
export function rateNumber(perSecond: number, unit: RateUnit): string {
  const n = perSecond * unit.factor;
  if (n === 0 || n >= 9.95) return count(n);
  return n >= 0.095 ? n.toFixed(1) : n.toFixed(2);
}
