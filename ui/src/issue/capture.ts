// Capturing locals from outside: which probe takes those of an exception when it is raised again, and which captures belong to an event.
import { type Exception, type Frame, type IssueEvent, type Probed, probedOf } from '../api/event.ts';
import type { Instance, LiveService, Placement, Probe, ProbeInput, Where } from '../api/probes.ts';
import type { Capture, SnapshotLine } from '../api/snapshots.ts';
import { lineHash } from '../live/seen.ts';
import { exceptionsOf } from './frames.ts';

export const ARM_HITS = 5;
export const ARM_TTL_S = 7200;
const LINE_HITS = 500;
const LINE_RATE = 5;
const FRAMES_VARS_MAX = 16;
const FRAMES_VARS = 3;

/** What is waited for: an exception of this type, raised in this function. */
export interface Target {
  where: Where & { exception: string };
  /** Enough of the innermost frames that those of one's own are among them. */
  framesVars: number;
  /** One's own frame, as the page shows it. */
  frame: Frame;
  /** Its line: for runtimes that do not tell of exceptions. */
  line: { file: string; line: number; text?: string | undefined } | undefined;
}

/** Where a runtime tells that an exception is raised is the innermost frame, of a library or not. */
export function targetOf(event: IssueEvent): Target | undefined {
  const [first] = event.exceptions ?? [];
  const frames = first?.frames ?? [];
  const raised = frames[0];
  const own = frames.findIndex((frame) => frame.in_app);
  const frame = frames[Math.max(0, own)];
  if (!first?.type || !raised || !frame) return undefined;
  const file = fileOf(raised);
  const where = { exception: first.type, ...(file && { file }), ...(file && raised.function && { function: raised.function }) };
  const at = { ...frame, ...frame.raw };
  const named = fileOf(frame);
  const line = named && at.line ? { file: named, line: at.line, text: lineOf(frame) } : undefined;
  return { where, framesVars: Math.min(FRAMES_VARS_MAX, Math.max(FRAMES_VARS, own + 2)), frame, line };
}

/** What stands in the frame's line; not known of code that a source map has led back. */
export function lineOf({ line, context, raw }: Frame): string | undefined {
  return raw ? undefined : context?.find(([number]) => number === line)?.[1].trim() || undefined;
}

/** A path that ends the one that the runtime knows; what a bundler or a source map has named is the file's name before that. */
function fileOf({ raw, file, abs_path }: Frame): string | undefined {
  const name = raw?.file ?? file ?? abs_path;
  return name?.replace(/^(?:file:\/\/|app:\/\/\/|\.\/)/, '') || undefined;
}

/** Names that the event gives its service, the likeliest first. */
export function namesOf(event: IssueEvent): string[] {
  const tag = (key: string) => event.tags?.find((one) => one.key === key)?.value;
  const release = /^(.+)@/.exec(event.release ?? '')?.[1];
  const names = [event.service, tag('service.name'), tag('service'), release, event.server_name];
  return [...new Set(names.filter((name): name is string => !!name))];
}

/** Before the live services are known: what it is most likely called there. */
export const serviceIn = (event: IssueEvent): string | undefined => namesOf(event)[0];

export function serviceOf(event: IssueEvent, services: readonly LiveService[]): string | undefined {
  return namesOf(event).find((name) => services.some((one) => one.service === name));
}

/** In which environment: the event's, where processes say which is theirs. `none`: they are all in others. */
export function environmentOf(event: IssueEvent, instances: readonly Instance[]): { environment?: string; none?: string[] } {
  const said = [...new Set(instances.flatMap(({ environment }) => (environment ? [environment] : [])))];
  if (!event.environment || said.length === 0) return {};
  if (said.includes(event.environment)) return { environment: event.environment };
  return said.length > 0 && instances.every(({ environment }) => environment) ? { none: said } : {};
}

export function probeInput(target: Target, service: string, environment: string | undefined, project: string | undefined): ProbeInput {
  return {
    kind: 'exception',
    service,
    ...(project && { project }),
    where: target.where,
    frames_vars: target.framesVars,
    hits: ARM_HITS,
    ttl_s: ARM_TTL_S,
    scope: { service, ...(environment && { environment }) },
  };
}

/** A line runs far more often than it fails: enough hits that failing ones are among them; they are known by their trace. */
export function lineInput({ line }: Target): ProbeInput {
  const { text, ...where } = line ?? {};
  return { kind: 'snapshot', ...(line && { where }), ...(text && { line_hash: lineHash(text) }), hits: LINE_HITS, rate: LINE_RATE };
}

