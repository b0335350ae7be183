'use strict';
// Loaded before the service (node --import), as Sentry's own guide shows. Nothing here knows Clew: where to send, release and environment
// come from SENTRY_DSN, SENTRY_RELEASE and SENTRY_ENVIRONMENT.
const Sentry = require('@sentry/node');

Sentry.init({
  tracesSampleRate: 1,
  enableLogs: true,
  includeLocalVariables: true,
  propagateTraceparent: true, // half of the shop is on OpenTelemetry
  initialScope: { tags: { service: 'storefront' }, attributes: { 'service.name': 'storefront' } },
});
