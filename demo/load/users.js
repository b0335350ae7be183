'use strict';
// People in the shop: each looks around, some search, some fill a cart, most of those buy, some with a coupon. Five to ten requests a
// second in all, in waves: a day of a real shop in the time somebody watches this one.
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { bot, chance, one, person, weighted } = require('./people.js');

const WEB = process.env.WEB_URL;
const SHOPPERS = count(process.env.CLEW_DEMO_SHOPPERS ?? '14');
const DAY_S = 900;
const THINK_MS = 950; // on average, at noon
const PATIENCE_MS = 15_000;
const SKUS = ['AMPH-1', 'AMPH-3', 'BALL-1', 'BALL-2', 'BOWL-4', 'CLIP-1', 'COMB-2', 'CORD-8', 'DISC-1', 'HORN-1', 'JUG-2', 'LAMP-1',
  'LAMP-6', 'LOOM-1', 'MAP-1', 'MASK-1', 'OIL-2', 'RHYT-1', 'SAIL-B', 'SAIL-W', 'SEAL-3', 'SPIN-1', 'TABL-5', 'WAX-1'];
const WORDS = ['lamp', 'thread', 'oil', 'burns for', 'leaks', 'crossing', 'broken'];
const COUPONS = [[undefined, 44], ['WELCOME', 18], ['THREAD-5', 9], ['SHIP-FREE', 6], ['AUTUMN-15', 18], ['CREW-12', 4], ['SUMMER-10', 1]]; // the last has expired
const PROBES = ['/wp-login.php', '/.env', '/robots.txt', '/products/AMPH-9', '/admin', '/sitemap.xml'];

function count(text) {
  if (!/^\d{1,3}$/.test(text)) throw new Error(`CLEW_DEMO_SHOPPERS is a number up to 999: ${text}`);
  return Number(text);
}

/** Between 0.65 and 1.35: how busy it is. */
function busy() {
  return 1 + 0.35 * Math.sin((Date.now() / 1000 / DAY_S) * 2 * Math.PI);
}
/** Time between two clicks: mostly short, now and then somebody reads. */
const think = () => sleep((350 - Math.log(1 - Math.random()) * (THINK_MS - 350)) / busy());

const connections = new http.Agent({ keepAlive: true });

/** Not fetch: the shoppers are to cost less than what they shop in. */
function send(method, path, who, body) {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...who };
    const request = http.request(WEB + path, { method, headers, agent: connections, timeout: PATIENCE_MS }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part)).on('error', reject);
      response.on('end', () => resolve({ type: response.headers['content-type'], text: Buffer.concat(parts).toString() }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer'))).on('error', reject).end(body);
  });
}

async function call(method, path, who, body) {
  const { type, text } = await send(method, path, who, body && JSON.stringify(body));
  return text && type?.includes('json') ? JSON.parse(text) : {};
}

/** How many lines a cart has: mostly few; now and then somebody furnishes a house. */
const cartSize = () => (chance(0.05) ? 10 + Math.floor(Math.random() * 8) : 1 + Math.floor(Math.random() ** 2 * 6));

async function visit() {
  const who = person();
  await call('GET', '/', who);
  await think();
  for (let looked = 0; looked < 1 + Math.floor(Math.random() * 4); looked++) {
    await call('GET', `/products/${chance(0.02) ? 'AMPH-9' : one(SKUS)}`, who);
    await think();
  }
  if (chance(0.15)) {
    await call('GET', `/search?q=${encodeURIComponent(one(WORDS))}`, who);
    await think();
  }
  if (!chance(0.5)) return;
  const { cart } = await call('POST', '/carts', who);
  for (let line = cartSize(); line > 0; line--) {
    await call('POST', `/carts/${cart}/items`, who, { sku: one(SKUS), quantity: 1 + Math.floor(Math.random() ** 2 * 3) });
    await sleep(200 + Math.random() * 500);
  }
  await think();
  if (chance(0.88)) await call('POST', '/checkout', who, { cart, coupon: weighted(COUPONS) });
}

async function forever(once, pause) {
  for (;;) {
    await once().catch(() => sleep(1000)); // the shop may be down for a moment; they come back
    await pause();
  }
}

async function crawl() {
  const who = bot();
  for (let n = 1 + Math.floor(Math.random() * 4); n > 0; n--) {
    await call('GET', chance(0.35) ? one(PROBES) : `/products/${one(SKUS)}`, who);
    await sleep(250 + Math.random() * 250);
  }
}

for (let n = 0; n < SHOPPERS; n++) void sleep(n * 300).then(() => forever(visit, think));
if (SHOPPERS > 1) void forever(crawl, () => sleep((3000 + Math.random() * 9000) / busy()));
