// Monitors: jobs that say when they begin and end.
import { getJson, remove, send } from './client.ts';

export type Status = 'ok' | 'error' | 'missed' | 'late' | 'timeout' | 'running';
export const STATUSES: readonly Status[] = ['ok', 'late', 'missed', 'error', 'timeout', 'running'];
export const UNITS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type Unit = (typeof UNITS)[number];

export interface Schedule {
  type: 'crontab' | 'interval';
  /** Of a crontab. */
  value?: string;
  every?: number;
  unit?: Unit;
  timezone?: string;
}

export interface Check {
  id: string;
  status: Status;
  time: string;
  expected?: string;
  duration?: number;
  trace?: string;
}

export interface Environment {
  environment: string;
  status: Status | 'waiting';
  last?: string;
  next?: string;
  duration?: number;
  failing_since?: string;
  /** In a row. */
  failures: number;
  issue?: number;
  counts: Record<Status, number>;
  /** Newest first. */
  checks: Check[];
}

export interface MonitorInput {
  project?: string;
  slug?: string;
  name?: string;
  schedule?: Schedule;
  margin_s?: number;
  max_runtime_s?: number;
  failure_threshold?: number;
  recovery_threshold?: number;
  muted?: boolean;
  disabled?: boolean;
}

export interface Monitor {
  id: number;
  slug: string;
  name: string;
  project: string;
  schedule?: Schedule;
  /** Why the configuration that came with a check-in is not used, and what to do. */
  trouble?: string;
  margin_s: number;
  max_runtime_s: number;
  failure_threshold: number;
  recovery_threshold: number;
  muted: boolean;
  disabled: boolean;
  created: string;
  environments: Environment[];
}

const at = '/api/v1/monitors';

export async function loadMonitors(project: string | undefined, abort?: AbortSignal): Promise<Monitor[]> {
  const answer = await getJson<{ monitors: Monitor[] }>(at, { checks: 60, ...(project && { project }) }, abort);
  return answer.monitors;
}

export async function loadMonitor(id: string, abort?: AbortSignal): Promise<Monitor> {
  return await getJson<Monitor>(`${at}/${encodeURIComponent(id)}`, {}, abort);
}

export async function loadChecks(id: string, environment: string, limit: number, abort?: AbortSignal): Promise<Check[]> {
  const answer = await getJson<{ checks: Check[] }>(`${at}/${encodeURIComponent(id)}/checks`, { environment, limit }, abort);
  return answer.checks;
}

export async function addMonitor(monitor: MonitorInput): Promise<Monitor | undefined> {
  return await send<Monitor>('POST', at, monitor);
}

export async function changeMonitor(id: number, change: MonitorInput): Promise<Monitor | undefined> {
  return await send<Monitor>('PATCH', `${at}/${id}`, change);
}

export async function removeMonitor(id: number, leaving: boolean): Promise<void> {
  await remove(`${at}/${id}`, leaving);
}
