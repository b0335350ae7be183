// The service map: drawn from real spans, walked by keys, leading to exactly the calls of a line.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, eventually, signIn, startBrowser, startServer } from './harness.mjs';
import { sendIncident } from './incident.mjs';

let server;
let browser;
let page;
let problems;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await sendIncident(server.url);
  ({ page, problems } = await browser.open());
  await signIn(page, server.link, '/map');
  await page.locator('.map .node').first().waitFor();
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

const node = (name) => page.locator(`[data-node="${name}"]`);
const panel = (name) => page.getByRole('complementary', { name });
const words = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ').trim();

describe('the service map', () => {
  it('draws who calls whom, callers at the left, and says which call fails most', async () => {
    const x = async (name) => (await node(name).boundingBox()).x;
    const edges = () => page.locator('[data-edge]').evaluateAll((all) => all.map((e) => e.dataset.edge).sort());
    await eventually(async () => assert.deepEqual(await edges(), ['checkout>postgresql', 'web>checkout']));
    assert.ok((await x('web')) < (await x('checkout')) && (await x('checkout')) < (await x('postgresql')));
    await eventually(async () => assert.match(await words(page.locator('.maphead h1')), /^web to checkout fails most: \d+(\.\d)? % of \d+ calls/));
    await eventually(async () => assert.match(await node('checkout').getAttribute('aria-label'), /^checkout: [23]\d\s?\/min, \d+\sms, \d+(\.\d)?\s% fail, service$/));
  });

  it('is walked by keys, and shows the numbers of a service', async () => {
    await node('web').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.waitForURL(/node=checkout/);
    await panel('checkout').getByRole('link', { name: 'POST /orders' }).waitFor();
    await eventually(async () => assert.match(await words(panel('checkout')), /Called by 1 web.*Calls 1 postgresql/));
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/node=postgresql/);
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.search.includes('node='));
  });

  it('leads from a line to exactly its calls', async () => {
    await page.locator('[data-edge="web>checkout"] .lb').click();
    await page.waitForURL(/caller=web&callee=checkout/);
    const calls = panel('web to checkout');
    const errors = calls.getByRole('link', { name: /errors$/ });
    const n = Number(/\d+/.exec(await errors.innerText())[0]);
    assert.ok(n > 10);
    await errors.click();
    await page.locator('.tracelist a').first().waitFor();
    const bar = page.getByRole('combobox', { name: 'Query for traces' });
    await eventually(async () => assert.match(await bar.inputValue(), /service=checkout .*status=error( parent in \{spans service=web |$)/));
    await page.getByText(`${n} traces`).waitFor();
  });

  it('zooms where the pointer is, and fits again', async () => {
    await page.goto(`${server.url}/map`);
    await page.locator('.map .node').first().waitFor();
    const box = () => page.evaluate(() => document.querySelector('[data-node="web"] .body').getBoundingClientRect().toJSON());
    // Until it stands still: what is above it comes with the same answer.
    await node('web').hover();
    const before = await box();
    await page.mouse.move(before.x + 10, before.y + 10);
    await page.mouse.wheel(0, -400);
    await eventually(async () => {
      const zoomed = await box();
      assert.ok(zoomed.width > before.width * 1.2 && Math.abs(zoomed.x - before.x) < 12, JSON.stringify({ before, zoomed }));
    });
    await page.getByRole('button', { name: 'Show all' }).click();
    await eventually(async () => assert.equal(Math.round((await box()).width), Math.round(before.width)));
  });

  it('has tables of the same, and finds by name', async () => {
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('t');
    await page.locator('.mapt').first().waitFor();
    await eventually(async () => assert.match(await words(page.locator('.mapt').nth(1).locator('tbody tr').first()), /^web to checkout [23]\d ?\/min/));
    await page.keyboard.press('/');
    await page.keyboard.type('postgres');
    await page.waitForFunction(() => document.querySelector('.mapt tbody').rows.length === 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.locator('.map .node').first().waitFor();
  });

  it('says when there is nothing to draw', async () => {
    await page.goto(`${server.url}/map?env=nowhere`);
    await page.getByRole('heading', { name: 'nowhere sent no spans in this range' }).waitFor();
  });

  it('had no error in the console', () => assert.deepEqual(problems, []));

  for (const { name, ...options } of [
    { name: 'light', colorScheme: 'light' },
    { name: 'dark', colorScheme: 'dark' },
    { name: 'narrow', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  ]) {
    it(`is accessible (${name})`, async () => {
      const { page: other, context } = await browser.open(options);
      await signIn(other, await server.freshLink(), '/map?node=checkout');
      await other.getByRole('complementary', { name: 'checkout' }).getByRole('link', { name: 'POST /orders' }).waitFor();
      const found = { picture: await axe(other) };
      await other.goto(`${server.url}/map?view=table`);
      await other.locator('.mapt').first().waitFor();
      found.tables = await axe(other);
      assert.deepEqual(found, { picture: [], tables: [] });
      assert.ok((await other.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      await context.close();
    });
  }
});
