'use strict';
// The shop's middle: catalogue, search and cart from the database, orders from the checkout, shelves from the inventory.
const { randomUUID } = require('node:crypto');
const express = require('express');
const pg = require('pg');
const pino = require('pino');
const { trace } = require('@opentelemetry/api');
const telemetry = require('./telemetry.js');

const { CHECKOUT_URL: CHECKOUT, INVENTORY_URL: INVENTORY, STOREFRONT_URL: STOREFRONT } = process.env;
const CURRENCIES = { DE: 'EUR', FR: 'EUR', NL: 'EUR', ES: 'EUR', IT: 'EUR', GR: 'EUR', GB: 'GBP' }; // all others: USD
const log = pino({ base: undefined });
const db = new pg.Pool({ max: 8, host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE });
db.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
const app = express();

app.use(express.json({ limit: '16kb' }));
app.use((request, _response, next) => {
  const customer = request.get('x-customer');
  const country = request.get('x-country');
  const span = trace.getActiveSpan();
  if (customer) span?.setAttribute('user.id', customer);
  if (country) span?.setAttribute('geo.country.iso_code', country);
  next();
});

app.get('/', async (request, response) => {
  // A person wants the page, which is the storefront's.
  if (request.accepts(['json', 'html']) === 'html') return response.redirect(STOREFRONT);
  const { rows } = await db.query('SELECT sku, name, price FROM products WHERE featured ORDER BY name');
  response.json({ featured: rows });
});

app.get('/products/:sku', async (request, response) => {
  const { sku } = request.params;
  const { rows } = await db.query('SELECT sku, name, price FROM products WHERE sku = $1', [sku]);
  if (rows.length === 0) {
    log.warn({ sku }, `no product ${sku}`);
    return response.status(404).json({ error: `no product ${sku}` });
  }
  const [reviews, stock] = await Promise.all([
    db.query('SELECT stars, body FROM reviews WHERE sku = $1 ORDER BY id DESC LIMIT 5', [sku]),
    ask('GET', `${INVENTORY}/stock/${sku}`),
  ]);
  response.json({ ...rows[0], reviews: reviews.rows, inStock: stock.body.quantity });
});

app.get('/search', async (request, response) => {
  const words = String(request.query.q ?? '');
  const started = performance.now();
  const { rows } = await db.query(
    'SELECT p.sku, p.name, count(*) AS hits, avg(r.stars) AS stars FROM products p JOIN reviews r USING (sku) ' +
      'WHERE r.body ILIKE $1 OR p.name ILIKE $1 GROUP BY p.sku ORDER BY hits DESC, p.sku LIMIT 10',
    [`%${words}%`],
  );
  const took = Math.round(performance.now() - started);
  const line = { 'search.words': words, 'search.hits': rows.length, took };
  if (took > 250) log.warn(line, `search "${words}" took ${took} ms`);
  else log.info(line, `search "${words}": ${rows.length} products`);
  response.json({ products: rows });
});

app.post('/carts', async (request, response) => {
  const id = randomUUID();
  await db.query('INSERT INTO carts (id, customer) VALUES ($1, $2)', [id, request.get('x-customer') ?? 'anonymous']);
  response.status(201).json({ cart: id });
});

app.post('/carts/:cart/items', async (request, response) => {
  const { sku, quantity } = request.body;
  await db.query(
    'INSERT INTO cart_items (cart, sku, quantity) VALUES ($1, $2, $3) ON CONFLICT (cart, sku) DO UPDATE SET quantity = cart_items.quantity + excluded.quantity',
    [request.params.cart, sku, quantity],
  );
  log.info({ cart: request.params.cart, sku, quantity }, `${quantity} x ${sku} into the cart`);
  response.sendStatus(204);
});

app.post('/checkout', async (request, response) => {
  const { cart, coupon } = request.body;
  const customer = request.get('x-customer');
  const currency = CURRENCIES[request.get('x-country')] ?? 'USD';
  log.info({ cart, coupon }, 'checkout begun');
  const couponKind = coupon && (await kindOf(coupon));
  const span = trace.getActiveSpan();
  span?.setAttribute('app.order.currency', currency);
  if (couponKind) span?.setAttributes({ 'app.coupon.code': coupon, 'app.coupon.kind': couponKind });
  const started = performance.now();
  const order = await ask('POST', `${CHECKOUT}/orders`, { cart, coupon, couponKind, customer, currency });
  if (order.status >= 500) {
    const took = Math.round(performance.now() - started);
    // The customer gets the generic page; what went wrong is the checkout's to tell.
    log.error({ cart, coupon, status: order.status }, `POST /orders answered ${order.status} in ${took} ms, showing the generic error page`);
    return response.status(500).json({ error: 'Your order was not placed. You were not charged.' });
  }
  response.status(order.status).json(order.body);
});

// The checkout calls back when an order is paid: its cart is done with.
app.post('/hooks/order-paid', async (request, response) => {
  const { cart, order } = request.body;
  await db.query('DELETE FROM carts WHERE id = $1', [cart]);
  log.info({ cart, order }, `order ${order} paid, cart closed`);
  response.sendStatus(204);
});

app.post('/hooks/stock-merged', (request, response) => {
  log.info({ shelves: request.body.shelves }, `inventory counted ${request.body.shelves} shelves`);
  response.sendStatus(204);
});

app.use((error, request, response, _next) => {
  trace.getActiveSpan()?.recordException(error);
  log.error({ err: error, path: request.path }, error.message);
  response.status(500).json({ error: 'internal error' });
});

async function kindOf(coupon) {
  const { rows } = await db.query('SELECT kind FROM coupons WHERE code = $1', [coupon]);
  return rows[0]?.kind;
}

async function ask(method, url, body) {
  const response = await fetch(url, {
    method,
    // A connection a request: an instance that is replaced is then free as soon as it has answered.
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: await response.json() };
}

const server = app.listen(Number(process.env.PORT), '127.0.0.1', (error) => {
  if (error) throw error;
});

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  server.close();
  server.closeAllConnections();
  await Promise.race([telemetry.shutdown(), new Promise((done) => setTimeout(done, 700))]).catch(() => {});
  process.exit(0);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
