// What the journeys share: a real server on a data directory of its own, the real demo shop, a real browser.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
// The browser's driver and axe come with the pages' own tools.
const require = createRequire(path.join(root, 'ui/package.json'));
const { chromium } = require('playwright-core');
const axeSource = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const CHROMIUM_ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Output of a child, and a promise of the first line that matches. */
function watch(child, name) {
  const seen = { text: '' };
  const waiting = [];
  const take = (chunk) => {
    seen.text += chunk;
    for (const waiter of waiting) {
      const match = waiter.pattern.exec(seen.text);
      if (match) waiter.resolve(match);
    }
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  seen.until = (pattern, ms = 60_000) =>
    new Promise((resolve, reject) => {
      const match = pattern.exec(seen.text);
      if (match) return resolve(match);
      const timer = setTimeout(() => reject(new Error(`${name} did not print ${pattern} in ${ms} ms:\n${seen.text}`)), ms);
      waiting.push({ pattern, resolve: (found) => (clearTimeout(timer), resolve(found)) });
      // Not 'exit': what it has printed may still be on its way then.
      child.once('close', (code, signal) => (clearTimeout(timer), reject(new Error(`${name} ended (${signal ?? code}):\n${seen.text}`))));
    });
  return seen;
}

function stopped(child) {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((done) => child.once('exit', done));
}

async function stop(child) {
  child.kill('SIGTERM');
  await Promise.race([stopped(child), sleep(5000).then(() => child.kill('SIGKILL'))]);
  await stopped(child);
}

export const binary = process.env.CLEW_BIN ?? path.join(root, 'build/clew');

/** { url, link, data, freshLink(), stop() }; `listen` keeps the port over a restart, `args` are the server's. */
export async function startServer({ data = fs.mkdtempSync(path.join(os.tmpdir(), 'clew-e2e-')), listen = '127.0.0.1:0', args = [] } = {}) {
  const child = spawn(binary, ['serve', '--data', data, '--listen', listen, '--no-otlp-ports', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = watch(child, 'clew serve');
  const [, link] = await output.until(/open\s+(http:\S+#\S+)\s/);
  const url = new URL(link).origin;
  return {
    url,
    link,
    data,
    freshLink: async () => {
      const asked = spawn(binary, ['login-link', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] });
      const [found] = await watch(asked, 'clew login-link').until(/http:\S+#\S+(?=\s)/);
      return found;
    },
    dsn: async () => (await promisify(execFile)(binary, ['project', 'dsn', 'default', '--data', data])).stdout.trim(),
    /** What Sentry's SDKs and sentry-cli are told. */
    sentry: async () => {
      const run = async (...words) => (await promisify(execFile)(binary, [...words, '--data', data])).stdout.trim();
      return {
        SENTRY_DSN: await run('project', 'dsn', 'default'),
        SENTRY_URL: url,
        SENTRY_AUTH_TOKEN: await run('token', 'add', 'uploads', '--scope', 'ingest'),
        SENTRY_ORG: 'clew',
        SENTRY_PROJECT: 'default',
      };
    },
    pause: () => stop(child),
    stop: async () => {
      await stop(child);
      fs.rmSync(data, { recursive: true, force: true });
    },
  };
}

/** The demo shop, with few shoppers: the tests go shopping themselves. Its bug is there at once, unless it is deployed later. */
export async function startDemo(url, { deployAfter = 0, shoppers = 1, env = {} } = {}) {
  const child = spawn(path.join(root, 'demo/run'), [], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: url, CLEW_DEMO_SHOPPERS: String(shoppers), CLEW_DEMO_DEPLOY_AFTER: String(deployAfter) },
  });
  const output = watch(child, 'demo');
  const [, web] = await output.until(/web\s+ready at (http:\S+),/, 120_000);
  const [, storefront] = await output.until(/storefront\s+ready at (http:\S+),/);
  await output.until(/^demo /m);
  return { web, storefront, pid: child.pid, until: output.until, printed: () => output.text, stop: () => stop(child), gone: () => stopped(child) };
}

/** Rows of a query, as the command line prints them. */
export async function query(server, text) {
  const { stdout } = await promisify(execFile)(binary, ['query', '--data', server.data, text], { maxBuffer: 64 << 20 });
  return stdout.trim().split('\n').map((line) => JSON.parse(line)).filter((row) => !row._stats);
}

/** The rows of a query once there are enough of them, or what there is after a while: exporters send each second. */
export async function stored(server, text, enough = (rows) => rows.length > 0) {
  for (const end = Date.now() + 30_000; ; await sleep(250)) {
    const rows = await query(server, text);
    if (enough(rows) || Date.now() > end) return rows;
  }
}

/** One customer's order, through the shop's own front door. */
export async function order(web, { customer, lines, quantity = 1, coupon, country }) {
  const call = async (method, at, body) => {
    const response = await fetch(web + at, {
      method,
      headers: { 'content-type': 'application/json', 'x-customer': customer, ...(country && { 'x-country': country }) },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  };
  const { body } = await call('POST', '/carts');
  for (const sku of lines) await call('POST', `/carts/${body.cart}/items`, { sku, quantity });
  return await call('POST', '/checkout', { cart: body.cart, coupon });
}

/** A test that only passes where pages are fast looks before what it looks for is there: CLEW_E2E_SLOW=4 makes scripts take 4 times as long, and answers come late. */
const SLOW = Number(process.env.CLEW_E2E_SLOW ?? 1);
const PATIENCE_MS = 30_000 * SLOW;

/** What comes true in its time: asserted again until it holds. Its last failure is the failure. */
export async function eventually(holds) {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    try {
      return await holds();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

export const words = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ').trim();

/** What is read there once it is as the pattern says, with one space between words: parts of it may come later than the first. */
export const says = (locator, pattern) =>
  eventually(async () => {
    const read = await words(locator);
    assert.match(read, pattern);
    return read;
  });

/** Once there are so many of them. */
export const counts = (locator, n) => eventually(async () => assert.equal(await locator.count(), n, String(locator)));

/** Once the field holds it. */
export const holds = (field, text) => eventually(async () => assert.equal(await field.inputValue(), text, String(field)));

/** Once it leads there. */
export const leads = (link, href) => eventually(async () => assert.equal(await link.getAttribute('href'), href, String(link)));

/** Once nothing sticks out at the side. */
export const noWider = (page) =>
  eventually(async () => assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'wider than the screen'));

/** Where it stands once it stands still: what comes above it later moves it. */
export async function still(locator) {
  await locator.waitFor();
  let before;
  return eventually(async () => {
    const last = before;
    before = await locator.boundingBox();
    assert.deepEqual(before, last, 'it moves');
    return before;
  });
}

async function slowDown(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOW });
  await context.route(/\/api\//, async (route) => {
    await sleep(Math.random() * 60 * SLOW);
    await route.fallback().catch(() => undefined);
  });
}

/** A browser with one context a call; every error of a page's script or console is a failure of the test. */
export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: process.env.CLEW_CHROMIUM ?? '/usr/bin/chromium', args: CHROMIUM_ARGS });
  return {
    open: async (options = {}) => {
      // Without motion colours do not fade over: what is looked at is what it stays.
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      if (SLOW > 1) await slowDown(context, page);
      const problems = [];
      page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
      page.on('console', (message) => {
        // What the server refuses on purpose, the browser reports too.
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) problems.push(message.text());
      });
      return { page, context, problems };
    },
    stop: () => browser.close(),
  };
}

