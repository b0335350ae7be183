// Versions first seen in a range, as marks of charts.
import type { Mark } from '../charts/draw-series.ts';
import { parseInstant } from '../format/time.ts';
import { scopeParams } from '../state/scope.ts';
import { getJson } from './client.ts';
import type { Deploy } from './overview.ts';

/** None when the server cannot say: a chart without marks is still a chart. */
export async function loadDeploys(range: { from: number; to: number }, abort: AbortSignal): Promise<Mark[]> {
  const params = { from: Math.round(range.from), to: Math.round(range.to), ...scopeParams() };
  const answer = await getJson<{ deploys: Deploy[] }>('/api/v1/deploys', params, abort).catch(() => ({ deploys: [] }));
  return answer.deploys.map((deploy) => ({
    at: parseInstant(deploy.time).ms,
    label: `${deploy.service} ${deploy.version}`,
    bad: deploy.worse === true,
  }));
}
