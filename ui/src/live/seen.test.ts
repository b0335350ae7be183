import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lineHash, lineSeen, seenOf, sha256 } from './seen.ts';

describe('what was seen', () => {
  it('is told by the digest that everybody computes', () => {
    for (const text of ['', 'abc', 'ä€😀', ...Array.from({ length: 140 }, (_, n) => 'x'.repeat(n)), 'y'.repeat(100_000)])
      expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('is a line without its blanks, as the agents have it', () => {
    expect(lineHash('b = a')).toBe('65c8d18c6cb8422f926624dddd015ff7e180604547b95a966dff90cb4ba4dadc');
    expect(lineHash('  \tb\t =    a \r\n')).toBe(lineHash('b = a'));
    expect(lineHash('b =a')).not.toBe(lineHash('b = a'));
    // A blank of another alphabet is part of the text.
    expect(lineHash('b\u00a0= a')).not.toBe(lineHash('b = a'));
  });

  it('is found again, the nearest first', () => {
    const lines = ['a = 1', 'b = 2', '', 'a = 1', 'c = 3'];
    const seen = seenOf('  a = 1') ?? '';
    expect(lineSeen(lines, seen, 1)).toBe(1);
    expect(lineSeen(lines, seen, 3)).toBe(4);
    expect(lineSeen(lines, seen, 40)).toBe(4);
    expect(lineSeen(lines, seenOf('d = 4') ?? '', 2)).toBeUndefined();
    expect(seenOf('   ')).toBeUndefined();
    expect(seenOf(undefined)).toBeUndefined();
  });
});
