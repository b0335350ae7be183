// What a listed trace is made of: which service spent the time, and what the summary leaves out. One question for many traces.
import { runQuery } from '../api/client.ts';
import type { Int, TraceSummary, Value } from '../api/types.ts';
import { parseInstant } from '../format/time.ts';

export interface OutlineSpan {
  trace: string;
  span: string;
  parent?: string;
  service?: string;
  time: string;
  duration: Int;
  status?: string;
  message?: string;
  code?: Value;
  user?: Value;
  exc?: Value;
}

export interface SelfTime {
  service: string;
  ns: number;
}

export interface Outline {
  /** The answer's status of the root. */
  code?: number;
  user?: string;
  /** The type of the deepest exception, else the message of a span that failed. */
  problem?: string;
  /** Largest first. */
  self?: SelfTime[];
}

/** Spans of one question at most; a trace with more than this alone has no outline in the list. */
const SPANS = 4000;
const TRACES = 50;
const KEPT = 1000;

const FIELDS =
  'trace, span, parent, service, time, duration, status, message, http.response.status_code as code, user, event.exception.type as exc';

export function outlineQuery(traces: readonly TraceSummary[]): string {
  return `spans trace=(${traces.map((trace) => trace.trace).join(', ')}) | select ${FIELDS}`;
}

/** Groups that one question can answer. */
export function batches(traces: readonly TraceSummary[], spans = SPANS, most = TRACES): TraceSummary[][] {
  const all: TraceSummary[][] = [];
  let size = 0;
  for (const trace of traces) {
    if (trace.spans > spans) continue;
    const last = all.at(-1);
    if (!last || size + trace.spans > spans || last.length === most) {
      all.push([trace]);
      size = trace.spans;
    } else {
      last.push(trace);
      size += trace.spans;
    }
  }
  return all;
}

/** Duration less the union of the children inside it, summed by service. Begins and ends are ns from any origin. */
export function selfTimes(
  spans: readonly { id: string; parent: string | undefined; service: string; begin: number; end: number }[],
): SelfTime[] {
  const children = new Map<string, [number, number][]>();
  for (const span of spans) {
    if (!span.parent) continue;
    const list = children.get(span.parent);
    if (list) list.push([span.begin, span.end]);
    else children.set(span.parent, [[span.begin, span.end]]);
  }
  const by = new Map<string, number>();
  for (const { id, service, begin, end } of spans) {
    let covered = 0;
    let at = begin;
    for (const [from, to] of (children.get(id) ?? []).sort((a, b) => a[0] - b[0])) {
      const a = Math.max(at, from);
      const b = Math.min(end, to);
      if (b > a) {
        covered += b - a;
        at = b;
      }
    }
    const own = Math.max(0, end - begin - covered);
    by.set(service, (by.get(service) ?? 0) + own);
  }
  return [...by].map(([service, ns]) => ({ service, ns })).sort((a, b) => b.ns - a.ns);
}

export function outlineOf(spans: readonly OutlineSpan[]): Outline {
  const first = spans[0];
  if (!first) return {};
  const origin = parseInstant(first.time).ms;
  const placed = spans.map((span) => {
    const { ms, ns } = parseInstant(span.time);
    const begin = (ms - origin) * 1e6 + ns;
    return {
      id: span.span,
      parent: span.parent,
      service: span.service ?? 'unknown service',
      begin,
      end: begin + Math.max(0, Number(span.duration)),
    };
  });
  const outline: Outline = { self: selfTimes(placed) };
  const root = spans.find((span) => !span.parent) ?? spans.at(-1);
  if (root?.code !== undefined && Number.isFinite(Number(root.code))) outline.code = Number(root.code);
  const user = root?.user ?? spans.find((span) => span.user !== undefined)?.user;
  if (user !== undefined) outline.user = String(user);
  // Newest first: the first that failed is the deepest, near enough.
  const failed = spans.filter((span) => span.status === 'error');
  const thrown = failed.map((span) => (Array.isArray(span.exc) ? span.exc[0] : span.exc)).find((type) => typeof type === 'string');
  const message = failed.find((span) => span.message)?.message;
  if (typeof thrown === 'string') outline.problem = thrown;
  else if (message) outline.problem = shortProblem(message);
  return outline;
}

/** `TypeError` of "TypeError: unsupported operand ..."; else the message. */
export function shortProblem(message: string): string {
  return /^([A-Z][\w.]*(?:Error|Exception|Failure|Timeout|Warning))\b/.exec(message)?.[1] ?? message;
}

/** By trace and number of spans: a trace that grows is asked again, others are not. */
const known = new Map<string, Outline>();
const keyOf = (trace: TraceSummary) => `${trace.trace} ${trace.spans}`;

export function knownOutlines(traces: readonly TraceSummary[]): Map<string, Outline> {
  const found = new Map<string, Outline>();
  for (const trace of traces) {
    const outline = known.get(keyOf(trace));
    if (outline) found.set(trace.trace, outline);
  }
  return found;
}

export async function loadOutlines(traces: readonly TraceSummary[], abort: AbortSignal): Promise<Map<string, Outline>> {
  const wanted = traces.filter((trace) => !known.has(keyOf(trace)));
  for (const batch of batches(wanted)) {
    const answer = await runQuery<OutlineSpan>(outlineQuery(batch), extent(batch), SPANS + 1000, abort);
    const by = new Map<string, OutlineSpan[]>();
    for (const row of answer.rows) {
      const list = by.get(row.trace);
      if (list) list.push(row);
      else by.set(row.trace, [row]);
    }
    if (known.size > KEPT) known.clear();
    for (const trace of batch) known.set(keyOf(trace), outlineOf(by.get(trace.trace) ?? []));
  }
  return knownOutlines(traces);
}

/** All spans of the traces, also those outside the page's range. */
function extent(traces: readonly TraceSummary[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const trace of traces) {
    const { ms } = parseInstant(trace.time);
    from = Math.min(from, ms - 1);
    to = Math.max(to, ms + Math.max(0, Number(trace.duration)) / 1e6 + 2);
  }
  return { from, to };
}
