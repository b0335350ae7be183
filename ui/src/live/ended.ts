// How the requests ended that a probe was hit in, and what the hits of those that failed have in common.
import { type QueryAnswer, runQuery } from '../api/client.ts';
import type { DifferRow } from '../api/overview.ts';
import { hitsRange, type Probe } from '../api/probes.ts';
import { valueText } from '../parts/Attributes.tsx';
import type { Shared } from '../parts/Shares.tsx';

export type End = 'error' | 'ok';

const TRACES = 1000;

const hitsOf = (probe: Probe) => `snapshots probe='${probe.id}'`;

/** Spans of these traces that failed, and errors that an SDK reported in them. */
const failures = (hits: string) => [`spans status=error trace in {${hits}}`, `events level>=error trace in {${hits}}`] as const;

/** By trace, as far as its spans and errors have come; what is not there has sent nothing yet. */
export async function loadEnds(probe: Probe, abort: AbortSignal): Promise<ReadonlyMap<string, End>> {
  const hits = hitsOf(probe);
  const traces = (query: string) =>
    runQuery<{ trace?: string }>(`${query} | stats count() by trace`, hitsRange(probe), TRACES, abort).then(({ rows }) =>
      rows.flatMap((row) => row.trace ?? []),
    );
  const [seen, ...failed] = await Promise.all([`spans trace in {${hits}}`, ...failures(hits)].map(traces));
  return new Map([...(seen ?? []).map((trace) => [trace, 'ok'] as const), ...failed.flat().map((trace) => [trace, 'error'] as const)]);
}

export function differQuery(probe: Probe): string {
  const [spans, events] = failures(hitsOf(probe));
  return `${hitsOf(probe)} trace:* | differ trace in {${spans}} or trace in {${events}}`;
}

export function loadDiffer(probe: Probe, abort: AbortSignal): Promise<QueryAnswer<DifferRow>> {
  return runQuery<DifferRow>(differQuery(probe), hitsRange(probe), 50, abort);
}

const ROWS = 20;
/** Few hits prove little, but who looks at ten of them wants to see what eight have and two have not. */
const MUCH = 0.3;

/** "rate = 15", "order.total < 110". */
function label({ field, value, from, to }: DifferRow): string {
  const name = field.replace(/^(vars|expr)\./, '');
  if (from !== undefined && to !== undefined) return `${name} = ${from} .. ${to}`;
  if (to !== undefined) return `${name} < ${to}`;
  return from !== undefined ? `${name} ≥ ${from}` : `${name} = ${valueText(value)}`;
}

/** Of values, and of what they came from; not of the probe's own doings. The surest first; a variable that was also captured by itself once. */
export function differences(rows: readonly DifferRow[]): Shared[] {
  const told = rows
    .filter((row) => /^(vars|expr)\.|^(version|instance|host|thread)$/.test(row.field))
    .filter((row) => row.score !== 0 || Math.abs(row.in - row.out) >= MUCH)
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score) || Math.abs(b.in - b.out) - Math.abs(a.in - a.out))
    .map((row) => ({ label: label(row), in: row.in, out: row.out }));
  return [...new Map(told.reverse().map((row) => [row.label, row])).values()].reverse().slice(0, ROWS);
}

/** Why there is nothing to show. */
export function nothingDiffers(compared: { in: number; out: number } | undefined): string {
  const { in: failed, out } = compared ?? { in: 0, out: 0 };
  if (failed + out === 0) return 'No hit is of a request with a trace: how it ended is not known.';
  if (failed === 0) return `No request of the ${out === 1 ? 'hit' : `${out} hits`} with a trace has failed so far.`;
  if (out === 0)
    return `The request of ${failed === 1 ? 'the one hit' : `each of the ${failed} hits`} with a trace failed: there is none to compare with.`;
  return `Nothing sets ${failed === 1 ? 'the hit of the request that failed' : `the ${failed} hits of requests that failed`} apart from the other ${out}.`;
}
