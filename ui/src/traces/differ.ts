// What sets some traces apart from the others that the query finds. Whole traces are compared: an attribute counts when any span
// of the trace has it, and the shares are shares of traces.
//
// Three questions. `differ` over all spans of the traces proposes values; then the traces that have each of them are counted, once
// among the selected and once among the others; then, whether two of them together are in all of the selected and in no other.
import { runQuery } from '../api/client.ts';
import type { DifferRow } from '../api/overview.ts';
import type { Stats, Value } from '../api/types.ts';
import { addTerm, splitSteps, term, writeField } from '../query/write.ts';

export interface Candidate {
  field: string;
  value: Value;
  /** The filter that finds its spans. */
  term: string;
}

export interface Ranked extends Candidate {
  /** Traces. */
  in: number;
  out: number;
  score: number;
  /** Whose spans have it, when it is one service's. */
  service?: string;
}

export interface Differences {
  selected: number;
  others: number;
  rows: Ranked[];
  /** Two that are in every selected trace and, together, in no other. */
  pair?: [Ranked, Ranked];
  left: string[];
  stats: Stats;
  query: string;
}

/** Values counted by trace; two aggregates each must stay within the length of a query. */
const COUNTED = 24;

/** The traces that a filter over spans finds, as a term. */
export const inTraces = (query: string) => `trace in {${splitSteps(query).filter}}`;

export function differQuery(all: string, selected: string): string {
  return `spans ${inTraces(all)} | differ ${inTraces(selected)}`;
}

export function countQuery(all: string, selected: string, candidates: readonly Candidate[], inside: boolean): string {
  const filter = inside ? inTraces(selected) : `${inTraces(all)} not ${inTraces(selected)}`;
  const counts = candidates.map(
    ({ term: has }, i) => `uniq(trace) if (${has}) as n${i}${inside ? `, values(service, 2) if (${has}) as s${i}` : ''}`,
  );
  return `spans ${filter} | stats uniq(trace) as traces${counts.map((text) => `, ${text}`).join('')}`;
}

/** A row of `differ` as a filter: a value, or a tenth of the numbers. */
export function candidateOf(row: DifferRow & { from?: Value; to?: Value }): Candidate {
  const { field, value, from, to } = row;
  if (from === undefined && to === undefined) return { field, value, term: term(field, value) };
  const unit = /^(duration|self)$/.test(field) ? 'ns' : '';
  const bound = (sign: string, at: Value | undefined) => (at === undefined ? '' : `${writeField(field)}${sign}${String(at)}${unit}`);
  return { field, value, term: [bound('>=', from), bound('<', to)].filter(Boolean).join(' ') };
}

/** Newcombe's interval of a difference of shares on Wilson's intervals, 95 %: its bound nearest to zero, 0 when it spans zero. */
export function score(a: number, m: number, b: number, n: number): number {
  if (m === 0 || n === 0) return 0;
  const wilson = (k: number, of: number): [number, number, number] => {
    const z = 1.959963984540054;
    const p = k / of;
    const middle = p + (z * z) / (2 * of);
    const half = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
    const scale = 1 + (z * z) / of;
    return [p, (middle - half) / scale, (middle + half) / scale];
  };
  const [p, pLow, pHigh] = wilson(a, m);
  const [q, qLow, qHigh] = wilson(b, n);
  const low = p - q - Math.hypot(p - pLow, qHigh - q);
  const high = p - q + Math.hypot(pHigh - p, q - qLow);
  if (low <= 0 && high >= 0) return 0;
  return low > 0 ? low : high;
}

interface CountRow {
  traces: number;
  [name: string]: Value;
}

export function rankedOf(candidates: readonly Candidate[], inside: CountRow, outside: CountRow): Ranked[] {
  return candidates
    .map((candidate, i) => {
      const services = inside[`s${i}`];
      const a = Number(inside[`n${i}`] ?? 0);
      const b = Number(outside[`n${i}`] ?? 0);
      const ranked: Ranked = { ...candidate, in: a, out: b, score: score(a, inside.traces, b, outside.traces) };
      if (Array.isArray(services) && services.length === 1 && typeof services[0] === 'string') ranked.service = services[0];
      return ranked;
    })
    .filter((row) => row.score !== 0)
    .sort((x, y) => Math.abs(y.score) - Math.abs(x.score) || x.field.localeCompare(y.field));
}

/** Says what it is about itself: names what went wrong, not what was different before it did. */
const CONSEQUENCE = /^(status|message|http\.response\.status_code|exception\.|event\.|error|otel\.status|duration|self)/;
const VERSION = /^(version|release|service\.version)$/;

export function isConsequence(field: string): boolean {
  return CONSEQUENCE.test(field);
}

/** Two causes to look at together: both in every selected trace, the more telling first; a version speaks for a deploy and goes first in the sentence. */
export function pairsOf(rows: readonly Ranked[], selected: number): [Ranked, Ranked][] {
  const whole = rows.filter((row) => row.in === selected && row.score > 0 && row.out > 0 && !isConsequence(row.field));
  const version = whole.find((row) => VERSION.test(row.field));
  const others = whole.filter((row) => !VERSION.test(row.field));
  const pairs: [Ranked, Ranked][] = [];
  const [first, second] = others;
  if (version && first) pairs.push([version, first]);
  if (first && second && second.field !== first.field) pairs.push([first, second]);
  return pairs;
}

export interface Selection {
  /** The query of the page, and the query that finds the selected among its traces. */
  all: string;
  selected: string;
  /** Fields that the selection is made of: they differ by definition. */
  by: string[];
}

export async function loadDifferences(selection: Selection, range: { from: number; to: number }, abort: AbortSignal): Promise<Differences> {
  const { all, selected, by } = selection;
  const query = differQuery(all, selected);
  const proposed = await runQuery<DifferRow & { from?: Value; to?: Value }>(query, range, 200, abort);
  const made = proposed.rows.filter((row) => by.includes(row.field));
  const candidates = proposed.rows
    .filter((row) => row.score !== 0 && !by.includes(row.field))
    .slice(0, COUNTED)
    .map(candidateOf);
  const [inside, outside] = await Promise.all([
    runQuery<CountRow>(countQuery(all, selected, candidates, true), range, 1, abort),
    runQuery<CountRow>(countQuery(all, selected, candidates, false), range, 1, abort),
  ]);
  const a = inside.rows[0] ?? { traces: 0 };
  const b = outside.rows[0] ?? { traces: 0 };
  const rows = rankedOf(candidates, a, b);
  const differences: Differences = { selected: a.traces, others: b.traces, rows, left: [], stats: proposed.stats, query };
  for (const pair of pairsOf(rows, a.traces)) {
    const both = `spans ${inTraces(all)} not ${inTraces(selected)} ${pair.map((one) => `trace in {spans ${one.term}}`).join(' ')}`;
    const answer = await runQuery<{ n: number }>(`${both} | stats uniq(trace) as n`, range, 1, abort);
    if ((answer.rows[0]?.n ?? 0) === 0) {
      differences.pair = pair;
      break;
    }
  }
  if (made.length > 0) differences.left.push(`${[...new Set(made.map((row) => row.field))].join(', ')}, by which it was selected`);
  differences.left.push(...(proposed.stats.hints ?? []));
  return differences;
}

/** The query with the value wanted, or not wanted, anywhere in the trace. */
export function narrowed(query: string, row: Candidate, not: boolean): string {
  return addTerm(query, `${not ? 'not ' : ''}trace in {spans ${row.term}}`);
}
