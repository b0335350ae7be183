// What probes capture in a request stands where it happened: in the waterfall, in the panel of its span, and among the logs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, leads, says, signIn, startBrowser, startServer, stored, words } from './harness.mjs';
import { clean, startHost } from './live_host.mjs';

const run = promisify(execFile);
const id = (bytes) => randomBytes(bytes).toString('hex');
const TRACE = id(16);
const [ROOT, ORDER, PRICE] = [id(8), id(8), id(8)];

let server;
let browser;
let host;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }, { n: 2 }] });
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

const text = (key, value) => ({ key, value: typeof value === 'number' ? { intValue: value } : { stringValue: value } });

async function send(service, ...spans) {
  const begin = Date.now() - 50;
  const nano = (ms) => `${begin + ms}000000`;
  const response = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', service)] },
          scopeSpans: [
            {
              spans: spans.map(([spanId, parentSpanId, name, kind, from, to, attr = {}]) => ({
                traceId: TRACE, spanId, ...(parentSpanId && { parentSpanId }), name, kind, startTimeUnixNano: nano(from), endTimeUnixNano: nano(to),
                attributes: Object.entries(attr).map(([key, value]) => text(key, value)),
              })),
            },
          ],
        },
      ],
    }),
  });
  assert.equal(response.status, 200);
}

