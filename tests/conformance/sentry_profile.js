'use strict';
// A small program on the unmodified Sentry SDK for Node and its profiler: node sentry_profile.js DSN. Prints the trace id.
const { createRequire } = require('node:module');
const { nodeProfilingIntegration } = require('@sentry/profiling-node');
// The profiler comes with the SDK of its own version.
const Sentry = createRequire(require.resolve('@sentry/profiling-node'))('@sentry/node');

Sentry.init({ dsn: process.argv[2], release: 'web@5.12.0+8', tracesSampleRate: 1, profileSessionSampleRate: 1, profileLifecycle: 'trace', integrations: [nodeProfilingIntegration()] });

function busy() {
  for (const until = Date.now() + 300; Date.now() < until; ) Math.sqrt(until);
}

async function main() {
  Sentry.startSpan({ name: 'price catalogue', op: 'task' }, (span) => {
    console.log(span.spanContext().traceId);
    busy();
  });
  if (!(await Sentry.flush(10_000))) throw new Error('not everything was sent');
  await Sentry.close(5000);
}
main();
