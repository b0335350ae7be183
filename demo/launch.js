'use strict';
// Starts the demo, prints a line a service, releases new versions in time, stops everything on SIGINT, SIGTERM, SIGHUP or when its parent is gone.
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Balancer } = require('./lib/balancer.js');
const { findJava, findPython, freePort } = require('./lib/find.js');
const { Processes } = require('./lib/processes.js');
const { Shop, endpoint } = require('./services.js');
const { buildPage, uploadMaps } = require('./storefront/build.js');

// Nobody logs an error about the end: who calls goes first.
const ONCE = ['cc', 'initdb', 'inject', 'release', 'upload', 'finalize', 'deploy'];
const processes = new Processes([
  ['users', 'browsers'], ['storefront'], ['recommend'], ['web'], ['checkout'], ['payments', 'inventory'], ['fx-rates', ...ONCE], ['postgres'],
]);
const RELEASES = { checkout: ['1.4.1', '1.4.2'], payments: ['2.8.4', '2.9.0'], recommend: ['2.3.0', '2.4.0'] };
const STOREFRONT = '5.12.0';
const INSTANCES = { checkout: 2, payments: 1, recommend: 1 };
const balancers = { checkout: new Balancer(), payments: new Balancer(), recommend: new Balancer() };

function say(name, text) {
  console.log(`${name.padEnd(10)} ${text}`);
}

/** Seconds from now to the release of checkout 1.4.2; 0: it is out when the shop opens. */
function deployAfter() {
  const text = process.env.CLEW_DEMO_DEPLOY_AFTER ?? '180';
  if (!/^\d{1,6}$/.test(text)) throw new Error(`CLEW_DEMO_DEPLOY_AFTER is seconds, a whole number: ${text}`);
  return Number(text);
}

