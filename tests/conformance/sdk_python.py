"""A small program on the unmodified Python SDK: spans, logs, metrics; prints the trace id. Argument: http or grpc.

Where it sends is in OTEL_EXPORTER_OTLP_ENDPOINT, as for any program.
"""
import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

resource = Resource.create({"service.name": "sdk-python", "service.version": "7.8.9"})
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(LoggingHandler(logger_provider=logs))
tracer = tracers.get_tracer("conformance", "1.0")
orders = meters.get_meter("conformance").create_counter("orders", unit="{order}")
latency = meters.get_meter("conformance").create_histogram("latency", unit="ms")

with tracer.start_as_current_span("parent", kind=SpanKind.SERVER, attributes={"text": "grün", "number": 42, "real": 2.5, "flag": True,
                                                                             "list": ["a", "b"]}) as parent:
    context = parent.get_span_context()
    with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[Link(context, {"why": "test"})]) as child:
        child.add_event("halfway", {"percent": 50})
        try:
            raise ValueError("no such order")
        except ValueError as error:
            child.record_exception(error)
            child.set_status(Status(StatusCode.ERROR, "it failed"))
        logger.error("order %d refused", 1001, extra={"order": 1001})
    orders.add(3, {"kind": "web"})
    latency.record(12.5)

for provider in (tracers, logs, meters):
    if not provider.force_flush():
        sys.exit("flush failed")
    provider.shutdown()
print(f"{context.trace_id:032x}")
