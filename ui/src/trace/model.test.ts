import { describe, expect, it } from 'vitest';
import { criticalPath } from './critical.ts';
import { answerOf, stamp } from './fixture.ts';
import { buildTrace, errorCount, type SpanNode } from './model.ts';
import { layoutRows } from './rows.ts';

const named = (spans: SpanNode[], name: string) => spans.find((span) => span.name === name) as SpanNode;

describe('buildTrace', () => {
  it('rebuilds the tree from order and depth, also where two spans share an id', () => {
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'call', 0, 100],
        ['b', 'a', 1, 'web', 'client', 10, 80],
        ['b', 'a', 2, 'checkout', 'server', 20, 60],
        ['c', 'b', 3, 'checkout', 'work', 30, 10],
      ]),
    );
    expect(named(model.spans, 'work').parent).toBe(named(model.spans, 'server'));
    expect(model.roots).toEqual([named(model.spans, 'call')]);
    expect(named(model.spans, 'call').below).toBe(3);
  });

  it('hangs orphans below a node for the parent that never came, where they ran', () => {
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'root', 0, 100],
        ['x', 'gone', 0, 'worker', 'one', 40, 10],
        ['y', 'gone', 0, 'worker', 'two', 60, 20, { status: 'error' }],
      ]),
    );
    expect(model.missing).toHaveLength(1);
    expect(model.missing[0]).toMatchObject({ id: 'gone', start: 40e6, duration: 40e6, below: 2, errorsBelow: 1 });
    expect(model.missing[0]?.parent).toBe(model.main);
    expect(model.main?.errorsBelow).toBe(1);
    expect(model.roots).toHaveLength(1);
  });

  it('hangs error events on their span, counts them, and has the place of one whose span is not here', () => {
    const model = buildTrace(
      answerOf(
        [
          ['a', '', 0, 'web', 'root', 0, 100],
          ['b', 'a', 1, 'web', 'inner', 10, 50],
        ],
        [],
        [
          { time: stamp(30), span: 'b', service: 'shop', type: 'TypeError', title: 'TypeError: no', level: 'warn' },
          { time: stamp(40), span: 'b', service: 'shop', title: 'open', level: 'info' },
          { time: stamp(50), span: 'elsewhere', service: 'shop', title: 'lost' },
        ],
      ),
    );
    const inner = named(model.spans, 'inner');
    expect(inner.children).toMatchObject([
      { type: 'event', title: 'TypeError: no', error: true, start: 30e6 },
      { title: 'open', error: false },
    ]);
    expect([inner.errorsBelow, model.main?.errorsBelow, errorCount(model)]).toEqual([1, 1, 2]);
    expect(layoutRows(model, { folded: new Set(), opened: new Set() }).map(({ node, depth }) => [node.type, depth])).toEqual([
      ['span', 0],
      ['span', 1],
      ['event', 2],
      ['event', 2],
      ['event', 0],
    ]);
  });

  it('takes a trace of an error alone', () => {
    const model = buildTrace(answerOf([], [], [{ time: stamp(7), service: 'mobile', type: 'E', title: 'E: x' }]));
    expect(model).toMatchObject({ main: undefined, duration: 0, serviceCount: 1, roots: [{ type: 'event', start: 0 }] });
    expect(errorCount(model)).toBe(1);
  });

  it('shows orphans on their own when there is no root at all', () => {
    const model = buildTrace(answerOf([['x', 'gone', 0, 'worker', 'one', 40, 10]]));
    expect(model.roots).toEqual(model.missing);
    expect(model.main?.name).toBe('one');
  });

  it('counts own time as what no child covers, overlaps once, parts outside not', () => {
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'root', 0, 100],
        ['b', 'a', 1, 'web', 'b', 10, 30],
        ['c', 'a', 1, 'web', 'c', 20, 30],
        ['d', 'a', 1, 'web', 'd', 90, 50],
      ]),
    );
    expect(model.main?.self).toBe(50e6);
    expect(model.duration).toBe(140e6);
  });

  it('puts logs at their moment below their span, and those of no known span at the root', () => {
    const model = buildTrace(
      answerOf(
        [
          ['a', '', 0, 'web', 'root', 0, 100],
          ['b', 'a', 1, 'web', 'b', 10, 30],
        ],
        [
          { span: 'b', time: stamp(20.5), body: 'in b', service: 'web', level: 'error' },
          { span: 'zzz', time: stamp(5), body: 'lost' },
          { time: stamp(6), body: { nested: true } },
        ],
      ),
    );
    const b = named(model.spans, 'b');
    expect(b.children.map((child) => child.type)).toEqual(['log']);
    expect(b.children[0]?.start).toBe(20.5e6);
    expect(model.main?.errorsBelow).toBe(1);
    expect(model.roots.map((node) => node.type)).toEqual(['span', 'log']);
    expect(model.logs[2]).toMatchObject({ parent: model.main, text: '{"nested":true}' });
  });

  it('begins at the earliest record, also when that is a log, and survives negative durations', () => {
    const model = buildTrace(answerOf([['a', '', 0, 'web', 'root', 10, -3]], [{ span: 'a', time: stamp(4), body: 'early' }]));
    expect(model.logs[0]?.start).toBe(0);
    expect(model.spans[0]?.start).toBe(6e6);
    expect(model.spans[0]?.self).toBe(0);
  });

  it('gives the time of a call without a counterpart to whom was called', () => {
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'root', 0, 100],
        ['b', 'a', 1, 'web', 'SELECT', 10, 30, { kind: 'client', attr: { 'db.system.name': 'postgresql' } }],
        ['c', 'a', 1, 'web', 'GET', 50, 20, { kind: 'client', attr: { 'server.address': 'api.example' } }],
      ]),
    );
    expect(model.services.map((share) => [share.service, share.self, share.external])).toEqual([
      ['web', 50e6, false],
      ['postgresql', 30e6, true],
      ['api.example', 20e6, true],
    ]);
    expect(model.serviceCount).toBe(1);
  });

  it('names the versions that a service ran', () => {
    const ran = (version: string) => ({ resource: { 'service.version': version } });
    const model = buildTrace(
      answerOf([
        ['a', '', 0, 'web', 'root', 0, 100],
        ['b', 'a', 1, 'shop', 'x', 10, 30, ran('1.4.1')],
        ['c', 'a', 1, 'shop', 'x', 50, 20, ran('1.4.2')],
        ['d', 'a', 1, 'shop', 'x', 80, 10, ran('1.4.1')],
      ]),
    );
    expect(Object.fromEntries(model.services.map((share) => [share.service, share.versions]))).toEqual({
      web: [],
      shop: ['1.4.1', '1.4.2'],
    });
  });

  it('takes ten thousand spans in one chain', () => {
    const chain = Array.from({ length: 10_000 }, (_, i): [string, string, number, string, string, number, number] => [
      `s${i}`,
      i ? `s${i - 1}` : '',
      i,
      'web',
      `n${i}`,
      0,
      100,
    ]);
    const model = buildTrace(answerOf(chain));
    expect(model.main?.below).toBe(9_999);
    expect(layoutRows(model, { folded: new Set(), opened: new Set() })).toHaveLength(10_000);
    expect(criticalPath(model.main as SpanNode)).toHaveLength(1);
  });
});
