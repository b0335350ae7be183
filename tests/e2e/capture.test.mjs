// From an error to what its variables held: a probe waits for the exception, and what it takes stands with the event. With an unmodified SDK, and
// an agent that answers as a real one does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, says, signIn, startBrowser, startServer, stored } from './harness.mjs';
import { clean, startHost } from './live_host.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const venv = path.join(root, '.setup/venv/bin/python');
const failing = path.join(import.meta.dirname, 'failing.py');
const LINE = fs.readFileSync(failing, 'utf8').split('\n').findIndex((line) => line.includes('off = rate *')) + 1;

let server;
let browser;
let host;
let page;
let problems;
let issue;

const fail = async () => {
  await run(fs.existsSync(venv) ? venv : 'python3', [failing, await server.dsn(), 'checkout@1.4.2', '1', 'TypeError']);
};
const armed = () => page.locator('.armed');

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await fail();
  await stored(server, 'events');
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), '/issues');
  const row = page.locator('li.it', { hasText: 'TypeError' });
  await row.waitFor();
  issue = await row.getAttribute('data-issue');
  await page.goto(`${server.url}/issues/${issue}`);
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

describe('capturing locals next time', () => {
  it('says what is missing, as far as it is known', async () => {
    const capture = page.getByRole('button', { name: 'Capture locals next time' });
    await capture.click();
    await armed().getByText('No host has an agent yet.').waitFor();
    await clean(page);
    host = await startHost(server);
    await host.tell({ processes: [{ n: 1, service: 'web' }] });
    await page.reload();
    await capture.click();
    await armed().getByText('No live process is called checkout').waitFor();
    await says(armed(), /The agents see web.*OTEL_SERVICE_NAME=checkout/);
    await clean(page);
    await host.tell({ processes: [{ n: 1, service: 'checkout', environment: 'staging' }] });
    await page.reload();
    await capture.click();
    await armed().getByText('No process of checkout runs in production').waitFor();
  });

  it('waits for the exception where it was raised, in the processes that can tell of it', async () => {
    const live = { service: 'checkout', environment: 'production' };
    await host.tell({ processes: [{ n: 1, ...live, instance: 'checkout-1' }, { n: 2, ...live, instance: 'checkout-2', runtime_version: '3.11' }] });
    await page.reload();
    await page.getByRole('button', { name: 'Capture locals next time' }).click();
    const sent = await host.probe();
    assert.equal(sent.kind, 'exception');
    assert.deepEqual(sent.where, { exception: 'TypeError', file: 'failing.py', function: 'apply_discount' });
    await armed().getByText('Placed in 1 of 2 processes of checkout').waitFor();
    await says(armed(), /Waits for the next TypeError in apply_discount.*Takes at most 5, until \d\d:\d\d.*checkout-2 exceptions are seen from Python 3\.12 on/);
    await clean(page);
    await fail();
    const traces = await stored(server, 'events', (rows) => rows.length >= 2);
    const newest = traces.sort((a, b) => (a.time < b.time ? 1 : -1))[0];
    await host.tell({ raise: sent.id, trace: newest.trace, file: failing, line: LINE });
  });

  it('shows what was captured with the event that has come, beside its source', async () => {
    const locals = page.getByRole('region', { name: 'Captured in apply_discount' });
    await locals.getByText('8121').waitFor();
    await says(locals, /order: dict, 1 "id": 8121.*rate: None.*password: redacted/);
    await armed().getByText('Captured 1 of 5').waitFor();
    await page.getByRole('navigation', { name: 'Joined to this issue' }).getByText('Snapshots 1').waitFor();
    const snapshots = page.getByRole('region', { name: 'Snapshots' });
    await snapshots.getByText('1 in its trace').waitFor();
    await snapshots.getByRole('button', { name: /apply_discount/ }).click();
    await snapshots.getByRole('tab', { name: 'Variables', selected: true }).waitFor();
    await says(snapshots, /TypeError unsupported operand/);
    await clean(page);
  });

  it('leads to the line on the live page', async () => {
    const here = page.getByRole('link', { name: /^Capture here: place a probe at failing\.py/ }).first();
    await eventually(async () => {
      const to = new URL(await here.getAttribute('href'), server.url);
      assert.deepEqual([to.pathname, to.searchParams.get('service'), to.searchParams.get('file'), to.searchParams.get('line')], ['/live', 'checkout', failing, String(LINE)]);
    });
  });

  it('keeps what was captured when it is stopped', async () => {
    await armed().getByRole('button', { name: 'Stop' }).click();
    await armed().getByText('Captured once').waitFor();
    await page.getByRole('button', { name: 'Capture again' }).waitFor();
    assert.equal(await host.next((line) => line === 'probe none'), 'probe none');
    await page.getByRole('region', { name: 'Captured in apply_discount' }).waitFor();
    assert.deepEqual(problems, []);
  });

  it('hides values from who may not read them, and says so', async () => {
    await run(binary, ['user', 'add', 'jonas', '--scope', 'read', '--data', server.data]);
    const { stdout } = await run(binary, ['login-link', 'jonas', '--data', server.data]);
    const { page: second, context } = await browser.open();
    await signIn(second, /http:\S+#\S+/.exec(stdout)[0], `/issues/${issue}`);
    await second.getByText('values were captured; to read them takes the scope values').waitFor();
    assert.equal(await second.getByText('8121').count(), 0);
    await second.getByRole('button', { name: 'Capture again' }).click();
    await second.getByText('Placing a probe takes the scope probe').waitFor();
    await context.close();
  });
});
