// The questions of the page of logs.
import { runQuery } from '../api/client.ts';
import type { LogRow, Stats } from '../api/types.ts';
import type { Bucket } from '../charts/Histogram.tsx';
import { columnStep, durationLiteral } from '../charts/heat.ts';
import { parseInstant } from '../format/time.ts';
import { splitSteps } from '../query/write.ts';

/** Rows of one question. */
export const PAGE = 500;
/** Pages in memory. */
export const KEPT = 8;

export function volumeQuery(query: string, stepMs: number): string {
  const counts = 'count() as n, count() if (level>=error) as bad, count() if (level=warn) as warned';
  return `${splitSteps(query).filter} | bucket ${durationLiteral(stepMs)} | stats ${counts} by bucket`;
}

export function aroundQuery(id: string, n: number): string {
  return `logs id=${id} | context ${n}`;
}

interface VolumeRow {
  bucket: string;
  n: number;
  bad: number;
  warned: number;
}

export interface Volume {
  buckets: Bucket[];
  step: number;
  range: { from: number; to: number };
  total: number;
}

export async function loadVolume(query: string, { from, to }: { from: number; to: number }, abort: AbortSignal): Promise<Volume> {
  const step = columnStep(to - from);
  const answer = await runQuery<VolumeRow>(volumeQuery(query, step), { from, to }, 1000, abort);
  const buckets = answer.rows.map((row) => ({ at: parseInstant(row.bucket).ms, rows: row.n, errors: row.bad, warnings: row.warned }));
  return { buckets, step, range: { from, to }, total: buckets.reduce((sum, bucket) => sum + bucket.rows, 0) };
}

export interface Lines {
  rows: LogRow[];
  stats: Stats;
  range: { from: number; to: number };
}

export async function loadLines(
  query: string,
  { from, to }: { from: number; to: number },
  abort?: AbortSignal,
  after?: string,
): Promise<Lines> {
  return { ...(await runQuery<LogRow>(query, { from, to }, PAGE, abort, after)), range: { from, to } };
}
