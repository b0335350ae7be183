// What the requests that failed have in common, told from the values that a probe has captured in them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { counts, says, signIn, startBrowser, startServer, stored, words } from './harness.mjs';
import { clean, shoot, startHost } from './live_host.mjs';

let server;
let browser;
let host;
let page;
let problems;
let probe;
const FAILS = 8;
const WORKS = 8;
const traceOf = (n) => `beef${n.toString(16).padStart(28, '0')}`;
const hits = () => page.getByRole('region', { name: 'Hits', exact: true });

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }] });
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), '/live?service=shop&file=app/pricing.py&line=16&edit=1');
  await page.getByRole('button', { name: /^Place on/ }).click();
  probe = (await host.probe()).id;
  await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

/** The span of a request, as its service sends it. */
async function ends(n, failed) {
  const start = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId: traceOf(n), spanId: n.toString(16).padStart(16, '0'), name: 'POST /orders', kind: 2, startTimeUnixNano: `${start}`, endTimeUnixNano: `${start + 5_000_000n}`,
    status: failed ? { code: 2 } : {},
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  const sent = await fetch(`${server.url}/v1/traces`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  });
  assert.equal(sent.status, 200);
}

describe('hits of requests', () => {
  it('say how these ended, once that is known', async () => {
    for (let n = 1; n <= FAILS + WORKS; n++) {
      const failed = n <= FAILS;
      await ends(n, failed);
      await host.tell({ capture: probe, total: 100 + n, rate: failed ? 1500 : 15, trace: traceOf(n), span: n.toString(16).padStart(16, '0') });
    }
    await stored(server, 'spans', (rows) => rows.length === FAILS + WORKS);
    await stored(server, `snapshots probe=${probe}`, (rows) => rows.length === FAILS + WORKS);
    await page.reload();
    await hits().getByText('error', { exact: true }).nth(FAILS - 1).waitFor();
    await counts(hits().getByText('error', { exact: true }), FAILS);
    await counts(hits().getByText('ok', { exact: true }), WORKS);
  });

  it('that failed have something that the others have not', async () => {
    await hits().getByRole('button', { name: 'What differs', exact: true }).click();
    const table = hits().getByRole('region', { name: 'What differs', exact: true });
    await table.getByText('rate = 1500', { exact: true }).waitFor();
    await says(table, /rate = 15(00)? (100|0)\s?% (100|0)\s?%/);
    assert.ok(!(await words(table)).includes('currency'), 'what all have tells nothing');
    await shoot(page, 'live-differs');
    await clean(page);
    await hits().getByRole('button', { name: 'Table', exact: true }).click();
    await hits().getByRole('region', { name: 'Table of hits' }).waitFor();
    assert.deepEqual(problems, []);
  });
});
