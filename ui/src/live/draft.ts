// What the editor holds while a probe is written, and what is made of it.
import type { Kind, Probe, ProbeInput, Where } from '../api/probes.ts';
import { lineHash } from './seen.ts';

/** Where in the program: at the line, at a moment of the function around it, or when an exception is raised. */
export type At = 'line' | 'entry' | 'exit' | 'throw' | 'exception';

export interface Draft {
  kind: Kind;
  at: At;
  /** Its type; none: any. */
  exception: string;
  /** Raised in the function, not anywhere in the file. */
  within: boolean;
  /** Only what nobody catches: then anywhere in the process. */
  uncaught: boolean;
  /** Only where the file is the one that is shown; else the line is followed by its text. */
  exact: boolean;
  condition: string;
  locals: boolean;
  args: boolean;
  exprs: string[];
  level: string;
  template: string;
  /** What a metric probe makes of its hits. */
  metric: MetricKind;
  /** Of the metric; none: the timer's own. */
  name: string;
  value: string;
  /** Attributes, and the expressions that give them. */
  by: [string, string][];
  hits: number;
  ttl: number;
  rate: number;
  /** Of which traces a capture is kept: EVERY_TRACE, FAILED_TRACES, or of those that take at least so many ms. */
  keep: number;
  frames: number;
  depth: number;
  /** "all", or how many. */
  on: string;
  /** Not the service's, but this process. */
  pid: number | undefined;
  host: string | undefined;
}

export const METRIC_KINDS = ['count', 'gauge', 'histogram'] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];
export const TIMER_NAME = 'probe.duration';
export const BY_MAX = 8;
export const HITS = [1, 5, 20, 100, 1000, 10000];
export const TTLS: [number, string][] = [
  [300, '5 min'],
  [1800, '30 min'],
  [7200, '2 h'],
  [28800, '8 h'],
  [86400, '24 h'],
];
export const RATES = [0.1, 1, 5, 20, 100];
export const [EVERY_TRACE, FAILED_TRACES] = [0, -1];
export const KEEPS = [EVERY_TRACE, FAILED_TRACES, 100, 500, 1000, 5000];
/** Most of what is captured is let go again where captures wait for the end of their trace. */
const KEEP_RATE = 100;
export const DEPTHS = [1, 2, 3, 5, 8, 10];
export const FRAMES = [1, 10, 30, 64, 128];

export function draftFor(line: string, kind: Kind = 'snapshot'): Draft {
  return {
    kind,
    at: 'line',
    exception: '',
    within: true,
    uncaught: false,
    exact: false,
    condition: '',
    locals: true,
    args: true,
    exprs: [],
    level: 'info',
    template: templateFor(line),
    metric: 'count',
    name: '',
    value: '',
    by: [],
    hits: 20,
    ttl: 1800,
    rate: 1,
    keep: EVERY_TRACE,
    frames: 30,
    depth: 3,
    on: 'all',
    pid: undefined,
    host: undefined,
  };
}

/** The names that a line reads or sets are what one most likely wants in its message. */
function templateFor(line: string): string {
  const assigned = /^\s*(?:const |let |var )?([A-Za-z_]\w*)\s*(?::[^=]+)?=[^=]/.exec(line)?.[1];
  return assigned ? `${assigned}={${assigned}}` : '';
}

export function draftOf(probe: Probe): Draft {
  const base = draftFor('', probe.kind === 'exception' ? 'snapshot' : probe.kind);
  return {
    ...base,
    at: probe.where.exception !== undefined ? 'exception' : probe.where.line !== undefined ? 'line' : (probe.where.at ?? 'entry'),
    exception: probe.where.exception && probe.where.exception !== '*' ? probe.where.exception : '',
    within: probe.where.exception === undefined || probe.where.function !== undefined,
    uncaught: probe.where.uncaught ?? false,
    exact: probe.match === 'exact',
    condition: probe.if ?? '',
    locals: probe.locals ?? true,
    args: probe.args ?? true,
    exprs: probe.exprs ?? [],
    level: probe.log?.level ?? base.level,
    template: probe.log?.template ?? '',
    metric: METRIC_KINDS.find((one) => one === probe.metric?.kind) ?? base.metric,
    name: probe.metric?.name ?? '',
    value: probe.metric?.value ?? '',
    by: Object.entries(probe.metric?.by ?? {}),
    hits: probe.hits,
    ttl: Math.max(1, Math.round((Date.parse(probe.expires) - Date.parse(probe.created)) / 1000)),
    rate: probe.rate ?? base.rate,
    keep: probe.keep === 'trace_error' ? FAILED_TRACES : probe.keep === 'trace_slow' ? (probe.keep_ms ?? 500) : EVERY_TRACE,
    frames: probe.frames ?? base.frames,
    depth: probe.depth ?? base.depth,
    on: String(probe.scope?.instances ?? 'all'),
    pid: probe.scope?.pid,
    host: probe.scope?.host,
  };
}

/** Another choice of traces, and the rate that goes with it unless one was picked. */
export function keepOf(draft: Draft, keep: number): Pick<Draft, 'keep' | 'rate'> {
  const usual = draft.keep === EVERY_TRACE ? draftFor('').rate : KEEP_RATE;
  return { keep, rate: draft.rate !== usual ? draft.rate : keep === EVERY_TRACE ? draftFor('').rate : KEEP_RATE };
}

