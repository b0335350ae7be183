import { expect, test } from 'vitest';
import type { Release } from '../api/releases.ts';
import { against, crashFree, formerOf, lastDeploys, quoted } from './words.ts';

const release = (version: string, project: string, deploys: Release['deploys'] = []) =>
  ({ version, project, deploys }) as unknown as Release;

test('a crash is never rounded away', () => {
  expect(crashFree(1)).toBe('100\u202f%');
  expect(crashFree(0.999999)).toBe('99.99\u202f%');
  expect(crashFree(0.9549)).toBe('95.49\u202f%');
  expect(crashFree(undefined)).toBe('–');
});

test('a difference is said when there is one', () => {
  expect(against(0.95, 0.99)).toEqual({ text: '−4.00', worse: true });
  expect(against(0.99, 0.95)).toEqual({ text: '+4.00', worse: false });
  expect(against(0.95, 0.95)).toBeUndefined();
  expect(against(0.95, undefined)).toBeUndefined();
});

test('the former release is of the same project', () => {
  const list = [release('3', 'shop'), release('9', 'mail'), release('2', 'shop')];
  expect(formerOf(list, 0)?.version).toBe('2');
  expect(formerOf(list, 2)).toBeUndefined();
  const packages = [release('web@5.0', 'shop'), release('search@2.0', 'shop'), release('web@4.9', 'shop')];
  expect(formerOf(packages, 0)?.version).toBe('web@4.9');
  expect(formerOf(packages, 1)).toBeUndefined();
});

test('an environment is named once, with its last deploy', () => {
  const deploys = [
    { environment: 'production', time: '2' },
    { environment: 'staging', time: '1' },
    { environment: 'production', time: '0' },
  ];
  expect(lastDeploys(release('1', 'shop', deploys)).map((one) => one.time)).toEqual(['2', '1']);
});

test('a version becomes a string of the query language', () => expect(quoted("it's")).toBe("'it''s'"));
