// What sets some traces apart from the others that the query finds. Whole traces are compared: an attribute counts when any span
// of the trace has it, and the shares are shares of traces.
//
// `differ` over all spans of the traces proposes values, and once more over the spans of each frequent operation, for what is rare
// among all spans of a trace may be in every trace. Then the traces that have each of them are counted, among the selected and among
// the others; then, whether two of them together are in all of the selected and in no other.
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
  /** Traces of each side. */
  selected: number;
  others: number;
  rows: Ranked[];
  /** Two that are in every selected trace and, together, in no other. */
  pair?: [Ranked, Ranked];
  left: string[];
  stats: Stats;
  sides: Sides;
}

/** Values counted by one question; two aggregates each must stay within the length of a query. */
const COUNTED = 20;
const CANDIDATES = 60;
/** Operations whose spans are compared by themselves. */
const OPERATIONS = 10;
/** The traces that a filter over spans finds, as a term. */
export const inTraces = (query: string) => `trace in {${splitSteps(query).filter}}`;

/** Both sides as filters over spans. */
export interface Sides {
  both: string;
  inside: string;
  outside: string;
  /** The term of the selected. */
  selected: string;
}

export function wholeSides({ all, selected }: Selection): Sides {
  const [a, b] = [inTraces(all), inTraces(selected)];
  return { both: `spans ${a}`, inside: `spans ${b}`, outside: `spans ${a} not ${b}`, selected: b };
}

export function differQuery(sides: Sides, of = ''): string {
  return `${sides.both}${of && ` ${of}`} | differ ${sides.selected}`;
}

export function operationsQuery(sides: Sides): string {
  return `${sides.inside} | stats uniq(trace) as n by service, name | sort n desc | limit ${OPERATIONS}`;
}

/** Each value once, with its best score; what the selected have before what they lack. */
export function merged(lists: readonly (readonly Proposed[])[], by: readonly string[]): Candidate[] {
  const best = new Map<string, { candidate: Candidate; score: number }>();
  for (const row of lists.flat()) {
    if (row.score === 0 || by.includes(row.field)) continue;
    const candidate = candidateOf(row);
    const known = best.get(candidate.term);
    if (!known || Math.abs(known.score) < Math.abs(row.score)) best.set(candidate.term, { candidate, score: row.score });
  }
  return [...best.values()]
    .sort((a, b) => b.score + (b.score > 0 ? 1 : 0) - (a.score + (a.score > 0 ? 1 : 0)))
    .slice(0, CANDIDATES)
    .map((entry) => entry.candidate);
}

async function counted(
  sides: Sides,
  candidates: readonly Candidate[],
  inside: boolean,
  range: Span,
  abort: AbortSignal,
): Promise<CountRow> {
  const row: CountRow = { traces: 0 };
  for (let at = 0; at === 0 || at < candidates.length; at += COUNTED) {
    const some = candidates.slice(at, at + COUNTED);
    const answer = (await runQuery<CountRow>(countQuery(sides, some, inside), range, 1, abort)).rows[0];
    for (const [name, value] of Object.entries(answer ?? {})) {
      const [, kind, index] = /^([ns])(\d+)$/.exec(name) ?? [];
      row[kind ? `${kind}${Number(index) + at}` : name] = value;
    }
  }
  return row;
}

export function countQuery(sides: Sides, candidates: readonly Candidate[], inside: boolean): string {
  const counts = candidates.map(
    ({ term: has }, i) => `uniq(trace) if (${has}) as n${i}${inside ? `, values(service, 2) if (${has}) as s${i}` : ''}`,
  );
  return `${inside ? sides.inside : sides.outside} | stats uniq(trace) as traces${counts.map((text) => `, ${text}`).join('')}`;
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
/** Where it ran says less than what it was asked to do. */
const PLACE = /^(service|instance|host|name|kind|scope|telemetry|process|os|container|k8s)\b/;
const VERSION = /^(version|release|service\.version)$/;

export function isConsequence(field: string): boolean {
  return CONSEQUENCE.test(field);
}

/**
 * Two causes to name together, both in every selected trace, the more telling pair first. A version speaks for a deploy: it goes first,
 * also beside what alone is enough.
 */
export function pairsOf(rows: readonly Ranked[], selected: number): [Ranked, Ranked][] {
  const whole = rows.filter((row) => row.in === selected && row.score > 0 && !isConsequence(row.field));
  const version = whole.find((row) => VERSION.test(row.field));
  const [first, ...rest] = whole.filter((row) => !VERSION.test(row.field) && !PLACE.test(row.field));
  const pairs: [Ranked, Ranked][] = [];
  if (version && first) pairs.push([version, first]);
  const second = rest.find((row) => row.field !== first?.field);
  if (first && second && first.out > 0) pairs.push([first, second]);
  return pairs;
}

/** The one cause to name: not what followed from it, if there is another. */
export function causeOf(rows: readonly Ranked[]): Ranked | undefined {
  const more = rows.filter((row) => row.score > 0);
  return more.find((row) => !isConsequence(row.field)) ?? more[0];
}

export interface Selection {
  /** The query of the page, and the query that finds the selected among its traces. */
  all: string;
  selected: string;
  /** Fields that the selection is made of: they differ by definition. */
  by: string[];
}

interface Span {
  from: number;
  to: number;
}

export type Proposed = DifferRow & { from?: Value; to?: Value };

export async function loadDifferences(selection: Selection, range: Span, abort: AbortSignal): Promise<Differences> {
  const sides = wholeSides(selection);
  const proposed = await runQuery<Proposed>(differQuery(sides), range, 200, abort);
  const { by } = selection;
  const made = proposed.rows.filter((row) => by.includes(row.field));
  const operations = (await runQuery<{ service?: string; name?: string }>(operationsQuery(sides), range, OPERATIONS, abort)).rows;
  const closer = await Promise.all(
    operations.map(({ service, name }) => {
      const of = [...(service ? [term('service', service)] : []), ...(name ? [term('name', name)] : [])].join(' ');
      return runQuery<Proposed>(differQuery(sides, of), range, 200, abort);
    }),
  );
  const candidates = merged([proposed.rows, ...closer.map((answer) => answer.rows)], by);
  const [a, b] = await Promise.all([counted(sides, candidates, true, range, abort), counted(sides, candidates, false, range, abort)]);
  const rows = rankedOf(candidates, a, b);
  const differences: Differences = {
    selected: a.traces,
    others: b.traces,
    rows,
    left: [],
    stats: proposed.stats,
    sides,
  };
  for (const pair of pairsOf(rows, a.traces)) {
    if ((await withBoth(pair, sides, range, abort)) > 0) continue;
    differences.pair = pair;
    break;
  }
  if (made.length > 0) differences.left.push(`${[...new Set(made.map((row) => row.field))].join(', ')}, by which it was selected`);
  differences.left.push(...(proposed.stats.hints ?? []));
  return differences;
}

/** How many of the others have both. */
async function withBoth([a, b]: [Ranked, Ranked], sides: Sides, range: Span, abort: AbortSignal): Promise<number> {
  const both = `${sides.outside} trace in {spans ${a.term}} trace in {spans ${b.term}} | stats uniq(trace) as n`;
  return (await runQuery<{ n: number }>(both, range, 1, abort)).rows[0]?.n ?? 0;
}

/** The query with the value wanted, or not wanted, anywhere in the trace. */
export function narrowed(query: string, row: Candidate, not: boolean): string {
  return addTerm(query, `${not ? 'not ' : ''}trace in {spans ${row.term}}`);
}
