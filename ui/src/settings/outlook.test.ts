import { expect, it } from 'vitest';
import { daysWords, keptFor, outlook } from './outlook.ts';
import type { Storage } from './types.ts';

const some = {
  retention: 14 * 86_400e9,
  snapshot_retention: 7 * 86_400e9,
  disk_cap: 0,
  used: 2e9,
  bytes_a_day: 1e9,
  full_in: { days: 50, by: 'disk', retention_first: true, levels_at: 14e9 },
} as unknown as Storage;

it('says how long records are kept', () => {
  expect(keptFor(14 * 86_400e9)).toBe('14 days');
  expect(keptFor(36 * 3600e9)).toBe('36 hours');
  expect(keptFor(0)).toBe('for ever');
});

it('does not promise more than it knows', () => {
  expect(daysWords(0.01)).toBe('less than an hour');
  expect(daysWords(1.5)).toBe('36 hours');
  expect(daysWords(13.6)).toBe('14 days');
  expect(daysWords(214)).toBe('7 months');
  expect(daysWords(1e6)).toBe('more than a century');
});

it('concludes with what happens first', () => {
  expect(outlook(some)).toContain('levels off at 14.0\u202fGB');
  expect(outlook({ ...some, full_in: { days: 5, by: 'disk', retention_first: false } })).toContain('the disk is full in 5 days.');
  expect(outlook({ ...some, full_in: { days: 5, by: 'cap' } })).toContain('the disk cap is reached in 5 days; then the oldest go first.');
  const { bytes_a_day: _, ...fresh } = some;
  expect(outlook(fresh as Storage)).toContain('known ten minutes after');
  expect(outlook({ ...some, measured_over: 40 * 60e9 })).toContain('1.0\u202fGB a day, measured over 40 minutes, it levels off');
  expect(outlook({ ...some, retention: 0 })).toContain('kept for ever');
});