/** Signs in, and goes on to a page; without one it stays where signing in leads. */
export async function signIn(page, link, to) {
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in', exact: true }).first().click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  if (to) await page.goto(new URL(to, link).href);
}

/** Until a theme or a width that has just been chosen is drawn. */
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** The screen has this size, and the page is drawn for it. */
export async function resize(page, width, height) {
  await page.setViewportSize({ width, height });
  await page.waitForFunction((wanted) => innerWidth === wanted, width);
  await drawn(page);
}

/** What can be taken back for 8 s can be taken back for two minutes, on the pages that are opened from now on. */
export const patient = (page) =>
  page.addInitScript(() => {
    const { setTimeout } = window;
    window.setTimeout = (run, ms, ...more) => setTimeout(run, ms === 8000 ? 120_000 : ms, ...more);
  });

async function violations(page) {
  await drawn(page);
  // What a bar that stays covers by half, because of where the page happens to be scrolled to, is no small target.
  await page.evaluate(() => document.querySelector('.set-body')?.scrollTo(0, 0));
  // Evaluated by the driver, so the page's own policy (no inline script) stays as it is.
  await page.evaluate(axeSource);
  const result = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  return result.violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
}

/** What axe has against the page as it stands; [] is what is wanted. What is still being loaded or drawn is looked at again. */
export async function axe(page) {
  for (let tries = 0; ; tries++) {
    const found = await violations(page);
    if (found.length === 0 || tries === 4) return found;
    await sleep(250 * SLOW);
  }
}

export { sleep };
