// An incident as services would have sent it: a quarter of an hour of a small shop, in whose last minutes a new version of one
// service fails for some of its users. Sent at once, with the times that it would have had.
import { randomBytes } from 'node:crypto';

const SECOND = 1000;
/** How long ago the new version went out. */
export const DEPLOYED_AGO = 4 * 60 * SECOND;
const LENGTH = 14 * 60 * SECOND;
const EVERY = 2 * SECOND;

const text = (key, value) => ({ key, value: { stringValue: value } });
const int = (key, value) => ({ key, value: { intValue: String(value) } });
const nano = (ms) => String(BigInt(Math.round(ms * 1000)) * 1000n);
const id = (bytes) => randomBytes(bytes).toString('hex');

function resource(service, version, language, environment) {
  return {
    attributes: [
      text('service.name', service),
      text('service.version', version),
      text('service.instance.id', `${service}-1`),
      text('telemetry.sdk.language', language),
      text('deployment.environment.name', environment),
    ],
  };
}

/** One order: web calls checkout, which asks its database. */
function order(at, n, deployed) {
  const traceId = id(16);
  const [root, call, entry, work, statement] = Array.from({ length: 5 }, () => id(8));
  const coupon = n % 3 === 0 ? 'percent_bp' : 'percent';
  const fails = deployed && coupon === 'percent_bp';
  const took = 60 + (n % 7) * 10;
  const span = (spanId, parentSpanId, name, kind, from, to, more = {}) => ({
    traceId, spanId, parentSpanId, name, kind, startTimeUnixNano: nano(at + from), endTimeUnixNano: nano(at + to), ...more,
  });
  const failed = fails ? { status: { code: 2, message: 'order not priced' } } : {};
  const code = fails ? 500 : 200;
  const thrown = fails
    ? { events: [{ name: 'exception', timeUnixNano: nano(at + 30), attributes: [text('exception.type', 'TypeError'), text('exception.message', 'unsupported operand')] }] }
    : {};
  const user = text('user.id', `u_${n % 12}`);
  const web = [
    span(root, undefined, 'POST /checkout', 2, 0, took, { attributes: [user, int('http.response.status_code', code)], ...failed }),
    span(call, root, 'POST', 3, 5, took - 5, { attributes: [text('server.address', 'checkout')], ...failed }),
  ];
  const checkout = [
    span(entry, call, 'POST /orders', 2, 8, took - 8, { attributes: [user, text('app.coupon.kind', coupon), int('http.response.status_code', code)], ...failed }),
    span(work, entry, 'price_order', 1, 10, took - 12, { ...failed, ...thrown }),
    span(statement, work, 'SELECT coupons', 3, 12, 15, { attributes: [text('db.system.name', 'postgresql')] }),
  ];
  const line = (offset, severityNumber, body) => ({
    timeUnixNano: nano(at + offset), severityNumber, severityText: severityNumber >= 17 ? 'ERROR' : 'WARN', body: { stringValue: body }, traceId, spanId: work,
  });
  const logs = n % 20 === 0 ? [line(9, 13, `stock of ${n} items is low`)] : [];
  if (fails) logs.push(line(31, 17, `order ${n} not priced: unsupported operand`));
  return { web, checkout, logs };
}

async function post(url, path, body) {
  const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}

/** Sends it all; `healthy` leaves the deploy out. Returns when the new version went out, ms. */
export async function sendIncident(url, { healthy = false, environment = 'production' } = {}) {
  const now = Date.now();
  const deploy = now - DEPLOYED_AGO;
  const web = [];
  const checkout = { '1.4.1': { spans: [], logs: [] }, '1.4.2': { spans: [], logs: [] } };
  let n = 0;
  for (let at = now - LENGTH; at < now - SECOND; at += EVERY) {
    const deployed = !healthy && at >= deploy;
    const made = order(at, n++, deployed);
    web.push(...made.web);
    const of = checkout[deployed ? '1.4.2' : '1.4.1'];
    of.spans.push(...made.checkout);
    of.logs.push(...made.logs);
  }
  const versions = Object.entries(checkout).filter(([, of]) => of.spans.length > 0);
  const scope = { name: 'by hand' };
  await post(url, '/v1/traces', {
    resourceSpans: [
      { resource: resource('web', '5.12.0', 'nodejs', environment), scopeSpans: [{ scope, spans: web }] },
      ...versions.map(([version, { spans }]) => ({ resource: resource('checkout', version, 'python', environment), scopeSpans: [{ scope, spans }] })),
    ],
  });
  await post(url, '/v1/logs', {
    resourceLogs: versions.map(([version, { logs }]) => ({ resource: resource('checkout', version, 'python', environment), scopeLogs: [{ scope, logRecords: logs }] })),
  });
  return deploy;
}
