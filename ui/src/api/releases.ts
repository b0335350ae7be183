// Releases: versions of projects, what sessions say of their health, and what came with them.
import { getJson } from './client.ts';

export interface Deploy {
  environment: string;
  time: string;
  name?: string;
  url?: string;
}

export interface Release {
  version: string;
  short: string;
  project: string;
  status: 'open' | 'archived';
  created: string;
  released?: string;
  first_event?: string;
  last_event?: string;
  new_issues: number;
  /** In the range, from the hour in which it begins. */
  sessions: number;
  sessions_crashed: number;
  sessions_errored: number;
  sessions_abnormal: number;
  sessions_unhandled: number;
  users: number;
  users_approx: boolean;
  crash_free_sessions?: number;
  crash_free_users?: number;
  adoption?: number;
  commits: number;
  authors: string[];
  deploys: Deploy[];
}

type Asked = Record<string, string | number>;

export async function loadReleases(asked: Asked, abort?: AbortSignal): Promise<{ releases: Release[]; total: number }> {
  return await getJson('/api/v1/releases', asked, abort);
}
