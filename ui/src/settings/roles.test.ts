import { expect, it } from 'vitest';
import { mayHandOut, ROLES, roleOf, roleWords } from './roles.ts';

it('names the usual sets, in any order', () => {
  expect(roleOf(['read'])).toBe('Reader');
  expect(roleOf(['values', 'read'])).toBe('Member');
  expect(roleOf(['probe', 'read', 'values'])).toBe('Developer');
  for (const role of ROLES) expect(roleOf([...role.scopes].reverse())).toBe(role.name);
});

it('shows other sets as they are', () => {
  expect(roleWords(['ingest', 'read'])).toBe('ingest, read');
  expect(roleOf([])).toBe('Custom');
});

it('offers nobody more than the reader has', () => {
  expect(mayHandOut(['read', 'admin'], ['read'])).toBe(true);
  expect(mayHandOut(['read', 'admin'], ['read', 'values'])).toBe(false);
  expect(mayHandOut(['read', 'values', 'probe'], ['probe', 'probe_prod'])).toBe(false);
  expect(mayHandOut(undefined, ['read'])).toBe(false);
});