function span(seconds) {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

async function buildInventory() {
  const sources = fs.readdirSync(path.join(__dirname, 'inventory')).filter((name) => name.endsWith('.c'));
  await processes.launch('cc', process.env.CC ?? 'cc',
    ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-g', '-pthread', '-Wl,--build-id', '-o', path.join(processes.state, 'inventory'), ...sources],
    { cwd: path.join(__dirname, 'inventory'), finishes: true });
}

async function startDatabase() {
  const { startCluster } = require('./database/cluster.js');
  const cluster = path.join(processes.state, 'pg');
  fs.mkdirSync(cluster, { mode: 0o700 });
  const env = await startCluster(cluster, processes.launch.bind(processes));
  say('postgres', `ready, private to this run, on the socket ${cluster}`);
  return env;
}

/** Release and source map of the page, so that its errors are shown in the lines that somebody wrote. */
async function publish(assets, launch) {
  const good = await uploadMaps(assets, `storefront@${STOREFRONT}`, launch);
  if (!processes.stopping) say('storefront', good ? 'source map of the page uploaded' : 'source map of the page not uploaded: see SENTRY_AUTH_TOKEN, SENTRY_URL');
}

/** A rolling restart: each new instance is ready before an old one is taken out, and that one answers what it has begun. */
async function release(shop, service) {
  const [old, version] = RELEASES[service];
  say(service, `${old} -> ${version}: rolling restart`);
  const leaving = [...balancers[service].backends];
  for (let n = 1; n <= INSTANCES[service]; n++) {
    const { name, port } = await shop[service](version, n);
    balancers[service].add(name, port);
    const [gone] = leaving.splice(0, 1);
    await balancers[service].remove(gone.name);
    await processes.retire(gone.name);
  }
  say(service, `${version} is out`);
}

async function releaseLater(shop, service, seconds) {
  await sleep(seconds * 1000);
  if (!processes.stopping) await release(shop, service);
}

async function main() {
  const began = Date.now();
  const after = deployAfter();
  if (!fs.existsSync(path.join(__dirname, 'node_modules'))) throw new Error('demo/node_modules is missing: run tools/setup');
  const found = { python: findPython(), java: findJava() };
  const ports = {};
  const wanted = { web: 18080, checkout: 18081, inventory: 18082, payments: 18083, rates: 18084, storefront: 18085, recommend: 18086 };
  for (const name of Object.keys(wanted)) ports[name] = await freePort(wanted[name]);
  const url = (name) => `http://127.0.0.1:${ports[name]}`;
  const urls = {
    WEB_URL: url('web'), CHECKOUT_URL: url('checkout'), INVENTORY_URL: url('inventory'), PAYMENTS_URL: url('payments'),
    STOREFRONT_URL: url('storefront'), RECOMMEND_URL: url('recommend'), RATES_URL: `http://fx-rates:${ports.rates}`,
  };
  fs.chmodSync(processes.state, 0o711); // the database's user must get through to its own directory

  const assets = path.join(processes.state, 'assets');
  const launch = processes.launch.bind(processes);
  const [database, script] = await Promise.all([startDatabase(), buildPage(assets, launch), buildInventory()]);
  const shop = new Shop(processes, found, urls, database);
  const version = (service) => RELEASES[service][after > 0 ? 0 : 1];
  const instances = async (service) => {
    await balancers[service].listen(ports[service]);
    for (const { name, port } of await Promise.all(Array.from({ length: INSTANCES[service] }, (_, n) => shop[service](version(service), n + 1))))
      balancers[service].add(name, port);
  };
  await Promise.all([
    shop.rates(ports.rates).then(() => say('fx-rates', `ready at ${url('rates')}, somebody else's: slow, and no instrumentation`)),
    shop.inventory('3.0.7', ports.inventory).then(() => say('inventory', `ready at ${url('inventory')}, C, with an exporter of its own`)),
    instances('payments').then(() => say('payments', `ready at ${url('payments')}, ${version('payments')}, Java with OpenTelemetry's agent`)),
    instances('checkout').then(() => say('checkout', `ready at ${url('checkout')}, ${version('checkout')}, Python, ${INSTANCES.checkout} instances`)),
    instances('recommend').then(() => say('recommend', `ready at ${url('recommend')}, ${version('recommend')}, Python with Sentry's SDK`)),
    shop.web('5.12.0', ports.web),
    shop.storefront(STOREFRONT, ports.storefront, assets, script),
  ]);
  say('web', `ready at ${url('web')}, Node: catalogue, carts and orders`);
  say('storefront', `ready at ${url('storefront')}, Node with Sentry's SDK: the shop's page, open it and click`);
  if (process.env.SENTRY_DSN) void publish(assets, launch);
  else say('sentry', 'SENTRY_DSN is not set: storefront, recommend and the page report nothing');
  void processes.launch('users', process.execPath, [path.join(__dirname, 'load', 'users.js')], { env: shop.env });
  if (process.env.CLEW_DEMO_SHOPPERS !== '0') void processes.launch('browsers', process.execPath, [path.join(__dirname, 'load', 'browsers.js')], { env: shop.env });
  say('users', 'shopping, five to ten requests a second; some of them on the page');
  if (after > 0) {
    say('deploys', `payments 2.9.0 in ${span(Math.round(after / 2))}; checkout 1.4.2 in ${span(after)}, which breaks coupons in basis points`);
    say('deploys', `recommend 2.4.0 in ${span(Math.round(after / 3))}, which knows the shipping zones of some countries only`);
    for (const [service, seconds] of [['recommend', after / 3], ['payments', after / 2], ['checkout', after]])
      releaseLater(shop, service, seconds).catch((error) => processes.fail(error));
  } else {
    say('deploys', 'checkout 1.4.2 is out, which breaks coupons in basis points, and so is recommend 2.4.0, which breaks some countries');
  }
  say('demo', `sends to ${endpoint}, up in ${((Date.now() - began) / 1000).toFixed(1)} s; Ctrl-C stops it`);
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void processes.stop(0));
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void processes.stop(0), 250);
main().catch((error) => processes.fail(error));
