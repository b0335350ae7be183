// The thread: from a sign-in link to the line of code that failed, in a real browser, over the real demo shop.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, eventually, order, resize, signIn, startBrowser, startDemo, startServer, stored } from './harness.mjs';

const CUSTOMER = 'u_e2e';
let server;
let demo;
let browser;

before(async () => {
  server = await startServer();
  [demo, browser] = await Promise.all([startDemo(server.url), startBrowser()]);
  const failed = await order(demo.web, { customer: CUSTOMER, lines: ['BALL-1', 'LAMP-1', 'SPIN-1', 'WAX-1', 'OIL-2', 'SEAL-3'], coupon: 'AUTUMN-15' });
  assert.equal(failed.status, 500, 'the demo has its bug');
  const placed = await order(demo.web, { customer: CUSTOMER, lines: ['AMPH-3'], coupon: 'WELCOME' });
  assert.equal(placed.status, 201);
  // Exporters send each second, each for itself: all that is looked at below has come.
  const [{ trace }] = await stored(server, `spans root=true user=${CUSTOMER} http.response.status_code=500`);
  const names = ['POST /orders', 'load_cart', 'reserve_stock', 'price_order', 'apply_discount', 'load_coupon'];
  const whole = (spans) =>
    names.every((name) => spans.some((span) => span.name === name)) &&
    spans.filter(({ name }) => name === 'SELECT').length === 8 &&
    new Set(spans.map(({ service }) => service)).size === 4;
  const spans = await stored(server, `spans trace=${trace}`, whole);
  assert.ok(whole(spans), spans.map(({ service, name, span, parent }) => `${service} ${name} ${span} in ${parent}`).join('\n'));
  const LINES = 5;
  assert.ok((await stored(server, `logs trace=${trace}`, (lines) => lines.length >= LINES)).length >= LINES);
});

after(async () => {
  await browser?.stop();
  await demo?.stop();
  await server?.stop();
});

