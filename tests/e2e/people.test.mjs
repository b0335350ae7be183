// People: an invitation, a password, what a member may and may not see; tokens that are taken back; the trail of it all.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, eventually, patient, resize, signIn, startBrowser, startServer } from './harness.mjs';

let server;
let browser;
let admin; // page
let problems;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  ({ page: admin, problems } = await browser.open());
  await patient(admin);
  await signIn(admin, server.link);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** Texts of a table's rows. */
const rows = async (page) => (await page.locator('.tbl tbody tr').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
const PASSWORD = 'a long enough password';

describe('a new colleague', () => {
  let link;
  let page;

  it('is invited from the settings', async () => {
    await admin.goto(`${server.url}/settings`);
    await admin.getByRole('heading', { name: 'Users' }).waitFor();
    assert.equal(new URL(admin.url()).pathname, '/settings/users');
    await admin.getByRole('button', { name: 'Invite' }).click();
    await admin.getByLabel('Name or mail address').fill('mara@example.com');
    await resize(admin, 390, 844);
    await admin.getByRole('button', { name: 'Custom' }).click();
    await admin.getByText('place probes, except in production').waitFor();
    assert.equal(await admin.locator('.set-body').evaluate((body) => body.scrollWidth - body.clientWidth), 0, 'nothing is wider than the screen');
    await resize(admin, 1440, 900);
    await admin.getByRole('button', { name: 'Reader', exact: true }).click();
    await admin.getByRole('button', { name: 'Make an invitation' }).click();
    link = (await admin.locator('.once pre').innerText()).trim();
    assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/signin#invite=[\w-]{43}$/);
    await eventually(async () => assert.match((await rows(admin)).join('\n'), /mara@example\.com Reader invited/));
    assert.deepEqual(await axe(admin), []);
  });

  it('chooses a password and is in', async () => {
    const opened = await browser.open();
    page = opened.page;
    await page.goto(link);
    await page.getByRole('heading', { name: 'You are invited to Clew' }).waitFor();
    assert.deepEqual(await axe(page), []);
    const set = page.getByRole('button', { name: /Set the password/ });
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByLabel('Once more').fill('short');
    assert.ok(await set.isDisabled(), 'a short one is not taken');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Once more').fill(PASSWORD);
    await set.click();
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    await page.waitForURL((url) => url.hash === '');
  });

  it('cannot use the invitation twice', async () => {
    const { page: second } = await browser.open();
    await second.goto(link);
    await second.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await second.getByLabel('Once more').fill(PASSWORD);
    await second.getByRole('button', { name: /Set the password/ }).click();
    await second.getByRole('alert').getByText(/not valid any more/).waitFor();
  });

  it('sees what is theirs, and nothing of administration', async () => {
    await page.goto(`${server.url}/settings`);
    await page.getByRole('heading', { name: 'mara@example.com' }).waitFor();
    await eventually(async () => {
      const sections = await page.getByRole('navigation', { name: 'Settings' }).getByRole('link').allInnerTexts();
      assert.deepEqual(sections.map((text) => text.split('\n')[0]), ['Agents', 'You', 'Connect a service']);
    });
    for (const section of ['users', 'tokens', 'audit', 'storage', 'server', 'projects']) {
      await page.goto(`${server.url}/settings/${section}`);
      await page.getByRole('heading', { name: 'This needs the scope admin' }).waitFor();
      assert.equal(await page.locator('.tbl').count(), 0, section);
    }
    // Not only the page: the server says no.
    const status = await page.evaluate(async () => (await fetch('/api/v1/users')).status);
    assert.equal(status, 403);
  });

  it('signs in with the password elsewhere, and sees both sessions', async () => {
    const { page: phone } = await browser.open({ viewport: { width: 390, height: 844 } });
    await phone.goto(`${server.url}/settings/you`);
    await phone.getByLabel('User').fill('mara@example.com');
    await phone.getByLabel('Password').fill(PASSWORD);
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.getByRole('heading', { name: 'mara@example.com' }).waitFor();
    await eventually(async () => assert.equal((await rows(phone)).length, 2));
    assert.deepEqual(await axe(phone), []);
    await phone.getByRole('button', { name: 'End the others' }).click();
    await phone.waitForFunction(() => document.querySelectorAll('.tbl tbody tr').length === 1);
    await page.reload();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  });

  it('is out at once when disabled', async () => {
    const { page: again } = await browser.open();
    await again.goto(`${server.url}/traces`);
    await again.getByLabel('User').fill('mara@example.com');
    await again.getByLabel('Password').fill(PASSWORD);
    await again.getByRole('button', { name: 'Sign in' }).click();
    await again.getByRole('navigation', { name: 'Main' }).waitFor();
    await admin.goto(`${server.url}/settings/users`);
    await admin.getByRole('button', { name: 'What can be done with mara@example.com' }).click();
    await admin.getByRole('button', { name: 'Disable', exact: true }).click();
    await admin.locator('tr.off').waitFor();
    await again.reload();
    await again.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await again.getByLabel('User').fill('mara@example.com');
    await again.getByLabel('Password').fill(PASSWORD);
    await again.getByRole('button', { name: 'Sign in' }).click();
    await again.getByRole('alert').getByText(/name or password is wrong/).waitFor();
  });
});

it('the last administrator stays, and is told why', async () => {
  await admin.goto(`${server.url}/settings/users`);
  await admin.getByRole('button', { name: 'What can be done with admin' }).click();
  await admin.getByRole('button', { name: 'Disable', exact: true }).click();
  await admin.getByRole('alert').getByText(/last user who may administer/).waitFor();
});

describe('a token', () => {
  let secret;
  const reads = async () => (await fetch(`${server.url}/api/v1/services`, { headers: { authorization: `Bearer ${secret}` } })).status;

  it('shows its secret once', async () => {
    await admin.goto(`${server.url}/settings/tokens`);
    await admin.getByRole('button', { name: 'New token' }).click();
    await admin.getByLabel('Name', { exact: true }).fill('nightly');
    await admin.getByLabel(/^ingest/).uncheck();
    await admin.getByLabel(/^read/).check();
    await admin.getByLabel('Ends').selectOption('30 days');
    await admin.getByRole('button', { name: 'Make the token' }).click();
    secret = (await admin.locator('.once pre').innerText()).trim();
    assert.match(secret, /^clew_[\w-]{43}$/);
    assert.equal(await reads(), 200);
    await admin.reload();
    await admin.locator('.tbl').waitFor();
    assert.ok(!(await admin.content()).includes(secret));
    await eventually(async () => assert.match((await rows(admin)).join('\n'), /nightly.* in 30/));
    assert.ok(!(await admin.content()).includes(secret));
  });

  it('is revoked after eight seconds in which that can be taken back', async () => {
    await admin.getByRole('button', { name: 'Revoke nightly' }).click();
    await admin.getByText('nightly is revoked').waitFor();
    assert.equal(await admin.getByRole('button', { name: 'Revoke nightly' }).count(), 0);
    assert.equal(await reads(), 200, 'nothing has happened yet');
    await admin.getByRole('button', { name: 'Undo' }).click();
    await admin.getByRole('button', { name: 'Revoke nightly' }).waitFor();
    await admin.getByRole('button', { name: 'Revoke nightly' }).click();
    // Whoever leaves the page means it.
    await admin.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: /Connect a service/ }).click();
    await eventually(async () => assert.equal(await reads(), 401));
  });
});

