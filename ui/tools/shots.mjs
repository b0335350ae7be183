#!/usr/bin/env node
// Pictures of every page in both themes and widths, into ui/shots (not in git).
//
//   npm run shots -- [--url SIGN_IN_LINK] [--only NAME]
//
// The link is a fresh one (`clew login-link`). What the pages show is what the server has: start `clew demo` first.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const link = option('--url');
const only = option('--only');
if (!link) {
  console.error('usage: shots.mjs --url SIGN_IN_LINK [--only NAME]');
  process.exit(2);
}
const out = path.join(import.meta.dirname, '..', 'shots');
fs.mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CLEW_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const origin = new URL(link).origin;
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const problems = [];
page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
page.on('pageerror', (error) => problems.push(String(error)));

async function shoot(name) {
  if (only && !name.startsWith(only)) return;
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForTimeout(250);
      await page.screenshot({ path: path.join(out, `${name}-${width}-${scheme}.png`) });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  console.log(name);
}

const stranger = await (await browser.newContext()).newPage();
await stranger.goto(`${origin}/traces`);
await stranger.waitForSelector('h1');
if (!only || 'signed-out'.startsWith(only)) await stranger.screenshot({ path: path.join(out, 'signed-out.png') });

await page.goto(link);
await page.getByRole('button', { name: 'Sign in' }).first().waitFor();
await shoot('sign-in');
await page.getByRole('button', { name: 'Sign in' }).first().click();
await page.waitForSelector('.home .lede');
await page.waitForTimeout(2000);
await page.keyboard.press('l');
await shoot('home');
await page.keyboard.press('t');
await shoot('home-tables');
await page.goto(`${origin}/map`);
await page.waitForSelector('.map .node');
await shoot('map');
await page.locator('.map .node').first().click();
await page.waitForTimeout(600);
await shoot('map-service');
await page.keyboard.press('t');
await shoot('map-tables');
await page.goto(`${origin}/issues?from=-6h`);
await page.waitForSelector('li.it');
await page.waitForTimeout(1200);
await shoot('issues');
await page.locator('li.it .cb').first().click();
await shoot('issues-selected');
await page.locator('li.it .tt a').first().click();
await page.waitForSelector('.frames .fr, .nostack');
await page.waitForTimeout(1200);
await shoot('issue');
await page.keyboard.press('v');
await page.waitForSelector('.evt tbody tr');
await shoot('issue-events');
await page.goto(`${origin}/traces`);
await page.waitForSelector('.tracelist a');
await page.keyboard.press('l');
await page.waitForTimeout(500);
await shoot('traces');
await page.keyboard.press('q');
await shoot('asks');
await page.keyboard.press('Escape');

await page.locator('[data-slash]').fill('spans service=checkout status=');
await page.waitForTimeout(600);
await shoot('traces-complete');
await page.locator('[data-slash]').fill('spans status=broken');
await page.locator('[data-slash]').press('Enter');
await page.waitForSelector('.qerror');
await shoot('traces-error');

await page.goto(`${origin}/traces?q=${encodeURIComponent('spans status=error service=checkout')}&from=-6h`);
await page.waitForSelector('.tracelist a');
await shoot('traces-failed');
await page.locator('.tracelist a').first().click();
await page.waitForSelector('.wf canvas');
await shoot('trace');
await page.keyboard.press('e');
await page.keyboard.press('c');
await page.waitForTimeout(400);
await shoot('trace-span');
await page.keyboard.press('t');
await shoot('trace-table');
await page.keyboard.press('t');
await page.goto(`${origin}/logs`);
await page.waitForSelector('.loglist .lg1');
await shoot('logs');
await page.keyboard.press('j');
await page.keyboard.press('j');
await page.waitForTimeout(300);
await shoot('logs-line');
await page.keyboard.press('?');
await shoot('keys');
await page.keyboard.press('Escape');
await page.keyboard.press('Control+k');
await page.waitForTimeout(300);
await shoot('jump');
await page.keyboard.press('Escape');
await page.goto(`${origin}/?from=1000&to=100000`);
await page.waitForSelector('.say');
await shoot('home-empty');
await page.goto(`${origin}/traces?from=1000&to=100000`);
await page.waitForSelector('.say');
await shoot('traces-empty');
await page.goto(`${origin}/traces/00000000000000000000000000000001`);
await page.waitForSelector('.say');
await shoot('trace-none');
for (const [name, at] of [
  ['alerts', '/alerts'],
  ['alerts-firings', '/alerts?tab=firings'],
  ['alerts-deliveries', '/alerts?tab=deliveries'],
  ['alerts-channels', '/alerts?tab=channels'],
  ['alert-new', '/alerts/new'],
  ['releases', '/releases?from=-24h'],
  ['live', '/live'],
  ['monitors', '/monitors'],
  ['monitors-add', '/monitors?add=1'],
  ['settings-project', '/settings/projects/default'],
]) {
  await page.goto(`${origin}${at}`);
  await page.waitForTimeout(1200);
  await shoot(name);
}
for (const section of ['users', 'tokens', 'projects', 'storage', 'audit', 'server', 'you']) {
  await page.goto(`${origin}/settings/${section}`);
  await page.waitForSelector('.tbl, .facts');
  await shoot(`settings-${section}`);
}
await page.goto(`${origin}/settings/users`);
await page.getByRole('button', { name: 'Invite' }).click();
await shoot('settings-invite');
for (const sdk of ['python', 'collector']) {
  await page.goto(`${origin}/setup?sdk=${sdk}`);
  await page.waitForSelector('.knots');
  await shoot(`setup-${sdk}`);
}
await browser.close();
for (const problem of new Set(problems)) console.error(`console: ${problem}`);
