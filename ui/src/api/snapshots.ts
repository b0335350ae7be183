// What probes have captured: the list of it, and one capture whole (docs/formats.md, CAPTURE).
import { getJson } from './client.ts';

export type Why =
  | 'depth'
  | 'items'
  | 'fields'
  | 'bytes'
  | 'time'
  | 'redacted'
  | 'unreadable'
  | 'optimized_out'
  | 'uninitialized'
  | 'not_in_scope'
  | 'unsupported';

/** A value at the hit. */
export interface Captured {
  k:
    | 'null'
    | 'bool'
    | 'int'
    | 'float'
    | 'str'
    | 'bytes'
    | 'list'
    | 'tuple'
    | 'set'
    | 'dict'
    | 'object'
    | 'func'
    | 'class'
    | 'module'
    | 'ref'
    | 'missing';
  /** The runtime's name of its type. */
  t?: string;
  /** Absent from a scalar: only shapes leave that host. */
  v?: string | number | boolean;
  /** All that there were, when some were left out. */
  n?: number;
  i?: Captured[];
  e?: [Captured, Captured][];
  f?: [string, Captured][];
  id?: number;
  cut?: Why;
  why?: Why;
  rule?: string;
}

export interface Variable {
  name: string;
  kind?: 'arg' | 'local' | 'closure' | string;
  value: Captured;
}

export interface CapturedFrame {
  function?: string;
  file?: string;
  line?: number;
  module?: string;
  in_app?: boolean;
  /** Absent: only the stack was wanted of this one. */
  vars?: Variable[];
}

export interface Expression {
  text: string;
  value?: Captured;
  error?: string;
}

export interface Capture {
  id: string;
  probe: string;
  revision?: number;
  process?: string;
  kind?: 'snapshot' | 'log' | 'metric' | 'timer' | 'exception' | string;
  time: string;
  service?: string;
  instance?: string;
  host?: string;
  version?: string;
  thread?: { id?: number | string; name?: string };
  trace?: string;
  span?: string;
  file?: string;
  line?: number;
  function?: string;
  /** Innermost first. */
  frames?: CapturedFrame[];
  frames_cut?: number;
  exprs?: Expression[];
  return?: Captured;
  exception?: { type?: string; value?: Captured; message?: string };
  duration_ns?: number;
  log?: { level?: string; body?: string };
  /** The error event that was made of it, where its process has no SDK. */
  event?: string;
  cost_ns?: number;
  bytes?: number;
  redacted?: number;
  dropped_before?: number;
}

export interface SnapshotLine {
  id: string;
  probe: string;
  time: string;
  service?: string;
  instance?: string;
  process?: string;
  host?: string;
  version?: string;
  trace?: string;
  span?: string;
  file?: string;
  line?: number;
  function?: string;
  kind?: string;
  bytes?: number;
  redacted?: number;
  /** The error event that was made of it, where its process has no SDK. */
  event?: string;
  /** Its first scalars, for who may read values. */
  columns?: Record<string, string>;
}

export interface SnapshotList {
  snapshots: SnapshotLine[];
  next?: string;
}

export interface SnapshotFilter {
  probe?: string;
  service?: string;
  trace?: string;
  process?: string;
  from?: number | string;
  to?: number | string;
  limit?: number;
  cursor?: string;
}

export function loadSnapshots(filter: SnapshotFilter, abort?: AbortSignal): Promise<SnapshotList> {
  return getJson<SnapshotList>('/api/v1/snapshots', { ...filter }, abort);
}

/** Takes the scope `values`; the server writes down who has read it. */
export function loadSnapshot(id: string, abort?: AbortSignal): Promise<Capture> {
  return getJson<Capture>(`/api/v1/snapshots/${encodeURIComponent(id)}`, {}, abort);
}
