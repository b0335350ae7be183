// The list's rows, and what a summary of a trace does not have: the answer's status, the user, what went wrong.
import { runQuery } from '../api/client.ts';
import type { Stats, TraceSummary, Value } from '../api/types.ts';
import { parseInstant } from '../format/time.ts';

export const LIMIT = 100;
export const MORE = 1000;
/** More ids than these make a query too long. */
const DETAILS = 200;

export interface Details {
  code?: number;
  user?: string;
  /** The message of the deepest span that failed. */
  problem?: string;
}

export interface TraceListing {
  traces: TraceSummary[];
  details: Map<string, Details>;
  more: boolean;
  stats: Stats;
}

interface Range {
  from: number;
  to: number;
}

export async function loadTraces(query: string, range: Range, limit: number, abort: AbortSignal): Promise<TraceListing> {
  const listed = /\|\s*traces\b/.test(query) ? query : `${query} | traces`;
  const answer = await runQuery<TraceSummary>(`${listed} | limit ${limit + 1}`, range, limit + 1, abort);
  const traces = answer.rows.slice(0, limit);
  const details = await loadDetails(traces.slice(0, DETAILS), abort);
  return { traces, details, more: answer.rows.length > limit, stats: answer.stats };
}

interface RootRow {
  trace: string;
  code?: Value;
  user?: Value;
}

interface FailedRow {
  trace: string;
  time: string;
  message?: string;
}

async function loadDetails(traces: TraceSummary[], abort: AbortSignal): Promise<Map<string, Details>> {
  const details = new Map<string, Details>(traces.map((trace) => [trace.trace, {}]));
  const range = extent(traces);
  if (!range) return details;
  const ids = (list: TraceSummary[]) => list.map((trace) => trace.trace).join(', ');
  const failed = traces.filter((trace) => trace.errors > 0);
  const [roots, problems] = await Promise.all([
    runQuery<RootRow>(`spans root=true trace=(${ids(traces)}) | select trace, http.response.status_code as code, user`, range, 1000, abort),
    failed.length > 0
      ? runQuery<FailedRow>(`spans status=error trace=(${ids(failed)}) | select trace, time, message`, range, 1000, abort)
      : undefined,
  ]);
  for (const row of roots.rows) {
    const entry = details.get(row.trace);
    if (!entry) continue;
    if (row.code !== undefined && Number.isFinite(Number(row.code))) entry.code = Number(row.code);
    if (typeof row.user === 'string') entry.user = row.user;
  }
  // Newest first: the first with a message is the deepest, near enough.
  for (const row of problems?.rows ?? []) {
    const entry = details.get(row.trace);
    if (entry && !entry.problem && row.message) entry.problem = row.message;
  }
  return details;
}

/** All spans of the traces, also those outside the page's range. */
function extent(traces: TraceSummary[]): Range | undefined {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const trace of traces) {
    const { ms } = parseInstant(trace.time);
    from = Math.min(from, ms - 1);
    to = Math.max(to, ms + Math.max(0, Number(trace.duration)) / 1e6 + 2);
  }
  return from < to ? { from, to } : undefined;
}

/** `TypeError` of "TypeError: unsupported operand ..."; else the message. */
export function shortProblem(message: string): string {
  return /^([A-Z][\w.]*(?:Error|Exception|Failure|Timeout|Warning))\b/.exec(message)?.[1] ?? message;
}
