// Issues: events of an unmodified SDK become a list that is gone through by keys, and each a page down to the value that was wrong.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { axe, counts, eventually, noWider, patient, says, signIn, startBrowser, startServer, stored, words } from './harness.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const venv = path.join(root, '.setup/venv/bin/python');
const python = fs.existsSync(venv) ? venv : 'python3';

let server;
let browser;
let dsn;

const fail = async (release, times, ...kinds) => {
  await promisify(execFile)(python, [path.join(import.meta.dirname, 'failing.py'), dsn, release, String(times), ...kinds]);
};

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  dsn = await server.dsn();
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

const rows = (page) => page.locator('li.it');
const row = (page, text) => rows(page).filter({ hasText: text });
const shortOf = (locator) => locator.getAttribute('data-issue');

/** Keys pressed while the page still waits for what it asks there: its answers are held back until then. */
async function pressEarly(page, asked, arrive, keys) {
  let release;
  const held = new Promise((done) => (release = done));
  await page.route(asked, async (route) => {
    await held;
    await route.continue();
  });
  const waits = page.waitForRequest(asked);
  await arrive();
  await waits;
  for (const key of keys) await page.keyboard.press(key);
  release();
  await page.unroute(asked, { behavior: 'wait' });
}

describe('before the first error', () => {
  it('says what to paste, with the DSN in it', async () => {
    const { page, problems, context } = await browser.open();
    await signIn(page, await server.freshLink(), '/issues');
    await page.getByText('No error has arrived yet').waitFor();
    await eventually(async () => assert.ok((await words(page.locator('.paste pre'))).includes(dsn)));
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(problems, []);
    await context.close();
  });
});

