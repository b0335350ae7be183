// Metrics: from the list of names to one over time, by an attribute, and from an example to its trace.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, eventually, signIn, startBrowser, startServer } from './harness.mjs';

const TRACE = '0af7651916cd43dd8448eb211c8031aa';
let server;
let browser;
let page;
let problems;

const nano = (ms) => String(BigInt(Date.now() + ms) * 1_000_000n);
const text = (key, stringValue) => ({ key, value: { stringValue } });

async function post(path, body) {
  const response = await fetch(server.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(response.status, 200);
}

/** A counter of two routes, a gauge, and a histogram whose second point names a trace. */
async function send() {
  const point = (route, value, at) => ({ attributes: [text('http.route', route)], startTimeUnixNano: nano(-400_000), timeUnixNano: nano(at), asDouble: value });
  const histogram = (counts, at, more) => ({
    startTimeUnixNano: nano(-400_000), timeUnixNano: nano(at), count: String(counts.reduce((a, b) => a + b, 0)), sum: 1,
    bucketCounts: counts.map(String), explicitBounds: [0.1, 0.2], ...more,
  });
  const exemplars = [{ timeUnixNano: nano(-61_000), asDouble: 0.15, traceId: TRACE, spanId: 'a000000000000001' }];
  const times = [-240_000, -180_000, -120_000, -60_000];
  const metrics = [
    { name: 'orders', unit: '{order}', sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: times.flatMap((at, n) => [point('/a', n * 60, at), point('/b', n * 6, at)]) } },
    { name: 'queue.length', unit: '1', gauge: { dataPoints: times.map((at, n) => point('/a', n, at)) } },
    { name: 'latency', unit: 's', histogram: { aggregationTemporality: 2, dataPoints: times.map((at, n) => histogram([0, n * 10, 0], at, n === 3 && { exemplars })) } },
  ];
  await post('/v1/metrics', { resourceMetrics: [{ resource: { attributes: [text('service.name', 'shop'), text('service.instance.id', 'shop-1')] }, scopeMetrics: [{ metrics }] }] });
  const span = { traceId: TRACE, spanId: 'a000000000000001', name: 'GET /a', kind: 2, startTimeUnixNano: nano(-61_000), endTimeUnixNano: nano(-60_900) };
  await post('/v1/traces', { resourceSpans: [{ resource: { attributes: [text('service.name', 'shop')] }, scopeSpans: [{ spans: [span] }] }] });
}

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  ({ page, problems } = await browser.open());
  await signIn(page, server.link);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

const rows = async (caption) => {
  const table = page.getByRole('table', { name: caption });
  await table.locator('tbody tr').first().waitFor();
  return (await table.locator('tbody tr').allInnerTexts()).map((row) => row.replace(/\s+/g, ' ').trim());
};

describe('metrics', () => {
  it('says how to send some, when there are none', async () => {
    await page.goto(`${server.url}/explore/metrics`);
    await page.getByRole('heading', { name: 'No metric has arrived in this range' }).waitFor();
    assert.deepEqual(await axe(page), []);
  });

  it('lists what there is, with type and unit, and finds by name', async () => {
    await send();
    await page.goto(`${server.url}/explore/metrics?from=-15m`);
    const names = page.getByRole('region', { name: 'Names of metrics' });
    await names.getByText(/^counter · order · 1 instance$/).waitFor();
    await eventually(async () => assert.equal(await names.getByRole('listitem').count(), 3));
    await page.getByRole('textbox', { name: 'Find a metric' }).fill('queue');
    await names.getByText(/^gauge · 1 · 1 instance$/).waitFor();
    await eventually(async () => assert.equal(await names.getByRole('listitem').count(), 1));
    await page.getByRole('textbox', { name: 'Find a metric' }).fill('');
  });

  it('shows a counter as a rate, and by an attribute', async () => {
    await page.getByRole('link', { name: /^orders/ }).click();
    await page.getByRole('heading', { name: 'orders', exact: true }).waitFor();
    await eventually(async () => assert.match((await rows('Series'))[0], /^orders .*1\.1\/s$/));
    await page.getByLabel('by').selectOption('http.route');
    await page.getByRole('row', { name: /^\/b/ }).waitFor();
    await eventually(async () => assert.match((await rows('Series')).join('\n'), /^\/a .* 1\/s\n\/b .* 0\.1\/s$/));
    assert.match(page.url(), /by=http\.route/);
  });

  it('shows a histogram as percentiles, also as a table, and the query that was asked', async () => {
    await page.getByRole('link', { name: /^latency/ }).click();
    await page.getByRole('heading', { name: 'latency', exact: true }).waitFor();
    await page.getByRole('row', { name: /^p50/ }).waitFor();
    await eventually(async () => {
      const series = (await rows('Series')).join('\n');
      assert.match(series, /^p50 150.ms/m);
      assert.match(series, /^p95 195.ms/m);
    });
    await page.getByRole('button', { name: 'As a table' }).click();
    await page.getByRole('table').getByText(/150.ms/).first().waitFor();
    await page.getByRole('button', { name: 'As a chart' }).click();
  });

  it('filters by the query', async () => {
    const bar = page.getByRole('combobox', { name: 'Query for metrics' });
    await bar.fill('metrics name=latency service=nobody');
    await bar.press('Enter');
    await page.getByText('Percentiles need two points of a series').waitFor();
    await bar.fill('metrics name=latency service=');
    await bar.press('Escape');
    await bar.fill('metrics name=latency service=shop');
    await bar.press('Enter');
    await page.getByRole('row', { name: /^p50/ }).waitFor();
  });

  it('leads from an example to its trace', async () => {
    await eventually(async () => assert.match((await rows('Examples'))[0], /^0af76519 .* 150.ms$/));
    await page.getByRole('link', { name: '0af76519', exact: true }).click();
    await page.getByRole('heading', { name: 'GET /a' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'latency', exact: true }).waitFor();
  });

  for (const [name, viewport, colorScheme] of [['wide, light', { width: 1440, height: 900 }, 'light'], ['wide, dark', { width: 1440, height: 900 }, 'dark'], ['narrow, dark', { width: 390, height: 844 }, 'dark']])
    it(`is accessible, and no wider than the screen (${name})`, async () => {
      const other = await browser.open({ viewport, colorScheme });
      await signIn(other.page, await server.freshLink());
      await other.page.goto(`${server.url}/explore/metrics?from=-15m&q=metrics+name%3Dlatency`);
      await other.page.getByRole('row', { name: /^p50/ }).waitFor();
      assert.deepEqual(await axe(other.page), []);
      assert.ok((await other.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      await other.context.close();
    });

  it('had no error in the console', () => assert.deepEqual(problems, []));
});
