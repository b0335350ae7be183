import { expect, it } from 'vitest';
import type { Channel, Firing, Rule, RuleInput } from '../api/alerts.ts';
import { bucketed, conclusion, openFirst, readThreshold, sentence, sorted, stateOf, valueText, watches, writeThreshold } from './words.ts';

const base: RuleInput = { name: 'r', enabled: true, channels: [] };
const rule = (over: Partial<Rule> = {}): Rule => ({
  ...base,
  id: 1,
  when: [{ kind: 'new' }],
  cooldown_s: 1800,
  collect_s: 60,
  created_by: 'ada',
  created: '2026-01-01T00:00:00.000000000Z',
  ...over,
});
const firing = (over: Partial<Firing> = {}): Firing => ({
  id: 1,
  rule: 1,
  kind: 'new',
  time: '2026-01-01T00:00:00Z',
  open: false,
  ...over,
});
const NOW = Date.parse('2026-01-02T00:00:00Z');

it('says what a rule watches', () => {
  expect(watches({ ...base, when: [{ kind: 'regressed' }, { kind: 'new' }] })).toBe('When an issue is new or comes back');
  expect(watches({ ...base, project: 'shop', when: [{ kind: 'events', n: 1, window_s: 3600 }] })).toBe(
    'When an issue of shop has 1 event in an hour',
  );
  expect(watches({ ...base, when: [{ kind: 'users', n: 100, window_s: 600 }, { kind: 'escalating' }] })).toBe(
    'When an issue escalates or affects 100 users in 10 minutes',
  );
  expect(watches({ ...base, query: 'spans | stats count()', op: '>=', threshold: 0.5, window_s: 300 })).toBe(
    "When the query's value over 5 minutes is at least 0.5",
  );
});

it('says whom it tells and how often', () => {
  const channels = [{ id: 3, name: 'ops' }] as Channel[];
  expect(sentence(rule({ channels: [3] }), channels)).toBe(
    'When an issue is new, tell ops. The same thing is told again after 30 minutes at the earliest. What follows a message within 1 minute comes as one more.',
  );
  expect(sentence(rule({ cooldown_s: 0, collect_s: 0 }), channels)).toBe('When an issue is new, tell nobody: it is only listed.');
});

it('knows the state of a rule, the worst reason first', () => {
  const open = [firing({ open: true })];
  expect(stateOf(rule(), [], NOW)).toBe('quiet');
  expect(stateOf(rule(), open, NOW)).toBe('firing');
  expect(stateOf(rule({ snoozed_until: '2026-01-02T01:00:00Z' }), open, NOW)).toBe('snoozed');
  expect(stateOf(rule({ snoozed_until: '2026-01-01T01:00:00Z' }), open, NOW)).toBe('firing');
  expect(stateOf(rule({ trouble: 'no such field' }), open, NOW)).toBe('trouble');
  expect(stateOf(rule({ enabled: false }), open, NOW)).toBe('off');
  expect(sorted([rule({ id: 2, name: 'a' }), rule({ name: 'b' })], open, NOW).map((one) => one.id)).toEqual([1, 2]);
});

it('puts what is open before what is newer', () => {
  expect(openFirst([firing({ id: 3 }), firing({ id: 2, open: true }), firing({ id: 1 })]).map((one) => one.id)).toEqual([2, 3, 1]);
});

it('concludes', () => {
  const channels = [{ id: 1, name: 'x', trouble: 'refused' }] as Channel[];
  const all = { rules: [rule(), rule({ id: 2 })], channels, mail: false, firings: [firing({ open: true })] };
  expect(conclusion(all, NOW)).toBe('1 rule of 2 is firing, 1 channel cannot deliver.');
  expect(conclusion({ ...all, channels: [], firings: [] }, NOW)).toBe('Nothing is firing.');
});

it('asks for the value in each window of the past', () => {
  expect(bucketed('spans status=error | stats count()', 300)).toBe('spans status=error | bucket 5m | stats count() by bucket | fill');
  expect(bucketed('spans | where code>=500 | stats count() as n by service | where n>2 | sort n desc | limit 5', 7200)).toBe(
    'spans | where code>=500 | bucket 2h | stats count() as n by bucket, service | fill | where n>2',
  );
  expect(bucketed('spans status=error', 60)).toBeUndefined();
  expect(bucketed("logs | where text~'a|b' | stats count()", 60)).toBeUndefined();
});

it('reads and writes limits of durations', () => {
  const slow = 'spans | stats count() as n, p95(duration) as p by service';
  expect(readThreshold('1.5s')).toBe(1.5e9);
  expect(readThreshold('0.25')).toBe(0.25);
  expect(readThreshold('many')).toBeUndefined();
  expect(writeThreshold(slow, 8e8)).toBe('800ms');
  expect(writeThreshold('spans | stats p95(duration), count()', 8e8)).toBe('800000000');
  expect(valueText(slow, 8e8)).toBe('800\u202fms');
  expect(valueText('logs | stats count()', 1200)).toBe('1,200');
});
