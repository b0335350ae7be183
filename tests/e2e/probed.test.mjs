// An exception of a program without any SDK: a probe that is placed from the page makes it an issue, and each leads to the other. And a trace of which
// the snapshots are here before its spans.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, signIn, startBrowser, startServer, stored } from './harness.mjs';
import { clean, startHost, words } from './live_host.mjs';

let server;
let browser;
let host;
let page;
let problems;
let probe;
const FILE = 'app/pricing.py';
const EARLY = 'c0ffee00000000000000000000000001';
const LOST = 'c0ffee00000000000000000000000002';

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), `/live?service=shop&file=${FILE}&line=16&edit=1`);
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

describe('an issue without an SDK', () => {
  it('is promised where the probe is placed', async () => {
    await page.getByRole('button', { name: 'exception', exact: true }).click();
    await page.getByText('becomes an issue too, if the process has no Sentry SDK').waitFor();
    await page.getByLabel('Type of the exception').fill('TypeError');
    await clean(page);
    await page.getByRole('button', { name: /^Place on/ }).click();
    probe = (await host.probe((one) => one.where.exception)).id;
  });

  it('is opened from the hit', async () => {
    await host.tell({ raise: probe, file: FILE, line: 16, reporter: 'none' });
    const hits = page.getByRole('region', { name: 'Hits' });
    await hits.getByRole('link', { name: 'issue', exact: true }).waitFor();
    await clean(page);
    await hits.getByRole('link', { name: 'issue', exact: true }).click();
    await page.getByRole('heading', { name: 'TypeError', exact: true }).first().waitFor();
    await page.getByText('Captured by a probe: its process has no SDK that reports errors.').waitFor();
  });

  it('has the values as they were captured, once', async () => {
    const locals = page.getByRole('region', { name: 'Captured in apply_discount' });
    await locals.getByText('8121').waitFor();
    await eventually(async () => assert.match(await words(locals), /order: dict, 1 "id": 8121.*rate: None.*password: redacted/));
    assert.equal(await page.getByText('as the SDK sent them').count(), 0);
    await page.getByRole('region', { name: 'Snapshots' }).getByText('the one that this event was made of').waitFor();
    await page.getByText('it was raised outside of a trace').waitFor();
    await clean(page);
  });

  it('leads to its snapshot, and that back to it', async () => {
    await page.getByRole('link', { name: 'The snapshot', exact: true }).click();
    const joined = page.getByRole('navigation', { name: 'Joined to this snapshot' });
    await joined.getByRole('link', { name: 'Open the issue' }).waitFor();
    await clean(page);
    await joined.getByRole('link', { name: 'Open the issue' }).click();
    await page.getByRole('link', { name: `probe ${probe}`, exact: true }).click();
    await page.waitForURL((url) => url.pathname === '/live' && url.searchParams.get('probe') === probe);
  });

  it('is none beside an SDK', async () => {
    await host.tell({ raise: probe, file: FILE, line: 16, reporter: 'sentry' });
    const hits = page.getByRole('region', { name: 'Hits' });
    await hits.getByRole('row').nth(2).waitFor();
    assert.equal(await hits.getByRole('link', { name: 'issue', exact: true }).count(), 1);
    await eventually(async () => assert.match(await words(hits.getByRole('status')), /^2 of 20 hits, 0 dropped, 1 error event$/));
    assert.deepEqual(problems, []);
  });
});

describe('a trace before its spans', () => {
  it('says what is here, and shows the spans when they have come', async () => {
    await host.tell({ raise: probe, file: FILE, line: 16, reporter: 'sentry', trace: EARLY });
    await stored(server, `snapshots trace=${EARLY}`);
    const { page: other, problems: wrong } = await browser.open();
    await signIn(other, await server.freshLink(), `/traces/${EARLY}`);
    await other.getByRole('heading', { name: 'Its spans are not stored yet' }).waitFor();
    await other.getByText('this page looks again by itself').waitFor();
    await eventually(async () => assert.match(await words(other.locator('.say')), /1 snapshot of c0ffee.* is here, .*apply_discount pricing\.py:16 shop/));
    await clean(other);
    const nano = (ms) => `${Date.now() + ms}000000`;
    const span = { traceId: EARLY, spanId: '00000000000000a1', name: 'POST /orders', kind: 2, startTimeUnixNano: nano(-20), endTimeUnixNano: nano(0) };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
    const sent = await fetch(`${server.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
    });
    assert.equal(sent.status, 200);
    await other.getByRole('heading', { name: 'POST /orders' }).waitFor();
    // Not found is an answer of its own.
    assert.deepEqual(wrong.filter((text) => !/404/.test(text)), []);
  });

  it('says the same of one of which only an event has come', async () => {
    await host.tell({ raise: probe, file: FILE, line: 16, reporter: 'none', trace: LOST });
    await stored(server, `events trace=${LOST}`);
    await page.goto(`${server.url}/traces/${LOST}`);
    await page.getByText('No span of it is stored yet.').waitFor();
    await page.getByText('this page looks again by itself').waitFor();
    await clean(page);
  });
});
