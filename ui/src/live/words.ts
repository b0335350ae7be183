// What the page says of instances and probes, in sentences.
import type { Away, Instance, LiveService, Placement, Probe, Where } from '../api/probes.ts';
import { count, NNBSP, plural } from '../format/number.ts';
import { term } from '../query/write.ts';
import { isCounting } from './files.ts';

export type Tone = 'ok' | 'wait' | 'warn' | 'bad' | 'off';

export interface Said {
  tone: Tone;
  /** One line: what it is. */
  text: string;
  /** What to do about it. */
  way?: string;
  /** The stable word of the reason, for hovers and search. */
  code?: string;
}

const TONES: Record<string, Tone> = {
  pending: 'wait',
  resolving: 'wait',
  installing: 'wait',
  waiting: 'wait',
  installed: 'ok',
  emitting: 'ok',
  partial: 'warn',
  throttled: 'warn',
  suspended: 'warn',
  mismatch: 'bad',
  unresolvable: 'bad',
  error: 'bad',
  removed: 'off',
};

const STATES: Record<string, string> = {
  pending: 'on its way',
  resolving: 'finding the line',
  installing: 'being placed',
  waiting: 'waiting',
  installed: 'placed',
  emitting: 'placed, capturing',
  partial: 'placed in part',
  throttled: 'placed, slowed to its rate',
  suspended: 'suspended',
  mismatch: 'other source',
  unresolvable: 'no such place',
  error: 'refused',
  removed: 'removed',
};

/** Ways out, by the stable code of the reason. */
const WAYS: Record<string, string> = {
  no_code_at_line: 'Choose a line that begins a statement.',
  no_such_function: 'This version may name it differently: look at its source.',
  ambiguous_file: 'Name more of the path.',
  source_mismatch:
    'It runs another version of the file, and nothing is captured at a wrong line. Look at its source and place a probe there.',
  not_loaded: 'It is placed as soon as the program imports the file.',
  old_code: 'New calls are captured; those under way when it was placed are not.',
  breakpoint: 'A line of a function that returns and is called again costs less; minified lines and Node 18 have breakpoints alone.',
  worker_threads: 'What the other threads run is captured; a thread that was busy is tried again by itself.',
  busy_in_native: 'It is placed when the main thread returns from native code.',
  no_permission: 'Run the agent as root or as the user of the process, with CAP_SYS_PTRACE.',
  other_debugger: 'Detach the other debugger first.',
  other_agent: 'Let one agent of the host do it; the probe is placed when the other one has left the process.',
  runtime_disabled: 'Start the process with the flag that the message names.',
  budget: 'It comes back by itself when the process has time to spare; a condition makes it cheaper.',
  cond_error: 'Look at the condition: a name may be missing there.',
  optimized_out: 'These variables are in no register or memory at that line.',
  unsupported: 'Place a plain tracepoint at a line instead.',
  invalid_probe: 'Agent and server differ in version: use the same one for both.',
  code_invalid: 'Agent and server differ in version: use the same one for both.',
  code_unsupported: 'Use a simpler expression.',
  too_many_probes: 'Remove some of the probes.',
  set_unreadable: 'Use the same version of agent and server, or remove some of the probes.',
  lease_expired: 'Look whether the agent runs on its host and reaches this server; the probe is placed when it is back.',
  host_brake: 'It comes back by itself, a minute after the agent takes less of its host.',
  no_agent: 'Start the agent on its host again; the probe is placed when it is back.',
};

/** `asked`: the line that the probe was placed at; in a process that runs another version it may stand at another. */
export function placementSaid(placement: Placement | undefined, instance: Instance | undefined, asked?: number): Said {
  if (instance && !instance.connected)
    return {
      tone: 'off',
      text: 'its agent is away; probes there have removed themselves',
      way: WAYS['no_agent'] as string,
      code: 'no_agent',
    };
  if (!placement) return { tone: 'off', text: 'not asked for here' };
  const { state, code, message } = placement;
  const tone = TONES[state] ?? 'off';
  const way = code ? wayOut(code, placement) : undefined;
  const text =
    tone === 'ok'
      ? `${STATES[state] ?? state}${placement.line && asked && placement.line !== asked ? ` at line ${placement.line} of its version` : ''}${mappedFrom(placement)}${placement.cost_ratio === undefined ? '' : `, ${core(placement.cost_ratio)}`}`
      : message && tone === 'bad' && state !== 'mismatch'
        ? message
        : `${STATES[state] ?? state}${message ? `: ${message}` : ''}`;
  return { tone, text, ...(way && { way }), ...(code && { code }) };
}