async function write(service, body, attr) {
  const logRecords = [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: body }, attributes: Object.entries(attr).map(([key, value]) => text(key, value)) }];
  const response = await fetch(`${server.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ resource: { attributes: [text('service.name', service)] }, scopeLogs: [{ logRecords }] }] }),
  });
  assert.equal(response.status, 200);
}

describe('a snapshot in its trace', () => {
  let page;
  let problems;
  let probe;
  let snapshot;
  const waterfall = () => page.getByRole('group', { name: /^POST \/checkout: 3 spans/ });
  const panel = () => page.getByRole('complementary', { name: 'The chosen row' });
  const chosen = () => page.locator('.only-read[role="status"]').last();
  const trace = (more = '') => `${server.url}/traces/${TRACE}${more}`;

  before(async () => {
    ({ page, problems } = await browser.open());
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(...entry.sources.map((source) => source.node?.className ?? source.node?.nodeName));
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await signIn(page, await server.freshLink(), '/live?service=shop&file=app/pricing.py&line=16&edit=1');
  });

  it('is of a probe that was placed from the page', async () => {
    await page.getByLabel('Condition').fill('order.total > 100');
    await page.getByText('bool', { exact: true }).waitFor();
    await page.keyboard.press('Control+Enter');
    probe = (await host.probe()).id;
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await page.getByText(/2 of 2 placed/).waitFor();
  });

  it('comes while the request still runs, and says why it is under no span yet', async () => {
    await send('shop', [ORDER, ROOT, 'POST /orders', 2, 0, 30]);
    await page.goto(trace());
    await page.getByText('Snapshots, no probe was hit in it').waitFor();
    await host.tell({ capture: probe, total: 184.5, trace: TRACE, span: PRICE });
    await page.getByRole('button', { name: 'Snapshots 1' }).click();
    await says(chosen(), new RegExp(`snapshot of shop at pricing\\.py:16 in apply_discount, its span ${PRICE.slice(0, 8)} is not here`));
    await page.waitForURL(/[?&]snapshot=[0-9a-f]{32}(&|$)/);
    snapshot = new URL(page.url()).searchParams.get('snapshot');
    await panel().getByText(/It stands at the root: its span [0-9a-f]{8} is not here\. The span may still be running/).waitFor();
  });

  it('moves under its span when that arrives', async () => {
    await send('shop', [PRICE, ORDER, 'apply_discount', 1, 5, 400, { 'code.file.path': 'app/pricing.py', 'code.line.number': 14, 'code.function.name': 'apply_discount' }]);
    await send('web', [ROOT, '', 'POST /checkout', 2, -10, 500]);
    await waterfall().waitFor();
    await panel().getByRole('button', { name: 'apply_discount', exact: true }).waitFor();
    await says(chosen(), /Row 4 of 4: snapshot of shop at pricing\.py:16 in apply_discount$/);
    await page.keyboard.press('t');
    const rows = page.locator('.ttable tbody tr');
    await rows.nth(3).waitFor();
    await says(rows.nth(3), /^Snapshot pricing\.py:16 rate = None order\.total = 184\.5 currency = EUR shop .* captured$/);
    const indent = (row) => row.locator('td').first().evaluate((cell) => Number.parseFloat(getComputedStyle(cell).paddingLeft));
    await eventually(async () => assert.ok((await indent(rows.nth(3))) > (await indent(rows.nth(2))), 'it is below its span'));
    await clean(page);
    await page.keyboard.press('t');
  });

  it('shows all that it holds beside the waterfall, at an address of its own', async () => {
    await page.goto(trace(`?snapshot=${snapshot}`));
    const tree = panel().getByRole('tree', { name: 'Variables' });
    await tree.getByText('184.5').first().waitFor();
    await says(tree, /card: redacted on the host, rule “cards”; it never left the host/);
    await page.waitForTimeout(600);
    assert.deepEqual(await page.evaluate(() => window.shifts), []);
    await leads(panel().getByRole('link', { name: 'Open alone' }), `/snapshots/${snapshot}`);
    await eventually(async () => assert.match(await panel().getByRole('link', { name: `Its probe ${probe}` }).getAttribute('href'), new RegExp(`^/live\\?.*probe=${probe}`)));
    await clean(page);
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'detached' });
    await page.waitForURL(trace());
    await page.keyboard.press('n');
    await tree.waitFor();
    await page.waitForURL(trace(`?snapshot=${snapshot}`));
  });

  it('is found by what it holds', async () => {
    await page.getByPlaceholder(/Find/).first().fill('order.total = 184.5');
    await page.locator('.find').getByText('1', { exact: true }).waitFor();
    await page.getByPlaceholder(/Find/).first().fill('');
  });

  it('stands among the facts of its span, with the way to capture there', async () => {
    await page.goto(trace(`?span=${PRICE}`));
    await panel().getByRole('button', { name: /^Snapshot pricing\.py:16/ }).waitFor();
    await says(panel().getByRole('button', { name: /^Snapshot pricing\.py:16/ }), /rate None order\.total 184\.5 currency EUR/);
    await leads(panel().getByRole('link', { name: 'Capture here' }), '/live?service=shop&file=app%2Fpricing.py&line=14');
    await page.waitForTimeout(600);
    assert.deepEqual(await page.evaluate(() => window.shifts), []);
    await clean(page);
    await panel().getByRole('button', { name: /^Snapshot pricing\.py:16/ }).click();
    await panel().getByRole('tab', { name: 'Captured 1', selected: true }).waitFor();
    await panel().getByRole('treeitem', { name: /order\.total/ }).waitFor();
    await leads(panel().getByRole('link', { name: /^Capture here: place a probe at app\/pricing\.py:16/ }), '/live?service=shop&file=app%2Fpricing.py&line=16');
    await clean(page);
  });

  it('is where a span asks for another one', async () => {
    await page.goto(trace(`?span=${PRICE}`));
    await panel().getByRole('link', { name: 'Capture here' }).click();
    await page.locator('[data-line="14"].at').waitFor();
  });

  it('shows where and when, and not what, to who may not read values', async () => {
    await run(binary, ['user', 'add', 'jonas', '--scope', 'read', '--data', server.data]);
    const { page: other, context, problems: others } = await browser.open();
    const asked = [];
    other.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const { stdout } = await run(binary, ['login-link', 'jonas', '--data', server.data]);
    await signIn(other, /http:\S+#\S+/.exec(stdout)[0], trace(`?snapshot=${snapshot}`));
    const side = other.getByRole('complementary', { name: 'The chosen row' });
    await side.getByText('Its values are not shown to you.').waitFor();
    await says(side, /Captured in apply_discount, app\/pricing\.py:16, by shop-1\./);
    await clean(other);
    await other.goto(trace(`?span=${PRICE}`));
    await other.getByText('its values are not shown to you: that takes the scope “values”').waitFor();
    assert.equal(await other.getByRole('link', { name: /^Capture here/ }).count(), 0);
    assert.doesNotMatch(await words(other.locator('body')), /184\.5|EUR/);
    assert.ok(!asked.some((path) => path.startsWith('/api/v1/snapshots')), 'values are not even asked for');
    assert.deepEqual(others, []);
    await context.close();
  });

  it('stands beside the lines of logpoints, which say what they are, here and among the logs', async () => {
    const { stdout: token } = await run(binary, ['token', 'add', 'probes', '--scope', 'read,probe', '--data', server.data]);
    await run(binary, ['probe', 'add', 'shop', 'app/pricing.py:16', '--log', 'order {order.id}', '--server', server.url, '--token', token.trim()]);
    const logpoint = (await host.probe((one) => one.kind === 'log')).id;
    await host.tell({ log: logpoint, level: 'info', body: 'order 8121', trace: TRACE, span: PRICE });
    await stored(server, `logs probe='${logpoint}'`);
    await page.goto(trace(`?span=${PRICE}`));
    await panel().getByRole('tab', { name: 'Captured 2' }).click();
    const way = panel().getByRole('link', { name: `probe ${logpoint}` });
    const live = `/live?service=shop&file=app%2Fpricing.py&line=16&probe=${logpoint}`;
    await leads(way, live);
    await clean(page);
    await panel().getByRole('button', { name: /order 8121/ }).click();
    await leads(way, live);
    await clean(page);
    await page.goto(`${server.url}/logs?q=${encodeURIComponent(`logs probe='${logpoint}'`)}`);
    await page.getByRole('img', { name: `Logpoint ${logpoint}` }).waitFor();
    await page.locator('.loglist .lg1').first().click();
    await leads(page.getByRole('complementary', { name: 'The chosen line' }).getByRole('link', { name: `probe ${logpoint}` }), live);
    await clean(page);
  });

  it('is where a line of the program asks for one, too', async () => {
    const code = { 'code.file.path': '/srv/shop/app/pricing.py', 'code.line.number': 14 };
    await write('shop', 'priced', code);
    await write('shop', 'routed', { ...code, 'code.file.path': '/venv/lib/python3.12/site-packages/web.py' });
    await stored(server, 'logs body=routed');
    const line = page.getByRole('complementary', { name: 'The chosen line' });
    for (const [body, href] of [['priced', '/live?service=shop&file=%2Fsrv%2Fshop%2Fapp%2Fpricing.py&line=14'], ['routed', undefined]]) {
      await page.goto(`${server.url}/logs?q=${encodeURIComponent(`logs body=${body}`)}`);
      await page.locator('.loglist .lg1').first().click();
      await line.getByRole('button', { name: 'Lines around' }).waitFor();
      const here = line.getByRole('link', { name: 'Capture here' });
      await eventually(async () => assert.deepEqual(await here.evaluateAll((links) => links.map((link) => link.getAttribute('href'))), href ? [href] : []));
    }
    assert.deepEqual(problems, []);
  });
});
