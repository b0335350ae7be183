// What the journeys over live pages share: the host of live_host.py, and what is looked at on each page.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { axe, binary, noWider, resize, sleep } from './harness.mjs';

export { words } from './harness.mjs';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const venv = path.join(root, '.setup/venv/bin/python');

/** The host of live_host.py. */
export async function startHost(server) {
  const { stdout } = await run(binary, ['token', 'add', 'host', '--scope', 'read,admin', '--data', server.data]);
  const child = spawn(fs.existsSync(venv) ? venv : 'python3', [path.join(import.meta.dirname, 'live_host.py'), server.url, stdout.trim()], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = [];
  let rest = '';
  child.stdout.on('data', (chunk) => {
    rest += chunk;
    const whole = rest.split('\n');
    rest = whole.pop();
    lines.push(...whole);
  });
  const next = async (fits) => {
    for (let tries = 0; tries < 1200; tries++) {
      const at = lines.findIndex(fits);
      if (at >= 0) return lines.splice(at, 1)[0];
      if (child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`the host has not said it: ${lines.join('; ')}`);
  };
  await next((line) => line === 'ready').catch((error) => {
    child.kill();
    throw error;
  });
  return {
    next,
    /** What the server wants placed, once it fits. */
    probe: async (fits = () => true) => JSON.parse((await next((line) => line.startsWith('probe {') && fits(JSON.parse(line.slice(6))))).slice(6)),
    tell: async (what) => {
      child.stdin.write(`${JSON.stringify(what)}\n`);
      await next((line) => line === 'done');
    },
    stop: () => child.kill(),
  };
}

/** Nothing against it in both themes and widths. */
export async function clean(page) {
  for (const width of [1440, 390]) {
    await resize(page, width, width === 390 ? 844 : 900);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await axe(page), []);
    }
    await noWider(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await resize(page, 1440, 900);
}

/** For a person to look at: pictures of the page, where SHOTS says. */
export async function shoot(page, name) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  for (const width of [1440, 390])
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.emulateMedia({ colorScheme });
      await sleep(300);
      await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`) });
    }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1440, height: 900 });
}
