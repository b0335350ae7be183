'use strict';
// People with the page open: the page as it is served, its script with Sentry's SDK for browsers and all, in a light DOM instead of a
// browser, of which a headless one would cost more than the rest of the shop. What they do is clicks.
const { setTimeout: sleep } = require('node:timers/promises');
const { Browser } = require('happy-dom');
const { chance, one, person, weighted } = require('./people.js');

const SHOP = process.env.STOREFRONT_URL;
const VISITORS = 2; // at a time
const PAUSE_MS = 6000; // between two visits
const PATIENCE_MS = 5000;
const STAYS_MS = 6000; // and reads; the SDK sends what it has meanwhile
const COUPONS = [['', 50], ['WELCOME', 20], ['AUTUMN-15', 30]];
const NEWSLETTER = '/go?to=%2F%3Foffer%3D100%25%20wool'; // few read it
const SELF = /\bhappy-dom\b|\bbrowsers\.js\b|\bnode:/;

const windows = new Set(); // of open pages

/** What a browser has and this DOM lacks: functions of its own that say so, and stacks without the browser's insides. */
function asBrowser(window) {
  windows.add(window);
  const fetch = window.fetch.bind(window);
  window.fetch = Object.assign((...words) => fetch(...words), { toString: () => 'function fetch() { [native code] }' });
  window.Error.prepareStackTrace = (error, sites) =>
    [error, ...sites.filter((site) => !SELF.test(site.getFileName() ?? '')).map((site) => `    at ${site}`)].join('\n');
}

/** And: a promise that nobody catches is told to the page whose it is. */
process.on('unhandledRejection', (reason, promise) => {
  const window = [...windows].find((one) => reason instanceof one.Error);
  if (window) window.dispatchEvent(Object.assign(new window.Event('unhandledrejection'), { reason, promise }));
  else console.error(reason);
});

const look = () => sleep(400 + Math.random() * 800);

async function click(element) {
  try {
    element?.click();
  } catch {
    // Reported by the page itself; its visitor sees that nothing happens.
  }
  await look();
}

/** A page with this person's cookies, when it has something to click on. */
async function open(browser, who) {
  for (const [key, value] of [['customer', who['x-customer']], ['country', who['x-country']]])
    browser.defaultContext.cookieContainer.addCookies([{ key, value, originURL: new URL(SHOP) }]);
  const page = browser.newPage();
  await page.goto(SHOP, { beforeContentCallback: asBrowser });
  const { document } = page.mainFrame;
  for (const until = Date.now() + PATIENCE_MS; !document.querySelector('li') && Date.now() < until; ) await sleep(100);
  return document;
}

async function shop(document) {
  const row = () => one([...document.querySelectorAll('li')]);
  while (chance(0.7)) await click(row()?.querySelector('[data-sku]'));
  if (!chance(0.5)) return;
  for (let n = 1 + Math.floor(Math.random() * 3); n > 0; n--) await click(row()?.querySelector('button:last-child'));
  document.querySelector('[name=coupon]').value = weighted(COUPONS);
  await click(document.querySelector('form button'));
}

async function visit() {
  const who = person();
  const browser = new Browser({
    settings: {
      enableJavaScriptEvaluation: true, // the shop's own
      suppressInsecureJavaScriptEnvironmentWarning: true,
      handleDisabledFileLoadingAsSuccess: true,
      disableIframePageLoading: true,
      navigator: { userAgent: who['user-agent'] },
    },
  });
  try {
    await shop(await open(browser, who));
    await sleep(STAYS_MS);
  } finally {
    for (const { mainFrame } of browser.defaultContext.pages) windows.delete(mainFrame.window);
    await browser.close();
  }
  if (chance(0.05)) await fetch(SHOP + NEWSLETTER, { headers: { cookie: `customer=${who['x-customer']}` }, redirect: 'manual' });
}

async function forever() {
  for (;;) {
    await visit().catch((error) => console.error(error));
    await sleep(PAUSE_MS * (0.5 + Math.random()));
  }
}

for (let n = 0; n < VISITORS; n++) void sleep(n * 1500).then(forever);
