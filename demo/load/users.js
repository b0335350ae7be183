'use strict';
// People in the shop: each looks around, some search, some buy, some of those with a coupon. About three requests a second.
const { setTimeout: sleep } = require('node:timers/promises');

const WEB = process.env.WEB_URL;
const CHECKOUT = process.env.CHECKOUT_URL;
const SHOPPERS = Number(process.env.CLEW_DEMO_SHOPPERS ?? 5);
const SKUS = ['AMPH-1', 'AMPH-3', 'BALL-1', 'BALL-2', 'BOWL-4', 'CLIP-1', 'COMB-2', 'CORD-8', 'DISC-1', 'HORN-1', 'JUG-2', 'LAMP-1',
  'LAMP-6', 'LOOM-1', 'MAP-1', 'MASK-1', 'OIL-2', 'RHYT-1', 'SAIL-B', 'SAIL-W', 'SEAL-3', 'SPIN-1', 'TABL-5', 'WAX-1'];
const WORDS = ['lamp', 'thread', 'oil', 'burns for', 'leaks', 'crossing', 'broken'];
let customers = 20_400;

const one = (list) => list[Math.floor(Math.random() * list.length)];
const chance = (share) => Math.random() < share;
/** Time between two clicks: mostly short, now and then somebody reads. */
const think = () => sleep(400 - Math.log(1 - Math.random()) * 1100);

async function call(method, url, customer, body) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(customer && { 'x-customer': customer }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  return text ? JSON.parse(text) : {};
}

function coupon() {
  if (chance(0.55)) return undefined;
  return chance(0.72) ? one(['WELCOME', 'THREAD-5']) : 'AUTUMN-15';
}

async function visit() {
  const customer = `u_${customers++}`;
  await call('GET', `${WEB}/`, customer);
  await think();
  for (let looked = 0; looked < 1 + Math.floor(Math.random() * 3); looked++) {
    await call('GET', `${WEB}/products/${chance(0.03) ? 'AMPH-9' : one(SKUS)}`, customer);
    await think();
  }
  if (chance(0.2)) {
    await call('GET', `${WEB}/search?q=${encodeURIComponent(one(WORDS))}`, customer);
    await think();
  }
  if (!chance(0.6)) return;
  const { cart } = await call('POST', `${WEB}/carts`, customer);
  const lines = 1 + Math.floor(Math.random() ** 2 * 9);
  for (let line = 0; line < lines; line++) {
    await call('POST', `${WEB}/carts/${cart}/items`, customer, { sku: one(SKUS), quantity: 1 + Math.floor(Math.random() * 2) });
    await sleep(150 + Math.random() * 300);
  }
  await think();
  await call('POST', `${WEB}/checkout`, customer, { cart, coupon: coupon() });
}

async function shopper() {
  for (;;) {
    await visit().catch(() => sleep(1000)); // the shop may be down for a moment; the shopper comes back
    await think();
  }
}

/** The warehouse counts some shelves, with their rows locked: those who order then have to wait. */
async function warehouse() {
  for (;;) {
    await sleep(20_000 + Math.random() * 20_000);
    const skus = [...SKUS].sort(() => Math.random() - 0.5).slice(0, 5).sort();
    await call('POST', `${CHECKOUT}/warehouse/count`, undefined, { skus }).catch(() => {});
  }
}

for (let n = 0; n < SHOPPERS; n++) void sleep(n * 400).then(shopper);
if (SHOPPERS > 0) void warehouse();
