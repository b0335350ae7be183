// What a metric or timer probe counts: how it is asked for, and the lines that are drawn of it. No state, no DOM.
import type { Probe } from '../api/probes.ts';
import {
  type Aggregate,
  chartQuery,
  type Line,
  linesOf,
  type Metric,
  type Row,
  SERIES_MAX,
  timesOf,
  topLines,
  writer,
} from '../metrics/metric.ts';
import { metricQueryOf } from './words.ts';

/** As often as an agent reports. */
export const STEP_MS = 10_000;
const SHOWN_MS = 15 * 60_000;

export interface Counted {
  times: number[];
  range: { from: number; to: number };
  lines: Line[];
  /** Series that are not drawn. */
  left: number;
}

/** What of it is drawn: how often, the last value, or the mean of what was measured. */
function howOf(probe: Probe): { metric: Metric; how: Aggregate } {
  const kind = probe.kind === 'timer' ? 'histogram' : (probe.metric?.kind ?? 'count');
  const metric = { name: nameOf(probe), points: 0, instances: 0 };
  if (kind === 'gauge') return { metric: { ...metric, type: 'gauge' }, how: 'avg' };
  if (kind === 'histogram') return { metric: { ...metric, type: 'histogram' }, how: 'mean' };
  return { metric: { ...metric, type: 'sum', monotonic: true }, how: 'rate' };
}

export const nameOf = (probe: Probe): string => probe.metric?.name || 'probe.duration';

export const HOW_WORDS: Partial<Record<Aggregate, string>> = { rate: 'a second', avg: 'average', mean: 'mean' };
export const howWords = (probe: Probe): string => HOW_WORDS[howOf(probe).how] ?? '';

/** Its first attribute tells the lines apart. */
export const byOf = (probe: Probe): string | undefined => Object.keys(probe.metric?.by ?? {})[0];

export function countedQuery(probe: Probe): string {
  const { metric, how } = howOf(probe);
  return chartQuery(metricQueryOf(probe), metric, how, byOf(probe), STEP_MS, []);
}

/** Whole steps, from when it was placed, at most the last quarter of an hour. */
export function countedRange(probe: Probe, now: number): { from: number; to: number } {
  const to = Math.floor(Math.min(now, Date.parse(probe.expires) + 2 * STEP_MS) / STEP_MS) * STEP_MS + STEP_MS;
  const from = Math.max(Math.floor(Date.parse(probe.created) / STEP_MS) * STEP_MS - STEP_MS, to - SHOWN_MS);
  return { from: Math.min(from, to - 6 * STEP_MS), to };
}

export function countedOf(probe: Probe, rows: readonly Row[], range: { from: number; to: number }): Counted {
  const times = timesOf(range, STEP_MS);
  const { shown, left } = topLines(linesOf(rows, times, byOf(probe), nameOf(probe)), howOf(probe).how);
  return { times, range, lines: shown.slice(0, SERIES_MAX), left: left + Math.max(0, shown.length - SERIES_MAX) };
}

export const writeOf = (probe: Probe): ((value: number) => string) => writer(probe.kind === 'timer' ? 's' : undefined, howOf(probe).how);
