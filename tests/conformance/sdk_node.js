'use strict';
// A small program on the unmodified Node SDK: spans, logs, metrics; prints the trace id. The protocol and where it sends
// stand in OTEL_EXPORTER_OTLP_PROTOCOL and OTEL_EXPORTER_OTLP_ENDPOINT, as for any program. Packages are those of the demo.
const path = require('node:path');
const fromDemo = require('node:module').createRequire(path.join(__dirname, '../../demo/package.json'));
const fromSdk = require('node:module').createRequire(fromDemo.resolve('@opentelemetry/sdk-node'));
const { NodeSDK } = fromDemo('@opentelemetry/sdk-node');
const { trace, metrics, context, SpanKind, SpanStatusCode } = fromDemo('@opentelemetry/api');
const { logs, SeverityNumber } = fromSdk('@opentelemetry/api-logs');

Object.assign(process.env, {
  OTEL_SERVICE_NAME: 'sdk-node',
  OTEL_RESOURCE_ATTRIBUTES: 'service.version=7.8.9',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_LOGS_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'otlp',
});

async function main() {
  const sdk = new NodeSDK({ instrumentations: [] });
  sdk.start();
  const tracer = trace.getTracer('conformance', '1.0');
  const meter = metrics.getMeter('conformance');
  const attributes = { text: 'grün', number: 42, real: 2.5, flag: true, list: ['a', 'b'] };
  const parent = tracer.startSpan('parent', { kind: SpanKind.SERVER, attributes });
  const inside = trace.setSpan(context.active(), parent);
  const links = [{ context: parent.spanContext(), attributes: { why: 'test' } }];
  const child = tracer.startSpan('child', { kind: SpanKind.CLIENT, links }, inside);
  child.addEvent('halfway', { percent: 50 });
  child.recordException(new TypeError('no such order'));
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'it failed' });
  logs.getLogger('shop').emit({
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: 'order 1001 refused',
    attributes: { order: 1001 },
    context: trace.setSpan(context.active(), child),
  });
  child.end();
  parent.end();
  meter.createCounter('orders', { unit: '{order}' }).add(3, { kind: 'web' });
  meter.createHistogram('latency', { unit: 'ms' }).record(12.5);
  await sdk.shutdown();
  console.log(parent.spanContext().traceId);
}

void main();
