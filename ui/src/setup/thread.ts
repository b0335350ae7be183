// What has and has not arrived, as knots of a thread. Pure: the server's answer goes in.
import type { Agent } from '../api/agents.ts';
import { count, duration, plural } from '../format/number.ts';

export type Signal = 'traces' | 'logs' | 'metrics' | 'sentry';

export interface Arrival {
  signal: Signal;
  protocol?: string;
  port: number;
  peer: string;
  agent?: string;
  first: string;
  last: string;
  requests: number;
  records: number;
  services: string[];
  skew?: number;
}

export interface Problem {
  code: string;
  title: string;
  text: string;
  fix: string;
  paste?: string;
  signal?: Signal;
  method?: string;
  path?: string;
  protocol?: string;
  port: number;
  status?: number;
  peer: string;
  agent?: string;
  first: string;
  last: string;
  requests: number;
  current: boolean;
}

export interface Recent {
  time: string;
  code: string;
  status?: number;
  method?: string;
  path?: string;
  peer: string;
  agent?: string;
  repeats: number;
}

export interface SetupAnswer {
  since: string;
  now: string;
  listening: { address: string; takes: 'all' | 'otlp'; tls: boolean }[];
  endpoint: { url: string; only_this_machine: boolean; key_needed: boolean };
  requests: number;
  arrived: Arrival[];
  problems: Problem[];
  recent: Recent[];
}

export interface Knot {
  id: string;
  /** ok: reached; bad: something went wrong here; now: what is waited for; todo: comes later. */
  state: 'ok' | 'bad' | 'now' | 'todo';
  title: string;
  /** At the right of the title. */
  mark?: string;
  says: string;
  /** Of a time that `says` ends with. */
  at?: string;
  problem?: Problem;
  /** To what was found, or to what makes it come. */
  link?: { label: string; href: string };
}

const NOUN = { traces: 'span', logs: 'log line', metrics: 'metric point', sentry: 'event of a Sentry SDK' } as const;
const NEEDS = {
  traces: 'Comes with the first request that the service answers',
  logs: 'Needs a logger that sends through OpenTelemetry: OTEL_LOGS_EXPORTER=otlp',
  metrics: 'Sent once a minute: OTEL_METRICS_EXPORTER=otlp',
  sentry: 'Errors with their stack: point the SDK at the DSN of a project',
} as const;
const SIGNALS: Signal[] = ['traces', 'logs', 'metrics'];
const PROBLEMS = 4;

/** `OTel-OTLP-Exporter-Python 1.45.1` of a User-Agent with more behind it. */
export function agentName(agent: string | undefined): string {
  if (!agent) return 'a program without a name';
  return agent.split(' ')[0]?.replace('/', ' ') ?? agent;
}

function listening(answer: SetupAnswer): Knot {
  const ports = answer.listening.map((place) => place.address);
  const tls = answer.listening.every((place) => place.tls);
  return {
    id: 'listening',
    state: 'ok',
    title: 'Listening',
    mark: 'open',
    says: `${ports.join(', ')}: OpenTelemetry over HTTP and gRPC${tls ? ', with TLS' : ''}`,
  };
}

function called(answer: SetupAnswer): Knot {
  const newest = answer.recent[0];
  if (!newest)
    return { id: 'called', state: 'now', title: 'Somebody calls', mark: 'waiting', says: 'No request has come to any of these ports yet' };
  return {
    id: 'called',
    state: 'ok',
    title: 'Somebody called',
    mark: plural(answer.requests, 'request'),
    says: `${newest.peer}, ${agentName(newest.agent)}`,
    at: newest.time,
  };
}

function names(services: string[]): string {
  return services.length > 3 ? `${services.slice(0, 3).join(', ')} and others` : services.join(', ');
}

function arrival(answer: SetupAnswer, signal: Signal, service: string): Knot {
  const all = answer.arrived.filter((entry) => entry.signal === signal);
  const mine = all.filter((entry) => !service || entry.services.includes(service));
  const noun = NOUN[signal];
  const first = mine[0];
  if (first) {
    const records = mine.reduce((sum, entry) => sum + entry.records, 0);
    const from = service || names([...new Set(mine.flatMap((entry) => entry.services))]) || 'a service without a name';
    return {
      id: signal,
      state: 'ok',
      title: `${noun[0]?.toUpperCase()}${noun.slice(1)}s arrive`,
      mark: count(records),
      says: `${from}, by ${first.protocol === 'grpc' ? 'gRPC' : 'HTTP'} from ${first.peer}`,
      at: first.last,
    };
  }
  const others = [...new Set(all.flatMap((entry) => entry.services))];
  return {
    id: signal,
    state: 'todo',
    title: `First ${noun}`,
    says: others.length && service ? `None from ${service} yet; ${names(others)} sends` : NEEDS[signal],
  };
}

