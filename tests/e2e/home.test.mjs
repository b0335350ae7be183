// Home: an incident is told in words, the numbers lead to its records, and three clicks to the line that failed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, counts, eventually, noWider, says, signIn, startBrowser, startServer, still, words } from './harness.mjs';
import { sendIncident } from './incident.mjs';

let server;
let browser;
let deploy;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  deploy = await sendIncident(server.url);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** A server that does not tell patterns apart yet has no pane of new ones. */
async function tellsPatterns(page) {
  return await page.evaluate(async () => {
    const { csrf } = await (await fetch('/api/v1/me')).json();
    const body = JSON.stringify({ query: 'logs | patterns' });
    return (await fetch('/api/v1/query', { method: 'POST', headers: { 'content-type': 'application/json', 'x-clew-csrf': csrf }, body })).ok;
  });
}

const heading = (page) => page.locator('.home h1');

describe('an incident', () => {
  let page;
  let problems;

  before(async () => {
    ({ page, problems } = await browser.open());
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn(page, server.link);
    await page.locator('.svt tbody tr').first().waitFor();
  });

  it('is the first thing said: who, since when, and what went out then', async () => {
    assert.equal(new URL(page.url()).pathname, '/');
    const FAILING = /^checkout has been failing since (\d\d):(\d\d), when 1\.4\.2 went out$/;
    const said = await says(heading(page), FAILING);
    const [, hour, minute] = FAILING.exec(said);
    const at = new Date(deploy);
    at.setHours(Number(hour), Number(minute));
    const off = Math.abs(at - deploy);
    assert.ok(Math.min(off, 86_400_000 - off) <= 120_000, `${said}, deployed ${new Date(deploy).toTimeString()}`);
  });

  it('has its extent, for whom, and what all of it has in common', async () => {
    const facts = page.locator('.facts');
    await facts.getByText(/app\.coupon\.kind = percent_bp/).waitFor();
    for (const fact of [/[23]\d % of requests fail, was 0(\.\d)? %/, /\d users affected/, /\d+ errors/, /all TypeError/, /all have app\.coupon\.kind = percent_bp/])
      await says(facts, fact);
  });

  it('stands in the table, the charts and the logs', async () => {
    const rows = page.locator('.svt tbody tr');
    await eventually(async () => assert.deepEqual((await rows.locator('.n .svc').allInnerTexts()).sort(), ['checkout', 'postgresql', 'web']));
    for (const part of [/Python/, /1\.4\.2/, /\/min/]) await says(page.locator('.svt tbody tr', { hasText: 'checkout' }), part);
    await says(page.getByRole('region', { name: 'Deploys' }), /checkout 1\.4\.1 → 1\.4\.2 errors \+\d/);
    await page.getByRole('region', { name: 'Ingest' }).getByText('healthy').waitFor();
    if (!(await tellsPatterns(page))) return;
    const fresh = page.getByRole('region', { name: 'New in the logs' });
    await fresh.getByText(/order <num> not priced/).waitFor();
    await counts(fresh.locator('tbody tr'), 1); // what was there before is not new
  });

  it('has one crosshair through all charts, and a table of each', async () => {
    const plot = page.locator('.plot').first();
    const box = await still(plot);
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    await page.locator('.plot .cross').nth(2).waitFor();
    await says(page.locator('.tchart .read').nth(2), /^\d\d:\d\d(:\d\d)? p95 \d+ ms p50 \d+ ms$/);
    await page.mouse.move(5, 500);
    await plot.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.locator('.brushbar').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.brushbar').waitFor({ state: 'detached' });
    await page.keyboard.press('Tab');
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press('t');
    await page.waitForURL(/view=table/);
    await page.locator('.stable').nth(1).locator('tbody tr').nth(13).waitFor();
    await page.keyboard.press('t');
    await page.locator('.plot').first().waitFor();
  });

  it('is marked in a chart, which zooms only when told to', async () => {
    const box = await still(page.locator('.plot').nth(1));
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 70, { steps: 4 });
    await page.mouse.up();
    assert.ok(!page.url().includes('from='));
    await page.locator('.brushbar').getByRole('button', { name: 'Zoom' }).click();
    await page.waitForURL(/from=\d+&to=\d+/);
    await page.goBack();
    await page.locator('.svt tbody tr').first().waitFor();
  });

  it('says what it asks, as command lines', async () => {
    await page.keyboard.press('q');
    const dialog = page.getByRole('dialog', { name: 'What this page asks' });
    await dialog.locator('code', { hasText: "name='POST /orders' | differ status=error" }).waitFor();
    await dialog.getByRole('button', { name: 'Copy all as commands' }).click();
    await eventually(async () => {
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /^clew query 'spans .*' --from -15m$/m);
      assert.ok(copied.includes(" | differ status=error'"), copied);
    });
    await page.keyboard.press('Escape');
  });

  it('leads in three clicks to the span that failed and its logs', async () => {
    await page.getByRole('link', { name: 'Open failing traces' }).click();
    await page.locator('.tracelist a').first().click();
    await page.getByRole('button', { name: /^Errors \d+/ }).click();
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    await panel.waitFor();
    // From error to error, down to where it was thrown.
    await eventually(async () => {
      const row = await words(page.locator('.only-read[role="status"]').last());
      if (!row.includes('price_order')) await page.keyboard.press('e');
      assert.match(row, /price_order/);
    });
    await panel.getByText('TypeError', { exact: true }).first().waitFor();
    await panel.getByRole('tab', { name: /Logs 1/ }).click();
    await panel.getByText(/order \d+ not priced/).waitFor();
    const thread = page.getByRole('navigation', { name: 'You are here' });
    await says(thread, /^Home Traces /);
    await thread.getByRole('link', { name: 'Home' }).click();
    await heading(page).waitFor();
  });

  it('keeps range and scope from page to page', async () => {
    await page.goto(`${server.url}/?from=-6h`);
    await page.locator('.svt tbody tr').first().waitFor();
    await page.getByRole('button', { name: /All projects/ }).click();
    await page.getByRole('radio', { name: /^production/ }).click();
    await page.waitForURL(/env=production/);
    await page.locator('.svt tbody tr').first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.waitForURL(/\/traces\?from=-6h&env=production/);
    await page.locator('.qbar .chip', { hasText: 'environment=production' }).waitFor();
    await page.locator('.tracelist a').first().waitFor();
    await page.goto(`${server.url}/?env=nowhere`);
    await page.getByRole('heading', { name: 'nowhere sent nothing in this range' }).waitFor();
  });

  it('had no error in the console', () => assert.deepEqual(problems, []));

  it('says so when it cannot tell how the monitors are', async () => {
    await page.route('**/api/v1/monitors*', (route) => route.abort());
    await page.goto(`${server.url}/`);
    await page.getByRole('status').getByText('Whether monitors fail is not known').waitFor();
    await page.unroute('**/api/v1/monitors*');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('status').getByText('Whether monitors fail is not known').waitFor({ state: 'detached' });
  });
});

