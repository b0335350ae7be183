// The trend of each metric, for the list: what counters and histograms grew by, what gauges were.
import { runQuery } from '../api/client.ts';
import { durationLiteral } from '../charts/heat.ts';
import { scoped } from '../state/scope.ts';
import { linesOf, type Row, timesOf } from './metric.ts';

export const SPARKS = 24;
const ROWS_MAX = 10_000;

export async function sparkRows(range: { from: number; to: number }, step: number, abort: AbortSignal): Promise<Row[]> {
  const bucket = durationLiteral(step);
  const ask = (filter: string, stats: string) =>
    runQuery<Row>(scoped(`metrics ${filter} | bucket ${bucket} | stats ${stats} by bucket, name`), range, ROWS_MAX, abort);
  const [levels, sums, counts] = await Promise.all([
    ask('(type=gauge or monotonic=false)', 'avg(value) as v'),
    ask('type=sum monotonic=true', 'increase(value) as v'),
    ask('type=(histogram, exponential, summary)', 'increase(count) as v'),
  ]);
  return [...levels.rows, ...sums.rows, ...counts.rows];
}

export function sparksOf(rows: readonly Row[], range: { from: number; to: number }, step: number): Map<string, (number | null)[]> {
  return new Map(linesOf(rows, timesOf(range, step), 'name', '').map((line) => [line.label, line.values]));
}
