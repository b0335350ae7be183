import { expect, it } from 'vitest';
import type { Environment, Monitor } from '../api/monitors.ts';
import { conclusion, dayWords, doorOf, runTime, sorted, troubleWords } from './words.ts';

const NONE = { ok: 0, error: 0, missed: 0, late: 0, timeout: 0, running: 0 };
const environment = (over: Partial<Environment> = {}): Environment => ({
  environment: 'production',
  status: 'ok',
  failures: 0,
  counts: NONE,
  checks: [],
  ...over,
});
const monitor = (name: string, over: Partial<Monitor> = {}): Monitor => ({
  id: 1,
  slug: name,
  name,
  project: 'shop',
  margin_s: 60,
  max_runtime_s: 1800,
  failure_threshold: 1,
  recovery_threshold: 1,
  muted: false,
  disabled: false,
  created: '',
  environments: [environment()],
  ...over,
});
const broken = [environment({ status: 'missed', failing_since: '2026-01-01T00:00:00Z', failures: 2 })];

it('concludes', () => {
  expect(conclusion([monitor('a')])).toBe('The one job runs as it should.');
  expect(conclusion([monitor('a'), monitor('b'), monitor('c', { disabled: true, environments: broken })])).toBe(
    'All 2 jobs run as they should, 1 disabled.',
  );
  expect(conclusion([monitor('a'), monitor('nightly', { environments: broken })])).toBe('nightly is failing.');
  expect(conclusion([monitor('a', { environments: [environment({ status: 'waiting' })] })])).toBe('Nothing has checked in yet.');
});

it('puts what fails first, what is switched off last', () => {
  const list = [
    monitor('off', { disabled: true }),
    monitor('b'),
    monitor('hush', { environments: broken, muted: true }),
    monitor('z', { environments: broken }),
  ];
  expect(sorted(list).map((one) => one.name)).toEqual(['z', 'hush', 'b', 'off']);
});

it('says how the day went', () => {
  expect(dayWords(environment({ counts: { ...NONE, ok: 58, missed: 1, error: 1 } }))).toBe(
    '60 check-ins in the last day, 1 missed, 1 failed',
  );
  expect(dayWords(environment({ counts: { ...NONE, ok: 1 } }))).toBe('1 check-in in the last day, all ok');
});

it('takes a DSN apart', () => {
  expect(doorOf('http://abc@127.0.0.1:2539/1')).toEqual({ origin: 'http://127.0.0.1:2539', key: 'abc', project: '1' });
  expect(doorOf('nothing')).toBeUndefined();
});

it('says what a bad configuration leaves', () => {
  const trouble = 'there is no time zone "Mars"';
  expect(troubleWords(monitor('a', { trouble }))).toMatch(
    /not used: there is no time zone "Mars"\. Nobody notices when it is missed until/,
  );
  expect(troubleWords(monitor('a', { trouble, schedule: { type: 'crontab', value: '0 * * * *' } }))).toMatch(
    /The schedule from before stays/,
  );
});

it('says in seconds how long a job of seconds ran', () => {
  const said = [250e6, 1.5e9, 9e9, 12e9, 90e9].map((ns) => runTime(ns).replace(/\u202f/g, ' '));
  expect(said).toEqual(['250 ms', '1.5 s', '9.0 s', '12 s', '1.5 min']);
});
