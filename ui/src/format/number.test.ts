import { describe, expect, it } from 'vitest';
import { bytes, count, duration, durationTick, percent, plural } from './number.ts';

/** The narrow no-break space as a plain one, to be readable here. */
const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('count', () => {
  it.each([
    [0, '0'],
    [9_999, '9,999'],
    [10_000, '10.0 k'],
    [48_213, '48.2 k'],
    [448_800, '449 k'],
    [999_499, '999 k'],
    [999_500, '1.0 M'],
    [1_250_000, '1.3 M'],
    [3.2e9, '3.2 G'],
  ])('%d is %s', (n, text) => expect(plain(count(n))).toBe(text));
});

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [1, '1 ns'],
    [999, '999 ns'],
    [1_000, '1.0 µs'],
    [216_000, '216 µs'],
    [999_499, '999 µs'],
    [999_600, '1.0 ms'],
    [6_200_000, '6.2 ms'],
    [9_949_000, '9.9 ms'],
    [9_960_000, '10 ms'],
    [842_000_000, '842 ms'],
    [1_034_000_000, '1,034 ms'],
    [12_300_000_000, '12 s'],
    [59.4e9, '59 s'],
    [90e9, '1.5 min'],
    [7200e9, '2.0 h'],
    [-3_000_000, '-3.0 ms'],
  ])('%d ns is %s', (ns, text) => expect(plain(duration(ns))).toBe(text));
});

describe('durationTick', () => {
  it.each([
    [0, 5e6, '0 ms'],
    [5e6, 5e6, '5 ms'],
    [800e6, 200e6, '800 ms'],
    [1.2e9, 200e6, '1.2 s'],
    [250e3, 50e3, '250 µs'],
    [2.5e6, 500e3, '2.5 ms'],
    [30e9, 10e9, '30 s'],
  ])('%d by %d is %s', (ns, step, text) => expect(plain(durationTick(ns, step))).toBe(text));
});

describe('the rest', () => {
  it('counts things in words', () => {
    expect(plural(1, 'span')).toBe('1 span');
    expect(plural(39, 'span')).toBe('39 spans');
    expect(plural(2, 'child', 'children')).toBe('2 children');
  });
  it('writes shares and sizes', () => {
    expect(plain(percent(0.061))).toBe('6.1 %');
    expect(plain(percent(1))).toBe('100 %');
    expect(plain(bytes(48_200))).toBe('48.2 KB');
  });
});
