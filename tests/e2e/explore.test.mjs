// The two explorers: what sets failing traces apart, and logs by their fields, around a line, as they come and by the ten thousand.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, counts, eventually, noWider, order, says, signIn, startBrowser, startDemo, startServer, still } from './harness.mjs';

const LINES = 6000;
let server;
let demo;
let browser;
let page;
let problems;

/** Lines of a service of their own, one ms apart; the newest has what a terminal would obey. */
async function sendLines(url, n, last = Date.now()) {
  const record = (i) => ({
    timeUnixNano: `${last - i}000000`,
    severityNumber: i % 100 === 0 ? 17 : 9,
    severityText: i % 100 === 0 ? 'ERROR' : 'INFO',
    body: { stringValue: i === 0 ? '\u001b[31mred\u001b[0m alert\u0000' : `line ${i} of bulk` },
    attributes: [
      { key: 'batch', value: { stringValue: i % 2 ? 'odd' : 'even' } },
      { key: 'formula', value: { stringValue: '=1+1' } },
    ],
  });
  const body = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'bulk' } }] },
        scopeLogs: [{ scope: { name: 'test' }, logRecords: Array.from({ length: n }, (_, i) => record(i)) }],
      },
    ],
  };
  const response = await fetch(`${url}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(response.status, 200);
}

before(async () => {
  server = await startServer();
  [demo, browser] = await Promise.all([startDemo(server.url), startBrowser()]);
  for (let n = 0; n < 8; n++) assert.equal((await order(demo.web, { customer: `u_bad${n}`, lines: ['BALL-1', 'WAX-1'], coupon: 'AUTUMN-15' })).status, 500);
  for (let n = 0; n < 8; n++) assert.equal((await order(demo.web, { customer: `u_good${n}`, lines: ['AMPH-3'], coupon: 'WELCOME' })).status, 201);
  for (let n = 0; n < 30; n++) await fetch(demo.web);
  await sendLines(server.url, LINES, Date.now() - 1000);
  ({ page, problems } = await browser.open());
  await signIn(page, server.link, '/traces');
  await page.locator('.tracelist a', { hasText: 'POST /checkout' }).first().waitFor();
});

after(async () => {
  await browser?.stop();
  await demo?.stop();
  await server?.stop();
});

describe('traces', () => {
  it('say which service the time went to', async () => {
    const bar = page.locator('.tracelist a', { hasText: 'POST /checkout' }).first().locator('.selfbar');
    await page.waitForFunction(() => document.querySelectorAll('.tracelist .selfbar i').length > 4);
    await eventually(async () => assert.match(await bar.getAttribute('aria-label'), /checkout .*web|web .*checkout/));
  });

  it('that failed differ by their coupon and the version that ran', async () => {
    await page.keyboard.press('d');
    const pane = page.getByRole('complementary', { name: 'What differs' });
    await pane.locator('.rbar').first().waitFor();
    await says(pane.locator('.verdict'), /checkout \d+\.\d+\.\d+ with app\.coupon\.(code = AUTUMN-15|kind = percent_bp)\. None of the others did both/);
    const kind = pane.locator('.rk', { hasText: 'percent_bp' });
    await says(kind, /app\.coupon\.kind = percent_bp .*100.% 0.%/);
    await kind.getByRole('button', { name: /^Only traces with / }).click();
    await page.waitForFunction(() => {
      const rows = [...document.querySelectorAll('.tracelist a')];
      return rows.length >= 8 && rows.every((row) => row.innerText.includes('500'));
    });
    await page.waitForURL(/app\.coupon\.kind(=|%3D)percent_bp/);
    await page.goBack();
    await page.waitForURL(/differ=/);
    await page.goBack();
    await pane.waitFor({ state: 'detached' });
  });

  it('in a box of the map are compared with the others', async () => {
    await page.keyboard.press('l');
    const map = page.locator('.heat').first();
    const { x, y, width, height } = await still(map);
    await page.mouse.move(x + width * 0.6, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width - 4, y + height - 90, { steps: 4 });
    await page.mouse.up();
    await page.locator('.picked .tag').getByRole('button', { name: 'What differs' }).click();
    await page.getByRole('complementary', { name: 'What differs' }).getByRole('button', { name: 'In the box' }).waitFor();
    await page.waitForURL(/box=/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.picked').waitFor({ state: 'detached' });
  });

  it('have a rate and percentiles, in pictures and as a table', async () => {
    await page.getByRole('button', { name: 'Rate' }).click();
    await page.getByRole('img', { name: /spans? in this range/ }).waitFor();
    await page.getByRole('button', { name: 'Percentiles' }).click();
    await page.getByRole('img', { name: /ninety-nine of a hundred/ }).waitFor();
    await page.getByRole('button', { name: 'Heat map' }).click();
    await page.keyboard.press('t');
    await page.getByRole('region', { name: 'Durations as a table' }).getByRole('row').nth(1).waitFor();
    await page.keyboard.press('t');
  });

  it('are sorted by duration, and two of them marked to compare', async () => {
    await page.locator('.tr1.head').getByRole('button', { name: /Duration/ }).click();
    await page.getByRole('list', { name: 'Traces, slowest first' }).waitFor();
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
    await page.getByText('Two traces marked').waitFor();
    await counts(page.locator('.tr1.marked'), 2);
    assert.deepEqual(problems, []);
  });
});

describe('logs', () => {
  const rows = () => page.locator('.loglist .lg1');

  before(async () => {
    await page.goto(`${server.url}/logs`);
    await rows().first().waitFor();
  });

  it('are narrowed by the values of their fields', async () => {
    await page.getByRole('checkbox', { name: 'bulk' }).check();
    await page.waitForFunction(() => [...document.querySelectorAll('.loglist .lg1')].length > 5 && [...document.querySelectorAll('.loglist .lg1')].every((row) => row.innerText.includes('bulk')));
    await page.waitForURL(/service%3Dbulk|service=bulk/);
    // What else there would be stays in sight.
    await page.getByRole('checkbox', { name: 'checkout' }).waitFor();
    await page.getByRole('button', { name: 'Leave out level error' }).click();
    await page.waitForURL(/level%21%3Derror|level!%3Derror|level!=error/);
    await page.getByRole('button', { name: 'Have level error' }).click();
    await page.waitForURL((url) => !url.href.includes('level'));
  });

  it('obey no one: what a terminal would do is shown or taken out', async () => {
    await page.getByText('red alert␀').first().waitFor();
  });

  it('scroll by the thousand with few of them in the page', async () => {
    await page.keyboard.press('l');
    const list = page.locator('.loglist');
    await eventually(async () => {
      await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      assert.equal(await page.getByText(`line ${LINES - 1} of bulk`).count(), 1, 'the last line');
    });
    await eventually(async () => assert.ok((await page.locator('.lrow').count()) < 120));
    // The first page was dropped, and comes again.
    await list.evaluate((element) => element.scrollTo(0, 0));
    await page.getByText('line 5 of bulk').waitFor();
  });

  it('open in place, and their fields become columns and terms', async () => {
    await page.getByText('line 2 of bulk').click();
    const detail = page.getByRole('complementary', { name: 'The chosen line' });
    await detail.getByText('batch', { exact: true }).waitFor();
    await detail.getByRole('button', { name: 'batch as a column' }).click();
    await page.locator('.lg1.head', { hasText: 'batch' }).waitFor();
    await page.waitForURL(/cols=batch/);
    await detail.getByRole('button', { name: 'Only batch="even"' }).click();
    await page.waitForFunction(() => !document.querySelector('.loglist').innerText.includes('line 1 of bulk'));
  });

  it('show what stands around a line, whatever the filter', async () => {
    await page.getByText('line 4 of bulk').click();
    await page.keyboard.press('o');
    await page.getByText('Lines around one').waitFor();
    await page.getByText('line 5 of bulk').waitFor();
    await page.getByText('line 3 of bulk').waitFor();
    await page.getByRole('button', { name: 'Back to the lines' }).click();
  });

  it('are taken along as CSV that no spreadsheet runs', async () => {
    await page.getByTitle('Export All lines of this query').click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV, for spreadsheets' }).click()]);
    const text = fs.readFileSync(await download.path(), 'utf8');
    assert.match(text.split('\r\n')[0], /time,.*attr\.batch/);
    assert.ok(text.includes(",'=1+1"));
    assert.ok(!/,=1\+1/.test(text));
    assert.equal(text.trim().split('\r\n').length, LINES / 2 + 1);
    await page.keyboard.press('Escape');
  });

  it('arrive while one is read, and wait', async () => {
    await page.goto(`${server.url}/logs?q=${encodeURIComponent('logs service=bulk')}`);
    await rows().first().waitFor();
    await page.getByText('Tailing').waitFor();
    await page.keyboard.press('j');
    await page.locator('.loglist .lg1.sel').waitFor();
    const first = await rows().first().innerText();
    await sendLines(server.url, 42);
    await page.getByRole('button', { name: /^\d+ new lines?$/ }).waitFor();
    assert.equal(await rows().first().innerText(), first, 'what is read stays where it is');
    await page.getByRole('button', { name: /^\d+ new lines?$/ }).click();
    await page.waitForFunction((old) => document.querySelector('.loglist .lg1').innerText !== old, first);
    assert.deepEqual(problems, []);
  });
});

describe('both explorers', () => {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    it(`have nothing that axe objects to at ${width} px, and fit`, async () => {
      await page.setViewportSize({ width, height });
      const found = {};
      await page.goto(`${server.url}/traces?differ=errors`);
      await page.locator('.rbar').first().waitFor();
      await page.locator('.tracelist a').first().waitFor();
      found.traces = await axe(page);
      for (const view of ['rate', 'percentiles']) {
        await page.goto(`${server.url}/traces?view=${view}`);
        await page.locator('.tchart').first().waitFor();
        found[view] = await axe(page);
      }
      await page.goto(`${server.url}/logs`);
      await page.locator('.loglist .lg1').first().waitFor();
      await page.locator('.fval').first().waitFor({ state: width > 760 ? 'visible' : 'attached' });
      await page.locator('.loglist .lg1').first().click();
      await page.getByRole('complementary', { name: 'The chosen line' }).waitFor();
      found.logs = await axe(page);
      assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((key) => [key, []])));
      await noWider(page);
      assert.deepEqual(problems, []);
    });
  }

  it('have all their controls on a phone, large enough for a finger', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const fits = (button) =>
      eventually(async () => {
        const box = await button.boundingBox();
        const name = await button.evaluate((el) => el.getAttribute('aria-label') ?? el.title ?? el.innerText);
        assert.ok(box && box.height >= 34 && box.x >= 0 && box.x + box.width <= 390, `${name} ${JSON.stringify(box)}`);
      });
    await page.goto(`${server.url}/traces`);
    await page.locator('.tracelist a').first().waitFor();
    for (const name of ['Heat map', 'Rate', 'Percentiles', 'What differs', 'As a table'])
      await fits(page.getByRole('button', { name, exact: true }));
    await fits(page.getByTitle(/^Export/));
    await page.getByRole('button', { name: 'Rate', exact: true }).click();
    await page.waitForURL(/view=rate/);
    await page.getByRole('button', { name: 'What differs', exact: true }).click();
    await page.locator('.rbar').first().waitFor();
    await page.goto(`${server.url}/logs`);
    await page.locator('.loglist .lg1').first().waitFor();
    for (const name of ['Patterns', 'Wrap long lines', 'Pause']) await fits(page.getByRole('button', { name, exact: true }));
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Tail', exact: true }).click();
    await page.getByTitle(/^Export/).click();
    await fits(page.getByRole('button', { name: 'CSV, for spreadsheets' }).locator('xpath=ancestor::div[1]'));
    assert.deepEqual(problems, []);
  });
});
