import { describe, expect, it } from 'vitest';
import type { SpanRow, TraceAnswer } from '../api/types.ts';
import { miniRows, spanWith } from './mini.ts';
import { buildTrace } from './model.ts';

const AT = '2026-11-28T12:00:00.';

function span(id: string, depth: number, parent: string | undefined, startMs: number, ms: number, more: Partial<SpanRow> = {}): SpanRow {
  return {
    time: `${AT}${String(startMs).padStart(3, '0')}000000Z`,
    duration: ms * 1e6,
    trace: 't',
    span: id,
    ...(parent && { parent }),
    depth,
    service: 'shop',
    name: id,
    ...more,
  };
}

function model(spans: SpanRow[], events: TraceAnswer['events'] = []) {
  return buildTrace({
    trace: 't',
    time: `${AT}000000000Z`,
    duration: 0,
    complete: true,
    spans,
    missing: [],
    logs: [],
    events,
    snapshots: [],
  });
}

const names = (trace: ReturnType<typeof model>, about: string | undefined, most: number) =>
  miniRows(trace, spanWith(trace, about), most).rows.map(
    (row) => `${' '.repeat(row.depth)}${row.node.type === 'span' ? row.node.name : '?'}`,
  );

describe('a trace in a few rows', () => {
  const wide = model([
    span('root', 0, undefined, 0, 100),
    span('cart', 1, 'root', 0, 10),
    span('stock', 1, 'root', 10, 30),
    span('price', 1, 'root', 50, 20),
    span('discount', 2, 'price', 55, 5),
    span('mail', 1, 'root', 80, 2),
  ]);
  it('shows the way down, and beside it what took longest, in the order of the trace', () => {
    expect(names(wide, 'discount', 5)).toEqual(['root', ' cart', ' stock', ' price', '  discount']);
  });
  it('says how many it leaves out', () => {
    expect(miniRows(wide, spanWith(wide, 'discount'), 4).left).toBe(2);
  });
  it('has the begin and the end of a deep way', () => {
    const deep = model(Array.from({ length: 9 }, (_, i) => span(`s${i}`, i, i ? `s${i - 1}` : undefined, i, 50)));
    expect(names(deep, 's8', 4)).toEqual(['s0', ' s6', '  s7', '   s8']);
  });
  it('prefers what failed to what was slow', () => {
    const failed = model([
      span('root', 0, undefined, 0, 100),
      span('slow', 1, 'root', 0, 90),
      span('failed', 1, 'root', 91, 1, { status: 'error' }),
    ]);
    expect(names(failed, undefined, 2)).toEqual(['root', ' failed']);
  });
  it('has errors where they happened', () => {
    const event = { time: `${AT}056000000Z`, event_id: 'e', span: 'price', service: 'shop', type: 'TypeError', level: 'error' };
    const trace = model([span('root', 0, undefined, 0, 100), span('price', 1, 'root', 50, 20)], [event]);
    const rows = miniRows(trace, spanWith(trace, 'price'), 5).rows;
    expect(rows.map((row) => [row.here, row.events.length])).toEqual([
      [false, 0],
      [true, 1],
    ]);
  });
  it('takes the span of the service where two share an id', () => {
    const shared = model([
      span('a', 0, undefined, 0, 10, { kind: 'client', service: 'web' }),
      span('a', 1, 'a', 1, 8, { kind: 'server', service: 'shop' }),
    ]);
    expect(spanWith(shared, 'a', 'shop')?.service).toBe('shop');
    expect(spanWith(shared, 'b')).toBeUndefined();
  });
});
