// What builds leave in a project's settings: code mappings, that frames then follow, builds of its applications and snapshots of images.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { axe, eventually, patient, resize, signIn, startBrowser, startServer, stored } from './harness.mjs';

let server;
let browser;
let page;
let problems;
let sentry;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  sentry = await server.sentry();
  ({ page, problems } = await browser.open());
  await patient(page);
  await signIn(page, server.link, '/settings/projects/default');
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

const section = (name) => page.getByRole('region', { name, exact: true });
async function cells(row) {
  await row.waitFor();
  return (await row.getByRole('cell').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
}
const settings = async () => {
  await page.goto(`${server.url}/settings/projects/default`);
  await section('Grouping').waitFor();
};

async function post(at, body) {
  const form = body instanceof FormData;
  const response = await fetch(server.url + at, {
    method: 'POST',
    headers: { authorization: `Bearer ${sentry.SENTRY_AUTH_TOKEN}`, ...(!form && { 'content-type': 'application/json' }) },
    body: form ? body : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${at}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

/** Who leaves the settings does not wait for the 8 s in which it can be taken back. */
async function leave() {
  const done = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Monitors', exact: true }).click();
  assert.equal((await done).status(), 204);
}

async function narrow() {
  await resize(page, 390, 844);
  assert.equal(await page.locator('.set-body').evaluate((body) => body.scrollWidth - body.clientWidth), 0, 'nothing is wider than the screen');
  assert.deepEqual(await axe(page), []);
  await resize(page, 1440, 900);
}

describe('code mappings', () => {
  const own = () => section('Code mappings');
  const row = (root) => own().getByRole('row').filter({ hasText: root });

  it('are missing at first, with the command that uploads them', async () => {
    await own().getByText('sentry-cli code-mappings upload --org clew --project default mappings.json').waitFor();
    await section('Repository').getByText('clew project repo add default').waitFor();
    assert.equal(await own().getByRole('table').count(), 0);
    assert.deepEqual(await axe(page), []);
  });

  it('that a build uploads are listed, the longest root first', async () => {
    await post('/api/0/organizations/clew/code-mappings/bulk/', {
      project: 'default',
      repository: 'acme/shop',
      defaultBranch: 'trunk',
      mappings: [
        { stackRoot: 'app:///', sourceRoot: '.' },
        { stackRoot: '/opt/venv/lib/python3.12/site-packages/acme_payments_gateway', sourceRoot: 'modules/pay' },
      ],
    });
    await settings();
    await row('app:///').waitFor();
    const rows = own().getByRole('row');
    assert.deepEqual((await cells(rows.nth(1))).slice(0, 3), ['/opt/venv/lib/python3.12/site-packages/acme_payments_gateway', 'modules/pay', 'acme/shop trunk']);
    assert.deepEqual((await cells(rows.nth(2))).slice(0, 3), ['app:///', '.', 'acme/shop trunk']);
    assert.match((await cells(rows.nth(2)))[3], /^(now|\d+ (s|min) ago) by token uploads$/);
    assert.deepEqual(await axe(page), []);
    await narrow();
  });

  it('say in the frame of an error where its file stands', async () => {
    const { username: key, pathname, origin } = new URL(await server.dsn());
    const frame = {
      function: 'charge',
      filename: 'total.py',
      abs_path: '/opt/venv/lib/python3.12/site-packages/acme_payments_gateway/total.py',
      lineno: 2,
      in_app: true,
      context_line: '    return amount / rate',
    };
    const event = {
      event_id: crypto.randomUUID().replaceAll('-', ''),
      platform: 'python',
      level: 'error',
      exception: { values: [{ type: 'PayError', value: 'no rate', stacktrace: { frames: [frame] } }] },
    };
    const answer = await fetch(`${origin}/api${pathname}/store/?sentry_key=${key}`, { method: 'POST', body: JSON.stringify(event) });
    assert.equal(answer.status, 200);
    await stored(server, `events error.type=PayError`);
    await page.goto(`${server.url}/events/${event.event_id}`);
    await page.getByText('acme/shop · modules/pay/total.py', { exact: false }).waitFor();
  });

  it('are written by hand, and changed', async () => {
    await settings();
    await own().getByRole('button', { name: 'Add a mapping', exact: true }).click();
    const form = own().getByRole('form', { name: 'A new mapping', exact: true });
    const field = (label) => own().getByRole('textbox', { name: label, exact: true });
    assert.equal(await field('Repository').inputValue(), 'acme/shop', 'of the mappings that are there');
    await field('Stack root').fill('app:///');
    await field('Source root').fill('.');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByRole('alert').getByText('has a code mapping of these two roots already', { exact: false }).waitFor();
    await field('Stack root').fill('/srv/shop/');
    await field('Source root').fill('services/shop');
    assert.deepEqual(await axe(page), []);
    await narrow();
    await field('Branch').press('Enter');
    await row('/srv/shop/').waitFor();
    await form.waitFor({ state: 'detached' });
    assert.deepEqual((await cells(row('/srv/shop/'))).slice(0, 3), ['/srv/shop/', 'services/shop', 'acme/shop trunk']);
    await own().getByRole('button', { name: 'Edit the mapping of /srv/shop/', exact: true }).click();
    await field('Branch').fill('release');
    await own().getByRole('button', { name: 'Change', exact: true }).click();
    await own().getByText('release', { exact: true }).waitFor();
    await field('Branch').waitFor({ state: 'detached' });
    await settings();
    assert.deepEqual((await cells(row('/srv/shop/'))).slice(0, 3), ['/srv/shop/', 'services/shop', 'acme/shop release']);
  });

  it('are taken away, and come back by Undo until then', async () => {
    await settings();
    await page.getByRole('button', { name: 'Take away the mapping of app:///', exact: true }).click();
    await row('app:///').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await row('app:///').waitFor();
    await page.getByRole('button', { name: 'Take away the mapping of app:///', exact: true }).click();
    await row('app:///').waitFor({ state: 'detached' });
    await leave();
    await settings();
    await row('acme_payments_gateway').waitFor();
    assert.equal(await row('app:///').count(), 0);
  });
});

describe('builds', () => {
  const own = () => section('Builds');
  const NAME = 'shop-2.4.0.apk';
  const content = crypto.randomBytes(2000);
  /** As sentry-cli packs it: the one file of a ZIP archive, stored. */
  const packed = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from(NAME), content]);
  packed.writeUInt32LE(content.length, 18);
  packed.writeUInt32LE(content.length, 22);
  packed.writeUInt16LE(NAME.length, 26);

  it('have no place where there are none', async () => {
    await settings();
    await section('Inbound filters').waitFor();
    assert.equal(await own().count(), 0);
  });

  it('that are uploaded are shown with what they are of', async () => {
    const sum = crypto.createHash('sha1').update(packed).digest('hex');
    const form = new FormData();
    form.set('file', new Blob([packed]), sum);
    await post('/api/0/organizations/clew/chunk-upload/', form);
    const answer = await post('/api/0/projects/clew/default/files/preprodartifacts/assemble/', {
      checksum: sum,
      chunks: [sum],
      head_sha: 'a'.repeat(40),
      head_ref: 'main',
      head_repo_name: 'acme/shop',
      pr_number: 7,
      build_configuration: 'Release',
      release_notes: 'new till',
    });
    assert.equal(answer.state, 'created', JSON.stringify(answer));
    await settings();
    await own().getByRole('link', { name: NAME, exact: true }).waitFor();
    const [file, of, size, uploaded] = await cells(own().getByRole('row').nth(1));
    assert.deepEqual([file, of, size], [NAME, 'Release main aaaaaaa #7', '2.0 KB']);
    assert.match(uploaded, /^(now|\d+ (s|min) ago)$/);
    assert.equal(await own().getByRole('cell', { name: NAME, exact: true }).getAttribute('title'), 'new till');
    assert.deepEqual(await axe(page), []);
    await narrow();
  });

  it('are downloaded byte for byte', async () => {
    const coming = page.waitForEvent('download');
    await own().getByRole('link', { name: NAME, exact: true }).click();
    const download = await coming;
    assert.equal(download.suggestedFilename(), NAME);
    assert.equal(fs.readFileSync(await download.path()).toString('hex'), content.toString('hex'));
  });

  it('are taken away, and come back by Undo until then', async () => {
    await page.getByRole('button', { name: `Take away the build ${NAME}`, exact: true }).click();
    await own().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await own().getByRole('link', { name: NAME, exact: true }).waitFor();
    await page.getByRole('button', { name: `Take away the build ${NAME}`, exact: true }).click();
    await own().waitFor({ state: 'detached' });
    await leave();
    await settings();
    await section('Inbound filters').waitFor();
    assert.equal(await own().count(), 0);
  });
});

describe('snapshots of images', () => {
  const own = () => section('Image snapshots');
  /** A PNG of one colour, w by h. */
  const png = (w, h, [red, green, blue]) => {
    const row = Buffer.concat([Buffer.from([0]), Buffer.concat(Array(w).fill(Buffer.from([red, green, blue])))]);
    const chunk = (kind, data) => {
      const body = Buffer.concat([Buffer.from(kind), data]);
      const ends = Buffer.alloc(8);
      ends.writeUInt32BE(data.length);
      ends.writeUInt32BE(zlib.crc32(body), 4);
      return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
    };
    const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
    head.writeUInt32BE(w);
    head.writeUInt32BE(h, 4);
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(Buffer.concat(Array(h).fill(row)))), chunk('IEND', Buffer.alloc(0))]);
  };
  const HOME = png(120, 200, [60, 110, 200]);
  const NEW_HOME = png(120, 200, [200, 110, 60]);
  const CART = png(240, 120, [90, 160, 90]);

  async function upload(images, more) {
    const token = { authorization: `Bearer ${sentry.SENTRY_AUTH_TOKEN}` };
    const at = `${server.url}/api/0/projects/clew/default/preprodartifacts/snapshots/upload-options/`;
    const { objectstore } = await (await fetch(at, { headers: token })).json();
    const project = objectstore.scopes[1][1];
    const manifest = {};
    for (const [name, content, width, height, words] of images) {
      const hash = crypto.createHash('sha256').update(content).digest('hex');
      const answer = await fetch(`${objectstore.url}/v1/objects/preprod/org=1;project=${project}/1/${project}/${hash}`, {
        method: 'PUT',
        headers: { 'x-os-auth': `Bearer ${objectstore.authToken}` },
        body: content,
      });
      assert.equal(answer.status, 200, await answer.text());
      manifest[name] = { content_hash: hash, width, height, ...words };
    }
    await post('/api/0/projects/clew/default/preprodartifacts/snapshots/', { app_id: 'till', images: manifest, ...more });
  }

  it('have no place where there are none', async () => {
    await settings();
    await section('Inbound filters').waitFor();
    assert.equal(await own().count(), 0);
  });

  it('are listed with what they are of, and show their images', async () => {
    await upload(
      [
        ['home.png', HOME, 120, 200],
        ['cart/full.png', CART, 240, 120],
        ['cart/old.png', png(50, 50, [9, 9, 9]), 50, 50],
      ],
      { head_sha: 'a'.repeat(40), head_ref: 'main' },
    );
    await settings();
    await own().getByRole('button', { name: 'Images of till aaaaaaa', exact: true }).click();
    await own().getByText('3 images. No earlier snapshot of till is here that they could be compared with.', { exact: true }).waitFor();
    const image = own().getByRole('img', { name: 'home.png', exact: true });
    await image.scrollIntoViewIfNeeded();
    await page.waitForFunction((one) => one.naturalWidth === 120 && one.naturalHeight === 200, await image.elementHandle());
    await eventually(async () => assert.equal(await own().getByRole('img').count(), 3));
    assert.deepEqual(await axe(page), []);
    await narrow();
  });

  it('show what differs from the base', async () => {
    await upload(
      [
        ['home.png', NEW_HOME, 120, 200, { display_name: 'Home', group: 'start' }],
        ['cart/full.png', CART, 240, 120],
        ['cart/empty.png', png(240, 120, [220, 220, 220]), 240, 120],
      ],
      { head_sha: 'b'.repeat(40), base_sha: 'a'.repeat(40), head_ref: 'fix', base_ref: 'main', pr_number: 7 },
    );
    await settings();
    await own().getByRole('button', { name: 'Images of till bbbbbbb', exact: true }).click();
    await own().getByText('Against main aaaaaaa: 1 changed, 1 added, 1 removed, 1 the same.', { exact: true }).waitFor();
    const [app, of, images] = await cells(own().getByRole('row').nth(1));
    assert.deepEqual([app.split(' ')[0], of, images], ['till', 'fix bbbbbbb #7', '3']);
    const items = own().getByRole('listitem');
    await eventually(async () => {
      const words = (await items.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
      assert.match(words.join('\n'), /^before now changed Home home\.png · 120 × 200 .*\nadded cart\/empty\.png .*\nremoved cart\/old\.png /);
    });
    for (const name of ['home.png, before', 'home.png, now'])
      await page.waitForFunction((one) => one.naturalWidth === 120, await own().getByRole('img', { name, exact: true }).elementHandle());
    assert.equal(await own().getByRole('img', { name: 'cart/full.png', exact: true }).count(), 0);
    assert.deepEqual(await axe(page), []);
    await narrow();
    await own().getByRole('button', { name: 'Show the one that is the same', exact: true }).click();
    await own().getByRole('img', { name: 'cart/full.png', exact: true }).waitFor();
  });

  it('are taken away, and come back by Undo until then', async () => {
    const away = page.getByRole('button', { name: 'Take away the images of till bbbbbbb', exact: true });
    await away.click();
    await away.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await away.click();
    await away.waitFor({ state: 'detached' });
    await leave();
    await settings();
    await own().getByRole('button', { name: 'Images of till aaaaaaa', exact: true }).waitFor();
    assert.equal(await away.count(), 0);
  });
});

it('no page complained', () => assert.deepEqual(problems, []));
