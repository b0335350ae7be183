'use strict';
// A small program on an unmodified Sentry SDK: node sentry_node.js PACKAGE DSN. Prints the trace id.
const Sentry = require(process.argv[2]);

Sentry.init({ dsn: process.argv[3], release: 'web@5.12.0+8', environment: 'conformance', tracesSampleRate: 1, enableLogs: true, sendDefaultPii: false });
Sentry.setUser({ id: 'u_7', email: 'ariadne@example.com' });
Sentry.setTag('coupon.kind', 'percent_bp');

function total(order) {
  return order.lines.length; // TypeError for an order without lines
}

async function main() {
  Sentry.startSpan({ name: 'GET /cart', op: 'http.server' }, (span) => {
    console.log(span.spanContext().traceId);
    Sentry.startSpan({ name: 'SELECT 1', op: 'db' }, () => {});
    Sentry.logger?.warn('cart is slow', { items: 3 });
    try {
      total({});
    } catch (error) {
      Sentry.captureException(error, { extra: { password: 'hunter2', order: 7 } });
    }
  });
  Sentry.captureMessage('the shop is open', 'info');
  if (!(await Sentry.flush(10_000))) throw new Error('not everything was sent');
}

main();
