// One snapshot at its own address: what a hit held, what differs from another one, why something is not there, and who may not read it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, resize, signIn, startBrowser, startServer, stored } from './harness.mjs';
import { clean, startHost, words } from './live_host.mjs';

const run = promisify(execFile);
const TRACE = '7f3a9c0444aa4bb29d1e5a6b7c8d9e0f';

let server;
let browser;
let host;
// The newest last.
let hits;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }, { n: 2 }] });
  const { stdout: token } = await run(binary, ['token', 'add', 'probes', '--scope', 'read,probe', '--data', server.data]);
  await run(binary, ['probe', 'add', 'shop', 'app/pricing.py:16', '--capture', 'order.total', '--server', server.url, '--token', token.trim()]);
  const { id } = await host.probe();
  await host.tell({ capture: id, total: 184.5 });
  await host.tell({ capture: id, total: 210.1, rate: 15, n: 1 });
  await host.tell({ capture: id, total: 99.25, rate: 20 });
  const rows = await stored(server, `snapshots probe='${id}'`, (found) => found.length === 3);
  hits = rows.sort((a, b) => (a.time < b.time ? -1 : 1)).map((row) => ({ id: row.attr.capture }));
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

describe('a snapshot', () => {
  let page;
  let problems;
  const at = (hit, more = '') => `${server.url}/snapshots/${hit.id}${more}`;
  const tree = () => page.getByRole('tree', { name: 'Variables' });
  const chosen = () => page.locator('[role="treeitem"]:focus');

  before(async () => {
    let context;
    ({ page, problems, context } = await browser.open());
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn(page, await server.freshLink(), at(hits[1]));
  });

  it('shows the values of the hit as they were captured, and why others are not there', async () => {
    const shown =
      'Expressions 1 order.total: 210.1 float Arguments 1 order: Order id: 8121 int total: 210.1 float lines: ["AMPH-3", …] list, 14 ' +
      'card: redacted on the host, rule “cards”; it never left the host ' +
      'Locals 3 rate: 15 int currency: "EUR" str off: not assigned yet on this line; place the probe on a later line';
    await eventually(async () => assert.equal(await words(tree()), shown));
    // A number is in the colour of numbers, not in that of text.
    const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).color);
    assert.notEqual(await colour(tree().locator('.cx span').first()), await colour(tree()));
    const stack = /^apply_discount pricing\.py:16 price_order pricing\.py:22 1 frame in libraries web$/;
    await eventually(async () => assert.match(await words(page.getByRole('list', { name: 'Stack' })), stack));
    await page.getByText('1 value redacted').waitFor();
    await clean(page);
  });

  it('fits a narrow screen', async () => {
    await resize(page, 390, 844);
    for (const control of [page.getByLabel('Find in this frame’s values'), page.getByLabel('Compare with'), page.getByRole('tab', { name: 'Raw' })]) {
      await control.waitFor();
      const { x, width } = await control.boundingBox();
      assert.ok(x >= 0 && x + width <= 390, `${await control.evaluate((element) => element.outerHTML.slice(0, 60))} is cut off`);
    }
    await resize(page, 1440, 900);
  });

  it('is joined to its trace, its probe and its service', async () => {
    const joined = page.getByRole('navigation', { name: 'Joined to this snapshot' });
    assert.equal(await joined.getByRole('link', { name: /^Trace/ }).getAttribute('href'), `/traces/${TRACE}?span=5a6b7c8d9e0f1122`);
    assert.match(await joined.getByRole('link', { name: /^Probe/ }).getAttribute('href'), /^\/live\?.*service=shop.*probe=p1|^\/live\?.*probe=p1.*service=shop/);
    await eventually(async () => assert.match(await words(joined), /shop 1\.2 shop-2 on web-1 Thread MainThread$/));
  });

  it('is walked with the keys: values at once, then the hits before and after', async () => {
    await page.goto(at(hits[1]));
    await chosen().filter({ hasText: /^order\.total/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await chosen().filter({ hasText: /^id:/ }).waitFor();
    await page.keyboard.press('y');
    await page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'order.id');
    await page.keyboard.press('c');
    await page.waitForFunction(async () => (await navigator.clipboard.readText()) === '8121');
    await page.keyboard.press('End');
    await chosen().filter({ hasText: /^off:/ }).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    await chosen().filter({ hasText: '{id: 8121, total: 210.1, lines: […], card: ∅}' }).waitFor();
    await page.keyboard.press('ArrowRight');
    for (const _ of [1, 2, 3]) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await chosen().filter({ hasText: '13 more items: more items than the probe takes' }).waitFor();
    await page.keyboard.press('k');
    await page.waitForURL(at(hits[0]));
    await chosen().filter({ hasText: 'order.total:184.5' }).waitFor();
    await tree().getByText('None', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'The one before' }).and(page.locator(':disabled')).waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(at(hits[1]));
    await chosen().filter({ hasText: 'order.total:210.1' }).waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(at(hits[2]));
    await chosen().filter({ hasText: 'order.total:99.25' }).waitFor();
  });

  it('follows a key that was pressed before the other hits were known', async () => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route('**/api/v1/snapshots?*', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(at(hits[2]));
    await chosen().filter({ hasText: 'order.total:99.25' }).waitFor();
    await page.keyboard.press('k');
    release();
    await page.waitForURL(at(hits[1]));
    // Two at once are two steps, though the values of the first have not come yet.
    await page.keyboard.press('k');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.waitForURL(at(hits[2]));
    await chosen().filter({ hasText: 'order.total:99.25' }).waitFor();
    await page.unroute('**/api/v1/snapshots?*');
  });

  it('is searched', async () => {
    await page.getByLabel('Find in this frame’s values').fill('EUR');
    await page.waitForFunction(() => document.querySelectorAll('[role="treeitem"]').length === 1);
    await eventually(async () => assert.equal(await words(tree()), 'Locals 1 currency: "EUR" str'));
    await page.getByLabel('Find in this frame’s values').fill('no such thing');
    await page.getByText('nothing captured in this frame holds “no such thing”').waitFor();
  });

  it('says what has changed since the hit before, and shows itself as it is', async () => {
    await page.goto(at(hits[1]));
    await page.getByRole('tab', { name: /^Changed since .* 2$/ }).click();
    await eventually(async () => assert.match(await words(page.getByRole('table')), /^Variable [\d:.]+ [\d:.]+ order\.total 184\.5 210\.1 rate None 15$/));
    await clean(page);
    await page.getByRole('tab', { name: 'Raw' }).click();
    assert.equal(JSON.parse(await page.locator('pre').innerText()).id, hits[1].id);
    await clean(page);
  });

  it('is compared with another one, at an address that says which', async () => {
    await page.getByLabel('Compare with').selectOption(hits[2].id);
    await page.waitForURL(at(hits[1], `?with=${hits[2].id}`));
    await page.reload();
    await eventually(async () => assert.match(await words(page.getByRole('table')), /order\.total 99\.25 210\.1 rate 20 15$/));
    await clean(page);
    await page.getByLabel('Compare with').selectOption('');
    await tree().waitFor();
    await page.goto(at(hits[1], `?with=${'f'.repeat(32)}`));
    await page.getByRole('alert').getByRole('heading', { name: 'there is no such snapshot' }).waitFor();
  });

  it('that is gone says so', async () => {
    await page.goto(at({ id: 'f'.repeat(32) }));
    await page.getByRole('heading', { name: 'There is no such snapshot any more' }).waitFor();
    await clean(page);
    assert.deepEqual(problems, []);
  });

  it('is not shown to who may not read values', async () => {
    await run(binary, ['user', 'add', 'jonas', '--scope', 'read', '--data', server.data]);
    const { page: other, context, problems: others } = await browser.open();
    const { stdout } = await run(binary, ['login-link', 'jonas', '--data', server.data]);
    await signIn(other, /http:\S+#\S+/.exec(stdout)[0], at(hits[1]));
    await other.getByRole('heading', { name: 'Captured values are not shown to you' }).waitFor();
    assert.doesNotMatch(await words(other.locator('body')), /8121|210\.1|EUR/);
    await clean(other);
    assert.deepEqual(others, []);
    await context.close();
  });
});
