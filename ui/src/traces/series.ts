// The questions behind the charts of rate and of percentiles.

import type { Int } from '../api/types.ts';
import { durationLiteral } from '../charts/heat.ts';
import { parseInstant } from '../format/time.ts';
import { splitSteps } from '../query/write.ts';

export type View = 'heat' | 'rate' | 'percentiles';

export interface BucketRow {
  bucket: string;
  n: number;
  bad: number;
  p50?: Int;
  p95?: Int;
  p99?: Int;
}

export function seriesQuery(query: string, view: View, stepMs: number): string {
  const counts = 'count() as n, count() if (status=error) as bad';
  const aggregates = view === 'rate' ? counts : `${counts}, p50(duration) as p50, p95(duration) as p95, p99(duration) as p99`;
  return `${splitSteps(query).filter} | bucket ${durationLiteral(stepMs)} | stats ${aggregates} by bucket`;
}

/** All buckets of the range in order, also those without rows. */
export function bucketsOf(
  rows: readonly BucketRow[],
  range: { from: number; to: number },
  step: number,
): { times: number[]; at: (BucketRow | undefined)[] } {
  const by = new Map(rows.map((row) => [parseInstant(row.bucket).ms, row]));
  const times: number[] = [];
  for (let at = Math.floor(range.from / step) * step; at < range.to; at += step) times.push(at);
  return { times, at: times.map((time) => by.get(time)) };
}
