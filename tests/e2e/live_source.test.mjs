// Two versions of a file run at once: a probe stands where the line that was seen is, and nowhere else; against an agent that answers as a real one does.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { says, signIn, startBrowser, startServer } from './harness.mjs';
import { clean, shoot, startHost } from './live_host.mjs';

const RATE = 'rate = coupon.rate'; // line 14, or 15 of the later version
const OFF = 'off = rate * order.total'; // line 16; the later version says something else there
const hashOf = (line) => createHash('sha256').update(line).digest('hex');

let server;
let browser;
let host;
let page;
let problems;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }, { n: 2, instance: 'shop-canary', version: '1.3' }], other: ['2-100'] });
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), '/live?service=shop&file=app/pricing.py');
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

const instances = () => page.getByRole('region', { name: 'Instances' });
const place = async (line) => {
  await page.getByRole('button', { name: `Place a probe at line ${line}`, exact: true }).click();
  await page.getByLabel('Condition').press('Control+Enter');
  await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
};

describe('a process that runs another version of the file', () => {
  it('is told apart before anything is placed', async () => {
    await page.getByText('same text in 1 of 2 instances').waitFor();
    await says(instances(), /shop-1 1\.2 ready shop-canary 1\.3 ready, other source/);
  });

  it('takes no probe at a line that it does not have, and says why and what to do', async () => {
    await place(16);
    const sent = await host.probe();
    assert.deepEqual([sent.match, sent.line_hash, sent.function], ['follow', hashOf(OFF), 'apply_discount']);
    await instances().getByText('1 of 2 placed').waitFor();
    await says(instances(), /shop-canary 1\.3 other source: the line that was seen is not in the file of this process It runs another version/);
    await shoot(page, 'live-other-source');
    await clean(page);
    await page.getByRole('button', { name: 'Show its source' }).click();
    await page.getByText('off = order.total * rate / 100').waitFor();
    // The probe does not stand in this text.
    await page.getByRole('button', { name: 'Place a probe at line 16', exact: true }).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Place a probe at line 17', exact: true }).click();
    await page.getByRole('button', { name: 'shop-canary', exact: true }).click();
    await page.getByLabel('Condition').press('Control+Enter');
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    const there = await host.probe((probe) => probe.where.line === 17);
    assert.equal(there.line_hash, hashOf('off = order.total * rate / 100'));
    await instances().getByText('placed at line').waitFor({ state: 'detached' });
  });

  it('takes it where the line has moved to, and shows it there', async () => {
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py&process=1-100`);
    await place(14);
    await instances().getByText('placed at line 15 of its version').waitFor();
    await instances().getByRole('button', { name: /^shop-canary/ }).click();
    await page.getByRole('button', { name: 'Probe at line 15', exact: true }).click();
    // What is changed there stays at the line that it was placed at.
    await page.getByLabel('Condition').fill('rate > 0');
    await page.getByText('bool', { exact: true }).waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    const changed = await host.probe((probe) => probe.revision === 2);
    assert.deepEqual([changed.where.line, changed.line_hash], [14, hashOf(RATE)]);
    await page.getByRole('button', { name: 'Probe at line 15', exact: true }).click();
    await page.getByLabel('Where the file is another').selectOption('in this text only');
    await page.keyboard.press('Control+Enter');
    await host.probe((probe) => probe.match === 'exact');
    await instances().getByText('other source: the file of this process is not the one that was seen').waitFor();
  });
});

describe('a line that was seen elsewhere', () => {
  const from = (line, text, process) =>
    page.goto(`${server.url}/live?service=shop&file=app/pricing.py&line=${line}&seen=${hashOf(text).slice(0, 16)}&process=${process}`);

  it('is found by its text', async () => {
    await from(15, RATE, '1-100');
    await page.getByText('Line 15 is line 14 here').waitFor();
    await page.locator('[data-line="14"].at').waitFor();
    await page.waitForURL((url) => !url.searchParams.has('seen'));
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText('Line 15 is line 14 here').waitFor({ state: 'detached' });
    await from(14, RATE, '1-100');
    await page.locator('[data-line="14"].at').waitFor();
    assert.equal(await page.locator('.note').count(), 0);
  });

  it('is said to be missing where nothing is like it', async () => {
    await from(16, OFF, '2-100');
    await page.getByText('the line that you come from, 16 there, is not in the file that shop-canary (1.3) runs').waitFor();
    await shoot(page, 'live-not-here');
    await clean(page);
    await page.keyboard.press('ArrowDown');
    await page.getByText('the line that you come from').waitFor({ state: 'detached' });
    assert.deepEqual(problems, []);
  });
});
