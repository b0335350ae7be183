import { describe, expect, it } from 'vitest';
import type { SnapshotLine } from '../api/snapshots.ts';
import { capturesOn, firstValues, placeText, strayText } from './captured.ts';
import { answerOf, stamp } from './fixture.ts';
import { buildTrace, errorCount, type SpanNode } from './model.ts';
import { layoutRows, matcher } from './rows.ts';

const line = (more: Partial<SnapshotLine>): SnapshotLine => ({ id: 's', probe: 'p1', time: stamp(0), ...more });

const model = () =>
  buildTrace(
    answerOf(
      [
        ['a', '', 0, 'web', 'call', 0, 100],
        ['b', 'a', 1, 'shop', 'price', 10, 80],
      ],
      [],
      [],
      // As the server sends them: the newest first.
      [
        { id: 'late', service: 'shop', span: 'gone', time: stamp(120) },
        { id: 'bare', service: 'shop', time: stamp(70) },
        { id: 'here', service: 'shop', span: 'b', time: stamp(40), file: 'app/pricing.py', line: 16, columns: { rate: 'None' } },
      ],
    ),
  );

describe('what was captured in a trace', () => {
  it('hangs on its span at its time; without one it stands at the root and says why', () => {
    const { snapshots, spans, roots, duration } = model();
    expect(snapshots.map((one) => [one.row.id, one.start / 1e6])).toEqual([
      ['here', 40],
      ['bare', 70],
      ['late', 120],
    ]);
    expect(snapshots.map((one) => one.parent)).toEqual([spans[1], undefined, undefined]);
    expect(snapshots.map(strayText)).toEqual([undefined, 'it names no span', 'its span gone is not here']);
    expect(roots).toHaveLength(3);
    expect(duration / 1e6).toBe(120);
    expect(errorCount(model())).toBe(0);
  });

  it('is a row, found by what it holds', () => {
    const trace = model();
    const rows = layoutRows(trace, { folded: new Set(), opened: new Set(), matches: matcher('rate = none') });
    expect(rows.map((row) => [row.node.type, row.depth, row.matches])).toEqual([
      ['span', 0, false],
      ['span', 1, false],
      ['snapshot', 2, true],
      ['snapshot', 0, false],
      ['snapshot', 0, false],
    ]);
  });

  it('is marked on its span, and while that is folded away on the one above', () => {
    const { snapshots, spans } = model();
    const [call, price] = spans as [SpanNode, SpanNode];
    expect(capturesOn(price, false, snapshots)).toEqual([snapshots[0]]);
    expect(capturesOn(call, false, snapshots)).toEqual([]);
    expect(capturesOn(call, true, snapshots)).toEqual([snapshots[0]]);
  });

  it('is told by its place and its first values, what is not there before all', () => {
    const row = line({ file: 'app/pricing.py', line: 16, columns: { total: '184.5', rate: 'None', currency: 'EUR', floor: '0' } });
    expect(placeText(row)).toBe('pricing.py:16');
    expect(placeText(line({ function: 'f' }))).toBe('f');
    expect(firstValues(row, 3)).toEqual([
      ['rate', 'None'],
      ['total', '184.5'],
      ['currency', 'EUR'],
    ]);
    expect(firstValues(line({ columns: { x: '\u202egood' } }), 1)).toEqual([['x', '‹U+202E›good']]);
    expect(firstValues(line({}), 3)).toEqual([]);
  });
});
