// Connecting a service: the page beside which an unmodified SDK is started sees what becomes of it, live.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';
import { axe, eventually, signIn, sleep, startBrowser, startServer } from './harness.mjs';
import { startHost } from './live_host.mjs';

const run = promisify(execFile);
const program = path.resolve(import.meta.dirname, '../conformance/sdk_node.js');
let server;
let browser;
let page;
let problems;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  ({ page, problems } = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] }));
  await signIn(page, server.link);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** The real Node SDK; it may fail, as it would at a person's. */
const sdk = (environment) =>
  run(process.execPath, [program], { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: server.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_TIMEOUT: '10000', ...environment } }).catch(() => {});

const knots = async () =>
  (await page.locator('.knots > li').all()).reduce(
    async (list, knot) => [...(await list), `${await knot.getAttribute('class')}: ${(await knot.locator('.row').first().innerText()).replace(/\s+/g, ' ')}`],
    Promise.resolve([]),
  );

/** The lines to paste, once they have this. */
const lines = (...parts) =>
  eventually(async () => {
    const text = await page.locator('.steps').innerText();
    for (const part of parts) assert.ok(text.includes(part), `${part} in\n${text}`);
  });

it('is where nobody has called yet', async () => {
  await page.goto(`${server.url}/setup?sdk=node&service=sdk-node`);
  await page.getByRole('heading', { name: 'Waiting for sdk-node' }).waitFor();
  await eventually(async () => assert.match((await knots()).join('\n'), /^ok: Listening.*\nnow: Somebody calls/));
  await lines(`OTEL_EXPORTER_OTLP_ENDPOINT=${server.url}`);
  assert.deepEqual(await axe(page), []);
});

