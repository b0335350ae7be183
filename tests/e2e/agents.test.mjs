// Agents in the settings: a host is enrolled beside a page that waits for it, is seen, goes away, and is removed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';
import { binary, eventually, leads, says, signIn, startBrowser, startServer } from './harness.mjs';
import { clean, startHost } from './live_host.mjs';

const run = promisify(execFile);
let server;
let browser;
let host;
let page;
let problems;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  ({ page, problems } = await browser.open());
  await signIn(page, server.link, '/settings/agents');
});

after(async () => {
  host?.stop();
  await browser?.stop();
  await server?.stop();
});

it('says what an agent is where there is none', async () => {
  await page.getByRole('heading', { name: 'No host has an agent yet' }).waitFor();
  await clean(page);
});

it('enrols a host with one line, and waits beside it until it says hello', async () => {
  await page.getByRole('button', { name: 'Enrol the first host' }).click();
  await page.getByLabel('Which host').fill('web-1');
  await page.getByRole('button', { name: 'Make the command' }).click();
  const form = page.getByRole('form', { name: 'Enrol a host' });
  await form.getByText('Waiting for its hello').waitFor();
  await says(form.locator('.paste pre'), new RegExp(`^sudo CLEW_TOKEN=clewa_\\S+ clew agent --server ${server.url}$`));
  await form.getByText('reaches only the machine that the server runs on').waitFor();
  await clean(page);
  host = await startHost(server);
  await host.tell({ processes: [{ n: 1 }, { n: 2 }] });
  await form.getByText(/web-1 is connected, 2 processes/).waitFor();
  await leads(form.getByRole('link', { name: 'Look into them' }), '/live');
  await clean(page);
  await form.getByRole('button', { name: 'Done' }).click();
});

it('lists it: connection, processes, cost, and what the host lets out', async () => {
  const row = page.locator('.agents tbody tr').first();
  await says(row, /^web-1 1 connected .*2 0 .*0 values Remove$/);
  await page.getByText('1 host, all connected; 2 processes, 0 attached.').waitFor();
  await clean(page);
});

it('takes back an enrolment token that nobody has used', async () => {
  const tokens = page.getByRole('region', { name: 'Enrolment tokens' });
  await tokens.getByText('web-1').waitFor();
  await clean(page);
  await tokens.getByRole('button', { name: 'Revoke the token of web-1' }).click();
  await tokens.waitFor({ state: 'detached' });
  // Whoever leaves the page means it.
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: /Connect a service/ }).click();
  const left = () => page.evaluate(async () => (await (await fetch('/api/v1/agents/tokens')).json()).tokens.length);
  await eventually(async () => assert.equal(await left(), 0));
  await page.goto(`${server.url}/settings/agents`);
  await page.locator('.agents tbody tr', { hasText: 'web-1' }).waitFor();
  assert.equal(await tokens.count(), 0);
});

it('says what the policy of the host leaves out, in a line under it', async () => {
  const line = page.locator('.agents tr.rules');
  assert.equal(await line.count(), 0);
  await host.tell({ policy: { services: ['shop-*', '!shop-payments'], environments: ['!production'], shapes_services: ['shop-billing'] } });
  await says(line, /^May look into: services shop-\*, not shop-payments; all environments but production\. Types and sizes only: services shop-billing\.$/);
  await clean(page);
});

it('shows it to who may only read, who can change nothing', async () => {
  await run(binary, ['user', 'add', 'jonas', '--scope', 'read', '--data', server.data]);
  const { stdout } = await run(binary, ['login-link', 'jonas', '--data', server.data]);
  const { page: second, context } = await browser.open();
  await signIn(second, /http:\S+#\S+/.exec(stdout)[0], '/settings/agents');
  await second.locator('.agents tbody tr', { hasText: 'web-1' }).waitFor();
  assert.equal(await second.getByRole('button', { name: /Enrol|Remove/ }).count(), 0);
  await context.close();
});

it('says that a key is in use in two places, and what to do', async () => {
  await host.tell({ copied: true });
  const row = page.locator('.agents tr.copied');
  await row.getByText('Connected from two places').waitFor();
  await says(row, /two connections with its key were alive at once; the second was refused\. .* remove this agent, and enrol the host anew/);
  await clean(page);
});

it('says since when a host is away', async () => {
  host.stop();
  await page.locator('.agents tr.off', { hasText: 'last seen' }).waitFor();
  await page.getByText('1 host, 1 away.').waitFor();
});

it('removes it once the consequence was read', async () => {
  await page.getByRole('button', { name: 'Remove web-1' }).click();
  const asked = page.getByRole('group', { name: 'Remove web-1?' });
  await asked.getByText('will not be let in again').waitFor();
  await clean(page);
  await asked.getByRole('button', { name: 'Keep it' }).click();
  await asked.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Remove web-1' }).click();
  await asked.getByRole('button', { name: 'Remove the agent' }).click();
  await page.getByRole('heading', { name: 'No host has an agent yet' }).waitFor();
  assert.deepEqual(problems, []);
});
