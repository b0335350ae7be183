// One occurrence of an error, as the issue page reads it.
import { getJson } from './client.ts';
import type { SnapshotLine } from './snapshots.ts';
import type { Value } from './types.ts';

export type Bag = { [key: string]: Value | null };

export interface Frame {
  function?: string;
  file?: string;
  abs_path?: string;
  module?: string;
  line?: number;
  column?: number;
  in_app?: boolean;
  /** Lines of the source, by number; the one itself among them. */
  context?: [number, string][];
  vars?: Bag;
  /** There are some, for who may read values. */
  vars_hidden?: boolean;
  symbolicated?: 'sourcemap' | 'repository' | string;
  /** As the SDK sent it, where that was translated. */
  raw?: { function?: string; file?: string; line?: number; column?: number };
  /** Where its file stands, by a code mapping of the project. */
  code?: { repository: string; branch: string; path: string };
  /** Why there is no source. */
  missing?: string;
}

export interface Exception {
  type?: string;
  value?: string;
  module?: string;
  mechanism?: { type?: string; handled?: boolean; [key: string]: Value | null | undefined };
  /** Innermost first. */
  frames?: Frame[];
  frames_cut?: number;
}

export interface Thread {
  id?: number | string;
  name?: string;
  crashed?: boolean;
  current?: boolean;
  frames?: Frame[];
}

export interface Crumb {
  time?: string;
  type?: string;
  category?: string;
  level?: string;
  message?: string;
  data?: Bag;
}

/** A part of what is hashed. */
export interface Component {
  id: string;
  name?: string;
  contributes?: boolean;
  hint?: string;
  values?: (Component | string | number | null)[];
}

export interface Variant {
  type: string;
  hash?: string;
  contributes?: boolean;
  description?: string;
  hint?: string;
  components?: Component | Component[];
}

export interface Grouping {
  algorithm?: string;
  variants?: Variant[];
  fingerprint?: string[];
  rule?: string;
}

export interface Attachment {
  id: string;
  name?: string;
  type?: string;
  size?: number;
  url?: string;
}

export interface IssueEvent {
  event_id: string;
  issue?: number;
  short?: string;
  project?: string;
  time: string;
  received?: string;
  title?: string;
  type?: string;
  message?: string;
  culprit?: string;
  level?: string;
  handled?: boolean;
  platform?: string;
  logger?: string;
  transaction?: string;
  mechanism?: string;
  release?: string;
  dist?: string;
  environment?: string;
  service?: string;
  server_name?: string;
  sdk?: { name?: string; version?: string };
  trace?: string;
  span?: string;
  replay?: string;
  index?: number;
  of?: number;
  previous?: string;
  next?: string;
  /** Outermost first, its causes after it. */
  exceptions?: Exception[];
  threads?: Thread[];
  stack?: Frame[];
  breadcrumbs?: Crumb[];
  tags?: { key: string; value: string }[];
  contexts?: Bag;
  extra?: Bag;
  user?: Bag;
  request?: Bag;
  modules?: Bag;
  scrubbed?: { path: string; rule?: string }[];
  grouping?: Grouping;
  attachments?: Attachment[];
  /** What probes have captured in its trace, newest first. */
  snapshots?: SnapshotLine[];
  feedback?: { time?: string; name?: string; email?: string; comments?: string }[];
}

/** Of which snapshot the server itself has made an event. */
export interface Probed {
  probe: string;
  snapshot: string;
}

const PROBE = /^p[0-9]{1,19}$/;

/** What others send is not believed further than its form: it leads to pages of this server alone. */
export function probedOf({ sdk, contexts, event_id }: IssueEvent): Probed | undefined {
  const about = contexts?.probe;
  if (sdk?.name !== 'clew.probe' || !about || typeof about !== 'object' || Array.isArray(about)) return undefined;
  const { id, snapshot } = about;
  return typeof id === 'string' && PROBE.test(id) && snapshot === event_id ? { probe: id, snapshot: event_id } : undefined;
}

export interface EventLine {
  event_id: string;
  time: string;
  title?: string;
  release?: string;
  environment?: string;
  user?: string;
  trace?: string;
  service?: string;
}

export interface EventList {
  events: EventLine[];
  next?: string;
}

/** which: latest, oldest, recommended, or an event's id. */
export function loadEvent(issue: string | number, which: string, abort?: AbortSignal): Promise<IssueEvent> {
  return getJson<IssueEvent>(`/api/v1/issues/${encodeURIComponent(issue)}/events/${encodeURIComponent(which)}`, {}, abort);
}

export function findEvent(id: string, abort?: AbortSignal): Promise<IssueEvent> {
  return getJson<IssueEvent>(`/api/v1/events/${encodeURIComponent(id)}`, {}, abort);
}

export function loadEvents(
  issue: string | number,
  params: { from: number; to: number; query?: string; limit: number; cursor?: string },
  abort?: AbortSignal,
): Promise<EventList> {
  return getJson<EventList>(`/api/v1/issues/${encodeURIComponent(issue)}/events`, params, abort);
}

export const rawEventUrl = (id: string) => `/api/v1/events/${encodeURIComponent(id)}/json`;
