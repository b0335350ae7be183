// What can be asked of a metric of each type, the questions, and their answers as series. No state, no DOM.

import type { Attributes, Value } from '../api/types.ts';
import { durationLiteral } from '../charts/heat.ts';
import { bytes, count, duration } from '../format/number.ts';
import { parseInstant } from '../format/time.ts';
import { splitSteps, term, writeField } from '../query/write.ts';

export interface Metric {
  name: string;
  type: string;
  unit?: string;
  monotonic?: boolean;
  points: number;
  instances: number;
}

export type Aggregate = 'rate' | 'increase' | 'avg' | 'min' | 'max' | 'mean' | 'percentiles';
export type Row = Record<string, Value | undefined> & { bucket: string };

export const SERIES_MAX = 6;
export const NAMES_QUERY =
  'metrics | stats count() as points, uniq(instance) as instances, last(monotonic) as monotonic by name, type, unit | sort name';

const isHistogram = (metric: Pick<Metric, 'type'>) => metric.type === 'histogram';

export function kindOf(metric: Metric): string {
  if (metric.type !== 'sum') return metric.type;
  return metric.monotonic ? 'counter' : 'up-down';
}

/** The first is what is shown when nothing else was chosen. */
export function aggregatesOf(metric: Metric): Aggregate[] {
  if (isHistogram(metric)) return ['percentiles', 'mean', 'rate'];
  if (metric.type === 'sum' && metric.monotonic) return ['rate', 'increase'];
  if (metric.type === 'gauge' || metric.type === 'sum') return ['avg', 'min', 'max'];
  return ['mean', 'rate'];
}

export function metricQuery(name: string): string {
  return `metrics ${term('name', name)}`;
}

/** `keys`: what tells the series of a histogram apart; their buckets only mean something each by itself. */
export function chartQuery(
  query: string,
  metric: Metric,
  how: Aggregate,
  by: string | undefined,
  stepMs: number,
  keys: readonly string[],
): string {
  const counted = metric.type !== 'sum';
  const stats: Record<Aggregate, string> = {
    rate: counted ? 'rate(count) as v' : 'rate(value) as v',
    increase: 'increase(value) as v',
    avg: 'avg(value) as v',
    min: 'min(value) as v',
    max: 'max(value) as v',
    mean: 'increase(sum) as s, increase(count) as c',
    percentiles: 'last(buckets) as b, last(bounds) as e, last(temporality) as t',
  };
  const groups = how === 'percentiles' ? [...new Set(['service', 'instance', ...keys])] : by ? [by] : [];
  return `${splitSteps(query).filter} | bucket ${durationLiteral(stepMs)} | stats ${stats[how]} by ${['bucket', ...groups.map(writeField)].join(', ')}`;
}

export interface Line {
  label: string;
  values: (number | null)[];
}

const labelOf = (value: Value | undefined) =>
  value === undefined || value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);

export function timesOf(range: { from: number; to: number }, step: number): number[] {
  const times: number[] = [];
  for (let at = Math.floor(range.from / step) * step; at < range.to; at += step) times.push(at);
  return times;
}

/** One line a group, the largest first. */
export function linesOf(rows: readonly Row[], times: readonly number[], by: string | undefined, name: string): Line[] {
  const at = new Map(times.map((time, index) => [time, index]));
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const index = at.get(parseInstant(row.bucket).ms);
    if (index === undefined) continue;
    const label = by ? labelOf(row[by]) : name;
    const line = lines.get(label) ?? { label, values: times.map(() => null) };
    lines.set(label, line);
    const value = row.v !== undefined ? row.v : Number(row.c) > 0 ? Number(row.s) / Number(row.c) : null;
    line.values[index] = value === null ? null : Number(value);
  }
  return [...lines.values()].sort((a, b) => weight(b) - weight(a) || (a.label < b.label ? -1 : 1));
}

function weight(line: Line): number {
  return line.values.reduce<number>((sum, value) => sum + Math.abs(value ?? 0), 0);
}

/** At most SERIES_MAX, then the sum of the others where a sum means something. */
export function topLines(lines: readonly Line[], how: Aggregate): { shown: Line[]; left: number } {
  const shown = lines.slice(0, SERIES_MAX);
  const rest = lines.slice(SERIES_MAX);
  if (rest.length === 0 || (how !== 'rate' && how !== 'increase')) return { shown, left: rest.length };
  const values = rest[0]?.values.map((_, index) => {
    const known = rest.map((line) => line.values[index]).filter((value) => value !== null && value !== undefined);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
  });
  return { shown: [...shown, { label: `${rest.length} others`, values: values ?? [] }], left: 0 };
}

/** The value below which `share` of the observations lie, by straight lines between a histogram's bounds. */
export function quantileOf(counts: readonly number[], bounds: readonly number[], share: number): number | null {
  const all = counts.reduce((sum, n) => sum + n, 0);
  if (all === 0 || bounds.length === 0) return null;
  let below = 0;
  for (const [index, n] of counts.entries()) {
    if (n > 0 && below + n >= share * all) {
      const from = index === 0 ? Math.min(0, bounds[0] as number) : (bounds[index - 1] as number);
      // Of what lies above the last bound nothing else is known.
      return index >= bounds.length ? from : from + ((bounds[index] as number) - from) * ((share * all - below) / n);
    }
    below += n;
  }
  return null;
}

