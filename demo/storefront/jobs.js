'use strict';
// What a scheduler would run at night runs each minute here. This one has failed ever since its table was renamed.
const Sentry = require('@sentry/node');

const FIRST_MS = 5000;
const EVERY_MS = 60_000;
const MONITOR = { schedule: { type: 'crontab', value: '* * * * *' }, checkinMargin: 1, maxRuntime: 1, timezone: 'UTC' };

async function exportSubscribers(db) {
  const { rows } = await db.query('SELECT customer, address FROM subscribers WHERE confirmed ORDER BY customer');
  return rows.length;
}

async function run(db) {
  try {
    await Sentry.withIsolationScope(() => Sentry.withMonitor('newsletter-export', () => exportSubscribers(db), MONITOR));
  } catch (error) {
    Sentry.captureException(error, { mechanism: { type: 'scheduler', handled: false } });
  }
}

exports.start = (db) => {
  setTimeout(() => {
    void run(db);
    setInterval(() => void run(db), EVERY_MS);
  }, FIRST_MS);
};
