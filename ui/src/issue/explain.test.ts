import { describe, expect, it } from 'vitest';
import type { Component, Grouping } from '../api/event.ts';
import { usedVariant, whyOne } from './explain.ts';

const part = (id: string, contributes: boolean, values: Component['values'] = []): Component => ({ id, contributes, values });
const app = (stack: Component[], value: boolean): Grouping => ({
  variants: [
    {
      type: 'app',
      hash: 'a',
      contributes: true,
      components: part('app', true, [
        part('exception', true, [
          part('type', true, ['TypeError']),
          part('value', value, ['no']),
          part('stacktrace', stack.length > 0, stack),
        ]),
      ]),
    },
    { type: 'system', hash: 'b', contributes: false },
  ],
});

describe('why events are one issue', () => {
  it('counts what was hashed, and says when the message was not', () => {
    expect(whyOne(app([part('frame', true), part('frame', true), part('frame', false)], false))).toBe(
      'Same type and same 2 in-app frames. Message left out: the stack was enough.',
    );
    expect(whyOne(app([], true))).toBe('Same type and same message, numbers and ids aside.');
  });
  it('does not count what is inside of something that does not', () => {
    const grouping: Grouping = {
      variants: [
        {
          type: 'app',
          hash: 'a',
          contributes: true,
          components: part('app', true, [part('stacktrace', false, [part('frame', true)]), part('message', true)]),
        },
      ],
    };
    expect(whyOne(grouping)).toBe('Same message, numbers and ids aside.');
  });
  it('names a fingerprint', () => {
    const variants = [{ type: 'custom-fingerprint', hash: 'a', contributes: true }];
    expect(whyOne({ fingerprint: ['db', 'down'], variants })).toBe('The program itself gives them the fingerprint “db”, “down”.');
    expect(whyOne({ fingerprint: ['db'], rule: 'type:X -> db', variants })).toBe('A rule of the project gives them the fingerprint “db”.');
  });
  it('says nothing when nothing is known', () => {
    expect(whyOne(undefined)).toBeUndefined();
    expect(whyOne({ variants: [] })).toBeUndefined();
    expect(usedVariant({ variants: [{ type: 'x', hash: 'h' }] })?.hash).toBe('h');
  });
});