describe('the inbox', () => {
  let page;
  let problems;

  before(async () => {
    await fail('checkout@1.4.2', 4, 'TypeError', 'QuoteExpired', 'KeyError');
    await stored(server, 'events', (list) => list.length >= 12);
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/issues');
    await row(page, 'TypeError').waitFor();
  });

  it('has an issue a cause, with its events, users and first release', async () => {
    await counts(rows(page), 3); // three issues
    await says(row(page, 'TypeError'), /TypeError unsupported operand .*checkout.*New.* 4 4 .*1\.4\.2/);
    await says(page.getByRole('navigation', { name: 'Which issues' }), /For review 3 Unresolved 3/);
    await page.locator('.rail .n', { hasText: '3' }).waitFor();
    await page.goto(`${server.url}/logs`);
    await page.locator('.rail .n', { hasText: '3' }).waitFor();
    await page.goto(`${server.url}/issues`);
    await row(page, 'TypeError').waitFor();
  });

  it('shows the chosen one beside the list: the line, its values, its trace', async () => {
    await row(page, 'TypeError').locator('.ag').click();
    const peek = page.getByRole('complementary', { name: 'The chosen issue' });
    await peek.getByText('apply_discount').waitFor();
    await peek.locator('.src .l.hot', { hasText: 'off = rate * order' }).waitFor();
    await peek.locator('.v1.hot', { hasText: 'rate' }).getByText('None').waitFor();
    await peek.getByText('scrubbed').waitFor();
    await peek.locator('.mr', { hasText: 'price_order' }).waitFor();
    await peek.getByText('button Pay').waitFor();
    await page.keyboard.press(' ');
    await peek.waitFor({ state: 'detached' });
    await page.keyboard.press(' ');
    await peek.waitFor();
  });

  it('is accessible, in both themes', async () => {
    assert.deepEqual(await axe(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await axe(page), []);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('is gone through by keys: move, take, change the priority', async () => {
    const first = await shortOf(rows(page).first());
    await eventually(async () => {
      const chosen = await shortOf(page.locator('li.it.sel'));
      if (chosen !== first) await page.keyboard.press('k');
      assert.equal(chosen, first);
    });
    await page.keyboard.press('j');
    await eventually(async () => assert.equal(await shortOf(page.locator('li.it.sel')), await shortOf(rows(page).nth(1))));
    const second = await shortOf(page.locator('li.it.sel'));
    const own = page.locator(`li.it[data-issue="${second}"]`);
    await page.keyboard.press('a');
    await own.locator('.av:not(.nobody)').waitFor();
    const before = await own.locator('.pr').getAttribute('aria-label');
    await page.keyboard.press('p');
    await eventually(async () => assert.notEqual(await own.locator('.pr').getAttribute('aria-label'), before));
  });

  it('takes back what was resolved by mistake', async () => {
    const { page: other, context } = await browser.open();
    await patient(other);
    await signIn(other, await server.freshLink(), '/issues');
    await row(other, 'KeyError').locator('.ag').click();
    await other.keyboard.press('e');
    await row(other, 'KeyError').waitFor({ state: 'detached' });
    await other.getByRole('button', { name: 'Undo' }).click();
    await row(other, 'KeyError').waitFor();
    await context.close();
  });

  it('archives several at once', async () => {
    await row(page, 'QuoteExpired').getByRole('checkbox').click();
    await row(page, 'KeyError').getByRole('checkbox').click();
    await page.getByText('2 selected').waitFor();
    await page.keyboard.press('i');
    await page.getByText('2 issues are archived').waitFor();
    await counts(rows(page), 1); // one is left
    await page.getByRole('navigation', { name: 'Which issues' }).getByRole('button', { name: /^Archived 2/ }).waitFor();
    await page.getByRole('button', { name: /^Archived/ }).click();
    await counts(rows(page), 2); // both are there
    await page.waitForURL(/q=issues\+state%3Darchived/);
    await page.goBack();
    await row(page, 'TypeError').waitFor();
  });

  it('says where a query is wrong', async () => {
    await page.keyboard.press('/');
    await page.keyboard.press('End');
    await page.keyboard.type(' state=(new');
    await page.keyboard.press('Enter');
    await page.locator('.qerror').waitFor();
    await page.goBack();
    await page.locator('.qerror').waitFor({ state: 'detached' });
  });

  it('opens the chosen one', async () => {
    await row(page, 'TypeError').locator('.ag').click();
    const short = await shortOf(row(page, 'TypeError'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    await page.waitForURL(new RegExp(`/issues/${short}(\\?|$)`));
    assert.deepEqual(problems, []);
  });
});

describe('an issue', () => {
  let page;
  let problems;
  let short;

  before(async () => {
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/issues?q=issues');
    short = await shortOf(row(page, 'TypeError'));
    await page.goto(`${server.url}/issues/${short}`);
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
  });

  it('opens with the source and the locals of the frame that raised it', async () => {
    await page.locator('.frames .src .l.hot', { hasText: 'off = rate * order' }).waitFor();
    await page.locator('.locs .v1.hot', { hasText: 'rate' }).getByText('None').waitFor();
    const order = page.locator('.locs .v1', { hasText: 'order' });
    await order.getByTitle('order in full').click();
    await page.locator('.locs .v1', { has: page.getByTitle('order.total') }).getByText("'184.50'").waitFor();
    await page.locator('.locs .v1', { hasText: 'password' }).getByText(/scrubbed/).waitFor();
  });

  it('has its trace and the logs of exactly that request in place', async () => {
    const trace = page.getByRole('region', { name: 'Its trace' });
    await trace.locator('.mr.here', { hasText: 'price_order' }).waitFor();
    await trace.locator('.mr', { hasText: 'SELECT cart_items' }).waitFor();
    const logs = page.getByRole('region', { name: 'Logs of this request' });
    await logs.getByText('coupon AUTUMN-15 has no rate').waitFor();
    await counts(logs.locator('.lr'), 1);
  });

  it('says what led to it, what its events have in common, whom it hits, and why they are one', async () => {
    await page.getByRole('region', { name: 'What led to it' }).getByText('button Pay').waitFor();
    const common = page.getByRole('region', { name: 'What it has in common' });
    await common.locator('summary', { hasText: 'coupon.kind' }).getByText('percent_bp').waitFor();
    await says(common.locator('summary', { hasText: 'coupon.kind' }), /100 %/);
    await counts(page.getByRole('region', { name: 'Users' }).locator('tr'), 4);
    await says(page.getByRole('region', { name: 'Why these are one issue' }), /[Ss]ame type and same \d+ in-app frames?/);
  });

  it('is accessible, in both themes', async () => {
    assert.deepEqual(await axe(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await axe(page), []);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('goes from event to event, and to all of them', async () => {
    const bar = page.locator('.sec.ev');
    await bar.getByText('4 of 4').waitFor();
    await page.keyboard.press('k');
    await bar.getByText('3 of 4').waitFor();
    await page.waitForURL(/event=[0-9a-f]{32}/);
    await bar.getByRole('button', { name: 'First', exact: true }).click();
    await bar.getByText('1 of 4').waitFor();
    await page.getByRole('link', { name: /coupon\.kind/ }).first().click();
    await counts(page.locator('.evt tbody tr'), 4); // the events with the tag
    await page.locator('.evt tbody th a').last().click();
    await bar.getByText('1 of 4').waitFor();
  });

  it('keeps the keys that come before what they are about', async () => {
    const bar = page.locator('.sec.ev');
    const open = async () => {
      await page.goto(`${server.url}/issues/${short}`);
      await page.getByRole('navigation', { name: 'Main' }).waitFor();
    };
    // The issue is there, its event is not; each step waits for the event before it.
    const event = /\/api\/v1\/issues\/[^/]+\/events\/latest/;
    await pressEarly(page, event, async () => {
      await open();
      await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    }, ['k', 'k']);
    await bar.getByText('2 of 4').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    await bar.getByText('1 of 4').waitFor();
    // Nothing is there yet.
    await pressEarly(page, new RegExp(`/api/v1/issues/${short}(\\?|$)`), open, ['v']);
    await counts(page.locator('.evt tbody tr'), 4); // all its events
    await open();
    await bar.getByText('4 of 4').waitFor();
  });

  it('shows the stack as a terminal would, and the event as it is stored', async () => {
    await page.getByRole('button', { name: 'Raw' }).click();
    await page.locator('pre.raw', { hasText: 'Traceback (most recent call last):' }).waitFor();
    await page.getByRole('button', { name: 'In-app first' }).click();
    const json = page.getByRole('region', { name: 'JSON' });
    await json.getByRole('button', { name: 'Show' }).click();
    await json.locator('pre', { hasText: '"percent_bp"' }).waitFor();
  });

  it('keeps what people say', async () => {
    const activity = page.getByRole('region', { name: 'Activity' });
    await activity.getByRole('textbox').fill('Coupons of the autumn have rate_bp.');
    await activity.getByRole('button', { name: 'Comment', exact: true }).click();
    await activity.locator('.cmt', { hasText: 'of the autumn' }).waitFor();
  });

  it('leads to the trace, and the trace back', async () => {
    await page.goto(`${server.url}/issues/${short}`);
    await page.getByRole('region', { name: 'Its trace' }).getByRole('link', { name: 'Open' }).click();
    await page.getByRole('group', { name: /price_order|POST \/orders/ }).waitFor();
    // The key comes before the trace.
    const { pathname } = new URL(page.url());
    await pressEarly(page, `**/api/v1${pathname}`, async () => {
      await page.goto(server.url + pathname);
      await page.getByRole('navigation', { name: 'Main' }).waitFor();
    }, ['e']);
    await page.waitForURL(/\?(.*&)?(span|event)=/);
    await page.getByRole('link', { name: 'Open the issue' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    await page.waitForURL(new RegExp(`/issues/${short}\\?.*event=`));
  });

  it('that is resolved comes back with the next event, and says so', async () => {
    await page.goto(`${server.url}/issues/${short}`);
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    await page.keyboard.press('e');
    await page.getByText('1 issue is resolved').first().waitFor();
    await page.locator('.ih .pill', { hasText: 'Resolved' }).waitFor();
    // An event that was received before does not bring it back; this one is later.
    await fail('checkout@1.4.3', 1, 'TypeError');
    await page.locator('.ih .pill', { hasText: 'Regressed' }).waitFor();
    await page.getByRole('region', { name: 'Activity' }).getByText(/resolved/i).first().waitFor();
    await page.goto(`${server.url}/issues`);
    await row(page, 'TypeError').getByText('Regressed').waitFor();
    await page.goto(`${server.url}/`);
    await page.getByRole('region', { name: 'New and regressed issues' }).getByText('TypeError').waitFor();
  });

  it('takes others in, and lets them go again', async () => {
    await page.goto(`${server.url}/issues?q=issues+state%3Darchived`);
    await counts(rows(page), 2); // two are archived
    await page.getByRole('checkbox', { name: 'Select all' }).click();
    await page.keyboard.press('m');
    await page.getByText(/2 issues are merged into/).waitFor();
    // The one that is left must have the figures of both before it is opened.
    await page.locator('li.it .num', { hasText: /^8$/ }).waitFor();
    await counts(rows(page), 1); // one is left
    await rows(page).locator('.tt a').click();
    const merged = page.getByRole('region', { name: 'Merged' });
    await counts(merged.locator('tr'), 2); // two kinds
    await merged.getByRole('checkbox').last().check();
    await merged.getByRole('button', { name: 'Take apart' }).click();
    await merged.waitFor({ state: 'detached' });
    await page.goto(`${server.url}/issues?q=issues`);
    await counts(rows(page), 3); // three issues again
  });

  it('is found by its short name', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type(short.toLowerCase());
    await page.getByRole('option', { name: short, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    assert.deepEqual(problems, []);
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const at of [`/issues/${short}`, '/issues?q=issues']) {
      await page.goto(server.url + at);
      await page.getByText('TypeError').first().waitFor();
      await noWider(page);
      assert.deepEqual(await axe(page), []);
    }
    await page.goto(`${server.url}/issues/${short}`);
    const name = page.locator('.fr.open .frb .mono').first();
    await name.waitFor();
    await eventually(async () => assert.ok(await name.evaluate((is) => is.scrollWidth <= is.clientWidth), 'the name of the function is cut'));
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('that looks like another is shown beside it, with the reason, and made one with it', async () => {
    await fail('checkout@1.4.3', 1, 'NoTotal'); // another error out of the same code
    await page.goto(`${server.url}/issues?q=issues`);
    await counts(rows(page), 4); // four issues
    await page.goto(`${server.url}/issues/${short}`);
    const similar = page.getByRole('region', { name: 'Similar issues' });
    await similar.getByText(/of \d frames/).first().waitFor();
    await similar.scrollIntoViewIfNeeded();
    await says(similar.locator('.sim').first(), /KeyError.*\d of \d frames.*Merge/);
    assert.deepEqual(await axe(page), []);
    await similar.getByRole('button', { name: /^Merge/ }).first().click();
    await page.getByText(/2 issues are merged into/).waitFor();
    const merged = page.getByRole('region', { name: 'Merged' });
    await counts(merged.locator('tr'), 2); // two kinds
    await merged.getByRole('checkbox').last().check();
    await merged.getByRole('button', { name: 'Take apart' }).click();
    await merged.waitFor({ state: 'detached' });
  });

  it('has what was recorded of it among its files, and so has its trace', async () => {
    const [event, trace, replay, profile] = Array.from({ length: 4 }, () => crypto.randomUUID().replaceAll('-', ''));
    const now = Date.now() / 1000;
    const span = 'a1b2c3d4e5f60718';
    const contexts = { trace: { trace_id: trace, span_id: span }, replay: { replay_id: replay } };
    const exception = { values: [{ type: 'RecordedError', value: 'seen by a replay', stacktrace: { frames: [{ function: 'pay', filename: 'pay.js', lineno: 4, in_app: true }] } }] };
    const items = [
      ['event', { event_id: event, timestamp: now, platform: 'javascript', exception, contexts }],
      ['transaction', { type: 'transaction', transaction: '/pay', start_timestamp: now - 1, timestamp: now, spans: [], contexts }],
      ['replay_event', { type: 'replay_event', replay_id: replay, segment_id: 0, trace_ids: [trace], timestamp: now }],
      ['profile', { event_id: profile, version: '1', timestamp: new Date().toISOString(), platform: 'node', transaction: { id: event, name: '/pay', trace_id: trace, active_thread_id: '0' }, profile: { samples: [], stacks: [], frames: [] } }],
    ];
    const { username: key, pathname } = new URL(dsn);
    for (const [type, item] of items) {
      const id = type === 'event' ? event : type === 'replay_event' ? replay : crypto.randomUUID().replaceAll('-', '');
      const lines = [{ event_id: id }, { type }, item].map((line) => JSON.stringify(line));
      if (type === 'replay_event') lines.push('{"type":"replay_recording","length":19}', '{"segment_id":0}', '[]');
      const body = `${lines.join('\n')}\n`;
      const answer = await fetch(`${server.url}/api${pathname}/envelope/?sentry_key=${key}`, { method: 'POST', body });
      assert.equal(answer.status, 200, `${type}: ${await answer.text()}`);
    }
    await page.goto(`${server.url}/issues?q=issues`);
    await row(page, 'RecordedError').waitFor();
    await page.goto(`${server.url}/issues/${await shortOf(row(page, 'RecordedError'))}`);
    await page.locator('a.knot', { hasText: `Replay ${replay.slice(0, 8)}` }).click();
    const files = page.getByRole('region', { name: 'Files' });
    await files.getByRole('link', { name: `Replay ${replay.slice(0, 8)}, part 1`, exact: true }).waitFor();
    await files.getByRole('link', { name: `Profile ${profile.slice(0, 8)}`, exact: true }).waitFor();
    assert.deepEqual(await axe(page), []);

    await page.goto(`${server.url}/traces/${trace}`);
    await page.getByRole('button', { name: /^Files/ }).click();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.popover').getByRole('link', { name: new RegExp(`^Profile ${profile.slice(0, 8)}`) }).click(),
    ]);
    assert.equal(JSON.parse(fs.readFileSync(await saved.path(), 'utf8')).event_id, profile);
    assert.deepEqual(problems, []);
  });
});

describe('text that would turn the order of what is around it', () => {
  it('is shown as the characters that it has', async () => {
    const { username: key, pathname, origin } = new URL(dsn);
    const frame = { function: 'open\u2066', filename: 'photo.py', lineno: 1, in_app: true };
    const event = {
      event_id: crypto.randomUUID().replaceAll('-', ''),
      platform: 'python',
      exception: { values: [{ type: 'SpoofError', value: 'photo\u202egpj.exe', stacktrace: { frames: [frame] } }] },
    };
    const answer = await fetch(`${origin}/api${pathname}/store/?sentry_key=${key}`, { method: 'POST', body: JSON.stringify(event) });
    assert.equal(answer.status, 200);
    await stored(server, 'issues type=SpoofError');
    const { page, problems, context } = await browser.open();
    await signIn(page, await server.freshLink(), '/issues?query=issues%20type%3DSpoofError');
    const raw = () => page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.outerHTML + document.title));
    await row(page, 'photo‹U+202E›gpj.exe').waitFor();
    assert.equal(await raw(), false);
    await page.goto(`${server.url}/issues/${await shortOf(row(page, 'SpoofError'))}`);
    await page.getByText('photo‹U+202E›gpj.exe', { exact: true }).first().waitFor();
    await page.getByText('open‹U+2066›', { exact: false }).first().waitFor();
    assert.equal(await raw(), false);
    assert.deepEqual(problems, []);
    await context.close();
  });
});
