// What the server answers. Section 11 of the query language's description has the shapes of values.
import type { SnapshotLine } from './snapshots.ts';

/** An int beyond 2^53 comes as text. */
export type Int = number | string;

export type Value = string | number | boolean | Value[] | { [key: string]: Value };
export type Attributes = { [key: string]: Value };

export interface Me {
  kind?: 'session' | 'token';
  name?: string;
  scopes?: string[];
  has_password?: boolean;
  workspace?: string;
  csrf?: string;
  version?: string;
  otlp_http?: string;
  otlp_grpc?: string;
  dsn?: string;
}

export interface SpanEvent {
  name: string;
  time: string;
  attr?: Attributes;
}

export interface SpanLink {
  trace: string;
  span: string;
  attr?: Attributes;
}

export interface SpanRow {
  time: string;
  duration: Int;
  trace: string;
  span: string;
  parent?: string;
  service?: string;
  name?: string;
  kind?: string;
  status?: string;
  message?: string;
  depth?: number;
  attr?: Attributes;
  resource?: Attributes;
  scope?: Attributes;
  events?: SpanEvent[];
  links?: SpanLink[];
}

export interface LogRow {
  id?: string;
  time: string;
  pattern?: string;
  /** Of the step `context`: the line itself, not one beside it. */
  match?: boolean;
  trace?: string;
  span?: string;
  service?: string;
  name?: string;
  level?: string;
  severity?: number;
  severity_text?: string;
  /** The logpoint that has written it. */
  probe?: string;
  body?: Value;
  attr?: Attributes;
  resource?: Attributes;
  scope?: Attributes;
}

/** An error event, or a message: what error SDKs send. */
export interface EventRow {
  time: string;
  event_id: string;
  trace?: string;
  span?: string;
  service?: string;
  level?: string;
  type?: string;
  message?: string;
  title?: string;
  culprit?: string;
  handled?: boolean;
  user?: string;
  release?: string;
  environment?: string;
  /** Of the frames, innermost first. */
  'stack.function'?: (string | null)[];
  'stack.file'?: (string | null)[];
  'stack.module'?: (string | null)[];
  'stack.line'?: (Int | null)[];
  'stack.in_app'?: (boolean | null)[];
  attr?: Attributes;
  resource?: Attributes;
  scope?: Attributes;
}

/** What came beside the records of a trace: replays, profiles, files of its errors. */
export interface TraceFile {
  id: number;
  kind: string;
  name?: string;
  size: number;
  event?: string;
  replay?: string;
  profile?: string;
  chunk?: string;
  segment?: number;
  time?: string;
  received: string;
  url: string;
}

export interface TraceAnswer {
  trace: string;
  time: string;
  duration: Int;
  complete: boolean;
  spans: SpanRow[];
  missing: { span: string; children: number }[];
  logs: LogRow[];
  events: EventRow[];
  /** What probes have captured in it, the newest first. */
  snapshots: SnapshotLine[];
  artifacts?: TraceFile[];
  hidden?: number;
  cut?: boolean;
}

export interface TraceSummary {
  trace: string;
  time: string;
  duration: Int;
  service?: string;
  name?: string;
  spans: number;
  errors: number;
  services: number;
  matched: number;
  complete: boolean;
}

export interface Stats {
  rows?: number;
  matched?: number;
  scanned?: number;
  bytes?: number;
  ms?: number;
  more?: boolean;
  next?: string;
  hints?: string[];
  partial?: string | null;
  hidden?: number;
  uncomparable?: number;
  approx?: { column: string; error: string | number }[];
  /** Of `differ`. */
  compared?: { in: number; out: number; fields: number; left_out: number };
}

export interface HistogramAnswer {
  step?: number;
  buckets: { time: string; rows: number; errors: number }[];
}

export interface FieldInfo {
  field: string;
  level?: string;
  types?: string[];
  rows: number;
}

export interface ValueInfo {
  value: Value;
  type?: string;
  rows: number;
}