it('a project gets a new key, and the old one goes', async () => {
  await admin.goto(`${server.url}/settings/projects`);
  await admin.getByRole('button', { name: 'New project' }).click();
  await admin.getByLabel('Name', { exact: true }).fill('shop');
  await admin.getByRole('button', { name: 'Make the project' }).click();
  const row = admin.locator('tr', { hasText: 'shop' });
  await row.getByRole('button', { name: 'Keys and name' }).click();
  await admin.locator('.keys li').waitFor();
  const old = await admin.locator('.keys code').innerText();
  await admin.getByRole('button', { name: 'New key' }).click();
  await admin.waitForFunction(() => document.querySelectorAll('.keys li').length === 2);
  await admin.getByRole('button', { name: `Revoke the key ending ${old.slice(-4)}` }).click();
  await admin.waitForFunction(() => document.querySelectorAll('.keys li').length === 1);
  await eventually(async () => assert.notEqual(await admin.locator('.keys code').innerText(), old));
  assert.ok(!(await row.innerText()).includes(old));
});

it('the trail tells all of it, and its chain holds', async () => {
  await admin.goto(`${server.url}/settings/audit`);
  await admin.getByText(/the chain of hashes holds/).waitFor();
  assert.deepEqual(await axe(admin), []);
  await admin.getByRole('textbox', { name: 'Entries that say' }).fill('mara');
  await admin.getByRole('button', { name: 'Find' }).click();
  await admin.waitForURL(/containing=mara/);
  await eventually(async () => {
    const said = await rows(admin);
    assert.ok(said.every((row) => row.includes('mara')), said.join('\n'));
    for (const action of ['user.add', 'link.add', 'user.password', 'session.start', 'session.end', 'user.disable'])
      assert.ok(said.some((row) => row.includes(action)), `${action} in\n${said.join('\n')}`);
  });
});

it('storage and server say how things are', async () => {
  await admin.goto(`${server.url}/settings/storage`);
  await admin.getByText(/Records are kept 14 days/).waitFor();
  assert.deepEqual(await axe(admin), []);
  await admin.goto(`${server.url}/settings/server`);
  await admin.getByText(/nothing wrong with this host|to look at/).waitFor();
  await admin.getByText(new URL(server.url).host).first().waitFor();
  assert.deepEqual(await axe(admin), []);
  assert.deepEqual(problems, []);
});