/** Rows of the table twin as text, one string a row. */
async function tableRows(page) {
  await page.locator('.ttable tbody tr').first().waitFor();
  return (await page.locator('.ttable tbody tr').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
}

describe('a failing request', () => {
  let page;
  let problems;

  before(async () => {
    ({ page, problems } = await browser.open());
    const requested = [];
    page.on('request', (request) => requested.push(request.url()));
    await signIn(page, server.link);
    const token = new URL(server.link).hash.slice(1);
    assert.ok(token.length > 10);
    assert.ok(!requested.some((url) => url.replace(/#.*$/, '').includes(token)), 'the token of the link is in no address that was asked for');
  });

  it('signs in with the link, comes home, and goes to the traces of the demo', async () => {
    await page.locator('.home h1').waitFor();
    assert.equal(new URL(page.url()).pathname, '/');
    assert.equal(new URL(page.url()).hash, '');
    await page.keyboard.type('gt');
    await page.waitForURL(/\/traces$/);
    await page.locator('.tracelist a').first().waitFor();
    await page.getByText(/traces$/).first().waitFor();
  });

  it('is found by a query that completes itself', async () => {
    const bar = page.getByRole('combobox', { name: 'Query for traces' });
    await bar.fill('spans ro');
    await page.getByRole('option', { name: /^root/ }).waitFor();
    await bar.fill('spans root=true user=u_');
    const option = page.getByRole('option', { name: new RegExp(`^${CUSTOMER}`) });
    await option.click();
    await bar.press('End');
    await bar.pressSequentially(' http.response.status_code=500');
    await bar.press('Enter');
    const row = page.locator('.tracelist a', { hasText: 'POST /checkout' });
    await row.first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.tracelist a').length === 1);
    await eventually(async () => {
      const text = (await row.innerText()).replace(/\s+/g, ' ');
      for (const part of ['500', 'web', 'TypeError', CUSTOMER]) assert.ok(text.includes(part), `${part} in "${text}"`);
    });
    await page.waitForURL(/q=spans/);
  });

  it('opens as one waterfall across Node, Python, C and Java down to SQL, with its logs in place', async () => {
    await page.locator('.tracelist a').first().click();
    await page.getByRole('heading', { name: 'POST /checkout' }).waitFor();
    await page.getByText(/\d+ spans, 4 services/).waitFor();
    await page.getByRole('group', { name: /Arrow keys move/ }).waitFor();
    // The table has the rows that are seen, and some beyond: here all of them.
    await resize(page, 1440, 1600);
    await page.keyboard.press('t');
    const expected = [/^POST \/checkout web .*error$/, /^checkout begun web .*info line$/, /^POST .*\/orders web .*error$/, /^POST \/orders checkout .*error$/, /^load_cart checkout/,
      /^SELECT sku, quantity FROM cart_items .* postgresql/, /^SELECT ×6 price FROM products .* postgresql .*repeated$/, /^cart of order \d+ loaded: 6 lines.* checkout/, /^reserve_stock checkout/,
      /^price_order checkout .*error$/, /^apply_discount checkout .*error$/, /^coupon AUTUMN-15 has no rate.* checkout .*warn line$/, /^order \d+ not priced/, /^POST \/orders answered 500/];
    await eventually(async () => {
      const rows = await tableRows(page);
      let at = 0;
      for (const pattern of expected) {
        const found = rows.findIndex((row, index) => index >= at && pattern.test(row));
        assert.notEqual(found, -1, `${pattern} after row ${at} of\n${rows.join('\n')}`);
        at = found + 1;
      }
    });
    await page.keyboard.press('t');
    await resize(page, 1440, 900);
    await page.locator('.wf canvas').waitFor();
  });

  it('paints the waterfall', async () => {
    const colours = () =>
      page.locator('.wf canvas').evaluate((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
        return seen.size;
      });
    await eventually(async () => assert.ok((await colours()) > 20));
  });

  it('leads to the exception, by the keys alone', async () => {
    const said = page.getByRole('status').first();
    for (let n = 0, text = await said.innerText(); n < 12 && !/apply_discount/.test(text); n++) {
      await page.keyboard.press('e');
      text = await eventually(async () => {
        const now = await said.innerText();
        assert.notEqual(now, text, 'the next error is said');
        return now;
      });
    }
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    await panel.getByText('TypeError', { exact: true }).first().waitFor();
    await panel.getByText(/unsupported operand type/).first().waitFor();
    await panel.getByText('app.coupon.kind').waitFor();
    await panel.getByText('percent_bp').waitFor();
    await panel.getByRole('tab', { name: /Logs 1/ }).click();
    await panel.getByText(/coupon AUTUMN-15 has no rate/).waitFor();
    await panel.getByRole('tab', { name: 'Process' }).click();
    await panel.getByText('telemetry.sdk.language').waitFor();
    await page.waitForURL(/span=[0-9a-f]{16}/);
  });

  it('is a permalink: the same span is open after a reload', async () => {
    await page.reload();
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    await panel.getByText('apply_discount').first().waitFor();
  });

  it('finds in the trace, and zooms and fits', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('coupons rate_bp');
    await page.getByText('1', { exact: true }).first().waitFor();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    await panel.getByText(/SELECT code, kind, rate, rate_bp FROM coupons/).first().waitFor();
    await page.keyboard.press('Escape');
    const label = () => page.locator('.axis span').nth(1).innerText();
    const before = await label();
    await page.keyboard.press('w');
    await page.keyboard.press('w');
    await page.waitForFunction((old) => document.querySelectorAll('.axis span')[1]?.innerText !== old, before);
    await page.keyboard.press('z');
    await page.waitForFunction((old) => document.querySelectorAll('.axis span')[1]?.innerText === old, before);
  });

  it('is joined to its logs, and they lead back to it', async () => {
    await page.getByRole('link', { name: /^Logs \d+/ }).first().click();
    await page.locator('.loglist .lg1').first().waitFor();
    for (const part of ['checkout begun', 'not priced: unsupported operand', 'POST /orders answered 500']) await page.locator('.loglist .lg1', { hasText: part }).waitFor();
    await page.locator('.loglist .lg1', { hasText: 'not priced' }).click();
    await page.getByRole('complementary', { name: 'The chosen line' }).getByText('exception.type').waitFor();
    await page.getByRole('button', { name: /^Its trace/ }).click();
    await page.getByRole('heading', { name: 'POST /checkout' }).waitFor();
  });

  it('goes back the way it came, along the thread', async () => {
    const thread = page.getByRole('navigation', { name: 'You are here' });
    await thread.getByRole('link', { name: 'Traces' }).first().click();
    await page.locator('.tracelist a', { hasText: 'POST /checkout' }).waitFor();
    const bar = page.getByRole('combobox', { name: 'Query for traces' });
    await eventually(async () => assert.equal(await bar.inputValue(), `spans root=true user=${CUSTOMER} http.response.status_code=500`));
  });

  it('had no error in the console and no breach of the pages\' own policy', () => assert.deepEqual(problems, []));
});

describe('the list of traces', () => {
  let page;
  let problems;

  before(async () => {
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/traces');
    await page.locator('.tracelist a').first().waitFor();
  });

  it('shows what arrives, without being asked', async () => {
    await page.goto(`${server.url}/traces?q=${encodeURIComponent('spans root=true user=u_live')}`);
    await page.getByText('No trace matches in this range').waitFor();
    await order(demo.web, { customer: 'u_live', lines: ['SPIN-1'] });
    await page.locator('.tracelist a', { hasText: 'POST /checkout' }).first().waitFor();
  });

  it('says what is wrong with a query, where, and mends it', async () => {
    const bar = page.getByRole('combobox', { name: 'Query for traces' });
    await bar.fill('spans status=broken');
    await bar.press('Enter');
    const alert = page.getByRole('alert');
    await alert.getByText(/column 14/).waitFor();
    await eventually(async () => assert.equal(await page.locator('.qbar .bad').innerText(), 'broken'));
    await alert.getByRole('button', { name: 'error', exact: true }).click();
    await page.locator('.tracelist a').first().waitFor();
    await eventually(async () => assert.equal(await bar.inputValue(), 'spans status=error'));
    await alert.waitFor({ state: 'detached' });
  });

  it('narrows to a box in the heat map, and says it in the address', async () => {
    await page.goto(`${server.url}/traces`);
    await page.locator('.tracelist a').first().waitFor();
    const map = page.locator('.heat canvas');
    // Until it stands still.
    await page.locator('.heat').hover();
    const box = await map.boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 12);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 4, box.y + box.height - 60, { steps: 6 });
    await page.mouse.up();
    await page.waitForURL(/box=/);
    await page.locator('.picked .tag', { hasText: /spans?, / }).waitFor();
    await page.locator('.tracelist a').first().waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.search.includes('box='));
  });

  it('is worked with keys', async () => {
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.locator('.tr1.sel').waitFor();
    assert.equal(await page.locator('.tr1.sel').count(), 1);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.goBack();
    await page.locator('.tracelist a').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('live or pause').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: /^checkout/ }).click();
    await page.waitForURL(/q=spans\+service%3Dcheckout/);
  });

  it('had no error in the console', () => assert.deepEqual(problems, []));
});

