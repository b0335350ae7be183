import { describe, expect, it } from 'vitest';
import type { Captured } from '../api/snapshots.ts';
import { differences } from './diff.ts';
import { capture, none } from './fixture.ts';
import { neighbours } from './neighbours.ts';
import { frameAtFirst, places, rootsOf, rowsOf, search } from './tree.ts';
import { childrenOf, copyText, expressionText, oneLine, reasonOf, restText, typeText } from './value.ts';
import { lossText } from './words.ts';

describe('the rows of a snapshot', () => {
  const it1 = capture(none);
  const roots = rootsOf(it1, 0);
  const open = (...ids: string[]) => rowsOf(roots, { open: new Set(ids), known: places(it1) });

  it('has expressions first, then arguments, then locals, closed', () => {
    expect(open().map((row) => [row.group, row.name, row.open])).toEqual([
      ['Expressions', 'a + b', false],
      ['Arguments', 'order', false],
      ['Locals', 'rate', undefined],
    ]);
  });

  it('names each value as the expression language does', () => {
    const paths = open('0', '1', '1/1', '1/1/0').map((row) => row.path);
    expect(paths).toContain('(a + b).x');
    expect(paths).toContain('order.lines[0]["a \\"b\\""]');
    expect(rootsOf({ ...it1, frames: [{}, ...(it1.frames ?? [])] }, 1).map((root) => root.path)).toContain('@frame(1).rate');
    expect(expressionText('a\n"')).toBe('"a\\n\\""');
  });

  it('says what is not there and why, and where the same object stands', () => {
    const rows = open('1', '1/1');
    expect(rows.find((row) => row.rest)?.rest?.why).toBe('13 more items: more items than the probe takes');
    expect(rows.find((row) => row.name === 'self')?.same).toBe('order');
    expect(reasonOf('redacted', 'cards').why).toBe('redacted on the host, rule “cards”');
    expect(rows.find((row) => row.name === 'card')?.path).toBe('order.card');
  });

  it('tells each row its place among its siblings', () => {
    expect(
      open('1')
        .filter((row) => row.parent === '1')
        .map((row) => [row.at, row.of]),
    ).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });

  it('leaves what a search finds and the way to it', () => {
    const rows = rowsOf(roots, { open: new Set(), found: search(roots, '184.5') });
    expect(rows.map((row) => [row.name, row.found === true])).toEqual([
      ['order', false],
      ['total', true],
    ]);
    expect(rowsOf(roots, { open: new Set(), found: search(roots, 'nowhere') })).toEqual([]);
  });

  it('starts with the innermost own frame that has variables', () => {
    expect(
      frameAtFirst([
        { in_app: false, vars: [] },
        { in_app: true, vars: [{ name: 'x', value: none }] },
      ]),
    ).toBe(1);
    expect(frameAtFirst([{ in_app: false }])).toBe(0);
  });
});

describe('a value in one line', () => {
  it('is written as its program writes it, cut where it was cut', () => {
    expect(oneLine(none, true)).toBe('None');
    expect(oneLine({ k: 'bool', v: true }, false)).toBe('true');
    expect(oneLine({ k: 'int', t: 'int', v: '9007199254740993' })).toBe('9007199254740993');
    expect(oneLine({ k: 'str', t: 'str', v: 'leave it', n: 2100, cut: 'bytes' })).toBe('"leave it…"');
    expect(oneLine({ k: 'list', t: 'list', n: 3, i: [{ k: 'int', v: 1 }] })).toBe('[1, …]');
    expect(oneLine({ k: 'bytes', t: 'bytes', v: 'AP8=' })).toBe('0x00ff');
    expect(typeText({ k: 'list', t: 'list', n: 14, i: [] })).toBe('list, 14');
    expect(oneLine({ k: 'str', t: 'str', v: '\u202egood' })).toContain('‹U+202E›');
  });
  it('gives what can be pasted', () => {
    expect(copyText({ k: 'str', v: 'a "b"' })).toBe('a "b"');
    expect(
      JSON.parse(
        copyText({
          k: 'dict',
          e: [
            [
              { k: 'str', v: 'x' },
              { k: 'missing', why: 'depth' },
            ],
          ],
        }),
      ),
    ).toEqual({
      x: '<deeper than the probe looks>',
    });
    expect(childrenOf({ k: 'set', i: [none] })[0]?.step).toBeUndefined();
    expect(restText({ k: 'str', v: 'x', n: 9, cut: 'bytes' })).toBeUndefined();
  });
});

describe('two snapshots', () => {
  it('differ where a variable does', () => {
    const found = differences(capture(none), capture({ k: 'int', t: 'int', v: 1500 }));
    expect(found.rows.map((row) => [row.path, row.before?.k, row.after?.v])).toEqual([['rate', 'null', 1500]]);
    expect(found.same).toBe(5);
    expect(differences(capture(none), capture(none)).rows).toEqual([]);
  });
  it('say once what an expression and a variable show', () => {
    const at = (v: number) => {
      const value: Captured = { k: 'int', t: 'int', v };
      return capture(value, { exprs: [{ text: 'rate', value }] });
    };
    expect(differences(at(1), at(2)).rows.map((row) => row.path)).toEqual(['rate']);
  });
  it('say nothing of what was cut off', () => {
    const less = { k: 'list', t: 'list', n: 2, cut: 'items', i: [none] } as const;
    const whole = { k: 'list', t: 'list', i: [none, { k: 'int', t: 'int', v: 2 }] } as const;
    expect(differences(capture({ ...less, i: [...less.i] }), capture({ ...whole, i: [...whole.i] })).rows).toEqual([]);
  });
  it('stand in the order of time', () => {
    const line = (id: string, time: string) => ({ id, time, probe: 'p1' });
    expect(neighbours([line('b', '2'), line('a', '1'), line('c', '3')], 'b')).toEqual({ older: line('a', '1'), newer: line('c', '3') });
    expect(neighbours([], 'b')).toEqual({});
  });
});

it('counts what was lost', () => {
  expect(lossText(capture(none))).toEqual(['1 value redacted', '2 hits before it dropped']);
});