/** Why it cannot be placed yet; undefined: it can. */
export function lacks(draft: Draft): string | undefined {
  if (draft.kind === 'log' && draft.template.trim() === '') return 'A log line needs a message.';
  if (draft.kind === 'metric' && draft.name.trim() === '') return 'A metric needs a name.';
  if (counts(draft) && !/^([a-z][\w.\-/]*)?$/i.test(draft.name.trim())) return 'A name has letters, digits and _ . - / only.';
  if (draft.kind === 'metric' && draft.metric !== 'count' && draft.value.trim() === '') return `A ${draft.metric} needs a value.`;
  if (counts(draft) && draft.by.some(([key, text]) => !key.trim() !== !text.trim())) return 'An attribute needs a name and a value.';
  if (draft.kind === 'timer' && draft.at !== 'exit') return 'A timer measures a function, and the line is in none.';
  if (draft.at === 'exception' && !/^[\p{L}_$][\p{L}\p{N}_$.]*$/u.test(draft.exception.trim() || 'any')) return 'A type is a name.';
  return undefined;
}

/** It makes numbers of its hits, and uses none up. */
export const counts = ({ kind }: Pick<Draft, 'kind'>): boolean => kind === 'metric' || kind === 'timer';

/** What a metric of a place is called at first: after the function, or the file. */
export function nameFor({ file, function: name }: Pick<Spot, 'file' | 'function'>): string {
  const stem = file.slice(file.lastIndexOf('/') + 1).replace(/\.\w+$/, '');
  return `${[stem, name].filter(Boolean).join('.')}.runs`.replace(/[^\w.\-/]+/g, '_').replace(/^[^a-z]+/i, '');
}

function metricOf(draft: Draft): ProbeInput['metric'] {
  if (!counts(draft)) return undefined;
  const by = draft.by.flatMap(([key, text]): [string, string][] => (key.trim() ? [[key.trim(), text.trim()]] : []));
  const [name, value] = [draft.name.trim(), draft.value.trim()];
  const more = { ...(name && { name }), ...(by.length > 0 && { by: Object.fromEntries(by) }) };
  if (draft.kind === 'timer') return Object.keys(more).length > 0 ? more : undefined;
  return { kind: draft.metric, ...more, ...(value && { value }) };
}

export interface Spot {
  file: string;
  line: number;
  /** The function around the line, where the runtime knows. */
  function?: string | undefined;
  /** What is shown: the file's digest, and the line. */
  hash?: string | undefined;
  text?: string | undefined;
}

/** What of the draft says where. A function that is not known leaves the line. */
export function whereOf({ at, exception, within, uncaught }: Draft, { file, line, function: name }: Spot): Where {
  if (at === 'exception' && uncaught) return { exception: exception.trim() || '*', uncaught };
  if (at === 'exception') return { exception: exception.trim() || '*', file, ...(within && name && { function: name }) };
  return at !== 'line' && name ? { file, function: name, at } : { file, line };
}

/** By what a process that runs another text of the file is known. A probe that stands at a line stays at the one that it was placed at,
 * whichever text is shown when it is changed. */
function seenIn(draft: Draft, spot: Spot, was: Probe | undefined): ProbeInput {
  const match = draft.exact ? 'exact' : 'follow';
  const gone = was ? null : undefined;
  if (!spot.hash) return was || draft.exact ? { match } : {};
  if (draft.at !== 'line') return { match, source_hash: spot.hash, line_hash: gone, function: gone };
  if (was?.where.line !== undefined && was.line_hash) return { match };
  const line = spot.text?.trim() ? lineHash(spot.text) : gone;
  return { match, source_hash: spot.hash, line_hash: line, function: (line && spot.function) || gone };
}

/** `was`: the probe that it changes; what it had and the draft has not is taken away. */
export function inputOf(draft: Draft, spot: Spot, service: string, was?: Probe): ProbeInput {
  const where = draft.at === 'line' && was?.where.line !== undefined ? was.where : whereOf(draft, spot);
  const gone = was ? null : undefined;
  const condition = draft.condition.trim();
  const exprs = draft.kind === 'snapshot' ? draft.exprs.map((text) => text.trim()).filter(Boolean) : [];
  const scope = {
    service,
    ...(draft.on !== 'all' && { instances: draft.on.endsWith('%') ? draft.on : Number(draft.on) }),
    ...(draft.pid !== undefined && { pid: draft.pid }),
    ...(draft.host !== undefined && { host: draft.host }),
  };
  const input: ProbeInput = {
    kind: draft.kind === 'snapshot' && where.exception !== undefined ? 'exception' : draft.kind,
    where,
    ...seenIn(draft, spot, was),
    if: condition || gone,
    exprs: exprs.length > 0 ? exprs : gone,
    log: draft.kind === 'log' ? { level: draft.level, template: draft.template.trim() } : gone,
    metric: metricOf(draft) ?? gone,
    ttl_s: draft.ttl,
    ...(!counts(draft) && { hits: draft.hits, rate: draft.rate }),
    keep: counts(draft) || draft.keep === EVERY_TRACE ? gone : draft.keep === FAILED_TRACES ? 'trace_error' : 'trace_slow',
    keep_ms: !counts(draft) && draft.keep > 0 ? draft.keep : gone,
    scope,
    ...(draft.kind === 'snapshot' && { frames: draft.frames, depth: draft.depth, locals: draft.locals, args: draft.args }),
  };
  if (!was) input.service = service;
  for (const key of Object.keys(input) as (keyof ProbeInput)[]) if (input[key] === undefined) delete input[key];
  return input;
}