describe('a trace that is not whole', () => {
  let page;
  const TRACE = '0af7651916cd43dd8448eb211c80319c';

  before(async () => {
    const now = BigInt(Date.now()) * 1_000_000n - 5_000_000_000n;
    const at = (ms) => String(now + BigInt(ms) * 1_000_000n);
    const span = (spanId, parentSpanId, name, kind, start, end, more) => ({
      traceId: TRACE, spanId, ...(parentSpanId && { parentSpanId }), name, kind, startTimeUnixNano: at(start), endTimeUnixNano: at(end), ...more,
    });
    const of = (service, spans) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [{ scope: { name: 'by hand' }, spans }],
    });
    const body = {
      resourceSpans: [
        of('front', [span('a000000000000001', '', 'GET /', 2, 0, 500), span('a000000000000002', 'a000000000000001', 'GET', 3, 100, 300)]),
        // Its clock is a second behind.
        of('back', [span('b000000000000001', 'a000000000000002', 'GET /inner', 2, -900, -760)]),
        // Their parent was never sent.
        of('worker', [span('c000000000000001', 'dead00000000beef', 'first', 5, 320, 380), span('c000000000000002', 'dead00000000beef', 'second', 5, 390, 450, { status: { code: 2 } })]),
      ],
    };
    const response = await fetch(`${server.url}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    assert.equal(response.status, 200);
    ({ page } = await browser.open());
    await signIn(page, await server.freshLink());
    await page.goto(`${server.url}/traces/${TRACE}`);
    await page.getByRole('heading', { name: 'GET /', exact: true }).waitFor();
  });

  it('shows what is missing, where its children ran, and why that happens', async () => {
    await page.keyboard.press('t');
    await eventually(async () => assert.match((await tableRows(page)).join('\n'), /^Span dead00000000beef never arrived.*\nfirst worker.*\nsecond worker .*error$/m));
    await page.keyboard.press('t');
    await page.getByRole('button', { name: /1 span missing/ }).click();
    await page.getByRole('complementary').getByText(/2 spans name dead00000000beef as their parent/).waitFor();
  });

  it('corrects a clock that is wrong, says by how much, and shows what was sent on demand', async () => {
    const begins = async (start) => {
      await page.keyboard.press('t');
      await eventually(async () => assert.match((await tableRows(page)).join('\n'), start));
      await page.keyboard.press('t');
    };
    const pill = page.getByRole('button', { name: /back clock \+1,030.ms, corrected/ });
    await pill.waitFor();
    await begins(/^GET \/inner back 130.ms/m);
    await pill.click();
    await page.getByRole('button', { name: 'times as sent' }).waitFor();
    await begins(/^GET \/inner back 0.ms/m);
  });

  it('asks again for a young trace, until it is whole', async () => {
    const late = '0af7651916cd43dd8448eb211c803100';
    const nano = (ms) => String(BigInt(Date.now() + ms) * 1_000_000n);
    const post = (span) =>
      fetch(`${server.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'front' } }] }, scopeSpans: [{ spans: [span] }] }],
        }),
      });
    await post({ traceId: late, spanId: 'a000000000000009', parentSpanId: 'a000000000000008', name: 'inner', kind: 1, startTimeUnixNano: nano(-50), endTimeUnixNano: nano(-10) });
    await page.goto(`${server.url}/traces/${late}`);
    await page.getByRole('button', { name: /1 span missing so far/ }).waitFor();
    await post({ traceId: late, spanId: 'a000000000000008', name: 'outer', kind: 2, startTimeUnixNano: nano(-100), endTimeUnixNano: nano(0) });
    await page.getByRole('heading', { name: 'outer' }).waitFor();
    await page.getByRole('button', { name: /missing/ }).waitFor({ state: 'detached' });
  });
});