/** The one that waits for it, else the last that has. */
export function probeOf(probes: readonly Probe[], target: Target, service: string): Probe | undefined {
  const alike = probes.filter(
    (one) =>
      one.service === service &&
      (one.where.exception
        ? one.where.exception === target.where.exception &&
          one.where.file === target.where.file &&
          one.where.function === target.where.function
        : one.where.line !== undefined && one.where.line === target.line?.line && one.where.file === target.line.file),
  );
  return alike.sort((a, b) => Number(waits(b)) - Number(waits(a)) || Date.parse(b.created) - Date.parse(a.created))[0];
}

export const waits = ({ state }: Probe): boolean => state !== 'done' && state !== 'expired';

const PLACED = ['installed', 'emitting', 'partial', 'throttled'];

/** In how many processes it stands, and why not in the others. */
export function placedOf(probe: Probe): { placed: number; of: number; refusals: Placement[] } {
  const placed = probe.instances.filter((one) => PLACED.includes(one.state)).length;
  const refused = probe.instances.filter((one) => !PLACED.includes(one.state) && one.code);
  const refusals = refused.filter((one, at) => refused.findIndex((other) => other.code === one.code) === at);
  return { placed, of: probe.instances.length, refusals };
}

/** Its runtime does not tell of exceptions, anywhere that it was asked. */
export function unsupported(probe: Probe): boolean {
  const { placed, refusals } = placedOf(probe);
  return (
    probe.where.exception !== undefined &&
    placed === 0 &&
    refusals.length > 0 &&
    refusals.every(({ code = '' }) => UNSUPPORTED.includes(code))
  );
}
const UNSUPPORTED = ['runtime_unsupported', 'unsupported'];

/** An SDK reports within moments of what it caught. */
const NEAR_MS = 1000;

/** Those of the event's trace, and those of the probe that waited for it when it came; each once, the closest in time first. */
export function capturesOf(event: IssueEvent, hits: readonly SnapshotLine[]): SnapshotLine[] {
  const at = Date.parse(event.time);
  const away = (line: SnapshotLine) => Math.abs(Date.parse(line.time) - at);
  const inTrace = [...(event.snapshots ?? [])];
  const made = probedOf(event);
  if (made && !inTrace.some(({ id }) => id === made.snapshot)) inTrace.push(ownLine(event, made));
  const beside = hits.filter(
    (hit) => away(hit) <= NEAR_MS && (!hit.trace || !event.trace || hit.trace === event.trace) && !inTrace.some(({ id }) => id === hit.id),
  );
  return [...inTrace, ...beside].sort((a, b) => away(a) - away(b));
}

/** The snapshot that an event was made of, as the list of its probe would have it. */
function ownLine(event: IssueEvent, { probe, snapshot }: Probed): SnapshotLine {
  const raised = exceptionsOf(event)[0]?.frames?.[0];
  return {
    id: snapshot,
    probe,
    time: event.time,
    kind: 'exception',
    event: event.event_id,
    ...(event.service && { service: event.service }),
    ...(event.trace && { trace: event.trace }),
    ...(raised?.function && { function: raised.function }),
    ...(raised?.file && { file: raised.file }),
    ...(raised?.line && { line: raised.line }),
  };
}

/** The capture that shows the event's own locals: taken as it was raised, or at least in that function. */
export function closestOf(event: IssueEvent, lines: readonly SnapshotLine[]): SnapshotLine | undefined {
  const [first] = exceptionsOf(event);
  const made = lines.find((line) => line.event === event.event_id);
  if (made) return made;
  const raised = first?.frames?.[0];
  const there = lines.filter((line) => raised && sameFunction(raised, line));
  const own = lines.filter((line) => first?.frames?.some((frame) => frame.in_app && sameFunction(frame, line)));
  return there.find((line) => line.kind === 'exception') ?? there[0] ?? own[0];
}

interface Called {
  function?: string | undefined;
  file?: string | undefined;
}

const lastName = (name: string | undefined) => name?.slice(name.lastIndexOf('.') + 1);

/** SDKs and runtimes name both differently: with the class or without, from the root or from the package. */
export function sameFunction(a: Called & { abs_path?: string | undefined }, b: Called): boolean {
  if (!a.function || lastName(a.function) !== lastName(b.function)) return false;
  const [x, y] = [a.abs_path ?? a.file, b.file];
  if (!x || !y) return true;
  return ends(x, y) || ends(y, x) || (a.file !== undefined && ends(y, a.file));
}

const ends = (path: string, end: string) => path === end || path.endsWith(end.startsWith('/') ? end : `/${end}`);

/** For each frame of the exception the frame of the capture that shows its variables. */
export function framesOf(exception: Exception | undefined, capture: Capture): Map<Frame, number> {
  const found = new Map<Frame, number>();
  let from = 0;
  for (const frame of exception?.frames ?? []) {
    const at = (capture.frames ?? []).findIndex((one, index) => index >= from && sameFunction(frame, one));
    if (at < 0) continue;
    from = at + 1;
    if (capture.frames?.[at]?.vars) found.set(frame, at);
  }
  return found;
}
