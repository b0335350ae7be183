import { describe, expect, it } from 'vitest';
import { criticalPath } from './critical.ts';
import { answerOf, type Sketch } from './fixture.ts';
import { buildTrace, type SpanNode } from './model.ts';

function path(spans: Sketch[]) {
  const model = buildTrace(answerOf(spans));
  return criticalPath(model.main as SpanNode).map((s) => [s.span.name, s.from / 1e6, s.to / 1e6]);
}

describe('criticalPath', () => {
  it('follows whom the end waited for', () => {
    expect(
      path([
        ['a', '', 0, 'web', 'root', 0, 100],
        ['b', 'a', 1, 'web', 'short', 10, 20],
        ['c', 'a', 1, 'web', 'long', 10, 60],
        ['d', 'c', 2, 'web', 'inner', 30, 30],
      ]),
    ).toEqual([
      ['root', 0, 10],
      ['long', 10, 30],
      ['inner', 30, 60],
      ['long', 60, 70],
      ['root', 70, 100],
    ]);
  });
  it('takes a server that ends a moment after its caller, by a coarse clock, for waited for', () => {
    expect(
      path([
        ['a', '', 0, 'web', 'client', 10, 80],
        ['b', 'a', 1, 'shop', 'server', 20.2, 70.5],
      ]),
    ).toEqual([
      ['client', 0, 10.2],
      ['server', 10.2, 80],
    ]);
  });
  it('covers the root without gap or overlap', () => {
    const segments = path([
      ['a', '', 0, 'web', 'root', 0, 100],
      ['b', 'a', 1, 'web', 'b', 0, 50],
      ['c', 'a', 1, 'web', 'c', 50, 50],
      ['d', 'a', 1, 'web', 'outlives', 90, 50],
    ]);
    let at = 0;
    for (const [, from, to] of segments as [string, number, number][]) {
      expect(from).toBe(at);
      at = to;
    }
    expect(at).toBe(100);
    expect(segments.some(([name]) => name === 'outlives')).toBe(false);
  });
});
