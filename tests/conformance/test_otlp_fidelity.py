"""Every field that OTLP has arrives: whole messages sent in each encoding, read back through the query API."""
import base64
import json
import sys
import time

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

import harness

sys.path.insert(0, str(harness.ROOT / "tools"))
import gen_otlp_vectors as vectors  # noqa: E402

NOW = vectors.NOW = time.time_ns() - 60 * 10**9
REQUESTS = {"traces": vectors.traces_all(), "logs": vectors.logs_all(), "metrics": vectors.metrics_all()}
STUBS = {"traces": TraceServiceStub, "logs": LogsServiceStub, "metrics": MetricsServiceStub}


def send(server, signal, encoding):
    request = REQUESTS[signal]
    if encoding == "grpc":
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            answer = STUBS[signal](channel).Export(request, timeout=30)
        assert not answer.partial_success.error_message
    elif encoding == "json":
        body = json.dumps(vectors.otlp_json(request)).encode()
        status, answer = server.request("POST", f"/v1/{signal}", body, {"Content-Type": "application/json"}, token=None)
        assert (status, json.loads(answer)) == (200, {})
    else:
        assert server.otlp(signal, request) == (200, b"")


@pytest.fixture(scope="module", params=["protobuf", "json", "grpc"])
def server(request, tmp_path_factory):
    one = harness.Server(tmp_path_factory.mktemp(request.param) / "data")
    one.start()
    for signal in REQUESTS:
        send(one, signal, request.param)
    yield one
    status = one.stop()
    assert status == 0 and not one.complaints(), one.log()[-4000:]


# --- what the query API says of a value

def number(n):
    return n if abs(n) < 1 << 53 else str(n)


