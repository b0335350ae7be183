import { expect, it } from 'vitest';
import { type Agent, enrolLine, onlyThisMachine } from '../api/agents.ts';
import { arrived, byAttention, costWords, policyWords, rulesWords, summary } from './agent-words.ts';

const agent = (id: string, more: Partial<Agent> = {}): Agent => ({
  id,
  host: `host-${id}`,
  connected: true,
  processes: 0,
  attached: 0,
  cpu_ratio: 0,
  rss: 0,
  spool_bytes: 0,
  dropped: 0,
  refused: 0,
  ...more,
});

it('sums up what is connected, and says what is away', () => {
  expect(summary([])).toMatch(/An agent a host/);
  expect(summary([agent('a1', { processes: 14, attached: 2 })])).toBe('1 host, all connected; 14 processes, 2 attached.');
  expect(summary([agent('a1', { processes: 1 }), agent('a2', { connected: false, processes: 9 })])).toBe(
    '2 hosts, 1 away; 1 process, 0 attached.',
  );
  expect(summary([agent('a1', { connected: false })])).toBe('1 host, 1 away.');
});

it('puts first what somebody should look at', () => {
  const order = byAttention([agent('a1'), agent('a2', { connected: false }), agent('a3', { refused: 2 }), agent('a0')]);
  expect(order.map((one) => one.id)).toEqual(['a3', 'a2', 'a0', 'a1']);
});

it('finds the host that has come since', () => {
  const before = new Set(['a1']);
  expect(arrived([agent('a1')], before)).toBeUndefined();
  expect(arrived([agent('a1'), agent('a2', { connected: false })], before)?.id).toBe('a2');
  expect(arrived([agent('a3', { connected: false }), agent('a2')], before)?.id).toBe('a2');
});

it('says cost and policy', () => {
  expect(costWords(0)).toBe('0\u202f%');
  expect(costWords(0.0002)).toBe('<0.1\u202f%');
  expect(costWords(0.004)).toBe('0.4\u202f%');
  expect([policyWords('values'), policyWords('shapes'), policyWords(undefined)]).toEqual(['values', 'types and sizes', 'not known']);
});

it('says what the host leaves out, and nothing where that is nothing', () => {
  expect([rulesWords({}), rulesWords({ policy: 'shapes', rules: {} })]).toEqual([undefined, undefined]);
  expect(rulesWords({ rules: { services: ['shop-*', '!shop-payments'], environments: ['!prod*', '!-'] } })).toBe(
    'May look into: services shop-*, not shop-payments; all environments but prod*, without a name.',
  );
  expect(rulesWords({ rules: { users: ['shop'], cgroups: ['/system.slice/*'], shapes_services: ['payments'], more: 2 } })).toBe(
    'May look into: users shop; control groups /system.slice/*. Types and sizes only: services payments, and 2 more in its agent.conf.',
  );
  expect(rulesWords({ rules: { users: [], more: 1 } })).toBe('Its agent.conf leaves out more than is shown here.');
  // All of them are shapes: the column says it.
  expect(rulesWords({ policy: 'shapes', rules: { shapes_services: ['payments'] } })).toBeUndefined();
});

it('has one line to paste, and knows an address that no other host reaches', () => {
  expect(enrolLine('clewa_x', 'https://clew.example.com')).toBe('sudo CLEW_TOKEN=clewa_x clew agent --server https://clew.example.com');
  for (const server of ['http://127.0.0.1:2539', 'http://localhost:2539', 'http://[::1]:2539']) expect(onlyThisMachine(server)).toBe(true);
  for (const server of ['https://clew.example.com', 'https://10.0.0.4:2539']) expect(onlyThisMachine(server)).toBe(false);
});
