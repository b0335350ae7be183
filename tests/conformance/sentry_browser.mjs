// Drives the page in headless Chromium: node sentry_browser.mjs PACKAGE DSN. Prints, as JSON, what it sent and what it was answered.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as esbuild from 'esbuild';

const [, , sdk, dsn] = process.argv;
const here = import.meta.dirname;
const { chromium } = createRequire(path.join(here, '../../ui/package.json'))('playwright-core');
const built = await esbuild.build({ absWorkingDir: here, entryPoints: [path.join(here, 'sentry_page.js')], alias: { SDK: sdk }, bundle: true, minify: true, write: false, logLevel: 'error' });
const page = `<!doctype html><html lang="en"><title>The shop</title><button id="buy">Buy</button><button id="tell">Tell</button>
<script>window.DSN = ${JSON.stringify(dsn)}</script><script src="/shop.js"></script>`;
const asked = [];
const server = http.createServer((request, response) => {
  if (request.url === '/api/cart') asked.push(request.headers);
  const js = request.url === '/shop.js';
  response.writeHead(200, { 'content-type': js ? 'text/javascript' : 'text/html' });
  response.end(js ? built.outputFiles[0].text : page);
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({ executablePath: process.env.CLEW_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const sent = [];
try {
  const tab = await browser.newPage();
  tab.on('requestfinished', async (request) => {
    if (!/\/envelope\//.test(request.url()) || request.method() !== 'POST') return;
    const response = await request.response();
    sent.push({ status: response.status(), type: request.headers()['content-type'] ?? '', bytes: (request.postDataBuffer() ?? '').length });
  });
  const problems = [];
  tab.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await sleep(300);
  await tab.click('#buy');
  await tab.click('#tell');
  await sleep(1500); // the pageload's span ends when nothing has happened for a second
  const replay = await tab.evaluate(async () => {
    await window.Sentry.getReplay?.()?.flush();
    await window.Sentry.flush(5000);
    return window.Sentry.getReplay?.()?.getReplayId() ?? '';
  });
  await sleep(500);
  const trace = asked[0]?.['sentry-trace']?.slice(0, 32) ?? '';
  console.log(JSON.stringify({ trace, traceparent: asked[0]?.traceparent ?? '', replay, sent, problems }));
} finally {
  await browser.close();
  server.close();
}
