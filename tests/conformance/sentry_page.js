// A page on the unmodified Sentry SDK for browsers; the test bundles it with one major or another, and tells it the DSN.
import * as Sentry from 'SDK';

Sentry.init({
  dsn: window.DSN,
  release: 'page@5.12.0+8',
  environment: 'conformance',
  tracesSampleRate: 1,
  tracePropagationTargets: [/.*/],
  propagateTraceparent: true,
  replaysSessionSampleRate: 1,
  integrations: [Sentry.browserTracingIntegration(), Sentry.replayIntegration({ minReplayDuration: 0, useCompression: false })],
  enableLogs: true,
});
Sentry.setUser({ id: 'u_7' });
Sentry.setTag('coupon.kind', 'percent_bp');
window.Sentry = Sentry;

function total(order) {
  return order.lines.length; // TypeError for an order without lines
}

document.querySelector('#buy').addEventListener('click', () => total({}));
document.querySelector('#tell').addEventListener('click', () => {
  const event = Sentry.captureMessage('the shop is open', 'info');
  if (Sentry.captureFeedback) Sentry.captureFeedback({ message: 'the button does nothing', email: 'ariadne@example.com', associatedEventId: event });
  else Sentry.captureUserFeedback({ event_id: event, name: 'Ariadne', email: 'ariadne@example.com', comments: 'the button does nothing' });
  Sentry.logger?.warn('cart is slow', { items: 3 });
});
fetch('/api/cart');
