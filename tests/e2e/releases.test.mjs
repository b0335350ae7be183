// Releases: what sessions, errors, commits, deploys and uploads say of a version, in the list and on its page.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { axe, eventually, resize, signIn, startBrowser, startServer, stored } from './harness.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const venv = path.join(root, '.setup/venv/bin/python');
const python = fs.existsSync(venv) ? venv : 'python3';
const OLD = 'shop@1.4.1';
const NEW = 'shop@1.4.2';

let server;
let browser;
let dsn;
let token;

const fail = async (release, times, ...kinds) => {
  await promisify(execFile)(python, [path.join(import.meta.dirname, 'failing.py'), dsn, release, String(times), ...kinds]);
};

async function post(at, body, headers = {}) {
  const response = await fetch(server.url + at, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...(body instanceof FormData ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body instanceof FormData ? body : JSON.stringify(body),
  });
  assert.ok(response.ok, `${at}: ${response.status} ${await response.text()}`);
}

/** Whole sessions, as the SDK of an app sends them. */
async function sessions(release, users, crashed) {
  const { username: key, pathname, origin } = new URL(dsn);
  const started = new Date(Date.now() - 60_000).toISOString();
  const items = Array.from({ length: users }, (_, n) => ({
    sid: `${release.endsWith('1') ? 'a' : 'b'}${String(n).padStart(7, '0')}-1111-4111-8111-111111111111`,
    did: `u_${n}`,
    init: true,
    started,
    timestamp: started,
    status: n < crashed ? 'crashed' : 'exited',
    errors: n < crashed ? 1 : 0,
    attrs: { release, environment: 'production' },
  }));
  const lines = items.flatMap((item) => [JSON.stringify({ type: 'session' }), JSON.stringify(item)]);
  const response = await fetch(`${origin}/api${pathname}/envelope/`, {
    method: 'POST',
    headers: { 'x-sentry-auth': `Sentry sentry_version=7, sentry_key=${key}` },
    body: ['{}', ...lines].join('\n'),
  });
  assert.equal(response.status, 200);
}

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  dsn = await server.dsn();
  token = (await server.sentry()).SENTRY_AUTH_TOKEN;
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

const words = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ').trim();

async function clean(page) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axe(page), []);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

async function narrow(page) {
  await resize(page, 390, 844);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, 'nothing is wider than the screen');
  await clean(page);
  await resize(page, 1440, 900);
}

describe('before the first release', () => {
  it('says what to paste', async () => {
    const { page, problems, context } = await browser.open();
    await signIn(page, await server.freshLink(), '/releases?all=1');
    await page.getByText('No release is known yet').waitFor();
    await clean(page);
    assert.deepEqual(problems, []);
    await context.close();
  });
});

