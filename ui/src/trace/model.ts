// A trace as the page thinks of it: a tree of spans with their logs in place, times in ns from the trace's start.
//
// The server sends spans in tree order with their depth and has already decided about spans that share an id and about
// cycles; the tree is rebuilt from that order alone. A span at depth 0 that names a parent is an orphan: its parent never
// came. Orphans of one parent hang below a node that stands for it.
import type { SnapshotLine } from '../api/snapshots.ts';
import type { EventRow, LogRow, SpanRow, TraceAnswer, TraceFile, Value } from '../api/types.ts';
import { type Instant, nsBetween, parseInstant } from '../format/time.ts';
import { spansBelow } from './critical.ts';
import { type Correction, correctClocks } from './skew.ts';

export interface SpanNode {
  type: 'span';
  row: SpanRow;
  service: string;
  name: string;
  /** What the span talks to when that has no spans of its own here: a database, a host. */
  peer: Peer | undefined;
  start: number;
  duration: number;
  error: boolean;
  /** Errors in the spans, logs and events below. */
  errorsBelow: number;
  /** Own time: duration minus what its children cover. */
  self: number;
  parent: SpanNode | MissingNode | undefined;
  children: TraceNode[];
  /** Spans below, at any depth. */
  below: number;
  /** How far its clock was corrected, ns. */
  shift: number;
}

export interface Peer {
  name: string;
  kind: 'database' | 'messaging' | 'service';
}

export interface LogNode {
  type: 'log';
  row: LogRow;
  service: string;
  level: string;
  text: string;
  start: number;
  parent: SpanNode | MissingNode | undefined;
}

/** What an error SDK sent: an exception as a rule, or a message. */
export interface EventNode {
  type: 'event';
  row: EventRow;
  service: string;
  title: string;
  error: boolean;
  start: number;
  parent: SpanNode | MissingNode | undefined;
}

/** What a probe has captured. */
export interface SnapshotNode {
  type: 'snapshot';
  row: SnapshotLine;
  service: string;
  start: number;
  /** undefined: its span is not here, or it names none. */
  parent: SpanNode | MissingNode | undefined;
}

export interface MissingNode {
  type: 'missing';
  id: string;
  start: number;
  duration: number;
  errorsBelow: number;
  below: number;
  parent: SpanNode | undefined;
  children: TraceNode[];
}

/** What stands at a moment and holds nothing. */
export type MomentNode = LogNode | EventNode | SnapshotNode;
export type TraceNode = SpanNode | MomentNode | MissingNode;
export type ParentNode = SpanNode | MissingNode;

export interface ServiceShare {
  service: string;
  external: boolean;
  /** Somebody else's service: its time is grey, as its bars are. */
  foreign: boolean;
  self: number;
  spans: number;
  /** That its spans say they ran, in the order of their first. */
  versions: string[];
}

export interface TraceModel {
  id: string;
  begin: Instant;
  /** From the earliest start to the latest end, as drawn. */
  duration: number;
  roots: TraceNode[];
  /** The one that names the trace. */
  main: SpanNode | undefined;
  spans: SpanNode[];
  logs: LogNode[];
  events: EventNode[];
  snapshots: SnapshotNode[];
  files: TraceFile[];
  missing: MissingNode[];
  services: ServiceShare[];
  /** Services with spans of their own. */
  serviceCount: number;
  errors: number;
  corrections: Correction[];
}

export function buildTrace(answer: TraceAnswer, options: { correct: boolean } = { correct: true }): TraceModel {
  const begin = earliest(answer);
  const { spans, roots } = linkSpans(answer.spans, begin);
  const corrections = options.correct ? correctClocks(spans) : [];
  const main = mainSpan(roots);
  const missing = hangOrphans(roots, main);
  const hang = hanger(begin, spans, missing, roots);
  const logs = answer.logs.map((row) => hang(row, logNode, main));
  const events = answer.events.map((row) => hang(row, eventNode, main));
  const snapshots = [...answer.snapshots].reverse().map((row) => hang(row, snapshotNode, undefined));
  const moments = [...logs, ...events, ...snapshots];
  for (const node of [...spans, ...missing]) node.children.sort(byStart);
  roots.sort(byStart);
  const first = extent(spans, moments).from;
  for (const node of [...spans, ...moments]) node.start -= first;
  for (const node of missing) coverChildren(node);
  for (let i = spans.length - 1; i >= 0; i--) if (spans[i]) measure(spans[i] as SpanNode);
  for (const node of missing) countBelow(node);
  const duration = extent(spans, moments).to;
  const services = shares(spans);
  return {
    id: answer.trace,
    begin: { ms: begin.ms, ns: begin.ns + first },
    duration,
    roots,
    main,
    spans,
    logs,
    events,
    snapshots,
    files: answer.artifacts ?? [],
    missing,
    services,
    serviceCount: new Set((spans.length ? spans : moments).map((node) => node.service)).size,
    errors: spans.filter((span) => span.error).length,
    corrections,
  };
}

