import { expect, it } from 'vitest';
import { movingSteps, sentryLines, sentrySteps } from './sentry.ts';
import { TARGETS } from './snippets.ts';

it('puts the DSN into each of them, once', () => {
  const dsn = 'http://4fab@127.0.0.1:2539/1';
  const all = sentryLines(dsn);
  expect(new Set(all.map((one) => one.label)).size).toBe(all.length);
  for (const { label, text } of all) expect(text.split(dsn).length, label).toBe(2);
});

it('has steps for each language that has an SDK here, with the DSN in them and the way to install it', () => {
  const dsn = 'http://4fab@127.0.0.1:2539/1';
  const having = TARGETS.filter((target) => sentrySteps(target.id, dsn)).map((target) => target.id);
  expect(having).toEqual(['python', 'node', 'java', 'go', 'dotnet', 'ruby', 'php', 'browser']);
  for (const id of having) {
    const texts = sentrySteps(id, dsn)?.flatMap((step) => step.snippets.map((one) => `${one.name}: ${one.text}`)) ?? [];
    expect(
      texts.filter((text) => text.includes(dsn)),
      id,
    ).toHaveLength(1);
    expect(texts[0], id).toMatch(/entry/);
  }
});

it('changes two addresses for who comes from Sentry', () => {
  const text = movingSteps('http://4fab@clew:2539/1', 'http://clew:2539', 'shop')
    .flatMap((step) => step.snippets.map((one) => one.text))
    .join('\n');
  expect(text).toContain('SENTRY_DSN=http://4fab@clew:2539/1');
  expect(text).toContain('SENTRY_URL=http://clew:2539\n');
  expect(text).toContain('SENTRY_PROJECT=shop');
});