describe('the jump field', () => {
  it('goes to pages and services, runs commands, and remembers', async () => {
    const { page, context } = await browser.open();
    await signIn(page, await server.freshLink());
    await heading(page).waitFor();
    const jump = async (typed, name) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: /^Trace, span or event id/ }).waitFor();
      await page.keyboard.type(typed);
      await page.getByRole('option', { name }).first().click();
    };
    await jump('checko', /^checkout/);
    await page.waitForURL(/\/traces\?q=spans\+service%3Dcheckout/);
    await jump('last 6', /^Last 6 h/);
    await page.waitForURL(/from=-6h/);
    await jump('logs level>=error', /^logs level>=error/);
    await page.waitForURL(/\/logs\?from=-6h&q=logs\+level/);
    await jump('map', /^Map/);
    await page.waitForURL(/\/map\?from=-6h/);
    await page.keyboard.press('Control+k');
    await says(page.getByRole('option').first(), /^Map/);
    // Opened again before the browser has told of the closing.
    await page.evaluate(async () => {
      const dialog = document.querySelector('dialog[open]');
      const press = () => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }));
      const closed = new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
      dialog.querySelector('[role=option]').click();
      for (let i = 0; i < 100 && dialog.open; i++) await Promise.resolve();
      press();
      await closed;
    });
    await page.getByRole('option').first().waitFor();
    await context.close();
  });
});

describe('a calm day', () => {
  let calm;
  before(async () => {
    calm = await startServer();
  });
  after(() => calm?.stop());

  it('begins with what to do, and fills as soon as something arrives', async () => {
    const { page, context } = await browser.open();
    await signIn(page, calm.link);
    await page.getByRole('heading', { name: 'Nothing has arrived in the last 15 min' }).waitFor();
    await page.getByText(new RegExp(`OTEL_EXPORTER_OTLP_ENDPOINT=${calm.url}`)).waitFor();
    await sendIncident(calm.url, { healthy: true });
    await page.getByRole('heading', { name: 'All 2 services are well' }).waitFor();
    await says(page.locator('.facts'), /^\d+ requests none failed p95 around \d+ ms$/);
    await page.getByText('No version changed').waitFor();
    await context.close();
  });
});

describe('Home', () => {
  for (const { name, ...options } of [
    { name: 'wide, light', colorScheme: 'light' },
    { name: 'wide, dark', colorScheme: 'dark' },
    { name: 'narrow', viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true },
  ]) {
    it(`is accessible, no wider than the screen, and moves nothing that is there (${name})`, async () => {
      const { page, context, problems } = await browser.open(options);
      await page.addInitScript(() => {
        window.shifts = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(...entry.sources.map((source) => source.node?.className ?? source.node?.nodeName));
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await signIn(page, await server.freshLink());
      // A range that has ended: nothing new comes in between.
      await page.goto(`${server.url}/?from=${Date.now() - 900_000}&to=${Date.now()}`);
      await page.locator('.facts').getByText(/percent_bp/).waitFor();
      if (await tellsPatterns(page)) await page.getByRole('region', { name: 'New in the logs' }).locator('tbody tr').first().waitFor();
      await page.waitForTimeout(300);
      assert.deepEqual(await page.evaluate(() => window.shifts), []);
      const found = { home: await axe(page) };
      await page.keyboard.press('t');
      await page.locator('.stable').first().waitFor({ state: 'attached' });
      found.tables = await axe(page);
      await page.keyboard.press('q');
      await page.getByRole('dialog').waitFor();
      found.asks = await axe(page);
      await page.keyboard.press('Escape');
      if (options.viewport) {
        await page.getByRole('button', { name: 'More' }).click();
        await page.getByRole('button', { name: 'Jump to anything' }).locator('visible=true').waitFor();
        found.more = await axe(page);
      }
      assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((key) => [key, []])));
      await noWider(page);
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
});
