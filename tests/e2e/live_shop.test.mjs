// Live on the demo shop, with the agent of this host beside it: clicked on a line, captured from the next order that meets the condition,
// found under its span and among the logs, in Python and in Node; then taken out again, and the shop goes on selling.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, order, query, says, signIn, sleep, startBrowser, startDemo, startServer, stored, words } from './harness.mjs';
import { clean } from './live_host.mjs';
import { needsRoot, startAgent } from './real_agent.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const lineOf = (file, text) => {
  const at = fs.readFileSync(path.join(root, 'demo', file), 'utf8').split('\n').findIndex((line) => line.includes(text));
  assert.ok(at >= 0, text);
  return at + 1;
};
const CHARGE = lineOf('checkout/orders.py', 'charge(order, customer, total, currency)');
const PAID = lineOf('checkout/orders.py', 'tell_web(cart, order)');
const ANSWER = lineOf('web/server.js', 'response.status(order.status).json(order.body)');

describe('the demo shop, looked into as it runs', { skip: needsRoot }, () => {
  let server;
  let browser;
  let demo;
  let agent;
  let page;
  let problems;
  const buy = (more) => order(demo.web, { customer: 'u_live', lines: ['BALL-1', 'LAMP-1', 'WAX-1'], ...more });

  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
    demo = await startDemo(server.url);
    agent = await startAgent(server);
    // Only what the agent has found can take a probe.
    await eventually(async () => {
      const { stdout } = await run(binary, ['agents', '--services', '--json', '--data', server.data]);
      assert.match(stdout, /"service":\s*"checkout"[^}]*"instances":\s*2\b/);
      assert.match(stdout, /"service":\s*"web"[^}]*"instances":\s*1\b/);
    });
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/live');
  });

  after(async () => {
    await agent?.stop();
    await demo?.stop();
    await browser?.stop();
    await server?.stop();
  });

  /** Places what the editor shows, and says how long it took until all instances had it. */
  async function place(n) {
    const began = performance.now();
    await page.keyboard.press('Control+Enter');
    await page.getByText(/\b(\d+) of \1 placed/).waitFor();
    const took = performance.now() - began;
    let all;
    for (let tries = 0; tries < 600; tries++) {
      all = (await run(binary, ['probe', 'ls', '--json', '--data', server.data])).stdout.trim().split('\n').map((line) => JSON.parse(line));
      if (all.length === n && all.every((probe) => probe.state === 'installed' || probe.state === 'partial')) return took; // partial: a call was under way
      await sleep(100);
    }
    throw new Error(`not all are installed: ${JSON.stringify(all)}`);
  }

  async function choose(service, way, line) {
    await page.goto(`${server.url}/live`);
    await page.getByRole('button', { name: new RegExp(`^${service}\\b`) }).click();
    // Directories and files have a row of the tree each; what is in them follows it.
    for (const name of way) await page.getByRole('region', { name: 'Files' }).getByRole('button', { name, exact: true }).last().click();
    await page.getByRole('button', { name: `Place a probe at line ${line}`, exact: true }).click();
  }

  it('takes a probe in Python from the page', async (t) => {
    await choose('checkout', ['demo', 'checkout', 'orders.py'], CHARGE);
    const condition = page.getByLabel('Condition');
    await condition.fill("len(lines) == 3 and customer == 'u_live'");
    await page.getByText('bool', { exact: true }).waitFor();
    t.diagnostic(`placed after ${Math.round(await place(1))} ms`);
  });

  it('takes one in Node', async (t) => {
    await choose('web', ['web', 'server.js'], ANSWER);
    // The process stands for a moment when a counter comes: it is asked for.
    await page.getByRole('button', { name: 'Count for a second', exact: true }).click();
    await page.getByText(/Counted first/).waitFor();
    const condition = page.getByLabel('Condition');
    await condition.fill("customer == 'u_live' and order.status == 201");
    await page.getByText('bool', { exact: true }).waitFor();
    t.diagnostic(`placed after ${Math.round(await place(2))} ms`);
  });

  it('shows what the next order that meets them held, under the spans of its request', async () => {
    assert.equal((await buy({ lines: ['BALL-1'] })).status, 201); // is none for checkout
    const { status, body } = await buy();
    assert.equal(status, 201);
    const [captured] = await stored(server, "snapshots service=checkout and 'u_live'");
    const mine = await stored(server, `snapshots trace=${captured.trace}`, (rows) => rows.length >= 2);
    assert.deepEqual(mine.map((row) => row.service).sort(), ['checkout', 'web']);
    assert.equal((await query(server, 'snapshots service=checkout')).length, 1);

    // Its span is there when it has ended, and its exporter has sent.
    for (const { trace, span } of mine) await stored(server, `spans trace=${trace} span=${span}`);
    await page.goto(`${server.url}/traces/${captured.trace}?snapshot=${captured.attr.capture}`);
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    await eventually(async () => {
      const shown = await words(panel.getByRole('tree', { name: 'Variables' }));
      for (const value of ['u_live', String(body.order), body.total, body.currency]) assert.ok(shown.includes(value), `${value} in ${shown}`);
    });
    await page.getByRole('button', { name: 'Snapshots 2' }).waitFor();
    await says(page.locator('.only-read[role="status"]').last(), /snapshot of checkout at orders\.py:\d+ in place$/);
    await clean(page);
    const inNode = mine.find((row) => row.service === 'web');
    await page.goto(`${server.url}/traces/${captured.trace}?snapshot=${inNode.attr.capture}`);
    await says(panel.getByRole('tree', { name: 'Variables' }), /u_live/);
  });

  it('writes lines between the shop’s own', async () => {
    await page.goto(`${server.url}/live?service=checkout&file=demo/checkout/orders.py&line=${PAID}&edit=1`);
    await page.getByRole('button', { name: 'Logpoint' }).click();
    await page.getByLabel('Message').fill('{customer} pays {total} for order {order}');
    await place(3);
    const { body } = await buy();
    const [line] = await stored(server, `logs 'u_live pays ${body.total} for order ${body.order}'`);
    assert.equal(line.service, 'checkout');
    const own = await stored(server, `logs trace=${line.trace} service=checkout`, (rows) => rows.length >= 3);
    assert.ok(own.some((row) => row.body.startsWith(`order ${body.order} paid`)), 'it is in the trace of the lines that the shop itself writes');
    await page.goto(`${server.url}/logs?q=${encodeURIComponent(`logs trace=${line.trace} service=checkout`)}`);
    await page.getByText(`u_live pays ${body.total} for order ${body.order}`).waitFor();
  });

  it('is let go at once: nothing more is captured, and the shop goes on selling', async () => {
    const probes = async () => (await query(server, 'snapshots')).length + (await query(server, "logs 'u_live pays'")).length;
    for (const [service, n] of [['checkout', '2 probes'], ['web', '1 probe']]) {
      await page.goto(`${server.url}/live?service=${service}`);
      await page.getByRole('button', { name: 'Remove all', exact: true }).click();
      await page.getByRole('button', { name: `Remove ${n} of ${service}` }).click();
      await page.getByText('Probes leave their processes at once').waitFor({ state: 'detached' });
    }
    await page.getByRole('region', { name: 'Probes' }).getByText('none yet').waitFor();
    // Out of the processes, too, once the agent has heard of it.
    let before = await probes();
    for (let still = 0; still < 5; ) {
      assert.equal((await buy()).status, 201);
      const now = await probes();
      still = now === before ? still + 1 : 0;
      before = now;
    }
    assert.deepEqual(problems, []);
  });
});