/** One client that fails in one way is one problem, though it fails with traces, logs and metrics. Newest first. */
export function grouped(problems: Problem[]): Problem[] {
  const groups = new Map<string, Problem>();
  for (const problem of problems) {
    const key = [problem.code, problem.peer, problem.agent, problem.text.replace(problem.path ?? '\0', '')].join('\n');
    const seen = groups.get(key);
    if (!seen) groups.set(key, { ...problem });
    else seen.requests += problem.requests;
  }
  return [...groups.values()];
}

/** Envelopes of Sentry's SDKs name a project, not always a service: whatever comes counts. */
function events(answer: SetupAnswer): Knot {
  const all = answer.arrived.filter((entry) => entry.signal === 'sentry');
  const first = all[0];
  if (!first) {
    return {
      id: 'sentry',
      state: 'todo',
      title: 'First event of a Sentry SDK',
      says: NEEDS.sentry,
      link: { label: 'DSN', href: '/settings/projects' },
    };
  }
  const records = all.reduce((sum, entry) => sum + entry.records, 0);
  return {
    id: 'sentry',
    state: 'ok',
    title: 'Events of a Sentry SDK arrive',
    mark: count(records),
    says: `${agentName(first.agent)} from ${first.peer}`,
    at: first.last,
    link: { label: 'Issues', href: '/issues' },
  };
}

/** The hosts whose processes can be looked into. */
function hosts(agents: readonly Agent[], service: string): Knot {
  const connected = agents.filter((agent) => agent.connected);
  const processes = connected.reduce((sum, agent) => sum + agent.processes, 0);
  const first = connected[0];
  if (first) {
    const who = connected.length === 1 ? `${first.host} is` : `${connected.length} hosts are`;
    const live = service ? `/live?service=${encodeURIComponent(service)}` : '/live';
    return {
      id: 'agent',
      state: 'ok',
      title: connected.length === 1 ? 'An agent is connected' : 'Agents are connected',
      mark: plural(processes, 'process', 'processes'),
      says: `${who} here: probes can be placed in what runs there`,
      link: { label: 'Live', href: live },
    };
  }
  return {
    id: 'agent',
    state: 'todo',
    title: 'Agent of a host',
    says: agents.length > 0 ? `${agents[0]?.host} is enrolled, and not connected` : 'Looks into running processes, without an SDK',
    link: { label: agents.length > 0 ? 'Agents' : 'Enrol a host', href: '/settings/agents' },
  };
}

/** agents: undefined where the reader is not told of them. sentry: an SDK of Sentry's is being connected, so that its events are waited for. */
export function knots(answer: SetupAnswer, service: string, agents?: readonly Agent[], sentry = false): Knot[] {
  const problems = grouped(answer.problems.filter((problem) => problem.current))
    .slice(0, PROBLEMS)
    .map(
      (problem): Knot => ({
        id: `${problem.code} ${problem.peer} ${problem.agent ?? ''} ${problem.path ?? ''} ${problem.first}`,
        state: 'bad',
        title: problem.title,
        mark: problem.requests > 1 ? `${count(problem.requests)} times` : '',
        says: problem.text,
        at: problem.last,
        problem,
      }),
    );
  const arrivals = SIGNALS.map((signal) => arrival(answer, signal, service));
  const caller = called(answer);
  // One thing is waited for: the first that has not come.
  const envelopes = events(answer);
  const waiting = caller.state === 'ok' ? (sentry ? [envelopes] : arrivals).find((knot) => knot.state === 'todo') : undefined;
  if (waiting) {
    waiting.state = 'now';
    waiting.mark = 'listening';
  }
  const signals = sentry ? [envelopes, ...arrivals] : [...arrivals, envelopes];
  return [listening(answer), caller, ...problems, ...signals, ...(agents ? [hosts(agents, service)] : [])];
}

/** The sentence over the thread. */
export function conclusion(answer: SetupAnswer, service: string, sentry = false): string {
  const all = knots(answer, service, undefined, sentry);
  const bad = all.find((knot) => knot.state === 'bad');
  const arrived = all.filter((knot) => knot.state === 'ok' && SIGNALS.includes(knot.id as Signal));
  const who = service || 'Something';
  if (arrived.length && !sentry) return `${who} has arrived${bad ? '; something else is refused' : ''}`;
  // Which service an event is of, envelopes do not always say.
  if ((sentry || !service) && all.some((knot) => knot.id === 'sentry' && knot.state === 'ok'))
    return `A Sentry SDK has arrived${bad ? '; something else is refused' : ''}`;
  if (bad)
    return /arriv|sent|clock/i.test(bad.title) ? bad.title : `Stuck at the door: ${bad.title[0]?.toLowerCase()}${bad.title.slice(1)}`;
  if (sentry) return 'Waiting for the first event';
  return service ? `Waiting for ${service}` : 'Waiting for the first record';
}

/** `their clock agrees`, or by how much not. */
export function skewWords(skew: number | undefined): string {
  if (skew === undefined || Math.abs(skew) < 10e9) return '';
  return `${duration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`;
}