describe('a trace with an error of an error SDK', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80e001';
  const ALONE = '0af7651916cd43dd8448eb211c80e002';
  const EVENT = 'e'.repeat(32);
  let page;
  let problems;

  before(async () => {
    const begin = Date.now() - 5000;
    const nano = (ms) => String(BigInt(begin + ms) * 1_000_000n);
    const spans = [
      { traceId: TRACE, spanId: 'a000000000000001', name: 'GET /cart', kind: 2, startTimeUnixNano: nano(0), endTimeUnixNano: nano(400) },
      { traceId: TRACE, spanId: 'a000000000000002', parentSpanId: 'a000000000000001', name: 'total', kind: 1, startTimeUnixNano: nano(100), endTimeUnixNano: nano(300) },
    ];
    const sent = await fetch(`${server.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }, scopeSpans: [{ spans }] }] }),
    });
    assert.equal(sent.status, 200);
    const key = new URL(await server.dsn()).username;
    const frame = (name, filename, lineno, in_app) => ({ function: name, filename, lineno, in_app });
    const post = async (event_id, trace_id) => {
      const event = {
        event_id, level: 'error', platform: 'python', timestamp: (begin + 200) / 1000, release: 'shop@1.4.2', user: { id: 'u_20417' },
        tags: { service: 'shop', 'coupon.kind': 'percent_bp' }, contexts: { trace: { trace_id, span_id: 'a000000000000002' } },
        exception: { values: [{ type: 'TypeError', value: 'no rate', mechanism: { type: 'generic', handled: false },
          stacktrace: { frames: [frame('serve', 'flask/app.py', 9, false), frame('dispatch', 'flask/app.py', 8, false), frame('discount', 'shop/pricing.py', 88, true)] } }] },
      };
      const item = JSON.stringify(event);
      const answer = await fetch(`${server.url}/api/1/envelope/?sentry_key=${key}`, { method: 'POST', body: `{}\n${JSON.stringify({ type: 'event', length: Buffer.byteLength(item) })}\n${item}\n` });
      assert.equal(answer.status, 200);
    };
    await post(EVENT, TRACE);
    await post('f'.repeat(32), ALONE);
    for (const trace of [TRACE, ALONE]) assert.equal((await stored(server, `events trace=${trace}`)).length, 1);
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink());
    await page.goto(`${server.url}/traces/${TRACE}`);
    await page.getByRole('heading', { name: 'GET /cart', exact: true }).waitFor();
  });

  it('has it under its span, counts it, and e goes to it', async () => {
    await page.getByRole('button', { name: 'Errors 1' }).waitFor();
    await page.keyboard.press('t');
    await eventually(async () => assert.match((await tableRows(page)).join('\n'), /^GET \/cart .*\ntotal shop .*\nTypeError: no .*shop 200.ms not handled$/));
    await page.keyboard.press('t');
    await page.keyboard.press('e');
    await page.waitForURL((url) => url.searchParams.get('event') === EVENT);
    await page.getByRole('status').filter({ hasText: 'Row 3 of 3: exception of shop, not handled: TypeError: no rate' }).waitFor();
  });

  it('tells what was thrown, where, with whom, in which release; frames of libraries on demand', async () => {
    await page.reload();
    const panel = page.getByRole('complementary', { name: 'The chosen row' });
    for (const text of ['not handled', 'no rate', 'discount', 'shop/pricing.py:88', 'u_20417', 'shop@1.4.2', 'percent_bp']) await panel.getByText(text, { exact: true }).first().waitFor();
    assert.equal(await panel.getByText('flask/app.py:9').count(), 0);
    await panel.getByRole('button', { name: 'Show 2 frames of libraries' }).click();
    await panel.getByText('flask/app.py:9').waitFor();
    assert.deepEqual(await axe(page), []);
    await panel.getByRole('button', { name: 'total' }).click();
    await panel.getByRole('tab', { name: 'Errors 1' }).click();
    await panel.getByText('shop/pricing.py:88').waitFor();
    await panel.getByRole('button', { name: 'All details' }).click();
    await panel.getByRole('link', { name: 'Traces with TypeError' }).click();
    await page.locator('.tracelist a', { hasText: 'GET /cart' }).waitFor();
  });

  it('is a page also when it is all that came of its trace', async () => {
    await page.goto(`${server.url}/traces/${ALONE}`);
    await page.getByRole('heading', { name: 'TypeError: no rate' }).waitFor();
    await page.keyboard.press('e');
    await page.getByRole('complementary', { name: 'The chosen row' }).getByText('shop/pricing.py:88').waitFor();
    assert.deepEqual(problems, []);
  });
});

describe('who may see it', () => {
  it('is nobody without a session, and a link works once', async () => {
    const { page } = await browser.open();
    await page.goto(`${server.url}/traces`);
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await page.goto(server.link);
    await page.reload();
    await page.getByRole('button', { name: 'Sign in', exact: true }).first().click();
    await page.getByRole('alert').waitFor();
    await page.getByText('clew login-link', { exact: true }).waitFor();
    await page.context().close();
  });

  it('is nobody after signing out', async () => {
    const { page } = await browser.open();
    await signIn(page, await server.freshLink(), '/traces');
    await page.locator('.tracelist a').first().waitFor();
    await page.getByTitle(/^Signed in as/).locator('visible=true').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await page.context().close();
  });
});

describe('every page', () => {
  const sizes = [
    { name: 'wide, light', viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
    { name: 'wide, dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
    { name: 'narrow, dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  ];
  for (const { name, ...options } of sizes) {
    it(`is accessible, and no wider than the screen (${name})`, async () => {
      const { page, context, problems } = await browser.open(options);
      await page.goto(`${server.url}/`);
      await page.getByRole('heading').first().waitFor();
      const found = { 'signed out': await axe(page) };
      await signIn(page, await server.freshLink(), '/traces');
      await page.locator('.tracelist a').first().waitFor();
      await page.keyboard.press('l');
      found.traces = await axe(page);
      await page.goto(`${server.url}/traces?q=${encodeURIComponent(`spans user=${CUSTOMER} status=error`)}`);
      await page.locator('.tracelist a').first().click();
      await page.locator('.wf canvas').waitFor();
      found.trace = await axe(page);
      await page.locator('.wf').focus();
      await page.keyboard.press('ArrowDown');
      await page.getByRole('complementary').waitFor();
      found['trace with panel'] = await axe(page);
      await page.keyboard.press('t');
      await page.locator('.ttable').waitFor();
      found['trace as a table'] = await axe(page);
      await page.goto(`${server.url}/logs`);
      await page.locator('.loglist .lg1').first().click();
      await page.getByRole('complementary', { name: 'The chosen line' }).waitFor();
      found.logs = await axe(page);
      await page.goto(`${server.url}/traces/00000000000000000000000000000001`);
      await page.getByRole('heading', { name: 'No trace with this id is stored' }).waitFor();
      found['no trace'] = await axe(page);
      assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((key) => [key, []])));
      assert.deepEqual(problems, []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await context.close();
    });
  }
});

describe('loading', () => {
  it('takes at most 80 KB of script, compressed, for the first page', async () => {
    const { page, context } = await browser.open();
    await signIn(page, await server.freshLink(), '/traces');
    await page.locator('.tracelist a').first().waitFor();
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((entry) => entry.name.endsWith('.js'))
        .map((entry) => ({ name: entry.name, encoded: entry.encodedBodySize, decoded: entry.decodedBodySize })),
    );
    assert.ok(scripts.length >= 3);
    for (const script of scripts) assert.ok(script.decoded < 1000 || script.encoded < script.decoded, `${script.name} came compressed`);
    const sum = scripts.reduce((total, script) => total + script.encoded, 0);
    assert.ok(sum <= 80_000, `${sum} bytes`);
    await context.close();
  });

  it('shifts nothing that is already there', async () => {
    const { page, context } = await browser.open();
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(...entry.sources.map((source) => source.node?.className ?? source.node?.nodeName));
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await signIn(page, await server.freshLink(), '/traces');
    await page.locator('.tracelist a').first().waitFor();
    const trace = await page.locator('.tracelist a').first().getAttribute('href');
    // A range that has ended: nothing new comes to the top.
    const range = `from=${Date.now() - 600_000}&to=${Date.now() - 5000}`;
    for (const [path, ready] of [[`/traces?${range}`, '.tracelist a'], [trace, '.wf canvas'], [`/logs?${range}`, '.loglist .lg1']]) {
      await page.goto(server.url + path);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(500);
      assert.deepEqual(await page.evaluate(() => window.shifts), [], path);
    }
    await context.close();
  });
});

describe('a server that goes away', () => {
  it('is said, with what to do, and what was there stays', async () => {
    const other = await startServer();
    const { page, context } = await browser.open();
    await signIn(page, other.link, '/traces');
    await page.getByText('No trace has arrived in this range').waitFor();
    await page.getByText(new RegExp(`OTEL_EXPORTER_OTLP_ENDPOINT=${other.url}`)).waitFor();
    await other.pause();
    await page.keyboard.press('r');
    await page.getByText('Clew does not answer.').waitFor();
    const again = await startServer({ data: other.data, listen: new URL(other.url).host });
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('No trace has arrived in this range').waitFor();
    await context.close();
    await again.stop();
  });
});
