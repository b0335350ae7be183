// What the pages cost a reader: a million spans, a million logs and a million error events in 10,000 issues, a trace of
// 10,000 spans, the release build and a real browser.
//
//   make bench-pages [ARGS="--records 1000000 --runs 5 --only logs"]
//
// first paint      from the navigation to the first contentful paint, median of the runs (cold: no cache, a fresh context)
// answer           from the navigation until the page shows its data (no skeleton is left)
// again            the same after another query was entered, until the rows are those of the new one
// scrolling        frames a second while a long trace is scrolled; memory while a million log lines are paged through
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '..');
const { chromium } = createRequire(path.join(root, 'ui/package.json'))('playwright-core');
const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const RECORDS = Number(option('--records', 1_000_000));
const RUNS = Number(option('--runs', 5));
const ONLY = option('--only');
const LONG_TRACE = 10_000;
const ISSUES = 10_000;
const binary = path.join(root, 'build/clew');

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function startServer(data) {
  const child = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0', '--no-otlp-ports'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    const found = /open\s+(http:\S+#\S+)/.exec(text);
    if (found) return { child, link: found[1], origin: new URL(found[1]).origin };
  }
  throw new Error('the server ended');
}

function freshLink(data) {
  return /http:\S+#\S+/.exec(execFileSync(binary, ['login-link', '--data', data], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))[0];
}

