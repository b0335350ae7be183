// Releases: versions of projects, what sessions say of their health, and what came with them.
import { getJson } from './client.ts';
import type { Issue } from './issues.ts';

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
  /** What it was made from, and its page elsewhere, as whoever made it said. */
  ref?: string;
  url?: string;
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

export interface Commit {
  id: string;
  repository: string;
  message?: string;
  author?: string;
  email?: string;
  time?: string;
  files: { path: string; change: 'A' | 'M' | 'D' }[];
}

export interface Upload {
  kind: 'bundle' | 'file' | 'debug';
  name?: string;
  dist?: string;
  sha1?: string;
  size: number;
  created: string;
  /** Generated files and source maps in it. */
  files: number;
  maps: number;
  debug_ids: string[];
}

export interface IssuesOf {
  list: Issue[];
  total: number;
}

export type Before = Pick<Release, 'version' | 'short' | 'sessions' | 'crash_free_sessions' | 'crash_free_users' | 'adoption'>;

export interface ReleaseDetail extends Release {
  health: {
    /** ns */
    step: number;
    time: string[];
    sessions: number[];
    crashed: number[];
    all_sessions: number[];
    users_so_far: number[];
    crashed_users_so_far: number[];
  };
  commit_list: Commit[];
  before?: Before;
  issues: { new: IssuesOf; regressed: IssuesOf; resolved: IssuesOf };
  uploads: { list: Upload[]; total: number; size: number };
}

type Asked = Record<string, string | number>;

export async function loadReleases(asked: Asked, abort?: AbortSignal): Promise<{ releases: Release[]; total: number }> {
  return await getJson('/api/v1/releases', asked, abort);
}

export async function loadRelease(version: string, asked: Asked, abort?: AbortSignal): Promise<ReleaseDetail> {
  return await getJson(`/api/v1/releases/${encodeURIComponent(version)}`, asked, abort);
}
