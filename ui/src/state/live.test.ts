import { expect, it } from 'vitest';
import { pause } from './live.ts';

it.each([
  [3, 1000],
  [90, 1000],
  [400, 4000],
  [60_000, 15_000],
])('after an answer that took %d ms waits %d ms', (took, wait) => expect(pause(took)).toBe(wait));
