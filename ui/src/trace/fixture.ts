// Small traces for the tests of this folder.
import type { SnapshotLine } from '../api/snapshots.ts';
import type { EventRow, LogRow, SpanRow, TraceAnswer } from '../api/types.ts';

const BEGIN_MS = Date.UTC(2026, 0, 1);

export function stamp(ms: number): string {
  const whole = Math.floor(ms);
  const ns = Math.round((ms - whole) * 1e6);
  return `${new Date(BEGIN_MS + whole).toISOString().slice(0, 23)}${String(ns).padStart(6, '0')}Z`;
}

/** [id, parent, depth, service, name, start ms, duration ms, more] */
export type Sketch = [string, string, number, string, string, number, number, Partial<SpanRow>?];

export function answerOf(
  spans: Sketch[],
  logs: Partial<LogRow>[] = [],
  events: Partial<EventRow>[] = [],
  snapshots: Partial<SnapshotLine>[] = [],
): TraceAnswer {
  const rows = spans.map(
    ([span, parent, depth, service, name, start, duration, more]): SpanRow => ({
      trace: 't',
      span,
      ...(parent && { parent }),
      depth,
      service,
      name,
      time: stamp(start),
      duration: duration * 1e6,
      ...more,
    }),
  );
  return {
    trace: 't',
    time: spans.length ? stamp(Math.min(...spans.map((span) => span[5]))) : stamp(0),
    duration: 0,
    complete: true,
    spans: rows,
    missing: [],
    logs: logs.map((log) => ({ time: stamp(0), ...log })),
    events: events.map((event, index) => ({ time: stamp(0), event_id: `e${index}`, ...event })),
    snapshots: snapshots.map((one, index) => ({ time: stamp(0), id: `s${index}`, probe: 'p1', ...one })),
  };
}
