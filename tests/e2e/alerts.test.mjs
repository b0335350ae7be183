// Alerts and monitors as people meet them: a channel and a rule made in the pages, an error sent with a DSN, the message
// that arrives, the firing and the delivery; jobs that check in by curl's address and by an SDK's envelope.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { axe, counts, eventually, holds, noWider, patient, says, signIn, startBrowser, startServer, stored } from './harness.mjs';

let server;
let browser;
let page;
let problems;
let hook;
let dsn; // { origin, key, project }

/** A receiver of webhooks; what it got, and whether the signature fits. */
function startHook() {
  const got = [];
  const receiver = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.end();
    });
  });
  return new Promise((resolve) =>
    receiver.listen(0, '127.0.0.1', () =>
      resolve({
        got,
        url: `http://127.0.0.1:${receiver.address().port}/hook?key=k1`,
        stop: () => new Promise((done) => receiver.close(done)),
      }),
    ),
  );
}

before(async () => {
  hook = await startHook();
  server = await startServer({ args: ['--private-targets'] });
  const [, scheme, key, host, project] = /^(https?:\/\/)([^@]+)@([^/]+)\/(\d+)$/.exec(await server.dsn());
  dsn = { origin: scheme + host, key, project };
  browser = await startBrowser();
  ({ page, problems } = await browser.open());
  await signIn(page, server.link);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
  await hook?.stop();
});

/** An event as an SDK sends it. */
async function error(type, value, more = {}) {
  const event = {
    event_id: crypto.randomUUID().replaceAll('-', ''),
    level: 'error',
    platform: 'python',
    exception: { values: [{ type, value, stacktrace: { frames: [{ function: `raise_${type}`, filename: 'pay.py', lineno: 1, in_app: true }] } }] },
    ...more,
  };
  const answer = await fetch(`${dsn.origin}/api/${dsn.project}/store/?sentry_key=${dsn.key}`, { method: 'POST', body: JSON.stringify(event) });
  assert.equal(answer.status, 200);
}

