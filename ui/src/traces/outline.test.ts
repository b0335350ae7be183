import { describe, expect, it } from 'vitest';
import type { TraceSummary } from '../api/types.ts';
import { batches, outlineOf, selfTimes, shortProblem } from './outline.ts';

it.each([
  ["TypeError: unsupported operand type(s) for *: 'NoneType'", 'TypeError'],
  ['java.lang.NullPointerException: x', 'java.lang.NullPointerException: x'],
  ['psycopg.OperationalError', 'psycopg.OperationalError'],
  ['Connection refused', 'Connection refused'],
  ['RequestTimeout after 3 s', 'RequestTimeout'],
])('%s', (message, short) => expect(shortProblem(message)).toBe(short));

describe('self time', () => {
  const span = (id: string, parent: string | undefined, service: string, begin: number, end: number) => ({
    id,
    parent,
    service,
    begin,
    end,
  });

  it('is what no child covers, children that overlap counted once and never outside of their parent', () => {
    const times = selfTimes([
      span('a', undefined, 'web', 0, 100),
      span('b', 'a', 'shop', 10, 60),
      span('c', 'a', 'shop', 40, 70),
      span('d', 'b', 'db', 50, 90),
    ]);
    // web: 100 - [10, 70]; shop: b 50 - [50, 60], c 30; db: 40.
    expect(times).toEqual([
      { service: 'shop', ns: 70 },
      { service: 'web', ns: 40 },
      { service: 'db', ns: 40 },
    ]);
  });

  it('of one span is its duration', () => {
    expect(selfTimes([span('a', undefined, 'web', 5, 9)])).toEqual([{ service: 'web', ns: 4 }]);
  });
});

it('names the exception of the deepest span that failed, and the status and user of the root', () => {
  const at = (ms: number) => `2026-01-01T00:00:00.${String(ms).padStart(3, '0')}000000Z`;
  const outline = outlineOf([
    { trace: 't', span: 'c', parent: 'b', time: at(3), duration: 1, status: 'error', message: 'rolled back' },
    { trace: 't', span: 'b', parent: 'a', time: at(2), duration: 1, status: 'error', exc: ['TypeError'] },
    { trace: 't', span: 'a', time: at(1), duration: 5e6, status: 'error', code: 500, user: 'u1', message: 'HTTP 500' },
  ]);
  expect(outline).toMatchObject({ code: 500, user: 'u1', problem: 'TypeError' });
});

it('asks for as many traces at once as one answer holds, and not for one that is too large alone', () => {
  const trace = (id: string, spans: number) => ({ trace: id, spans }) as TraceSummary;
  const groups = batches([trace('a', 3), trace('b', 4), trace('c', 2), trace('d', 99), trace('e', 9)], 10, 3);
  expect(groups.map((group) => group.map((t) => t.trace))).toEqual([['a', 'b', 'c'], ['e']]);
});
