// Sentry's SDK for browsers, as its own guide shows; the server writes DSN, release and customer into the page.
import * as Sentry from '@sentry/browser';

const { dsn, release, customer } = document.body.dataset;

Sentry.init({
  dsn,
  release,
  environment: 'demo',
  tracesSampleRate: 1,
  integrations: [Sentry.browserTracingIntegration()],
  initialScope: { user: { id: customer }, tags: { service: 'page' }, attributes: { 'service.name': 'page' } },
});