const byStart = (a: TraceNode, b: TraceNode) => a.start - b.start;

/** From the earliest start to the latest end. */
function extent(spans: SpanNode[], moments: MomentNode[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (const span of spans) {
    from = Math.min(from, span.start);
    to = Math.max(to, span.start + Math.max(0, span.duration));
  }
  for (const moment of moments) {
    from = Math.min(from, moment.start);
    to = Math.max(to, moment.start);
  }
  return { from: Number.isFinite(from) ? from : 0, to };
}

function earliest(answer: TraceAnswer): Instant {
  let first: Instant | undefined;
  for (const row of answer.spans.length ? answer.spans : [...answer.logs, ...answer.events, ...answer.snapshots]) {
    const time = parseInstant(row.time);
    if (!first || nsBetween(first, time) < 0) first = time;
  }
  return first ?? parseInstant(answer.time);
}

function linkSpans(rows: SpanRow[], begin: Instant): { spans: SpanNode[]; roots: TraceNode[] } {
  const spans: SpanNode[] = [];
  const roots: TraceNode[] = [];
  const open: SpanNode[] = [];
  for (const row of rows) {
    const depth = Math.min(row.depth ?? 0, open.length);
    open.length = depth;
    const parent = open[depth - 1];
    const node: SpanNode = {
      type: 'span',
      row,
      service: row.service ?? 'unknown service',
      name: row.name ?? '(no name)',
      peer: undefined,
      start: nsBetween(begin, parseInstant(row.time)),
      duration: Number(row.duration),
      error: row.status === 'error',
      errorsBelow: 0,
      self: 0,
      parent,
      children: [],
      below: 0,
      shift: 0,
    };
    if (parent) parent.children.push(node);
    else roots.push(node);
    open.push(node);
    spans.push(node);
  }
  for (const span of spans) span.peer = peerOf(span);
  return { spans, roots };
}

const text = (value: Value | undefined) => (typeof value === 'string' && value ? value : undefined);

/** Only where the other side sent nothing: a call whose server span is here needs no stand-in. */
function peerOf(span: SpanNode): Peer | undefined {
  const attr = span.row.attr ?? {};
  const called = span.row.kind === 'client' || span.row.kind === 'producer';
  if (!called || span.children.some((child) => child.type === 'span')) return undefined;
  const database = text(attr['db.system.name']) ?? text(attr['db.system']);
  if (database) return { name: database, kind: 'database' };
  const messaging = text(attr['messaging.system']);
  if (messaging) return { name: messaging, kind: 'messaging' };
  const host = text(attr['peer.service']) ?? text(attr['server.address']) ?? text(attr['net.peer.name']);
  return host ? { name: host, kind: 'service' } : undefined;
}

function mainSpan(roots: TraceNode[]): SpanNode | undefined {
  const spans = roots.filter((node): node is SpanNode => node.type === 'span').sort(byStart);
  return spans.find((span) => !span.row.parent) ?? spans[0];
}

function hangOrphans(roots: TraceNode[], main: SpanNode | undefined): MissingNode[] {
  const missing = new Map<string, MissingNode>();
  const orphans = roots.filter((node): node is SpanNode => node.type === 'span' && !!node.row.parent);
  for (const orphan of orphans) {
    const id = orphan.row.parent ?? '';
    let node = missing.get(id);
    if (!node) {
      // Nobody knows below whom it ran; a whole root is the likeliest answer, and the page says that it is one.
      const parent = main && !main.row.parent ? main : undefined;
      node = { type: 'missing', id, start: orphan.start, duration: 0, errorsBelow: 0, below: 0, parent, children: [] };
      missing.set(id, node);
      if (parent) parent.children.push(node);
      else roots.push(node);
    }
    node.children.push(orphan);
    orphan.parent = node;
    roots.splice(roots.indexOf(orphan), 1);
  }
  for (const node of missing.values()) coverChildren(node);
  return [...missing.values()];
}

function coverChildren(node: MissingNode): void {
  const spans = node.children.filter((child): child is SpanNode => child.type === 'span');
  const { from, to } = extent(spans, []);
  node.start = from;
  node.duration = to - from;
}

export function logText(row: LogRow): string {
  const body = row.body ?? row.name ?? '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

type Placed = Pick<MomentNode, 'start' | 'parent' | 'service'>;

function logNode(row: LogRow, placed: Placed): LogNode {
  return { type: 'log', row, level: row.level ?? '', text: logText(row), ...placed };
}

function eventNode(row: EventRow, placed: Placed): EventNode {
  const title = row.title ?? row.type ?? row.message ?? 'Error without a title';
  // Messages of SDKs have levels of their own; an exception is an error whatever its level.
  return { type: 'event', row, title, error: !!row.type || isErrorLevel(row.level ?? 'error'), ...placed };
}

function snapshotNode(row: SnapshotLine, placed: Placed): SnapshotNode {
  return { type: 'snapshot', row, ...placed };
}

/** Hangs what happened at a moment on the span that it happened in. */
function hanger(begin: Instant, spans: SpanNode[], missing: MissingNode[], roots: TraceNode[]) {
  const owners = new Map<string, ParentNode>(missing.map((node) => [node.id, node]));
  for (const span of spans) {
    // Client and server may share an id: what happened belongs to the span of its own service.
    const known = owners.get(span.row.span);
    if (!known || known.type === 'missing') owners.set(span.row.span, span);
    else owners.set(`${span.row.span} ${span.service}`, span);
  }
  return <Row extends { time: string; span?: string; service?: string }, Node extends MomentNode>(
    row: Row,
    make: (row: Row, placed: Placed) => Node,
    /** Where it belongs when it names no span. */
    otherwise: SpanNode | undefined,
  ): Node => {
    const service = row.service ?? 'unknown service';
    const parent = row.span ? (owners.get(`${row.span} ${service}`) ?? owners.get(row.span)) : otherwise;
    const shift = parent?.type === 'span' && parent.service === service ? parent.shift : 0;
    const node = make(row, { service, start: nsBetween(begin, parseInstant(row.time)) + shift, parent });
    if (parent) parent.children.push(node);
    else roots.push(node);
    return node;
  };
}

export const isMoment = (node: TraceNode): node is MomentNode => node.type !== 'span' && node.type !== 'missing';

export const isErrorLevel = (level: string) => level === 'error' || level === 'fatal';

export function isErrorMoment(node: MomentNode): boolean {
  if (node.type === 'snapshot') return false;
  return node.type === 'event' ? node.error : isErrorLevel(node.level);
}

/** Of all kinds: failed spans, and logs and events of errors. */
export function errorCount(model: TraceModel): number {
  return model.errors + [...model.logs, ...model.events].filter(isErrorMoment).length;
}

function countBelow(node: ParentNode): void {
  node.below = 0;
  node.errorsBelow = 0;
  for (const child of node.children) {
    if (isMoment(child)) {
      if (isErrorMoment(child)) node.errorsBelow++;
      continue;
    }
    node.below += child.below + (child.type === 'span' ? 1 : 0);
    node.errorsBelow += child.errorsBelow + (child.type === 'span' && child.error ? 1 : 0);
  }
}

/** Children are measured before their parents: spans come parents first, so this goes backwards. */
function measure(span: SpanNode): void {
  for (const child of span.children) if (child.type === 'missing') countBelow(child);
  countBelow(span);
  span.self = selfTime(span);
}

function selfTime(span: SpanNode): number {
  const end = span.start + span.duration;
  let covered = 0;
  let reached = span.start;
  for (const child of spansBelow(span.children).sort(byStart)) {
    const from = Math.max(reached, child.start);
    const to = Math.min(end, child.start + child.duration);
    if (to > from) {
      covered += to - from;
      reached = to;
    }
  }
  return Math.max(0, span.duration - covered);
}

/** Self time by service, most first; a database's or a foreign host's under its own name. */
function shares(spans: SpanNode[]): ServiceShare[] {
  const all = new Map<string, ServiceShare>();
  for (const span of spans) {
    const key = ownerOf(span);
    const share = all.get(key) ?? {
      service: key,
      external: !!span.peer,
      foreign: span.peer?.kind === 'service',
      self: 0,
      spans: 0,
      versions: [],
    };
    const version = span.peer ? undefined : text(span.row.resource?.['service.version']);
    if (version && !share.versions.includes(version)) share.versions.push(version);
    share.self += span.self;
    share.spans++;
    all.set(key, share);
  }
  return [...all.values()].sort((a, b) => b.self - a.self || (a.service < b.service ? -1 : 1));
}

/** Whose time a span's own time is. */
export function ownerOf(span: SpanNode): string {
  return span.peer?.name ?? span.service;
}
