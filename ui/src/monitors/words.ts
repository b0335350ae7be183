// How monitors are, in words.
import type { Environment, Monitor, Status } from '../api/monitors.ts';
import { duration, NNBSP, plural } from '../format/number.ts';

export const STATUS_WORDS: Record<Status | 'waiting', string> = {
  ok: 'ok',
  late: 'late',
  missed: 'missed',
  error: 'failed',
  timeout: 'timed out',
  running: 'running',
  waiting: 'waiting',
};

export const STATUS_TONE: Record<Status | 'waiting', string> = {
  ok: 'k',
  late: 'w',
  missed: 'e',
  error: 'e',
  timeout: 'e',
  running: '',
  waiting: '',
};

/** How long a run took, in ns: jobs take seconds and more. */
export const runTime = (ns: number): string => (ns >= 999.5e6 && ns < 9.95e9 ? `${(ns / 1e9).toFixed(1)}${NNBSP}s` : duration(ns));

/** Of a monitor whose check-ins bring a configuration that cannot be. */
export function troubleWords(monitor: Monitor): string {
  const kept = monitor.schedule ? 'The schedule from before stays' : 'Nobody notices when it is missed';
  return `The configuration that came with a check-in is not used: ${monitor.trouble}. ${kept} until the job sends a good one, or until you edit it here.`;
}

export const isFailing = (environment: Environment) => environment.failing_since !== undefined;
export const failing = (monitor: Monitor) => !monitor.disabled && monitor.environments.some(isFailing);

/** What fails first, then by project and name; what is switched off last. */
export function sorted(monitors: readonly Monitor[]): Monitor[] {
  const rank = (monitor: Monitor) => (monitor.disabled ? 3 : failing(monitor) ? (monitor.muted ? 1 : 0) : 2);
  return [...monitors].sort((a, b) => rank(a) - rank(b) || a.project.localeCompare(b.project) || a.name.localeCompare(b.name));
}

/** The conclusion of the page. */
export function conclusion(monitors: readonly Monitor[]): string {
  const broken = monitors.filter(failing);
  const off = monitors.filter((monitor) => monitor.disabled).length;
  const waiting = monitors.filter((monitor) => !monitor.disabled && monitor.environments.every((one) => one.status === 'waiting')).length;
  const watched = monitors.length - off;
  const parts = [
    broken.length === 0
      ? `All ${plural(watched, 'job')} run as they should`
      : broken.length === 1
        ? `${broken[0]?.name} is failing`
        : `${broken.length} of ${plural(watched, 'job')} are failing`,
  ];
  if (broken.length === 0 && watched === 1) parts[0] = 'The one job runs as it should';
  if (broken.length === 0 && (watched === 0 || waiting === watched))
    parts[0] = watched === 0 ? 'Nothing is watched' : 'Nothing has checked in yet';
  else if (waiting > 0) parts.push(`${waiting} ${waiting === 1 ? 'has' : 'have'} not checked in yet`);
  if (off > 0) parts.push(`${off} disabled`);
  return `${parts.join(', ')}.`;
}

/** "58 of 60 were ok in the last day" */
export function dayWords({ counts }: Environment): string {
  const all = counts.ok + counts.late + counts.missed + counts.error + counts.timeout;
  if (all === 0) return 'nothing in the last day';
  const bad = (['late', 'missed', 'error', 'timeout'] as const)
    .filter((one) => counts[one] > 0)
    .map((one) => `${counts[one]} ${STATUS_WORDS[one]}`);
  return `${plural(all, 'check-in')} in the last day, ${bad.length > 0 ? bad.join(', ') : 'all ok'}`;
}

export interface Door {
  /** "http://host:port" */
  origin: string;
  project: string;
  key: string;
}

/** The parts of a DSN. */
export function doorOf(dsn: string): Door | undefined {
  const found = /^(https?:\/\/)([^@/:]+)@([^/]+(?:\/.*)?)\/(\d+)$/.exec(dsn);
  return found ? { origin: `${found[1]}${found[3]}`, key: found[2] as string, project: found[4] as string } : undefined;
}
