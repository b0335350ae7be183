// Live debugging: services under an agent, their processes and files, probes, and what they have captured.
import { getJson, send } from './client.ts';
import { loadSnapshots, type SnapshotLine } from './snapshots.ts';

export interface LiveService {
  service: string;
  runtimes: string[];
  instances: number;
  attachable: number;
  hosts: number;
  probes: number;
}

/** A process, as its agent sees it. */
export interface Instance {
  id: string;
  agent: string;
  host?: string;
  connected: boolean;
  pid?: number;
  service?: string;
  version?: string;
  environment?: string;
  instance?: string;
  runtime?: string;
  runtime_version?: string;
  command?: string;
  user?: string;
  attachable?: boolean;
  attached?: boolean;
  /** Why it cannot be attached to. */
  code?: string;
  message?: string;
  hint?: string;
}

export type ProbeState = 'pending' | 'installed' | 'partial' | 'refused' | 'paused' | 'expired' | 'done' | 'suspended';

/** What has become of a probe in one process. */
export interface Placement {
  agent: string;
  process: string;
  host?: string;
  instance?: string;
  version?: string;
  pid?: number;
  state: string;
  code?: string;
  message?: string;
  data?: { nearest?: unknown; candidates?: unknown; generated?: unknown };
  file?: string;
  line?: number;
  hits: number;
  filtered: number;
  errors: number;
  first_error?: string;
  dropped: number;
  /** Of one core. */
  cost_ratio?: number;
}

/** An agent that was sent the probe, and is not there. */
export interface Away {
  agent: string;
  host?: string;
  since: string;
  code: string;
  message: string;
}

export interface Where {
  file?: string;
  line?: number;
  function?: string;
  at?: 'entry' | 'exit' | 'throw';
  exception?: string;
  uncaught?: boolean;
}

export type Kind = 'snapshot' | 'log' | 'metric' | 'timer' | 'exception';
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What a person says of a probe; null takes a member away. */
export interface ProbeSpec {
  kind: Kind;
  where: Where;
  /** In a process whose file is another: the line where its text is found, or nothing. */
  match?: 'follow' | 'exact';
  source_hash?: string | null;
  line_hash?: string | null;
  /** Where the line is followed to. */
  function?: string | null;
  if?: string | null;
  exprs?: string[] | null;
  log?: { level?: string; template: string } | null;
  metric?: { kind?: string; name?: string; value?: string; by?: Record<string, string> } | null;
  frames?: number;
  /** Of how many of them, from the innermost, variables are taken. */
  frames_vars?: number;
  depth?: number;
  locals?: boolean;
  args?: boolean;
  rate?: number;
  keep?: 'always' | 'trace_error' | 'trace_slow' | null;
  keep_ms?: number | null;
  hits?: number;
  scope?: { service?: string; version?: string; environment?: string; host?: string; pid?: number; instances?: string | number };
}

export interface ProbeInput extends Partial<ProbeSpec> {
  service?: string;
  project?: string;
  ttl_s?: number;
  paused?: boolean;
}

export interface Probe extends ProbeSpec {
  id: string;
  revision: number;
  project: string;
  service: string;
  owner?: string;
  created: string;
  expires: string;
  state: ProbeState;
  paused: boolean;
  hits: number;
  hits_used: number;
  captures: number;
  /** Of exceptions: what has become an error event, and what has not, for the limits of probe and project. */
  events?: number;
  events_left_out?: number;
  dropped: number;
  instances: Placement[];
  away?: Away[];
}

export interface FileEntry {
  name: string;
  path: string;
  dir: boolean;
  files?: number;
}

export interface SourceFile {
  process: string;
  path: string;
  text: string;
  /** SHA-256 of the text, in hex. */
  hash?: string;
  /** Lines where a statement may begin. */
  lines?: number[];
  functions?: { name: string; line: number; end?: number }[];
  /** The script that was made of this file, where one was. */
  generated?: string;
}

export interface Variable {
  name: string;
  kind?: string;
  type?: string;
}

export type Checked = { ok: true; type: string } | { ok: false; column: number; message: string; hint?: string };
export type CheckAs = 'condition' | 'expression' | 'template';

export interface Forecast {
  hits_per_s: number;
  cost_ns: number;
  core_ratio: number;
  /** To count alone cost more than a probe may: there may be more hits than were counted. */
  suspended: boolean;
}

const probes = '/api/v1/probes';
const live = '/api/v1/live';

export const loadServices = (abort?: AbortSignal) => getJson<{ services: LiveService[]; agents: number }>(`${live}/services`, {}, abort);

export async function loadInstances(service: string, abort?: AbortSignal): Promise<Instance[]> {
  return (await getJson<{ instances: Instance[] }>(`${live}/instances`, { service }, abort)).instances;
}

export async function loadProbes(service: string | undefined, abort?: AbortSignal): Promise<Probe[]> {
  return (await getJson<{ probes: Probe[] }>(probes, { service, all: 1 }, abort)).probes;
}

export const addProbe = (input: ProbeInput) => send<Probe>('POST', probes, input);
export const changeProbe = (id: string, input: ProbeInput) => send<Probe>('PATCH', `${probes}/${encodeURIComponent(id)}`, input);
export const removeProbe = (id: string) => send<void>('DELETE', `${probes}/${encodeURIComponent(id)}`, {});

/** The kill switch: every probe of a service, or of all. */
export const removeProbes = (service: string | undefined) =>
  send<{ removed: number }>('DELETE', `${probes}?${service ? `service=${encodeURIComponent(service)}` : 'all=1'}`, {});

export async function checkText(as: CheckAs, text: string, abort?: AbortSignal): Promise<Checked | undefined> {
  return await send<Checked>('POST', `${probes}/check`, { as, text }, abort);
}

export async function loadFiles(service: string, process: string | undefined, path: string, abort?: AbortSignal): Promise<FileEntry[]> {
  return (await getJson<{ entries: FileEntry[] }>(`${live}/files`, { service, process, path: path || undefined }, abort)).entries;
}

export async function loadSource(service: string, process: string | undefined, path: string, abort?: AbortSignal): Promise<SourceFile> {
  return await getJson<SourceFile>(`${live}/source`, { service, process, path }, abort);
}

export async function loadVariables(service: string, process: string | undefined, path: string, line: number): Promise<Variable[]> {
  return (await getJson<{ variables: Variable[] }>(`${live}/variables`, { service, process, path, line })).variables;
}

export async function loadForecast(service: string, path: string, line: number, abort?: AbortSignal): Promise<Forecast> {
  return await getJson<Forecast>(`${live}/forecast`, { service, path, line }, abort);
}

/** Newest first. */
/** When it may have been hit: a host's clock may be a little behind or ahead. */
export function hitsRange(probe: Probe): { from: number; to: number } {
  return { from: Date.parse(probe.created) - 600_000, to: Date.parse(probe.expires) + 600_000 };
}

export async function loadHits(probe: Probe, limit: number, abort?: AbortSignal): Promise<SnapshotLine[]> {
  return (await loadSnapshots({ probe: probe.id, ...hitsRange(probe), limit }, abort)).snapshots;
}