function fill(origin, signal, ...more) {
  const to = new URL(origin).host;
  const out = execFileSync(path.join(root, 'build/release/bench/otlpgen'), ['--to', to, '--signal', signal, '--records', String(RECORDS), '--spread', '3400', ...more], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (JSON.parse(out).failures) throw new Error(out);
}

/** Events of Sentry's SDKs; answers the page of the issue with the most of them. */
async function fillIssues(origin) {
  const dsn = new URL(execFileSync(binary, ['project', 'dsn', 'default', '--data', data], { encoding: 'utf8' }).trim());
  fill(origin, 'events', '--issues', String(ISSUES), '--connections', '16', '--prebuilt', '20000', '--token', dsn.username, '--project', dsn.pathname.slice(1));
  const { context, page } = await signedIn();
  await page.goto(`${origin}/issues?from=-1h&sort=events`);
  const link = page.locator('a[href^="/issues/"]').first();
  await link.waitFor();
  const address = await link.getAttribute('href');
  await context.close();
  return address;
}

/** One trace that is longer than any screen: a loop that calls and queries. */
async function sendLongTrace(origin) {
  const trace = 'c1e3'.padEnd(32, '0');
  const end = BigInt(Date.now() - 60_000) * 1_000_000n;
  const id = (n) => (n + 1).toString(16).padStart(16, '0');
  const spans = Array.from({ length: LONG_TRACE }, (_, n) => ({
    traceId: trace,
    spanId: id(n),
    ...(n > 0 && { parentSpanId: id(n < 40 ? 0 : (n * 7) % 40) }),
    name: n === 0 ? 'POST /import' : n % 3 === 0 ? `SELECT part_${n % 50}` : `step ${n % 97}`,
    kind: n === 0 ? 2 : 1,
    startTimeUnixNano: String(end - 9_000_000_000n + BigInt(n) * 800_000n),
    endTimeUnixNano: String(end - 9_000_000_000n + BigInt(n) * 800_000n + BigInt(n === 0 ? 8_900_000_000 : 700_000 + (n % 13) * 90_000)),
    ...(n % 500 === 7 && { status: { code: 2 } }),
  }));
  const body = JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'importer' } }] }, scopeSpans: [{ spans }] }] });
  const answer = await fetch(`${origin}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!answer.ok) throw new Error(await answer.text());
  return trace;
}

/** Until everything that was sent is sealed and merged. */
async function settle(origin) {
  for (let calm = 0; calm < 2; await sleep(500)) {
    const text = await (await fetch(`${origin}/metrics`)).text();
    const value = (name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    calm = value('clew_store_merge_debt_rows') + value('clew_store_head_rows') === 0 ? calm + 1 : 0;
  }
}

const data = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'clew-pages-')), 'data');
const server = await startServer(data);
const browser = await chromium.launch({
  executablePath: process.env.CLEW_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info', '--disable-background-networking'],
});

async function signedIn() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(freshLink(data));
  await page.getByRole('button', { name: 'Sign in', exact: true }).first().click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  return { context, page };
}

/** Paints and answers of one address, each time in a page of its own whose cache is empty. */
async function look(name, address, ready) {
  if (ONLY && !name.startsWith(ONLY)) return;
  const paints = [];
  const answers = [];
  for (let run = 0; run < RUNS; run++) {
    const { context, page } = await signedIn();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.clearBrowserCache');
    const began = performance.now();
    await page.goto(server.origin + address, { waitUntil: 'commit' });
    await page.waitForFunction(ready, undefined, { polling: 'raf' });
    answers.push(performance.now() - began);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN));
    await context.close();
  }
  console.log(`${name.padEnd(16)} first paint ${median(paints).toFixed(0).padStart(5)} ms   answer ${median(answers).toFixed(0).padStart(6)} ms   (${RUNS} runs, cold)`);
}

/** From Enter in the query bar until other rows stand there. */
async function again(name, address, text, rows) {
  if (ONLY && !name.startsWith(ONLY)) return;
  const { context, page } = await signedIn();
  await page.goto(server.origin + address);
  await page.locator(rows).first().waitFor();
  await page.keyboard.press('l'); // live updates would answer in between
  await page.waitForTimeout(2000);
  const taken = [];
  for (let run = 0; run < RUNS; run++) {
    const bar = page.locator('[data-slash]');
    await bar.fill(text(run));
    await bar.press('End');
    const wait = page.waitForResponse((response) => response.url().includes('/api/v1/query') && response.request().postData()?.includes(text(run).split(' ').at(-1)));
    const began = performance.now();
    await bar.press('Enter');
    await wait;
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], .stale'), undefined, { polling: 'raf' });
    taken.push(performance.now() - began);
  }
  console.log(`${name.padEnd(16)} again       ${median(taken).toFixed(0).padStart(5)} ms`);
  await context.close();
}

async function scrollTrace(trace) {
  if (ONLY && !'trace'.startsWith(ONLY)) return;
  const { context, page } = await signedIn();
  await page.goto(`${server.origin}/traces/${trace}`);
  await page.locator('.wf canvas').waitFor();
  await page.waitForTimeout(1000);
  await page.evaluate(() => {
    window.frames_ = [];
    const tick = (at) => {
      window.frames_.push(at);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await page.mouse.move(900, 500);
  for (let step = 0; step < 120; step++) await page.mouse.wheel(0, 400);
  const frames = await page.evaluate(() => window.frames_);
  const gaps = frames.slice(1).map((at, n) => at - frames[n]);
  const slow = gaps.filter((gap) => gap > 34).length;
  console.log(`trace scroll     ${((frames.length - 1) / ((frames.at(-1) - frames[0]) / 1000)).toFixed(1)} frames a second over ${LONG_TRACE} spans, ${slow} of ${gaps.length} frames late, longest ${Math.max(...gaps).toFixed(0)} ms`);
  await context.close();
}

/** Heap before and after many screens of log lines. */
async function scrollLogs() {
  if (ONLY && !'logs'.startsWith(ONLY)) return;
  const { context, page } = await signedIn();
  await page.goto(`${server.origin}/logs?from=-1h`);
  await page.locator('.loglist [role="row"], .loglist .lg1').first().waitFor();
  await page.keyboard.press('l');
  const cdp = await context.newCDPSession(page);
  const heap = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return (await cdp.send('Runtime.getHeapUsage')).usedSize / 1e6;
  };
  await page.waitForTimeout(1500);
  const before = await heap();
  const marks = [];
  await page.locator('.loglist').first().hover();
  for (let part = 0; part < 5; part++) {
    for (let step = 0; step < 60; step++) {
      await page.mouse.wheel(0, 4000);
      await page.waitForTimeout(16);
    }
    await page.waitForTimeout(300);
    marks.push((await heap()).toFixed(1));
  }
  console.log(`logs memory      ${before.toFixed(1)} MB of heap at first, then ${marks.join(', ')} MB`);
  await context.close();
}

try {
  const issuesOnly = ONLY?.startsWith('issue');
  let trace;
  if (!issuesOnly) {
    fill(server.origin, 'traces');
    fill(server.origin, 'logs');
    trace = await sendLongTrace(server.origin);
    await settle(server.origin);
  }
  console.log(`${RECORDS.toLocaleString('en')} ${issuesOnly ? 'error events' : 'spans and as many logs'} over an hour; ${os.cpus().length} cores, ${os.cpus()[0].model}`);
  const noSkeleton = (css) => new Function(`return document.querySelector(${JSON.stringify(css)}) && !document.querySelector('.skel')`);
  await look('home', '/?from=-1h', noSkeleton('main table, main .svc, main [role="row"]'));
  await look('traces', '/traces?from=-1h', noSkeleton('.tracelist a'));
  await look('logs', '/logs?from=-1h', noSkeleton('.loglist'));
  await look('map', '/map?from=-1h', noSkeleton('main svg, main canvas'));
  await look('trace', `/traces/${trace}`, noSkeleton('.wf canvas'));
  if (!ONLY || 'issues'.startsWith(ONLY) || 'issue'.startsWith(ONLY)) {
    const issue = await fillIssues(server.origin); // looked at as they stand: the last ones are not sealed for minutes
    await look('issues', '/issues?from=-1h', noSkeleton('main a[href^="/issues/"]'));
    await look('issue', issue, noSkeleton('main ol.frames'));
  }
  await again('traces', '/traces?from=-1h', (n) => `spans root=true duration>${n + 1}ms`, '.tracelist a');
  await again('logs', '/logs?from=-1h', (n) => `logs level>=warn severity>=${13 + (n % 4)}`, '.loglist');
  await scrollTrace(trace);
  await scrollLogs();
} finally {
  await browser.close();
  server.child.kill('SIGTERM');
  await new Promise((done) => server.child.once('exit', done));
  fs.rmSync(path.dirname(data), { recursive: true, force: true });
}
