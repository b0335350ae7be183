// "Capture locals next time" with everything real: an issue of an unmodified service under gunicorn, the agent beside it, the exception again, and
// its locals at the event and in the waterfall; then all is taken out, and the process is as it was.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, query, says, signIn, sleep, startBrowser, startServer, stored } from './harness.mjs';
import { needsRoot, startAgent } from './real_agent.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const venvs = path.join(root, '.setup/venvs');
// The newest interpreter that is probed, and has the server beside it.
const python = (fs.existsSync(venvs) ? fs.readdirSync(venvs) : [])
  .filter((version) => /^3\.1[1-3]\./.test(version) && fs.existsSync(path.join(venvs, version, 'bin/gunicorn')))
  .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  .map((version) => path.join(venvs, version, 'bin/python'))[0];
const libraries = path.join(root, '.setup/venv/lib');
const sdk = (fs.existsSync(libraries) ? fs.readdirSync(libraries) : [])
  .map((version) => path.join(libraries, version, 'site-packages'))
  .find((folder) => fs.existsSync(path.join(folder, 'sentry_sdk')));
const lineOf = (text) => fs.readFileSync(path.join(import.meta.dirname, 'victim_checkout.py'), 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1;

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => probe.once('listening', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

/** The service, with one worker. */
async function startShop(dsn) {
  const port = await freePort();
  const child = spawn(python, ['-m', 'gunicorn', '-w', '1', '--log-level', 'critical', '-b', `127.0.0.1:${port}`, 'victim_checkout:app'], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, DSN: dsn, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: sdk, OTEL_SERVICE_NAME: 'checkout', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production' },
  });
  const url = `http://127.0.0.1:${port}`;
  const untouched = async () => (await fetch(`${url}/untouched`)).json();
  for (let tries = 0; ; tries++) {
    const up = await untouched().catch(() => undefined);
    if (up) break;
    assert.ok(tries < 600 && child.exitCode === null, 'the shop has not started');
    await sleep(100);
  }
  return {
    untouched,
    buy: async (id) => (await fetch(`${url}/orders/${id}`, { method: 'POST' })).status,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      assert.equal(await ended, 0, 'it ran on until it was told to end');
    },
  };
}

const skip = needsRoot || (python && sdk ? false : 'needs an environment with gunicorn');
const AS_IT_WAS = { code: true, events: 0, trace: false };

describe('an exception that happens again in a service that knows of nothing', { skip }, () => {
  let server;
  let browser;
  let shop;
  let agent;
  let page;
  let problems;
  let issue;
  let captured;
  const armed = () => page.locator('.armed');
  const clew = async (...given) => (await run(binary, [...given, '--data', server.data])).stdout.trim();

  /** Waits until the worker holds nothing of a probe, or, `placed`, something of it: gunicorn's master is a process of the service too, and may be told as
   *  placed before. */
  const keeps = (placed) =>
    eventually(async () => {
      const seen = await shop.untouched();
      if (placed) assert.notDeepEqual(seen, AS_IT_WAS, 'something stands in the process now');
      else assert.deepEqual(seen, AS_IT_WAS);
    });

  /** A probe that stands in a process. On a busy machine the program is first at no place where it can be placed, which `--wait` takes for an answer. */
  const add = async (...given) => {
    const id = await clew('probe', 'add', 'checkout', ...given);
    await eventually(async () => {
      const { instances } = JSON.parse(await clew('probe', 'show', id, '--json'));
      assert.ok(instances.some(({ state }) => ['installed', 'emitting', 'partial'].includes(state)), JSON.stringify(instances));
    });
  };

  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
    shop = await startShop(await server.dsn());
    agent = await startAgent(server);
    assert.deepEqual(await shop.untouched(), AS_IT_WAS);
    assert.equal(await shop.buy(8120), 500);
    await stored(server, 'events service=checkout');
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/issues');
    const row = page.locator('li.it', { hasText: 'TypeError' });
    await row.waitFor();
    issue = await row.getAttribute('data-issue');
  });

  after(async () => {
    await agent?.stop();
    await shop?.stop();
    await browser?.stop();
    await server?.stop();
  });

  it('is waited for from the inbox, beside the list, and at its issue', async () => {
    // The agent finds processes within seconds of its start.
    await eventually(async () => assert.match(await clew('agents', '--services', '--json'), /"checkout"/));
    // The inbox was opened before: what it has read of the services may know of none.
    await page.reload();
    const peek = page.getByRole('complementary', { name: 'The chosen issue' });
    await peek.getByRole('button', { name: 'Capture locals next time' }).click();
    await peek.getByText('Waits for the next TypeError').waitFor();
    await page.goto(`${server.url}/issues/${issue}`);
    await armed().getByText('Waits for the next TypeError').waitFor();
    await armed().getByText(/Placed in [1-9] of \d process(es)? of checkout/).waitFor();
    await keeps(true);
  });

  it('is captured as it is raised, and stands with its event', async () => {
    assert.equal(await shop.buy(8121), 500);
    const locals = page.getByRole('region', { name: 'Captured in apply_discount' });
    await locals.getByText('8121').waitFor();
    await says(locals, /order: dict, 2 "id": 8121 int "total": 184\.5 float.*rate: None null password: redacted.*off: not assigned yet/);
    await armed().getByText('Captured 1 of 5').waitFor();
    [captured] = await stored(server, 'snapshots service=checkout');
    const [event] = await stored(server, `events trace=${captured.trace}`);
    assert.ok(event, 'the event that the SDK sent is of the same trace');
  });

  it('stands in the waterfall of the request that failed, with the values of that moment', async () => {
    await stored(server, `spans trace=${captured.trace} span=${captured.span}`);
    await page.goto(`${server.url}/traces/${captured.trace}?snapshot=${captured.attr.capture}`);
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    const shown = await says(panel.getByRole('tree', { name: 'Variables' }), /(?=.*8121)(?=.*184\.5)(?=.*AUTUMN-15)/);
    assert.ok(!shown.includes('hunter2'));
    await page.getByRole('button', { name: 'Snapshots 1' }).waitFor();
    await says(page.locator('.only-read[role="status"]').last(), /snapshot of checkout at victim_checkout\.py:\d+ in apply_discount$/);
  });

  it('is waited for no more when somebody says so, and nothing is left in the process', async () => {
    await page.goto(`${server.url}/issues/${issue}`);
    await armed().getByRole('button', { name: 'Stop' }).click();
    await armed().getByText('Captured once').waitFor();
    await keeps(false);
    assert.equal(await shop.buy(8122), 500);
    await stored(server, 'events', (rows) => rows.length >= 3);
    assert.equal((await query(server, 'snapshots service=checkout')).length, 1);
  });

  it('leaves nothing of a snapshot and a log line either', async () => {
    const place = `victim_checkout.py:${lineOf('off = rate *')}`;
    await add(place);
    await add(place, '--log', 'order {order["id"]}');
    await keeps(true);
    assert.equal(await shop.buy(8123), 500);
    await stored(server, 'snapshots service=checkout', (rows) => rows.length >= 2);
    await clew('probe', 'rm', '--all');
    await keeps(false);
    assert.deepEqual(problems, []);
  });
});
