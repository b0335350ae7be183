import { describe, expect, it } from 'vitest';
import type { Agent } from '../api/agents.ts';
import { type Arrival, agentName, conclusion, knots, type Problem, type SetupAnswer } from './thread.ts';

const at = '2026-11-28T15:57:44.000000000Z';
const quiet: SetupAnswer = {
  since: at,
  now: at,
  listening: [{ address: '127.0.0.1:2539', takes: 'all', tls: false }],
  endpoint: { url: 'http://127.0.0.1:2539', only_this_machine: true, key_needed: false },
  requests: 0,
  arrived: [],
  problems: [],
  recent: [],
};
const span: Arrival = {
  signal: 'traces',
  protocol: 'grpc',
  port: 2539,
  peer: '127.0.0.1',
  agent: 'sdk/1',
  first: at,
  last: at,
  requests: 1,
  records: 7,
  services: ['checkout'],
};
const refused: Problem = {
  code: 'unknown_key',
  title: 'Key refused',
  text: 'They sent a key that ends in 9e01.',
  fix: 'Make one.',
  port: 2539,
  peer: '10.0.0.9',
  agent: 'sdk/1',
  first: at,
  last: at,
  requests: 3,
  current: true,
};
const called = { requests: 1, recent: [{ time: at, code: 'accepted', peer: '127.0.0.1', agent: 'sdk/1 more', repeats: 1 }] };
const states = (answer: SetupAnswer, service = '') => knots(answer, service).map((knot) => `${knot.id.split(' ')[0]} ${knot.state}`);

describe('the thread', () => {
  it('waits for a call first', () => {
    expect(states(quiet)).toEqual(['listening ok', 'called now', 'traces todo', 'logs todo', 'metrics todo', 'sentry todo']);
    expect(conclusion(quiet, 'checkout')).toBe('Waiting for checkout');
  });

  it('then for the first signal that has not come', () => {
    expect(states({ ...quiet, ...called, arrived: [span] }, 'checkout')).toEqual([
      'listening ok',
      'called ok',
      'traces ok',
      'logs now',
      'metrics todo',
      'sentry todo',
    ]);
    expect(conclusion({ ...quiet, ...called, arrived: [span] }, 'checkout')).toBe('checkout has arrived');
  });

  it('is about one service: others do not count as it, but are named', () => {
    const knot = knots({ ...quiet, ...called, arrived: [span] }, 'web').find((entry) => entry.id === 'traces');
    expect(knot?.state).toBe('now');
    expect(knot?.says).toBe('None from web yet; checkout sends');
  });

  it('stands still at what is refused, in between', () => {
    const answer = { ...quiet, ...called, problems: [refused] };
    expect(states(answer)).toEqual([
      'listening ok',
      'called ok',
      'unknown_key bad',
      'traces now',
      'logs todo',
      'metrics todo',
      'sentry todo',
    ]);
    expect(conclusion(answer, '')).toBe('Stuck at the door: key refused');
    const everySignal = { ...answer, problems: ['/v1/traces', '/v1/logs', '/v1/metrics'].map((path) => ({ ...refused, path })) };
    expect(knots(everySignal, '').filter((knot) => knot.state === 'bad')).toMatchObject([{ title: 'Key refused', mark: '9 times' }]);
    expect(
      states({ ...answer, problems: [refused, { ...refused, peer: '10.0.0.10' }] }).filter((state) => state.endsWith('bad')),
    ).toHaveLength(2);
    expect(states({ ...answer, problems: [{ ...refused, current: false }] })).not.toContain('unknown_key bad');
  });
});

describe('what is no OpenTelemetry', () => {
  const host = (more: Partial<Agent>) => ({ id: 'a1', host: 'web-1', connected: true, processes: 14, ...more }) as Agent;
  const knot = (id: string, answer: SetupAnswer, agents?: Agent[], service = '') =>
    knots(answer, service, agents).find((one) => one.id === id);

  it('sees the first event of a Sentry SDK, whatever service it names, and leads to its issue', () => {
    expect(knot('sentry', quiet)).toMatchObject({ state: 'todo', link: { href: '/settings/projects' } });
    const event: Arrival = { ...span, signal: 'sentry', agent: 'sentry.python/2.1', records: 3, services: [] };
    const answer = { ...quiet, ...called, arrived: [event] };
    expect(knot('sentry', answer, [], 'checkout')).toMatchObject({
      state: 'ok',
      mark: '3',
      says: 'sentry.python 2.1 from 127.0.0.1',
      link: { href: '/issues' },
    });
    expect(conclusion(answer, '')).toBe('A Sentry SDK has arrived');
    expect(conclusion(answer, 'checkout')).toBe('Waiting for checkout');
  });

  it('waits for events first when an SDK of Sentry’s is being connected', () => {
    const called = { ...quiet, requests: 1, recent: [{ time: at, code: 'ok', peer: '127.0.0.1', repeats: 1 }] };
    expect(knots(called, 'checkout', undefined, true).find((knot) => knot.state === 'now')?.id).toBe('sentry');
    expect(conclusion({ ...called, arrived: [span] }, 'checkout', true)).toBe('Waiting for the first event');
    const come = { ...called, arrived: [span, { ...span, signal: 'sentry' as const }] };
    expect(conclusion(come, 'checkout', true)).toBe('A Sentry SDK has arrived');
  });

  it('waits for the agent of a host, and says how many processes it has found', () => {
    expect(knot('agent', quiet)).toBeUndefined();
    expect(knot('agent', quiet, [])).toMatchObject({ state: 'todo', link: { href: '/settings/agents' } });
    expect(knot('agent', quiet, [host({ connected: false })])?.says).toBe('web-1 is enrolled, and not connected');
    expect(knot('agent', quiet, [host({})], 'check out')).toMatchObject({
      state: 'ok',
      mark: '14 processes',
      says: 'web-1 is here: probes can be placed in what runs there',
      link: { href: '/live?service=check%20out' },
    });
    expect(knot('agent', quiet, [host({}), host({ id: 'a2' })])?.mark).toBe('28 processes');
  });
});

it('shortens agents to their name', () => {
  expect(agentName('OTel-OTLP-Exporter-Python/1.45.1 grpc-python/1.85.1 (linux)')).toBe('OTel-OTLP-Exporter-Python 1.45.1');
  expect(agentName(undefined)).toBe('a program without a name');
});
