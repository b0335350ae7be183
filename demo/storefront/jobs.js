'use strict';
// What a scheduler would run at night runs each minute here. This one has failed ever since its table was renamed.
const Sentry = require('@sentry/node');

const FIRST_MS = 5000;
const EVERY_MS = 60_000;
const JOB = 'newsletter-export';
const MONITOR = { schedule: { type: 'crontab', value: '* * * * *' }, checkinMargin: 1, maxRuntime: 1, timezone: 'UTC' };

async function exportSubscribers(db) {
  const { rows } = await db.query('SELECT customer, address FROM subscribers WHERE confirmed ORDER BY customer');
  return rows.length;
}

// A trace of its own, and reported inside it, so that the failure leads to the statement that failed.
async function run(db) {
  await Sentry.startSpan({ name: JOB, op: 'function.cron', forceTransaction: true }, async () => {
    try {
      await exportSubscribers(db);
    } catch (error) {
      Sentry.captureException(error, { mechanism: { type: 'scheduler', handled: false } });
      throw error;
    }
  });
}

// What it throws has been reported, and makes its check-in a failed one.
const checkedIn = (db) => Sentry.withIsolationScope(() => Sentry.withMonitor(JOB, () => run(db), MONITOR)).catch(() => {});

exports.start = (db) => {
  setTimeout(() => {
    void checkedIn(db);
    setInterval(() => void checkedIn(db), EVERY_MS);
  }, FIRST_MS);
};
