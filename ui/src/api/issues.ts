// Issues: the list, one of them, and what is done to them.
import { ApiError, getJson, me, send } from './client.ts';

export type State = 'new' | 'ongoing' | 'escalating' | 'regressed' | 'archived' | 'resolved';
export type Priority = 'high' | 'medium' | 'low';

export interface Assignee {
  kind: 'user' | 'team';
  name: string;
}

/** How long an issue stays archived. */
export interface Until {
  kind: 'escalating' | 'forever' | 'time' | 'events' | 'users';
  time?: string;
  n?: number;
  /** So many within so long; without, since it was archived. */
  window_s?: number;
}

export interface ResolvedIn {
  kind: 'now' | 'release' | 'next_release' | 'commit';
  release?: string;
  commit?: string;
}

export interface Suspect {
  id: string;
  message?: string;
  author?: string;
  time?: string;
  release?: string;
  file?: string;
  line?: number;
  by: 'commit' | 'blame';
}

export interface Issue {
  id: number;
  short: string;
  project: string;
  title: string;
  type?: string;
  value?: string;
  culprit?: string;
  level?: string;
  platform?: string;
  handled?: boolean;
  state: State;
  until?: Until;
  resolved_in?: ResolvedIn;
  /** Of the last change of state, in words. */
  reason?: string;
  priority?: Priority;
  assignee?: Assignee | null;
  owners?: (Assignee & { rule?: string })[];
  first: string;
  last: string;
  /** In the range. */
  events: number;
  users?: number;
  users_approx?: boolean;
  total_events?: number;
  total_users?: number;
  spark?: number[];
  first_release?: string;
  last_release?: string;
  services?: string[];
  /** By the caller. */
  seen?: boolean;
  suspect?: Suspect;
  /** How many kinds of events it holds. */
  hashes?: number;
}

export interface Counts {
  review: number;
  unresolved: number;
  mine: number;
  regressed: number;
  archived: number;
  resolved: number;
}

export interface IssueList {
  issues: Issue[];
  total: number;
  counts: Counts;
  /** Of all that were found, in the range. */
  events?: number;
  next?: string;
}

export interface Activity {
  id: number | string;
  time: string;
  actor?: string;
  kind: string;
  text?: string;
  data?: { [key: string]: unknown };
}

export interface IssueDetail extends Issue {
  series?: { time: string[]; events: number[] };
  releases?: { release: string; events: number; first?: string; last?: string }[];
  environments?: { environment: string; events: number }[];
  groups?: { hash: string; events: number; first?: string; last?: string }[];
  activity?: Activity[];
  top_users?: { id: string; label?: string; events: number; last: string }[];
}

export interface Change {
  state?: 'resolved' | 'archived' | 'ongoing';
  until?: Until;
  resolved_in?: ResolvedIn;
  assignee?: Assignee | null;
  priority?: Priority;
  seen?: true;
}

export interface Changed {
  issues: Issue[];
  failed?: { id: number | string; error: { code?: string; message?: string; hint?: string } }[];
}

export interface ListParams {
  query: string;
  from: number;
  to: number;
  sort: string;
  buckets: number;
  limit: number;
  project?: string;
  environment?: string;
  cursor?: string;
}

type Told<T extends Issue> = Omit<T, 'first' | 'last'> & { first?: string; last?: string; since?: string };

/** One whose events have all gone was seen when its state began. */
function whole<T extends Issue>(issue: Told<T>): T {
  const known = issue.since ?? new Date(0).toISOString();
  return { ...issue, first: issue.first ?? known, last: issue.last ?? known } as unknown as T;
}

export async function loadIssues(params: ListParams, abort?: AbortSignal): Promise<IssueList> {
  const answer = await getJson<IssueList>('/api/v1/issues', { ...params }, abort);
  return { ...answer, issues: answer.issues.map(whole) };
}

const at = (id: number | string) => `/api/v1/issues/${encodeURIComponent(id)}`;

export async function loadIssue(
  id: string,
  range: { from: number; to: number },
  buckets: number,
  abort?: AbortSignal,
): Promise<IssueDetail> {
  return whole(await getJson<IssueDetail>(at(id), { from: range.from, to: range.to, buckets }, abort));
}

export interface SimilarIssue {
  issue: Issue;
  /** 0 to 1 */
  score: number;
  frames?: number;
  frames_of?: number;
  /** What is the same, in words. */
  why: string;
}

export async function loadSimilar(
  id: number,
  range: { from: number; to: number },
  abort?: AbortSignal,
): Promise<{ similar: SimilarIssue[]; compared: number }> {
  const answer = await getJson<{ similar: SimilarIssue[]; compared: number }>(
    `${at(id)}/similar`,
    { from: range.from, to: range.to },
    abort,
  );
  return { ...answer, similar: answer.similar.map((one) => ({ ...one, issue: whole(one.issue) })) };
}

/** All or some of them are changed; those that are not say why. leaving: the request outlives the page. */
export async function changeIssues(ids: readonly number[], change: Change, leaving = false): Promise<Changed> {
  if (leaving) {
    const csrf = me.value?.csrf;
    await fetch('/api/v1/issues', {
      method: 'PATCH',
      keepalive: true,
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', ...(csrf && { 'x-clew-csrf': csrf }) },
      body: JSON.stringify({ ids, ...change }),
    });
    return { issues: [] };
  }
  const answer = await send<Changed>('PATCH', '/api/v1/issues', { ids, ...change });
  return answer ?? { issues: [] };
}

/** What failed, as one error that names them. */
export function refusal(changed: Changed, shorts: ReadonlyMap<number, string>): ApiError | undefined {
  const [first, ...more] = changed.failed ?? [];
  if (!first) return undefined;
  const name = shorts.get(Number(first.id)) ?? String(first.id);
  const others = more.length > 0 ? `, and ${more.length} more` : '';
  return new ApiError(200, { ...first.error, message: `${name}${others}: ${first.error.message ?? 'not changed'}` });
}

export async function mergeIssues(ids: readonly number[]): Promise<Issue | undefined> {
  return await send<Issue>('POST', '/api/v1/issues/merge', { ids });
}

export async function unmergeIssue(id: number, hashes: readonly string[]): Promise<Issue | undefined> {
  return await send<Issue>('POST', `${at(id)}/unmerge`, { hashes });
}

export async function comment(id: number, text: string): Promise<void> {
  await send('POST', `${at(id)}/comments`, { text });
}

export async function removeComment(id: number, n: number | string): Promise<void> {
  await send('DELETE', `${at(id)}/comments/${encodeURIComponent(n)}`, {});
}