describe('releases', () => {
  let page;
  let problems;

  before(async () => {
    await fail(OLD, 2, 'KeyError');
    await fail(NEW, 3, 'KeyError', 'TypeError');
    await sessions(OLD, 10, 0);
    await sessions(NEW, 30, 3);
    await post('/api/0/organizations/clew/releases/', {
      version: NEW,
      projects: ['default'],
      ref: 'main',
      commits: [
        {
          id: 'c0ffee0000000000000000000000000000000001',
          repository: 'acme/shop',
          message: 'pay: a coupon may have no rate\n\nmore',
          author_name: 'Ann Lee',
          author_email: 'ann@example.com',
          patch_set: [{ path: 'src/pay.js', type: 'M' }],
        },
      ],
    });
    await post(`/api/0/organizations/clew/releases/${encodeURIComponent(NEW)}/deploys/`, { environment: 'production', name: 'blue' });
    const form = new FormData();
    form.set('name', '~/app.min.js.map');
    form.set('file', new Blob([JSON.stringify({ version: 3, sources: [], names: [], mappings: '' })]), 'app.min.js.map');
    await post(`/api/0/projects/clew/default/releases/${encodeURIComponent(NEW)}/files/`, form);
    await stored(server, `events release='${NEW}'`, (list) => list.length >= 6);
    await stored(server, 'sessions', (list) => list.length >= 40);
    ({ page, problems } = await browser.open());
    await signIn(page, await server.freshLink(), '/releases');
  });

  it('are listed with what they crash and how far they are adopted, against the one before', async () => {
    const row = page.locator('li.rl', { hasText: '1.4.2' });
    await eventually(async () => {
      await page.reload();
      const text = await words(row);
      for (const part of [/75 %/, /30 sessions/, /90\.00 %\s+−10\.00 points/, /1 commit Ann Lee production/]) assert.match(text, part);
    });
    await clean(page);
    await narrow(page);
  });

  it('opens one with its keys', async () => {
    await page.getByRole('link', { name: '1.4.2' }).first().waitFor();
    const chosen = (version) => page.locator('li.rl.sel', { hasText: version });
    await chosen('1.4.2').waitFor();
    await page.keyboard.press('j');
    await chosen('1.4.1').waitFor();
    await page.keyboard.press('k');
    await chosen('1.4.2').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: '1.4.2' }).waitFor();
    await page.waitForURL(/\/releases\/shop%401\.4\.2\?.*project=default/);
  });

  it('has its health over time, against the release before', async () => {
    const health = page.getByRole('region', { name: 'Its health and issues' });
    const said = /90\.00 % −10\.00 crash-free sessions 90\.00 % −10\.00 crash-free users 75 % adoption, 30 sessions 1 new issue/;
    await eventually(async () => assert.match(await words(health), said));
    await page.getByRole('img', { name: '90.00 % of its sessions were free of crashes.' }).waitFor();
    await page.getByRole('img', { name: '75 % of the sessions of this range.' }).waitFor();
    await page.getByRole('img', { name: '6 errors in this range.' }).waitFor();
    await page.getByText('after 1.4.1').waitFor();
  });

  it('has the issues that began in it, the commits, the deploy and what was uploaded', async () => {
    const began = page.getByRole('region', { name: 'New in it' });
    await began.getByText('TypeError').waitFor();
    assert.equal(await began.locator('tr').count(), 1);
    const commits = page.getByRole('region', { name: 'Commits' });
    await commits.getByText('pay: a coupon may have no rate').click();
    await commits.getByText('src/pay.js').waitFor();
    for (const [name, said] of [['Commits', /1 by Ann Lee/], ['Deploys', /production blue/], ['Uploads', /1 file,.*app\.min\.js\.map/]])
      await eventually(async () => assert.match(await words(page.getByRole('region', { name })), said));
  });

  it('is accessible in both themes and on a telephone', async () => {
    await clean(page);
    await narrow(page);
  });

  it('says which issues came back and which are resolved in it', async () => {
    await page.getByRole('region', { name: 'New in it' }).getByText('TypeError').click();
    await page.getByRole('heading', { level: 1, name: 'TypeError' }).waitFor();
    const id = new URL(page.url()).pathname.split('-').at(-1);
    const change = (body) =>
      page.evaluate(
        async ([id, body]) => {
          const me = await (await fetch('/api/v1/me')).json();
          const answer = await fetch('/api/v1/issues', {
            method: 'PATCH',
            headers: { 'content-type': 'application/json', 'x-clew-csrf': me.csrf },
            body: JSON.stringify({ ids: [Number(id)], ...body }),
          });
          return answer.status;
        },
        [id, body],
      );
    assert.equal(await change({ state: 'resolved', resolved_in: { kind: 'release', release: NEW } }), 200);
    await page.goto(`${server.url}/releases/${encodeURIComponent(NEW)}`);
    await page.getByRole('region', { name: 'Resolved in it' }).getByText('TypeError').waitFor();
    await fail(NEW, 1, 'TypeError');
    const back = page.getByRole('region', { name: 'Came back in it' });
    await eventually(async () => {
      await page.reload();
      assert.match(await words(back), /TypeError/);
      assert.equal(await page.getByText('No issue is resolved in it.').count(), 1);
    });
    assert.deepEqual(problems, []);
  });

  it('leads to the issues and to the release before', async () => {
    await page.keyboard.press('b');
    await page.getByRole('heading', { level: 1, name: '1.4.1' }).waitFor();
    await page.getByText('none are known, so no issue can name one').waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: '1.4.2' }).waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Issues', exact: true }).click();
    await page.locator('li.it', { hasText: 'KeyError' }).waitFor();
    assert.match(new URL(page.url()).searchParams.get('q'), /^issues project=default release='shop@1\.4\.2'$/);
  });

  it('says when there is none', async () => {
    await page.goto(`${server.url}/releases/nothing`);
    await page.getByText('There is no release nothing').waitFor();
  });
});