describe('an alert', () => {
  let secret;

  it('begins with a channel, whose secret is seen once and whose test says that it arrives', async () => {
    await page.goto(`${server.url}/alerts`);
    await page.getByRole('heading', { name: 'No rule watches anything yet' }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Add a channel first' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ops');
    await page.getByLabel('URL', { exact: true }).fill(hook.url);
    await page.getByRole('button', { name: 'Add the channel', exact: true }).click();
    secret = await says(page.locator('.once pre'), /^\S{16,}$/);
    const channel = await says(page.locator('.al.ch'), /127\.0\.0\.1/);
    assert.ok(!channel.includes('k1'), 'of a URL only the host is shown');
    await page.getByRole('button', { name: 'Send a test message to ops' }).click();
    await page.getByRole('status').getByText('arrived').waitFor();
    assert.equal(hook.got.length, 1);
    assert.deepEqual(await axe(page), []);
  });

  it('is written with a filter, whose error stands under its column', async () => {
    await page.goto(`${server.url}/alerts/new`);
    await page.getByLabel('Name', { exact: true }).fill('Payment errors');
    const filter = page.getByLabel('Filter of issues');
    await filter.fill('issues level=');
    await filter.press('Enter');
    await page.locator('.qerror').waitFor();
    await filter.fill('issues level=error');
    await filter.press('Escape');
    await page.locator('.tell').getByText('ops').click();
    await page.getByLabel('Collect what follows for').selectOption({ label: 'do not collect' });
    await page.getByText('When an issue is new, comes back or escalates, tell ops.').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Make the rule', exact: true }).click();
    await page.getByRole('heading', { name: 'Payment errors', exact: true }).waitFor();
    await page.waitForURL(/\/alerts\/\d+$/);
    await says(page.locator('.ahead'), /quiet/);
  });

  it('tells of an error that an SDK sends: signed, listed, delivered', async () => {
    await error('PaymentError', 'card was refused');
    await error('NoiseError', 'only a warning', { level: 'warning' });
    const message = await eventually(() => {
      assert.ok(hook.got[1], 'the webhook was not called');
      return hook.got[1];
    });
    const { firings } = JSON.parse(message.body);
    assert.deepEqual(firings.map((one) => one.kind), ['new']);
    assert.match(firings[0].title, /PaymentError/);
    assert.equal(message.headers['x-clew-signature'], `sha256=${crypto.createHmac('sha256', secret).update(message.body).digest('hex')}`);
    await page.getByRole('list', { name: 'Firings' }).getByRole('link', { name: /PaymentError/ }).waitFor();
    await counts(page.locator('.al.fi'), 1); // the filter keeps the other one out
    await page.getByRole('button', { name: 'Deliveries', exact: true }).click();
    await page.locator('.dtbl tbody tr').getByText('sent').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.goto(`${server.url}/alerts?tab=firings`);
    await page.getByRole('link', { name: /PaymentError/ }).click();
    await page.getByRole('heading', { name: /PaymentError/ }).first().waitFor();
  });

  it('is silent while it is snoozed, and says so', async () => {
    await page.goto(`${server.url}/alerts`);
    await page.getByRole('button', { name: 'Snooze', exact: true }).click();
    await page.getByRole('button', { name: 'For 8 hours', exact: true }).click();
    await page.locator('.al.ru').getByText('snoozed', { exact: true }).waitFor();
    const before = hook.got.length;
    await error('OtherError', 'at night');
    await page.goto(`${server.url}/alerts?tab=firings`);
    const row = page.locator('.al.fi').filter({ hasText: 'OtherError' });
    await row.getByText('told nobody: the rule was snoozed').waitFor();
    assert.equal(hook.got.length, before);
  });

  it('on a view of issues takes its filter along', async () => {
    await page.goto(`${server.url}/issues?q=${encodeURIComponent('issues level=warning | sort users')}`);
    await page.getByRole('link', { name: 'Alert on this view' }).click();
    await page.getByRole('heading', { name: 'New rule' }).waitFor();
    await holds(page.getByLabel('Filter of issues'), 'issues level=warning');
  });

  it('on a query shows its value beside the limit, and fires', async () => {
    const query = 'events level=error | stats count()';
    await page.goto(`${server.url}/alerts/new?${new URLSearchParams({ query, threshold: '1', window: '3600' })}`);
    await page.getByText(/It was above 1 in 1 window of the last day\./).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Too many errors');
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Make the rule', exact: true }).click();
    await page.getByRole('heading', { name: 'Too many errors', exact: true }).waitFor();
    await page.getByRole('list', { name: 'Firings' }).getByText('Threshold').waitFor({ timeout: 90_000 });
    await says(page.locator('.ahead'), /firing/);
  });

  it('that is deleted can be taken back', async () => {
    await patient(page);
    await page.goto(`${server.url}/alerts`);
    await page.getByRole('button', { name: 'What can be done with Payment errors' }).or(page.getByTitle('What can be done with Payment errors')).first().click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('link', { name: 'Payment errors', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.getByRole('link', { name: 'Payment errors', exact: true }).waitFor();
  });
});

describe('a monitor', () => {
  const cron = (slug, status) => fetch(`${dsn.origin}/api/${dsn.project}/cron/${slug}/${dsn.key}/?status=${status}`);

  it('teaches how a job checks in, with the address that works', async () => {
    await page.goto(`${server.url}/monitors`);
    await page.getByRole('heading', { name: 'No job checks in yet' }).waitFor();
    await says(page.locator('.paste pre'), /@monitor\(monitor_slug=/);
    await page.getByRole('button', { name: 'curl', exact: true }).click();
    await says(page.locator('.paste pre'), new RegExp(`${dsn.origin}/api/${dsn.project}/cron/nightly-report/${dsn.key}/`));
    assert.deepEqual(await axe(page), []);
  });

  it('is made by an SDK, and shows how each run went and when the next is due', async () => {
    const checkIn = (status, id) => ({
      check_in_id: id ?? crypto.randomUUID().replaceAll('-', ''),
      monitor_slug: 'settle',
      status,
      duration: 2.5,
      environment: 'production',
      monitor_config: { schedule: { type: 'crontab', value: '*/10 * * * *' }, timezone: 'Europe/Berlin', checkin_margin: 5, max_runtime: 10 },
    });
    for (const status of ['ok', 'ok', 'error']) {
      const body = ['{}', '{"type":"check_in"}', JSON.stringify(checkIn(status))].join('\n');
      const answer = await fetch(`${dsn.origin}/api/${dsn.project}/envelope/?sentry_key=${dsn.key}`, { method: 'POST', body });
      assert.equal(answer.status, 200);
    }
    const row = page.locator('.mi').filter({ hasText: 'settle' });
    await row.getByText('every 10 minutes, Europe/Berlin').waitFor();
    await row.getByText('failing since').waitFor();
    await row.getByRole('img', { name: 'The last 3 check-ins: 1 not ok' }).waitFor();
    await says(row, /due in/);
    assert.deepEqual(await axe(page), []);
    await row.getByRole('link', { name: 'Issue', exact: true }).click();
    await page.waitForURL(/\/issues\//);
    await page.getByRole('heading', { name: /Monitor/ }).first().waitFor();
  });

  it('has a page with its check-ins', async () => {
    await page.goto(`${server.url}/monitors`);
    await page.getByRole('link', { name: 'settle', exact: true }).click();
    await page.getByRole('heading', { name: 'settle', exact: true }).waitFor();
    await page.locator('.ctbl tbody tr').nth(2).waitFor();
    await says(page.locator('.ctbl'), /2\.5 s/);
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Mute', exact: true }).click();
    await page.getByRole('button', { name: 'Unmute', exact: true }).waitFor();
  });

  it('says that the configuration of a job cannot be', async () => {
    const item = { check_in_id: crypto.randomUUID().replaceAll('-', ''), monitor_slug: 'lost', status: 'ok' };
    const config = { schedule: { type: 'crontab', value: '0 * * * *' }, timezone: 'Mars/Olympus' };
    const body = ['{}', '{"type":"check_in"}', JSON.stringify({ ...item, monitor_config: config })].join('\n');
    const answer = await fetch(`${dsn.origin}/api/${dsn.project}/envelope/?sentry_key=${dsn.key}`, { method: 'POST', body });
    assert.equal(answer.status, 200);
    await page.goto(`${server.url}/monitors`);
    const row = page.locator('.mi').filter({ hasText: 'lost' });
    await row.getByText('bad configuration').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('link', { name: 'lost', exact: true }).click();
    await page.getByText(/there is no time zone "Mars\/Olympus": an IANA name.*until you edit it here/).waitFor();
    assert.deepEqual(await axe(page), []);
  });

  it('is added by hand, and takes what curl says', async () => {
    await page.goto(`${server.url}/monitors?add=1`);
    await page.getByLabel('Name', { exact: true }).fill('Weekly invoice');
    await page.getByLabel('Expression', { exact: true }).fill('0 6 * * mon');
    await page.getByText('At 06:00 on Monday').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Add the monitor', exact: true }).click();
    await page.getByRole('heading', { name: 'It waits for its first check-in' }).waitFor();
    assert.ok((await cron('weekly-invoice', 'ok')).ok);
    await page.locator('.ctbl tbody tr').getByText('ok').waitFor();
  });
});

describe("a project's settings", () => {
  it('have lines to paste with its DSN, and rules whose error names the line', async () => {
    await page.goto(`${server.url}/settings/projects/default`);
    await page.getByRole('button', { name: 'PHP', exact: true }).click();
    await says(page.getByRole('region', { name: 'Connect an SDK', exact: true }).locator('.paste pre'), new RegExp(`${dsn.key}@`));
    const rules = page.getByLabel(/^Fingerprint rules/);
    await rules.fill('# payments\nerror.type PaymentError');
    await page.getByRole('region', { name: 'Grouping' }).getByRole('button', { name: 'Save the rules' }).click();
    await page.getByRole('alert').getByText('Line 2').waitFor();
    assert.deepEqual(await axe(page), []);
    await rules.fill('error.type:PaymentError -> payments');
    await page.getByRole('region', { name: 'Grouping' }).getByRole('button', { name: 'Preview', exact: true }).click();
    await page.locator('.preview').getByText(/1 event of \d+ would be in another group/).waitFor();
    await page.getByRole('region', { name: 'Grouping' }).getByRole('button', { name: 'Save the rules' }).click();
    await page.getByText(/Changed .* by admin/).waitFor();
  });

  it('say what is left out, and count it', async () => {
    const filters = page.getByRole('region', { name: 'Inbound filters' });
    await filters.getByText('Nothing. What a filter leaves out').waitFor();
    await eventually(async () => assert.equal(await filters.getByLabel(/^Health checks/).isChecked(), true));
    await filters.getByLabel(/^Addresses/).fill('10.0.0.0/8\n10.0.0');
    await filters.getByRole('button', { name: 'Save the filters' }).click();
    await filters.getByRole('alert').getByText('Line 2').waitFor();
    await filters.getByLabel(/^Addresses/).fill('');
    await filters.getByLabel(/^Errors/).fill('PaymentError: *');
    await filters.getByRole('button', { name: 'Preview', exact: true }).click();
    await filters.getByText(/1 of the newest \d+ events? would be left out: Errors 1/).waitFor();
    await filters.getByRole('button', { name: 'Save the filters' }).click();
    await filters.getByText(/Changed .* by admin/).waitFor();
    await error('PaymentError', 'card expired');
    await stored(server, 'metrics name=sentry.outcome'); // counts are written now and then
    await page.reload();
    await filters.getByRole('listitem').getByText('Errors').waitFor();
    assert.deepEqual(await axe(page), []);
  });

  it('say what is removed, and show it on what is there', async () => {
    const scrubbing = page.getByRole('region', { name: 'Data scrubbing' });
    const rules = scrubbing.getByLabel(/^Scrub rules/);
    await rules.fill('# names\nremov @email');
    await scrubbing.getByRole('button', { name: 'Save the rules' }).click();
    await scrubbing.getByRole('alert').getByText('Line 2').waitFor();
    await rules.fill('replace /card \\w+/ with "card" from $error.value');
    await scrubbing.getByRole('button', { name: 'Preview', exact: true }).click();
    await scrubbing.getByText(/Something would be removed from \d+ of the newest \d+ events\./).waitFor();
    assert.deepEqual(await axe(page), []);
    await scrubbing.getByRole('button', { name: 'Save the rules' }).click();
    await scrubbing.getByText(/Changed .* by admin/).waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await noWider(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    if (process.env.SHOT) await scrubbing.screenshot({ path: process.env.SHOT });
  });
});

it('no page complained', () => assert.deepEqual(problems, []));
