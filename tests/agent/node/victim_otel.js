'use strict';
// OpenTelemetry's SDK, as it comes: loaded before the program (--import). What a request's span is the program asks it as any program may.
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node'), { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http'), { trace } = require('@opentelemetry/api');
new NodeTracerProvider().register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
globalThis.sdk = {
  inSpan: (name, f) => trace.getTracer('shop').startActiveSpan(name, async span => { try { return await f(); } finally { span.end(); } }),
  active: () => { const { traceId, spanId } = trace.getActiveSpan().spanContext(); return traceId + '/' + spanId; },
};
