'use strict';
// What a browser sees of the shop: the page and its script, and what that asks for. Catalogue, carts and orders are web's, recommendations
// are recommend's; products are read here.
const { randomInt } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const Sentry = require('@sentry/node');
const express = require('express');
const pg = require('pg');
const jobs = require('./jobs.js');

const { WEB_URL: WEB, RECOMMEND_URL: RECOMMEND, ASSETS, PAGE_SCRIPT: SCRIPT } = process.env;
const RECOMMENDED_WITHIN_MS = 700; // then the page goes without
const PAGE = fs.readFileSync(path.join(__dirname, 'page.html'), 'utf8');
const db = new pg.Pool({ max: 4, host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE });
db.on('error', (error) => Sentry.logger.warn('an idle database connection broke', { error: error.message }));
const app = express();

app.use(express.json({ limit: '16kb' }));
app.use((request, response, next) => {
  const cookies = Object.fromEntries((request.get('cookie') ?? '').split(/; */).map((pair) => pair.split('=')));
  const known = /^u_\w{1,20}$/.test(cookies.customer ?? '');
  request.customer = known ? cookies.customer : `u_page${randomInt(10_000)}`;
  request.country = /^[A-Z]{2}$/.test(cookies.country ?? '') ? cookies.country : 'US';
  if (!known) response.cookie('customer', request.customer, { sameSite: 'lax' });
  Sentry.setUser({ id: request.customer });
  Sentry.setTag('country', request.country);
  next();
});

app.get('/', (request, response) => {
  const attribute = (text) => String(text).replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const filled = {
    trace: Sentry.getTraceMetaTags(), // the page's part of the trace goes on from here
    dsn: attribute(process.env.SENTRY_DSN ?? ''),
    release: attribute(process.env.SENTRY_RELEASE ?? ''),
    customer: attribute(request.customer),
    country: attribute(request.country),
    script: attribute(`/assets/${SCRIPT}`),
  };
  response.type('html').send(PAGE.replace(/\{(\w+)\}/g, (text, name) => filled[name] ?? text));
});

// The script alone: its source map is for whoever has to mend it.
app.get(`/assets/${SCRIPT}`, (_request, response) => response.sendFile(path.join(ASSETS, SCRIPT), { maxAge: '1y', immutable: true }));

app.get('/api/home', async (request, response) => {
  const [{ body }, recommended] = await Promise.all([web(request, 'GET', '/'), recommendations(request)]);
  response.json({ featured: body.featured, recommended });
});

app.get('/api/products/:sku', async (request, response) => {
  const { rows } = await db.query('SELECT sku, name, price::float, featured FROM products WHERE sku = $1', [request.params.sku]);
  if (rows.length === 0) return response.status(404).json({ error: `no product ${request.params.sku}` });
  const [{ featured, ...product }] = rows;
  // What is featured and no luxury is on sale: a tenth off what it was.
  response.json(featured && product.price < 100 ? { ...product, was: { amount: Math.round(product.price * 111) / 100 } } : product);
});

app.post('/api/carts', async (request, response) => relay(response, await web(request, 'POST', '/carts')));
app.post('/api/carts/:cart/items', async (request, response) =>
  relay(response, await web(request, 'POST', `/carts/${encodeURIComponent(request.params.cart)}/items`, request.body)),
);
app.post('/api/checkout', async (request, response) => {
  Sentry.logger.info(`checkout of cart ${request.body.cart}`, { cart: request.body.cart, coupon: request.body.coupon });
  relay(response, await web(request, 'POST', '/checkout', request.body));
});

// The newsletter's links. `to` has been decoded when it gets here; it is decoded once more, which is well until a link holds a percent sign.
app.get('/go', (request, response) => {
  const target = decodeURIComponent(String(request.query.to ?? '/'));
  response.redirect(/^\/(?!\/)/.test(target) ? target : '/');
});

Sentry.setupExpressErrorHandler(app);
app.use((_error, _request, response, _next) => response.status(500).json({ error: 'Something went wrong. We have been told.' }));

async function recommendations(request) {
  const asked = new URLSearchParams({ customer: request.customer, country: request.country });
  try {
    const { status, body } = await ask('GET', `${RECOMMEND}/recommendations?${asked}`, {}, undefined, RECOMMENDED_WITHIN_MS);
    if (status === 200) return body.products;
    Sentry.logger.warn(`recommend answered ${status}, page goes without`, { status });
  } catch (error) {
    Sentry.captureException(error, { level: 'warning' });
  }
  return [];
}

function web(request, method, at, body) {
  return ask(method, WEB + at, { 'x-customer': request.customer, 'x-country': request.country }, body, 10_000);
}

async function ask(method, url, headers, body, withinMs) {
  const response = await fetch(url, {
    method,
    // A connection a request: an instance that is replaced is then free as soon as it has answered.
    headers: { accept: 'application/json', 'content-type': 'application/json', connection: 'close', ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, body: json ? await response.json() : undefined };
}

function relay(response, { status, body }) {
  if (body === undefined) return response.sendStatus(status);
  response.status(status).json(body);
}

const server = app.listen(Number(process.env.PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  jobs.start(db);
});

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  server.close();
  server.closeAllConnections();
  await Sentry.close(700);
  process.exit(0);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
