import { describe, expect, it } from 'vitest';
import { framesOf, stackRuns, stackText } from './stack.ts';

const row = (own: (boolean | null)[], more = {}) => ({
  time: '',
  event_id: 'e',
  'stack.function': own.map((_, i) => `f${i}`),
  'stack.file': own.map((_, i) => `${i}.py`),
  'stack.line': own.map((_, i) => i),
  'stack.in_app': own,
  ...more,
});

describe('the stack of an event', () => {
  it('is read from lists of which some are missing, or shorter', () => {
    expect(framesOf(row([true, false]))).toEqual([
      { name: 'f0', place: '0.py', own: true },
      { name: 'f1', place: '1.py:1', own: false },
    ]);
    expect(framesOf({ time: '', event_id: 'e', 'stack.module': ['m', null], 'stack.function': [null] })).toEqual([
      { name: '(anonymous)', place: 'm', own: false },
      { name: '(anonymous)', place: '', own: false },
    ]);
    expect(framesOf({ time: '', event_id: 'e' })).toEqual([]);
  });

  it('folds runs of library frames, never one alone, and none when there is nothing else', () => {
    const shape = (own: boolean[]) => stackRuns(framesOf(row(own))).map((run) => [run.folded, run.frames.length]);
    expect(shape([true, false, true, false, false, false])).toEqual([
      [false, 1],
      [false, 1],
      [false, 1],
      [true, 3],
    ]);
    expect(shape([false, false, false])).toEqual([[false, 3]]);
  });

  it('is copied as text', () => {
    expect(stackText('E: x', framesOf(row([true, true])))).toBe('E: x\n  at f0 (0.py)\n  at f1 (1.py:1)');
  });
});