it('names a refused key, live, and hands out a good one', async () => {
  await sdk({ OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20clew_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA9e01' });
  const refused = page.locator('.knots > li.bad');
  await eventually(async () => assert.match(await refused.first().innerText(), /Key refused[\s\S]*ends in 9e01/));
  await page.getByRole('heading', { name: /key refused/ }).waitFor();
  assert.deepEqual(await axe(page), []);
  await refused.first().getByRole('button', { name: 'Make a key' }).click();
  await page.getByText(/The key ends in/).waitFor();
  const key = await eventually(async () => {
    const found = /Bearer%20(clew_[\w-]{43})/.exec(await page.locator('.steps').innerText())?.[1];
    assert.ok(found, 'the key stands in the lines');
    return found;
  });
  await sdk({ OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${key}` });
  await page.getByRole('heading', { name: 'sdk-node has arrived' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.knots > li.bad').length === 0);
});

it('sees each signal arrive from the SDK, and leads on to its records', async () => {
  await eventually(async () => {
    const seen = await knots();
    assert.equal(seen.filter((text) => text.startsWith('ok: ')).length, 5, seen.join('\n'));
    for (const what of [/Spans arrive/, /Log lines arrive/, /Metric points arrive/]) assert.ok(seen.some((text) => what.test(text)), seen.join('\n'));
  });
  await page.getByRole('link', { name: 'Its traces' }).click();
  await page.locator('.tracelist a', { hasText: 'sdk-node' }).first().waitFor();
  await page.goBack();
});

it('has the lines of a Sentry SDK too, and then waits for its events', async () => {
  const dsn = await server.dsn();
  await page.goto(`${server.url}/setup?sdk=python`);
  await page.getByRole('group', { name: 'Protocol', exact: true }).getByRole('button', { name: 'Sentry SDK', exact: true }).click();
  await page.getByRole('heading', { name: 'Connect Python with Sentry’s SDK', exact: true }).waitFor();
  await page.getByRole('heading', { name: 'Waiting for the first event', exact: true }).waitFor();
  await page.waitForURL(/protocol=sentry/);
  await lines('pip install sentry-sdk', `"${dsn}"`);
  await eventually(async () => assert.match((await knots()).find((text) => /Sentry SDK/.test(text)) ?? '', /^now: First event/));
  assert.deepEqual(await axe(page), []);
  await page.getByRole('navigation', { name: 'What is to be connected' }).getByRole('link', { name: /^Coming from Sentry/ }).click();
  await page.getByText('Change where builds upload', { exact: true }).waitFor();
  await lines(`SENTRY_DSN=${dsn}`, `SENTRY_URL=${server.url}\n`);
  assert.deepEqual(await axe(page), []);
  // Of OpenTelemetry the page has a name of the service, and its own way back.
  await page.goto(`${server.url}/setup?sdk=node&service=sdk-node`);
  await page.getByRole('heading', { name: 'sdk-node has arrived' }).waitFor();
});

it('sees an agent and a Sentry SDK come, and leads to what was found', async () => {
  const knot = (text) => page.locator('.knots > li', { hasText: text });
  const leads = (text, to) => eventually(async () => assert.equal(await knot(text).getByRole('link').getAttribute('href'), to));
  await leads('Agent of a host', '/settings/agents');
  await leads('First event of a Sentry SDK', '/settings/projects');
  const host = await startHost(server);
  try {
    await host.tell({ processes: [{ n: 1 }, { n: 2 }, { n: 3 }] });
    await knot('An agent is connected').getByText('3 processes').waitFor();
    await leads('An agent is connected', '/live?service=sdk-node');
    const dsn = new URL(await server.dsn());
    const id = 'ab'.repeat(16);
    const item = JSON.stringify({ event_id: id, exception: { values: [{ type: 'KeyError', value: 'GR' }] } });
    const answer = await fetch(`${server.url}/api${dsn.pathname}/envelope/`, {
      method: 'POST',
      headers: { 'x-sentry-auth': `Sentry sentry_version=7, sentry_key=${dsn.username}`, 'user-agent': 'sentry.python/2.1.0' },
      body: `${JSON.stringify({ event_id: id })}\n{"type":"event"}\n${item}\n`,
    });
    assert.equal(answer.status, 200);
    const come = knot('Events of a Sentry SDK arrive');
    await come.getByText('sentry.python 2.1.0 from 127.0.0.1').waitFor();
    assert.deepEqual(await axe(page), []);
    await come.getByRole('link', { name: 'Issues' }).click();
    await page.locator('li.it', { hasText: 'KeyError' }).waitFor();
    await page.goBack();
  } finally {
    host.stop();
  }
});

it('says which service it is about: another one has not arrived', async () => {
  await page.getByLabel('Name of the service').fill('web');
  await page.getByRole('heading', { name: 'Waiting for web' }).waitFor();
  await page.getByText('None from web yet; sdk-node sends').first().waitFor();
  await page.waitForURL(/service=web/);
  await lines('OTEL_SERVICE_NAME=web');
});

it('sends a span with the lines as they are pasted', async () => {
  await page.getByLabel('Name of the service').fill("o'brien & sons");
  await page.getByRole('navigation', { name: 'What is to be connected' }).getByRole('link', { name: /curl/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('.steps .paste').length === 1);
  await page.locator('.steps').getByRole('button', { name: 'Copy' }).click();
  const script = await eventually(async () => {
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /curl/);
    return copied;
  });
  const { stdout } = await run('/bin/sh', ['-c', script]);
  assert.equal(stdout, '{}');
  await page.getByRole('heading', { name: "o'brien & sons has arrived" }).waitFor();
});

it('names other mistakes: a path, TLS, a clock', async () => {
  await fetch(`${server.url}/v1/trace`, { method: 'POST', body: '{}', headers: { 'user-agent': 'typo/1' } });
  await page.locator('.knots > li.bad', { hasText: 'Wrong path' }).waitFor();
  await fetch(server.url.replace('http:', 'https:')).catch(() => {});
  await page.locator('.knots > li.bad', { hasText: 'TLS on a plain port' }).waitFor();
  const ahead = String((Date.now() + 600_000) * 1e6);
  await fetch(`${server.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'clock/1' },
    body: JSON.stringify({ resourceLogs: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'early' } }] }, scopeLogs: [{ logRecords: [{ timeUnixNano: ahead }] }] }] }),
  });
  await page.locator('.knots > li.bad', { hasText: /Their clock is ahead[\s\S]*10 min/ }).waitFor();
  await page.getByText('At the door').waitFor();
  await eventually(async () => assert.match(await page.locator('.knocks').innerText(), /POST \/v1\/trace/));
  assert.deepEqual(await axe(page), []);
});

it('keeps on when the server is away for a moment', async () => {
  await server.pause();
  await page.getByText('Clew does not answer; trying again').waitFor();
  assert.ok((await page.locator('.knots > li').count()) > 2, 'what was known stays');
  await sleep(100);
  assert.deepEqual(problems.filter((text) => !/Failed to fetch|net::/.test(text)), []);
});
