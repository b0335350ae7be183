'use strict';
// Exchange rates, as somebody else's service has them: slow, and now and then not at all. No instrumentation.
const http = require('node:http');

const RATES = { EUR: 0.9214, GBP: 0.7893, USD: 1 };
const STALL_EVERY = 20; // on average; its callers wait 800 ms

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://fx-rates');
  const rate = RATES[url.searchParams.get('base')];
  if (url.pathname !== '/latest' || rate === undefined) return response.writeHead(404).end();
  const stalls = Math.random() < 1 / STALL_EVERY;
  const late = stalls ? 1500 : 90 - Math.log(1 - Math.random()) * 70;
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"base":"USD","rate":${rate}}\n`);
  }, late);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
