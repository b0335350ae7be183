// Two traces of one root, and one beside all of its kind: from the trace page to the row that makes the difference.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, noWider, says, signIn, startBrowser, startServer } from './harness.mjs';

const SLOW = '5a5a0000000000000000000000000001';
const QUICK = '5a5a0000000000000000000000000002';
const BEGIN = Date.now() - 120_000;

const value = (v) => (typeof v === 'number' ? { intValue: String(v) } : { stringValue: v });
const attributes = (of) => Object.entries(of).map(([key, v]) => ({ key, value: value(v) }));
const nano = (ms) => `${Math.round(ms)}000000`;

/** An order: the cart is read line by line in the slow one, which then fails. */
function order(trace, begin, { selects, coupon, failed }) {
  let ids = 0;
  const id = () => `${trace.slice(-4)}${String(++ids).padStart(12, '0')}`;
  const span = (parent, name, kind, from, length, attr = {}, status) => ({
    traceId: trace, spanId: id(), ...(parent && { parentSpanId: parent }), name, kind,
    startTimeUnixNano: nano(begin + from), endTimeUnixNano: nano(begin + from + length), attributes: attributes(attr), ...(status && { status }),
  });
  const reads = selects * 40;
  const root = span('', 'POST /orders', 2, 0, 100 + reads, { 'http.response.status_code': failed ? 500 : 201, 'request.id': trace });
  const cart = span(root.spanId, 'load_cart', 1, 5, reads + 5);
  const selected = Array.from({ length: selects }, (_, n) => span(cart.spanId, 'SELECT cart_items', 3, 8 + n * 40, 40, { 'db.system.name': 'postgresql' }));
  const price = span(root.spanId, 'apply_discount', 1, 20 + reads, 60, { 'coupon.kind': coupon }, failed ? { code: 2, message: 'TypeError: no rate' } : undefined);
  const more = failed ? [span(root.spanId, 'orders.compensate', 1, 85 + reads, 10)] : [span(root.spanId, 'payments.charge', 3, 82 + reads, 12)];
  return [root, cart, ...selected, price, ...more];
}

async function send(url, version, spans) {
  const resource = { attributes: attributes({ 'service.name': 'checkout', 'service.version': version }) };
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'e2e' }, spans }] }] }),
  });
  assert.equal(response.status, 200);
}

let server, browser, page, problems;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await send(server.url, '1.4.2', order(SLOW, BEGIN, { selects: 14, coupon: 'percent_bp', failed: true }));
  await send(server.url, '1.4.1', order(QUICK, BEGIN - 1000, { selects: 1, coupon: 'fixed', failed: false }));
  for (let n = 0; n < 12; n++) {
    const trace = `5a5b${String(n).padStart(28, '0')}`;
    await send(server.url, '1.4.1', order(trace, BEGIN - 5000 - n * 700, { selects: 1 + (n % 2), coupon: 'fixed', failed: false }));
  }
  ({ page, problems } = await browser.open());
  await signIn(page, server.link);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
  assert.deepEqual(problems, []);
});

const said = () => page.getByRole('region', { name: 'Conclusion' });

test('from a slow trace to the one before it, and what is different in words', async () => {
  await page.goto(`${server.url}/traces/${SLOW}`);
  await page.getByRole('button', { name: /checkout 1\.4\.2/ }).waitFor(); // what it ran
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: /The one before/ }).click();
  await page.waitForURL(`**/compare?a=${SLOW}&b=${QUICK}`);
  await says(said(), /checkout POST \/orders took 520 ms more, 660 ms instead of 140 ms/);
  await says(said(), /all of it in SELECT cart_items ×14, which the other has once/);
  await says(said(), /apply_discount failed here only/);
  await says(said(), /checkout ran 1\.4\.2 here, 1\.4\.1 there; coupon\.kind is percent_bp here, fixed there\.$/);
  await says(page.getByRole('row', { name: /SELECT cart_items/ }), /×14, B ×1/);
  await page.getByRole('row', { name: /orders\.compensate/ }).getByText('A only').waitFor();
  await page.getByRole('row', { name: /payments\.charge/ }).getByText('B only').waitFor();
});

test('keys go from difference to difference; a row tells its attributes and leads to its span', async () => {
  await page.goto(`${server.url}/compare?a=${SLOW}&b=${QUICK}`);
  await page.getByRole('link', { name: /failed here only/ }).click();
  const panel = page.getByRole('complementary', { name: 'The chosen row' });
  await panel.getByRole('row', { name: /coupon\.kind percent_bp fixed/ }).waitFor();
  await page.waitForURL(/row=\d/); // and the link holds it
  await page.keyboard.press('d');
  await page.getByRole('row', { name: /load_cart/ }).waitFor(); // above what differs
  await page.keyboard.press('x');
  await page.waitForURL(`**/compare?a=${QUICK}&b=${SLOW}**`);
  await page.getByText(/took 520.ms less/).waitFor();
  await page.goto(`${server.url}/compare?a=${SLOW}&b=${QUICK}`);
  await page.getByRole('row', { name: /apply_discount/ }).click();
  await page.getByRole('link', { name: 'Open in A' }).click();
  await page.waitForURL(`**/traces/${SLOW}?span=*`);
});

test('beside all of its kind: how many, how chosen, and what is rare', async () => {
  await page.goto(`${server.url}/traces/${SLOW}`);
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: /All others of its kind/ }).click();
  await page.waitForURL(`**/compare?a=${SLOW}&with=population`);
  await says(said(), /took 660 ms, more than any of them/);
  await says(said(), /apply_discount failed here, and seldom elsewhere/);
  await page.getByText('13 other traces of this root').waitFor();
  await page.getByRole('row', { name: /SELECT cart_items/ }).getByText(/×14, usually ×1.5/).waitFor();
  await page.getByRole('link', { name: '±6 h' }).click();
  await page.waitForURL('**from=*');
  await page.getByText('13 other traces of this root').waitFor();
});

test('what is not there is said, and axe has nothing against any of it', async () => {
  await page.goto(`${server.url}/compare?a=${SLOW}&b=${'0'.repeat(31)}1`);
  await page.getByRole('heading', { name: 'One of the traces is not stored' }).waitFor();
  await page.goto(`${server.url}/compare`);
  await page.getByRole('heading', { name: 'Choose what to compare' }).waitFor();
  for (const address of [`/compare?a=${SLOW}&b=${QUICK}&row=3`, `/compare?a=${SLOW}&with=population&row=2`]) {
    for (const [theme, width] of [['light', 1440], ['dark', 1440], ['light', 390]]) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 900 });
      await page.goto(server.url + address);
      await page.getByRole('complementary', { name: 'The chosen row' }).waitFor();
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/compare-${address.includes('with') ? 'many' : 'two'}-${width}-${theme}.png` });
      assert.deepEqual(await axe(page), [], `${address} ${theme} ${width}`);
      await noWider(page);
    }
  }
});
