// The list's rows.
import { runQuery } from '../api/client.ts';
import type { Stats, TraceSummary } from '../api/types.ts';

export const LIMIT = 100;
export const MORE = 1000;

export type Order = 'time' | 'duration';

export interface TraceListing {
  traces: TraceSummary[];
  more: boolean;
  stats: Stats;
}

/** One row a trace, in the wanted order. A query that has its own steps to the list keeps them. */
export function listQuery(query: string, order: Order): string {
  const listed = /\|\s*traces\b/.test(query) ? query : `${query} | traces`;
  return order === 'duration' ? `${listed} | sort duration desc` : listed;
}

export async function loadTraces(
  query: string,
  order: Order,
  range: { from: number; to: number },
  limit: number,
  abort: AbortSignal,
): Promise<TraceListing> {
  const answer = await runQuery<TraceSummary>(`${listQuery(query, order)} | limit ${limit + 1}`, range, limit + 1, abort);
  return { traces: answer.rows.slice(0, limit), more: answer.rows.length > limit, stats: answer.stats };
}