interface Grown {
  counts: number[];
  bounds: number[];
}

/** What was observed in each bucket of time, over the series of each group: differences of what the series had counted. */
export function grownOf(
  rows: readonly Row[],
  times: readonly number[],
  by: string | undefined,
  name: string,
  keys: readonly string[],
): Map<string, (Grown | undefined)[]> {
  const at = new Map(times.map((time, index) => [time, index]));
  const before = new Map<string, number[]>();
  const groups = new Map<string, (Grown | undefined)[]>();
  const ordered = [...rows].sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
  for (const row of ordered) {
    const index = at.get(parseInstant(row.bucket).ms);
    if (!Array.isArray(row.b) || !Array.isArray(row.e)) continue;
    const now = row.b.map(Number);
    const bounds = row.e.map(Number);
    const series = JSON.stringify([row.service, row.instance, ...keys.map((key) => row[key])]);
    const old = before.get(series);
    before.set(series, now);
    const delta = row.t === 'delta';
    // The first of a series: how long it took to count that is not known.
    if (index === undefined || (!old && !delta)) continue;
    const again = !old || old.length !== now.length || now.some((n, i) => n < (old[i] as number));
    const grew = delta || again ? now : now.map((n, i) => n - (old[i] as number));
    const label = by ? labelOf(row[by]) : name;
    const list = groups.get(label) ?? times.map(() => undefined);
    groups.set(label, list);
    const has = list[index];
    // Series with other bounds cannot be added; the first one's stay.
    if (!has) list[index] = { counts: [...grew], bounds };
    else if (has.bounds.join() === bounds.join()) for (const [i, n] of grew.entries()) has.counts[i] = (has.counts[i] ?? 0) + n;
  }
  return groups;
}

export function percentileLines(groups: Map<string, (Grown | undefined)[]>, by: string | undefined): Line[] {
  const line = (label: string, list: (Grown | undefined)[], share: number): Line => ({
    label,
    values: list.map((grown) => (grown ? quantileOf(grown.counts, grown.bounds, share) : null)),
  });
  if (by) {
    const lines = [...groups].map(([label, list]) => line(label, list, 0.95));
    return lines.sort((a, b) => weight(b) - weight(a));
  }
  const all = [...groups.values()][0] ?? [];
  return all.length === 0 ? [] : [line('p99', all, 0.99), line('p95', all, 0.95), line('p50', all, 0.5)];
}

/** How a metric's numbers are written. */
export function writer(unit: string | undefined, how: Aggregate): (value: number) => string {
  const per = how === 'rate' ? '/s' : '';
  const seconds = unit === 's' ? 1e9 : unit === 'ms' ? 1e6 : unit === 'us' ? 1e3 : unit === 'ns' ? 1 : undefined;
  const plain = (value: number) =>
    Math.abs(value) >= 100 || Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(3)));
  if (how === 'rate') return (value) => `${plain(value)}${per}`;
  if (seconds !== undefined) return (value) => duration(Math.round(value * seconds));
  if (unit === 'By') return (value) => bytes(Math.round(value));
  return plain;
}

export interface Point {
  time: string;
  service?: string;
  instance?: string;
  attr?: Attributes;
}

/**
 * How often a series has a point, to ten seconds: in a narrower bucket a counter's whole growth since the point before would look like
 * the growth of that bucket.
 */
export function intervalOf(points: readonly Point[]): number {
  const newer = new Map<string, number>();
  let least = Number.POSITIVE_INFINITY;
  for (const point of [...points].sort((a, b) => (a.time < b.time ? 1 : -1))) {
    const series = JSON.stringify([point.service, point.instance, point.attr]);
    const at = parseInstant(point.time).ms;
    const gap = (newer.get(series) ?? at) - at;
    if (gap > 0) least = Math.min(least, gap);
    newer.set(series, at);
  }
  return Number.isFinite(least) ? Math.max(10_000, Math.round(least / 10_000) * 10_000) : 10_000;
}

export interface Exemplar {
  at: number;
  value: number;
  trace: string;
}

function hexOf(base64: string): string | undefined {
  try {
    return [...atob(base64)].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  } catch {
    return undefined;
  }
}

/** The examples that came with points, newest first, each trace once. */
export function exemplarsOf(rows: readonly { exemplars?: Value }[]): Exemplar[] {
  const found = new Map<string, Exemplar>();
  for (const row of rows) {
    if (!Array.isArray(row.exemplars)) continue;
    for (const one of row.exemplars as { time?: Value; value?: Value; trace?: Value }[]) {
      const trace = typeof one?.trace === 'string' ? hexOf(one.trace) : undefined;
      if (trace?.length === 32 && !found.has(trace))
        found.set(trace, { at: Number(BigInt(String(one.time ?? '0')) / 1_000_000n), value: Number(one.value), trace });
    }
  }
  return [...found.values()].sort((a, b) => b.at - a.at);
}
