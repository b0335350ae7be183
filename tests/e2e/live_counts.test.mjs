// Numbers out of a running process: a metric and a timer written on the Live page, and what they count as it is counted.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, holds, says, signIn, startBrowser, startServer, stored } from './harness.mjs';
import { clean, shoot, startHost } from './live_host.mjs';

let server;
let browser;
let host;
let page;
let problems;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }] });
  ({ page, problems } = await browser.open());
  await signIn(page, await server.freshLink(), '/live?service=shop&file=app/pricing.py');
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

const row = () => page.getByRole('region', { name: 'Probes', exact: true });
const counted = () => page.getByRole('region', { name: 'Hits', exact: true });

describe('a metric', () => {
  let id;

  it('is written beside a line: what it is, of which value, and by what', async () => {
    await page.getByRole('button', { name: 'Place a probe at line 16', exact: true }).click();
    await page.getByRole('button', { name: 'Metric', exact: true }).click();
    // It can be placed as it stands.
    await holds(page.getByLabel('Name of the metric'), 'pricing.apply_discount.runs');
    await eventually(async () => assert.ok(await page.getByRole('button', { name: /^Place on/ }).isEnabled()));
    await page.getByLabel('Name of the metric').fill('orders placed');
    await page.getByText('A name has letters, digits').waitFor();
    await page.getByLabel('Name of the metric').fill('orders.placed');
    await page.getByRole('button', { name: 'gauge', exact: true }).click();
    await page.getByText('A gauge needs a value.').waitFor();
    await page.getByRole('button', { name: 'counter', exact: true }).click();
    await page.getByRole('button', { name: 'attribute', exact: true }).click();
    await page.getByLabel('Name of attribute 1').fill('tier');
    await page.getByText('An attribute needs a name and a value.').waitFor();
    await page.getByLabel('Value of attribute 1').fill('order.customer.tier');
    await page.getByText('every run is counted').waitFor();
    await shoot(page, 'live-metric-editor');
    await clean(page);
    await page.getByLabel('Name of the metric').press('Control+Enter');
    const sent = await host.probe();
    assert.deepEqual([sent.kind, sent.where.line, sent.metric.kind, sent.metric.name], ['metric', 16, 'count', 'orders.placed']);
    assert.equal(sent.metric.by.tier.text, 'order.customer.tier');
    ({ id } = sent);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
  });

  it('shows what it counts, as a number and as a line for each value', async () => {
    await host.tell({ figures: id, kind: 'count', name: 'orders.placed', hits: 700, series: [{ count: 60, by: { tier: 'gold' } }, { count: 40, by: { tier: 'new' } }] });
    await row().getByText('700 counted').waitFor();
    await counted().getByText('700 runs counted').waitFor();
    await stored(server, "metrics name=orders.placed | stats count() as n");
    await page.goto(page.url());
    await counted().getByRole('img').or(counted().locator('canvas')).first().waitFor();
    await row().locator('svg.spark').waitFor();
    await says(counted(), /orders\.placed a second, by tier/);
    await shoot(page, 'live-counted');
    await page.goto(page.url().replace('pane=source', 'pane=hits'));
    await counted().getByText('700 runs counted').waitFor();
    await shoot(page, 'live-counted-pane');
    await clean(page);
    await counted().getByRole('link', { name: 'Open in Metrics' }).click();
    await page.waitForURL(/\/explore\/metrics\?q=metrics\+name%3Dorders\.placed\+probe%3Dp\d+/);
    await page.getByRole('heading', { name: 'orders.placed' }).first().waitFor();
    await page.goBack();
  });

  it('is changed where it stands', async () => {
    await page.getByRole('button', { name: 'Probe at line 16', exact: true }).click();
    await holds(page.getByLabel('Value of attribute 1'), 'order.customer.tier');
    await page.getByRole('button', { name: 'histogram', exact: true }).click();
    await page.getByLabel('Value', { exact: true }).fill('order.total');
    await page.getByRole('button', { name: 'Remove attribute 1', exact: true }).click();
    await page.getByRole('button', { name: /^Update/ }).click();
    const sent = await host.probe((probe) => probe.revision === 2);
    assert.deepEqual([sent.metric.kind, sent.metric.value.text, sent.metric.by], ['histogram', 'order.total', undefined]);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
  });
});

describe('a timer', () => {
  it('measures the function around the line, and nothing where there is none', async () => {
    await page.getByRole('button', { name: 'Place a probe at line 2', exact: true }).click();
    await page.getByRole('button', { name: 'Timer', exact: true }).click();
    await page.getByText('A timer measures a function, and the line is in none.').waitFor();
    await page.getByLabel('Condition').press('Escape');
    await page.getByLabel('Condition').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Place a probe at line 21', exact: true }).click();
    await page.getByRole('button', { name: 'Timer', exact: true }).click();
    await eventually(async () => assert.ok(await page.getByRole('button', { name: 'line 21', exact: true }).isDisabled()));
    await clean(page);
    await page.getByRole('button', { name: /^Place on/ }).click();
    const sent = await host.probe((probe) => probe.kind === 'timer');
    assert.deepEqual(sent.where, { file: 'app/pricing.py', function: 'price_order', at: 'exit' });
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await counted().getByText('40 runs timed').waitFor();
    await page.getByRole('button', { name: 'Probe at line 20', exact: true }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('price_order() exit is removed').waitFor();
    assert.deepEqual(problems, []);
  });
});

describe('captures of some traces', () => {
  it('are picked beside the limits, at a rate that suits them', async () => {
    await page.goto(`${server.url}/live?service=shop&file=app/pricing.py`);
    await page.getByRole('button', { name: 'Place a probe at line 13', exact: true }).click();
    await page.getByLabel('Traces', { exact: true }).selectOption({ label: 'of failed traces' });
    await holds(page.getByLabel('Rate', { exact: true }), '100');
    await clean(page);
    await page.getByLabel('Condition').press('Control+Enter');
    const { id, keep, rate } = await host.probe((probe) => probe.keep === 'trace_error');
    assert.deepEqual([keep, rate], ['trace_error', 100]);
    await page.getByLabel('Condition').waitFor({ state: 'detached' }); // the server has answered
    await counted().getByText('no trace through here has failed yet').waitFor();
    await page.getByRole('button', { name: 'Probe at line 13', exact: true }).click();
    await page.getByLabel('Traces', { exact: true }).selectOption({ label: 'of traces over 1\u202fs' });
    await page.getByLabel('Condition').press('Control+Enter');
    const again = await host.probe((probe) => probe.id === id && probe.revision === 2);
    assert.deepEqual([again.keep, again.keep_ms], ['trace_slow', 1000]);
  });
});