/** Where a probe stands whose file is what a script was made of. */
function mappedFrom({ data }: Placement): string {
  const at = data?.generated;
  if (typeof at !== 'object' || at === null || !('file' in at) || !('line' in at)) return '';
  const { file, line } = at;
  return typeof file === 'string' && typeof line === 'number' ? `, mapped from ${shortPath(file)}:${line}` : '';
}

/** "/srv/shop/dist/orders.js" -> "dist/orders.js". */
export const shortPath = (path: string): string => path.split('/').slice(-2).join('/');

function wayOut(code: string, { data }: Placement): string | undefined {
  const near = numbers(data?.nearest);
  if (code === 'no_code_at_line' && near.length > 0)
    return `Nearest ${near.length === 1 ? 'line' : 'lines'} with a statement: ${near.join(', ')}.`;
  const like = Array.isArray(data?.candidates) ? data.candidates.filter((one): one is string => typeof one === 'string') : [];
  if (code === 'ambiguous_file' && like.length > 0) return `Several files are called so: ${like.slice(0, 4).join(', ')}.`;
  return WAYS[code];
}

/** Lines that a refusal proposes. */
export function numbers(list: unknown): number[] {
  if (typeof list === 'number') return [list];
  return Array.isArray(list) ? list.filter((one): one is number => typeof one === 'number').slice(0, 4) : [];
}

/** Of a process without a probe: can one be placed? */
export function instanceSaid(instance: Instance): Said {
  if (!instance.connected) return { tone: 'off', text: 'its agent is away', way: WAYS['no_agent'] as string, code: 'no_agent' };
  if (instance.attachable === false) {
    const way = instance.hint ?? WAYS[instance.code ?? ''];
    return {
      tone: 'bad',
      text: instance.message ?? 'cannot be attached to',
      ...(way && { way }),
      ...(instance.code && { code: instance.code }),
    };
  }
  return { tone: 'ok', text: instance.attached ? 'attached' : 'ready' };
}

/** Share of one core. Below a thousandth of a percent nobody can measure it. */
export function core(ratio: number): string {
  const p = ratio * 100;
  if (p < 0.001) return `under 0.001${NNBSP}% of a core`;
  return `${p < 1 ? Number(p.toPrecision(1)) : p < 10 ? p.toFixed(1) : Math.round(p)}${NNBSP}% of a core`;
}

export const nameOf = (instance: { instance?: string; host?: string; pid?: number; process?: string; id?: string }): string =>
  (instance.instance !== instance.id ? instance.instance : undefined) ??
  (instance.host && instance.pid ? `${instance.host}:${instance.pid}` : (instance.process ?? instance.id ?? '?'));

export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `pricing.py:87`, `apply_discount()`. */
export function placeOf(where: Where): string {
  if (where.line !== undefined) return `${fileName(where.file ?? '')}:${where.line}`;
  if (where.exception) {
    const within = where.function ? ` in ${where.function}()` : where.file ? ` in ${fileName(where.file)}` : '';
    return `${where.uncaught ? 'uncaught ' : ''}${where.exception === '*' ? (where.uncaught ? 'exception' : 'any exception') : where.exception}${within}`;
  }
  return where.function ? `${where.function}()${where.at && where.at !== 'entry' ? ` ${where.at}` : ''}` : '?';
}

/** Of the agents that a probe was sent to, those that are away. */
export function awaySaid(away: Away): Said {
  const way = WAYS[away.code];
  return { tone: 'off', text: away.message, code: away.code, ...(way && { way }) };
}

/** What has not happened yet, while a probe waits for its first hit. */
export function notYet(probe: Probe): string {
  const { where } = probe;
  const met = probe.if ? ' and met the condition' : '';
  if (keeps(probe)) return `no trace through here has ${traceWords(probe)} yet; a hit shows once its trace has ended`;
  if (where.uncaught) return `no such exception has gone uncaught${met}`;
  if (where.exception) return `no such exception has been raised there${met}`;
  if (where.line !== undefined)
    return probe.if ? 'no run of the line has met the condition' : 'the line has not run since the probe was placed';
  if (where.at === 'exit') return `the function has not ended${met}`;
  return where.at === 'throw' ? `no exception has left the function${met}` : `the function has not been called${met}`;
}

