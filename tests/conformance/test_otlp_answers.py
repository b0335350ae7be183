"""What exporters are answered, in the words of the protocol: success, partial success, refusals."""
import gzip
import json
import time
import zlib

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

JSON, PROTOBUF = "application/json", "application/x-protobuf"
NOW = time.time_ns()


def spans(*ids):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for trace in ids:
        scope.spans.add(trace_id=trace, span_id=b"12345678", name="x", start_time_unix_nano=NOW, end_time_unix_nano=NOW)
    return request


def logs(*ids):
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for trace in ids:
        scope.log_records.add(time_unix_nano=NOW, trace_id=trace)
    return request


def points(*ids):
    request = ExportMetricsServiceRequest()
    gauge = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge
    for trace in ids:
        gauge.data_points.add(time_unix_nano=NOW, as_int=1).exemplars.add(trace_id=trace)
    return request


# signal: (request of ids, response, name of the count, stub, how a rejected one is called)
SIGNALS = {
    "traces": (spans, ExportTraceServiceResponse, "rejected_spans", TraceServiceStub, "2 spans rejected"),
    "logs": (logs, ExportLogsServiceResponse, "rejected_log_records", LogsServiceStub, "2 log records rejected"),
    "metrics": (points, ExportMetricsServiceResponse, "rejected_data_points", MetricsServiceStub, "2 data points rejected"),
}
GOOD, SHORT = bytes(range(1, 17)), b"123"


def post(clew, signal, body, kind=PROTOBUF, **headers):
    headers = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return clew.request("POST", f"/v1/{signal}", body, headers, token=None)


@pytest.mark.parametrize("signal", SIGNALS)
def test_success_is_the_empty_message_in_the_encoding_of_the_request(clew, signal):
    body = SIGNALS[signal][0](GOOD).SerializeToString()
    assert post(clew, signal, body) == (200, b"")
    assert clew.answer_headers["content-type"] == PROTOBUF
    assert post(clew, signal, b"{}", JSON) == (200, b"{}")
    assert clew.answer_headers["content-type"] == JSON


@pytest.mark.parametrize("signal", SIGNALS)
def test_partial_success_in_protobuf(clew, signal):
    make, response, count, _, words = SIGNALS[signal]
    status, body = post(clew, signal, make(GOOD, SHORT, GOOD, SHORT).SerializeToString())
    assert status == 200
    partial = response.FromString(body).partial_success
    assert getattr(partial, count) == 2
    assert partial.error_message.startswith(words) and "traceId must be 16 bytes" in partial.error_message


@pytest.mark.parametrize("signal", SIGNALS)
def test_partial_success_over_grpc(clew, signal):
    make, _, count, stub, words = SIGNALS[signal]
    with grpc.insecure_channel(f"127.0.0.1:{clew.port}") as channel:
        partial = stub(channel).Export(make(SHORT, GOOD, SHORT), timeout=30).partial_success
    assert getattr(partial, count) == 2 and partial.error_message.startswith(words)


def test_partial_success_in_json_says_which_and_why(clew):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz"}]}, {"spans": [{}, {"spanId": "00"}]}]}]}
    status, answer = post(clew, "traces", json.dumps(body), JSON)
    assert status == 200
    assert json.loads(answer)["partialSuccess"] == {
        "rejectedSpans": "2",
        "errorMessage": "2 spans rejected: an id is not hexadecimal (resourceSpans[0].scopeSpans[0].spans[0]); "
                        "spanId must be 8 bytes (resourceSpans[0].scopeSpans[1].spans[1])"}


@pytest.mark.parametrize("signal", SIGNALS)
def test_malformed_is_400_with_a_status_that_says_where(clew, signal):
    whole = SIGNALS[signal][0](GOOD).SerializeToString()
    status, body = post(clew, signal, whole[:-1])
    assert status == 400 and clew.answer_headers["content-type"] == PROTOBUF
    answer = Status.FromString(body)
    assert answer.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answer.message.startswith("malformed OTLP protobuf") and "byte " in answer.message
    assert not answer.details  # final: never to be sent again
    status, body = post(clew, signal, b'{"resourceSpans": 1, "resourceLogs": 1, "resourceMetrics": 1}', JSON)
    assert status == 400 and clew.answer_headers["content-type"] == JSON
    answer = json.loads(body)
    assert answer["code"] == 3 and "expected an array" in answer["message"] and "byte " in answer["message"]


def test_malformed_over_grpc_is_invalid_argument(clew):
    with grpc.insecure_channel(f"127.0.0.1:{clew.port}") as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\x0a\x05abc", timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "malformed OTLP protobuf" in caught.value.details()
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin")
    if details:
        assert Status.FromString(details).code == 3


@pytest.mark.parametrize("encoding,pack", [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)])
def test_compressed_bodies(clew, encoding, pack):
    trace = encoding.encode().ljust(16, b".")
    assert post(clew, "traces", pack(spans(trace).SerializeToString()), Content_Encoding=encoding) == (200, b"")
    assert len(clew.query(f"spans trace={trace.hex()}")[0]) == 1


def test_gzip_over_grpc(clew):
    trace = b"gzip over grpc.."
    with grpc.insecure_channel(f"127.0.0.1:{clew.port}", compression=grpc.Compression.Gzip) as channel:
        TraceServiceStub(channel).Export(spans(trace), timeout=30)
    assert len(clew.query(f"spans trace={trace.hex()}")[0]) == 1


@pytest.mark.parametrize("kind", ["application/x-protobuf; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"])
def test_content_types_are_compared_as_http_does(clew, kind):
    assert post(clew, "traces", b"{}" if "json" in kind.lower() else b"", kind)[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"])
def test_other_content_types_are_415_with_a_status(clew, kind):
    status, body = post(clew, "traces", b"{}", kind)
    assert status == 415 and Status.FromString(body).code == 3


def test_oversized_is_413_and_final(clew_new):
    server = clew_new("--body-max", "1mb")
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for _ in range(40):
        scope.log_records.add(time_unix_nano=NOW).body.string_value = "x" * 60_000
    status, _ = post(server, "logs", request.SerializeToString())
    assert status == 413 and "retry-after" not in {k.lower() for k in server.answer_headers}
