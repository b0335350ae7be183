import { describe, expect, it } from 'vitest';
import type { Issue } from '../api/issues.ts';
import { age, doneWords, initials, partsOf, shortType, stateDetail, untilWords, users } from './words.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const issue = (more: Partial<Issue> = {}): Issue => ({
  id: 42,
  short: 'SHOP-42',
  project: 'shop',
  title: 'TypeError: no',
  state: 'new',
  first: '2026-11-28T11:36:00.000000000Z',
  last: '2026-11-28T11:59:46.000000000Z',
  events: 47,
  ...more,
});

describe('an issue in words', () => {
  it('has type and message apart', () => {
    expect(partsOf(issue({ type: 'TypeError' }))).toEqual({ type: 'TypeError', value: 'no' });
    expect(partsOf(issue({ type: 'TypeError', value: 'two\nlines' }))).toEqual({ type: 'TypeError', value: 'two' });
    expect(partsOf(issue({ title: 'the shop is shut' }))).toEqual({ type: 'the shop is shut', value: '' });
  });
  it('names a type without its package, and cuts no message', () => {
    expect(shortType('java.lang.IllegalStateException')).toBe('IllegalStateException');
    expect(shortType('TypeError')).toBe('TypeError');
    expect(shortType('*errors.errorString')).toBe('*errors.errorString');
    expect(shortType('no answer of shop.example.Com today')).toBe('no answer of shop.example.Com today');
    expect(shortType('shop.example.com')).toBe('shop.example.com');
  });
  it('says how old it is, and how many it hits', () => {
    expect(age(issue(), NOW)).toBe('24\u202fmin old');
    expect(users(issue({ users: 12 }))).toBe('12');
    expect(users(issue({ users: 48_000, users_approx: true }))).toBe('~48.0\u202fk');
  });
  it('says how long it is away', () => {
    expect(untilWords({ kind: 'escalating' }, NOW)).toBe('until it escalates');
    expect(untilWords({ kind: 'events', n: 100 }, NOW)).toBe('until 100 more events');
    expect(untilWords({ kind: 'events', n: 100, window_s: 3600 }, NOW)).toBe('until 100 events in one h');
    expect(untilWords({ kind: 'time', time: '2026-11-28T13:00:00.000000000Z' }, NOW)).toBe('for 1\u202fh more');
    expect(untilWords({ kind: 'forever' }, NOW)).toBe('forever');
  });
  it('has of its state what the pill does not say', () => {
    expect(stateDetail(issue({ reason: 'first seen' }), NOW)).toBe('');
    expect(stateDetail(issue({ state: 'regressed', reason: 'back after 12 d' }), NOW)).toBe('back after 12 d');
    expect(stateDetail(issue({ state: 'resolved', resolved_in: { kind: 'release', release: 'shop@1.5' } }), NOW)).toBe('in shop@1.5');
  });
});

it('counts what was done', () => {
  expect(doneWords(1, 1, 'resolved')).toBe('1 issue is resolved');
  expect(doneWords(31, 31, 'resolved')).toBe('31 issues are resolved');
  expect(doneWords(29, 31, 'resolved')).toBe('29 of 31 resolved');
});

it('makes two letters of a name', () => {
  expect([initials('Mara Lindqvist'), initials('ada'), initials('jo@example.com'), initials('')]).toEqual(['ML', 'ad', 'jo', '?']);
});