def value(v):
    """An empty AnyValue is missing to queries (docs/query.md), as a member of a map too; a list keeps its places."""
    kind = v.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value(x) for x in v.array_value.values]
    if kind == "kvlist_value":
        return attributes(v.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(v.bytes_value).decode()
    if kind == "int_value":
        return number(v.int_value)
    if kind == "double_value":
        return double(v.double_value)
    return getattr(v, kind)


def double(d):
    if d != d:
        return "NaN"
    if d in (float("inf"), float("-inf")):
        return "Infinity" if d > 0 else "-Infinity"
    return int(d) if d == int(d) else d  # JSON has one kind of number


def attributes(attrs):
    return {a.key: value(a.value) for a in attrs if a.value.WhichOneof("value")}


def present(mapping):
    return {k: v for k, v in (mapping or {}).items() if v is not None}


def rows_of(server, query):
    return server.query(query, start_ns=0)[0]


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


# --- traces

def test_a_span_with_everything(server):
    span = REQUESTS["traces"].resource_spans[0].scope_spans[0].spans[0]
    row = only(rows_of(server, "spans name='GET /cart'"))
    assert row["trace"] == span.trace_id.hex() and row["span"] == span.span_id.hex() and row["parent"] == span.parent_span_id.hex()
    assert row["time"] == harness.iso(span.start_time_unix_nano)
    assert row["duration"] == 1_500_000
    assert row["kind"] == "server" and row["status"] == "error" and row["message"] == "it broke"
    assert row["tracestate"] == "vendor=value,other=1" and row["flags"] == 0x301
    assert row["dropped"] == 1 + 2 + 3
    assert present(row["attr"]) == attributes(span.attributes)


def test_events_and_links_of_a_span(server):
    span = REQUESTS["traces"].resource_spans[0].scope_spans[0].spans[0]
    row = only(rows_of(server, "spans name='GET /cart'"))
    events, links = row["events"], row["links"]
    assert len(events) == 2 and len(links) == 2
    assert events[0]["name"] == "exception" and events[0]["time"] == harness.iso(span.events[0].time_unix_nano)
    assert events[0]["attr"] == attributes(span.events[0].attributes) and events[0]["dropped"] == 7
    assert links[0]["trace"] == span.links[0].trace_id.hex() and links[0]["span"] == span.links[0].span_id.hex()
    assert links[0]["attr"] == {"why": "batch"} and links[0]["tracestate"] == "a=b" and links[0]["dropped"] == 9
    assert links[0]["flags"] == 0x100
    assert "trace" not in links[1] and "span" not in links[1]


def test_resource_and_scope(server):
    for query, message in (("spans name='GET /cart'", REQUESTS["traces"].resource_spans[0]),
                           ("logs name=device.app.lifecycle", REQUESTS["logs"].resource_logs[0]),
                           ("metrics name=latency count=6", REQUESTS["metrics"].resource_metrics[0])):
        row = only(rows_of(server, query))
        assert row["service"] == "shop"
        assert row["resource"] == attributes(message.resource.attributes)
        assert row["scope"] == {"scope.attr": True}
        assert row["scope.name"] == "lib.db" and row["scope.version"] == "1.2.3"
        assert row["scope.schema_url"].endswith("1.29.0") and row["resource.schema_url"].endswith("1.30.0")


def test_every_kind_and_status_of_spans(server):
    words = ("internal", "server", "client", "producer", "consumer")
    for kind, word in enumerate(words, 1):
        row = only(rows_of(server, f"spans name='kind {kind}'"))
        assert row["kind"] == word and row["status"] == ("unset", "ok", "error")[kind % 3]
        assert row["span"] == f"{kind + 1:016x}"


def test_spans_without_ids_are_kept(server):
    row = only(rows_of(server, "spans name='all-zero ids'"))
    assert not {"trace", "span", "parent"} & set(row)
    assert row["duration"] == -1
    assert only(rows_of(server, "spans name='no resource, no scope'"))["source"] == "spans"


# --- logs

def test_a_log_record_with_everything(server):
    record = REQUESTS["logs"].resource_logs[0].scope_logs[0].log_records[0]
    row = only(rows_of(server, "logs name=device.app.lifecycle"))
    assert row["time"] == harness.iso(record.time_unix_nano) and row["observed"] == harness.iso(record.observed_time_unix_nano)
    assert row["severity"] == 17 and row["severity_text"] == "ERROR" and row["level"] == "error"
    assert row["body"] == "connection refused" and row["dropped"] == 2 and row["flags"] == 1
    assert row["trace"] == record.trace_id.hex() and row["span"] == record.span_id.hex()
    assert present(row["attr"]) == attributes(record.attributes)


def test_bodies_of_every_type(server):
    records = REQUESTS["logs"].resource_logs[0].scope_logs[0].log_records
    rows = [row for row in rows_of(server, f"logs time={harness.iso(NOW)} | limit 1000") if "name" not in row and row.get("severity") is None]
    bodies = [value(r.body) for r in records[28:] if r.body.WhichOneof("value")]
    seen = [row["body"] for row in rows if "body" in row]
    assert sorted(map(json.dumps, seen)) == sorted(map(json.dumps, bodies))


def test_time_of_a_log_record_without_time(server):
    row = only(rows_of(server, f"logs observed={harness.iso(NOW + 20)}"))
    assert row["time"] == harness.iso(NOW + 20)


def test_every_severity(server):
    for severity in range(1, 25):
        row = only(rows_of(server, f"logs severity={severity} time={harness.iso(NOW + severity)}"))
        assert row["level"] == ("trace", "debug", "info", "warn", "error", "fatal")[(severity - 1) // 4]


# --- metrics

def test_gauges_and_sums(server):
    real = only(rows_of(server, "metrics name=cpu value=0.25"))
    assert real["description"] == "how busy" and real["metadata"] == {"meta": [1, "x"]} and real["flags"] == 1
    assert real["type"] == "gauge" and real["unit"] == "1" and real["value"] == 0.25
    assert present(real["attr"]) == attributes(REQUESTS["metrics"].resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0].attributes)
    assert real["trace"] == bytes(range(16)).hex()
    sums = rows_of(server, "metrics name=requests")
    assert sorted((row.get("temporality", ""), row["monotonic"]) for row in sums) == [("", False), ("cumulative", True), ("delta", False)]
    assert {row["value"] for row in sums} == {7} and {row["duration"] for row in sums} == {1000}


def test_integers_keep_their_64_bits(server):
    assert -(1 << 63) in {int(row["value"]) for row in rows_of(server, "metrics name=cpu value:*") if isinstance(row["value"], str)}


EXEMPLARS = [{"time": str(NOW + 1), "value": 2.5, "trace": base64.b64encode(bytes(range(16))).decode(),
              "span": base64.b64encode(bytes(range(8))).decode(), "attrs": {"user": "u1", "list": [1, {}]}}, {"value": -3}, {}]


def test_a_histogram(server):
    row = only(rows_of(server, "metrics name=latency count=6"))
    assert row["type"] == "histogram" and row["temporality"] == "delta" and row["unit"] == "ms"
    assert (row["sum"], row["min"], row["max"], row["duration"]) == (12.5, 0, 9, 5)
    assert row["bounds"] == [0.5, 1, "Infinity"] and row["buckets"] == [1, 2, 3, 0]
    assert row["exemplars"] == EXEMPLARS
    bare = only(rows_of(server, "metrics name=latency count=0"))
    assert not {"sum", "min", "max", "bounds", "buckets", "exemplars"} & set(bare)


def test_an_exponential_histogram(server):
    row = only(rows_of(server, "metrics name=sizes count=300"))
    assert row["type"] == "exponential" and (row["sum"], row["min"], row["max"]) == (-1.5, -8, 8)
    assert (row["scale"], row["zero_count"], row["zero_threshold"]) == (-3, 4, 0.001)
    assert row["positive"] == {"offset": -2, "counts": [1, 200, 1 << 40]} and row["negative"] == {"offset": 1 << 20, "counts": []}
    assert row["exemplars"] == EXEMPLARS


def test_a_summary(server):
    row = only(rows_of(server, "metrics name=old.summary count=3"))
    assert row["type"] == "summary" and row["sum"] == 6
    assert row["quantiles"] == [{"quantile": 0.5, "value": 2}, {"quantile": 0.99, "value": 0}]
