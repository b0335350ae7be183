// A program that ends by what nobody catches, once somebody has asked to be told of that. With the word `sdk` Sentry's SDK tells of it, too, to the address
// behind it.
if (process.argv[2] === 'sdk') require('@sentry/node').init({ dsn: process.argv[3] });
class Refused extends Error {}
const before = process.listenerCount('uncaughtExceptionMonitor');
setInterval(() => {
  if (process.listenerCount('uncaughtExceptionMonitor') === before) return;
  const error = new Refused('no charge of 42');
  if (process.argv[2] === 'sdk') throw error;
  Promise.reject(error);
}, 500);
console.log('up');
