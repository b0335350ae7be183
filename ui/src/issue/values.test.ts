import { describe, expect, it } from 'vitest';
import { isTree, pathTo, summary, textOf, whyMissing } from './values.ts';

describe('values in one line', () => {
  it('are as their SDK means them', () => {
    expect(textOf("'a'", true)).toBe("'a'");
    expect(textOf('a', false)).toBe('"a"');
    expect(textOf(null, true)).toBe('None');
    expect(textOf(null, false)).toBe('null');
    expect(textOf(1.5, false)).toBe('1.5');
  });
  it('show the members of what holds others, not theirs, and end', () => {
    expect(summary({ code: 'A', of: { a: 1 }, list: [1, 2] }, false)).toBe('{code: "A", of: {…}, list: […]}');
    expect(summary([1, 'b'], false)).toBe('[1, "b"]');
    expect(summary({ long: 'x'.repeat(500) }, false).length).toBeLessThan(170);
  });
  it('open only when there is something in them', () => {
    expect([isTree({}), isTree([]), isTree({ a: 1 }), isTree('x'), isTree(null)]).toEqual([false, false, true, false, false]);
  });
});

describe('a missing value', () => {
  const scrubbed = [{ path: 'exception.values.0.stacktrace.frames.3.vars.card', rule: 'cards' }];
  it('says why', () => {
    expect(whyMissing('[Filtered]', 'vars.card', scrubbed)).toBe('scrubbed: rule “cards”');
    expect(whyMissing("'[Filtered]'", 'vars.other', scrubbed)).toBe('scrubbed before it was stored');
    expect(whyMissing('', 'x', [])).toBe('empty');
    expect(whyMissing(null, 'vars.card', scrubbed)).toBe('scrubbed: rule “cards”');
    expect(whyMissing('****', 'vars.card', scrubbed)).toBeUndefined(); // there is something to see
    expect(whyMissing(null, 'x', [])).toBeUndefined();
    expect(whyMissing('<object>', 'x', [])).toBe('object, deeper than the SDK sends');
    expect(whyMissing('None', 'x', [])).toBeUndefined();
    expect(whyMissing(0, 'x', [])).toBeUndefined();
  });
});

it('names members as a program would', () => {
  expect(pathTo('order', 'total', false)).toBe('order.total');
  expect(pathTo('order', "'total'", false)).toBe('order.total');
  expect(pathTo('lines', '0', true)).toBe('lines[0]');
  expect(pathTo('headers', 'x-id', false)).toBe('headers["x-id"]');
});