/** Do its placements still stand? */
export const isAlive = ({ state }: Probe): boolean => state !== 'done' && state !== 'expired';

export function probeSaid(probe: Probe): string {
  if (probe.state === 'done') return `done, ${plural(probe.captures, 'hit')}`;
  if (probe.state === 'expired') return 'ended';
  if (probe.state === 'paused') return 'paused';
  if (probe.state === 'refused') return 'refused';
  if (probe.state === 'suspended') return 'suspended';
  if (probe.state === 'pending') return 'on its way';
  if (isCounting(probe)) return `${count(countOf(probe))} counted`;
  return `${probe.hits_used} of ${probe.hits}`;
}

/** Where what a metric or timer probe counts is drawn. */
export function metricAddress(probe: Probe): string {
  return `/explore/metrics?${new URLSearchParams({ q: metricQueryOf(probe) })}`;
}

export function metricQueryOf(probe: Probe): string {
  return `metrics ${term('name', probe.metric?.name ?? 'probe.duration')} ${term('probe', probe.id)}`;
}

/** What a metric or timer probe has counted in all processes. */
export const countOf = (probe: Probe): number => probe.instances.reduce((n, one) => n + one.hits - one.filtered, 0);

/** "3 of 4 placed". */
export function placedWords(probe: Probe, instances: readonly Instance[]): string {
  if (!isAlive(probe)) return probe.state === 'done' ? 'it has all its hits' : 'it has ended';
  if (probe.paused) return 'paused';
  const placed = probe.instances.filter((one) => TONES[one.state] === 'ok' || one.state === 'partial' || one.state === 'throttled').length;
  return `${placed} of ${Math.max(instances.length, probe.instances.length)} placed`;
}

/** "8 of 20 hits, 40 runs did not match, 0 dropped". */
export function hitsWords(probe: Probe): string {
  const sum = (of: (one: Placement) => number) => probe.instances.reduce((n, one) => n + of(one), 0);
  const [filtered, errors] = [sum((one) => one.filtered), sum((one) => one.errors)];
  const parts = [`${probe.hits_used} of ${plural(probe.hits, 'hit')}`];
  if (keeps(probe))
    parts.push(`${plural(filtered, 'run')} ${probe.if ? 'did not match or ' : ''}${filtered === 1 ? 'was' : 'were'} not kept`);
  else if (probe.if) parts.push(`${plural(filtered, 'run')} did not match`);
  if (errors > 0) parts.push(`${plural(errors, 'condition')} failed`);
  parts.push(`${probe.dropped} dropped`);
  if (probe.events || probe.events_left_out) parts.push(plural(probe.events ?? 0, 'error event'));
  if (probe.events_left_out) parts.push(`${probe.events_left_out} left out by limits or filters`);
  return parts.join(', ');
}

/** Only captures of some traces are kept. */
const keeps = ({ keep }: Probe): boolean => keep === 'trace_error' || keep === 'trace_slow';

/** "failed". */
const traceWords = ({ keep, keep_ms }: Probe): string => (keep === 'trace_error' ? 'failed' : `taken over ${count(keep_ms ?? 0)}\u202fms`);

export function firstError(probe: Probe): string | undefined {
  return probe.instances.find((one) => one.first_error)?.first_error;
}

/** "Python 3.12, 4 instances, agent on 3 hosts". */
export function serviceWords(service: LiveService): string {
  return [`${plural(service.instances, 'instance')}`, `agent on ${plural(service.hosts, 'host')}`].join(', ');
}

export function runtimeWords(runtimes: readonly string[]): string {
  return runtimes.map((one) => one.charAt(0).toUpperCase() + one.slice(1)).join(', ');
}

/** Text of the same file in several processes: in how many it is what is shown. */
export function sameWords(same: number, of: number): string {
  if (of <= 1) return '';
  return same === of ? `same text in all ${of} instances` : `same text in ${same} of ${of} instances`;
}
