'use strict';
// Sentry's SDK, as it comes: loaded before the program (--import). SENTRY_MODULE says which version.
const Sentry = require(process.env.SENTRY_MODULE || '@sentry/node');
Sentry.init({ dsn: 'http://public@127.0.0.1:9/1', tracesSampleRate: 1, defaultIntegrations: Sentry.getDefaultIntegrations({}).filter(i => !/Uncaught|Unhandled|Modules/.test(i.name)) });
globalThis.sdk = {
  inSpan: (name, f) => Sentry.startSpan({ name }, f),
  active: () => { const { traceId, spanId } = Sentry.getActiveSpan().spanContext(); return traceId + '/' + spanId; },
};
