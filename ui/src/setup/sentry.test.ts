import { expect, it } from 'vitest';
import { sentryLines } from './sentry.ts';

it('puts the DSN into each of them, once', () => {
  const dsn = 'http://4fab@127.0.0.1:2539/1';
  const all = sentryLines(dsn);
  expect(new Set(all.map((one) => one.label)).size).toBe(all.length);
  for (const { label, text } of all) expect(text.split(dsn).length, label).toBe(2);
});
