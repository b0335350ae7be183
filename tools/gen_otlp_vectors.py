#!/usr/bin/env python3
"""Golden vectors of OTLP: requests as another implementation (opentelemetry-proto) encodes them, and the
records that Clew must make of them, said a second time here, from the messages and not from the bytes.

    python tools/gen_otlp_vectors.py        rewrites tests/wire/golden/

NAME.bin is the protobuf, NAME.json the OTLP/JSON form, NAME.txt what tests/wire/otlp_dump.c must print for
both. `*_all` has every field there is; the others are random (fixed seed). Needs opentelemetry-proto
(tools/requirements.txt).
"""
import base64
import json
import pathlib
import random
import struct

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

OUT = pathlib.Path(__file__).resolve().parents[1] / "tests/wire/golden"
RANDOM_EACH = 5
NOW = 1_700_000_000_000_000_000


# --- what the records must be

def text(s):
    raw = s.encode() if isinstance(s, str) else s
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02x}" for c in raw) + '"'


def double(v):
    return "d:%016x" % struct.unpack("<Q", struct.pack("<d", v))[0]


def any_value(v):
    kind = v.WhichOneof("value")
    if kind is None:
        return "null"
    if kind == "string_value":
        return text(v.string_value)
    if kind == "bool_value":
        return "true" if v.bool_value else "false"
    if kind == "int_value":
        return f"i:{v.int_value}"
    if kind == "double_value":
        return double(v.double_value)
    if kind == "bytes_value":
        return "b:" + v.bytes_value.hex()
    if kind == "array_value":
        return "[" + ", ".join(any_value(x) for x in v.array_value.values) + "]"
    return attr_map(v.kvlist_value.values)


def attr_map(attrs):
    return "{" + ", ".join(f"{text(a.key)}: {any_value(a.value)}" for a in attrs) + "}"


def attr_lines(attrs, fields, indent):
    lines = [f"{indent}R {text(a.key)}={any_value(a.value)}" for a in attrs]
    return lines + [f"{indent}F {text(k)}={v}" for k, v in sorted(fields.items())]


def trace_id(raw):
    return raw.hex() if any(raw) else "-"


def span_id(raw):
    return raw.hex() if any(raw) else "0" * 16


def record_line(source, kind=0, status=0, severity=0, trace=b"", span=b"", parent=b"", flags=0, time=0, duration=0,
                name="", body="null"):
    return (f"record {source} kind={kind} status={status} severity={severity} trace={trace_id(trace)} span={span_id(span)} "
            f"parent={span_id(parent)} flags={flags} time={time} duration={duration} name={text(name)} body={body}")


def some(**fields):
    return {k: v for k, v in fields.items() if v is not None}


def number(n):
    return f"i:{n}" if n else None


def words(s):
    return text(s) if s else None


def span_lines(s):
    fields = some(message=words(s.status.message), tracestate=words(s.trace_state),
                  dropped_attributes=number(s.dropped_attributes_count), dropped_events=number(s.dropped_events_count),
                  dropped_links=number(s.dropped_links_count))
    yield record_line("spans", kind=s.kind, status=s.status.code, trace=s.trace_id, span=s.span_id, parent=s.parent_span_id,
                      flags=s.flags, time=s.start_time_unix_nano,
                      duration=s.end_time_unix_nano - s.start_time_unix_nano, name=s.name)
    yield from attr_lines(s.attributes, fields, "  ")
    for e in s.events:
        yield f"  event time={e.time_unix_nano} name={text(e.name)}"
        yield from attr_lines(e.attributes, some(dropped=number(e.dropped_attributes_count)), "    ")
    for link in s.links:
        yield f"  link trace={trace_id(link.trace_id)} span={span_id(link.span_id)} flags={link.flags}"
        yield from attr_lines(link.attributes, some(dropped=number(link.dropped_attributes_count),
                                                    tracestate=words(link.trace_state)), "    ")


def log_lines(r):
    fields = some(observed=number(r.observed_time_unix_nano), severity_text=words(r.severity_text),
                  dropped_attributes=number(r.dropped_attributes_count),
                  time_unset="true" if r.time_unix_nano == 0 else None)
    yield record_line("logs", severity=r.severity_number, trace=r.trace_id, span=r.span_id, flags=r.flags,
                      time=r.time_unix_nano or r.observed_time_unix_nano, name=r.event_name, body=any_value(r.body))
    yield from attr_lines(r.attributes, fields, "  ")


TEMPORALITY = {0: None, 1: '"delta"', 2: '"cumulative"'}
METRIC_KINDS = {"gauge": 1, "sum": 2, "histogram": 3, "exponential_histogram": 4, "summary": 5}


def exemplar(e):
    parts = []
    if e.time_unix_nano:
        parts.append(f'"time": i:{e.time_unix_nano}')
    which = e.WhichOneof("value")
    if which:
        parts.append('"value": ' + (double(e.as_double) if which == "as_double" else f"i:{e.as_int}"))
    if any(e.trace_id):
        parts.append(f'"trace": b:{e.trace_id.hex()}')
    if any(e.span_id):
        parts.append(f'"span": b:{e.span_id.hex()}')
    if e.filtered_attributes:
        parts.append('"attrs": ' + attr_map(e.filtered_attributes))
    return "{" + ", ".join(parts) + "}"


def listing(values):
    values = list(values)
    return "[" + ", ".join(values) + "]" if values else None


def buckets(b):
    return f'{{"offset": i:{b.offset}, "counts": [{", ".join(f"i:{c}" for c in b.bucket_counts)}]}}'


def point_fields(m, kind, data, p):
    fields = some(unit=words(m.unit), description=words(m.description),
                  metadata=attr_map(m.metadata) if m.metadata else None,
                  start=number(p.start_time_unix_nano) if p.start_time_unix_nano == p.time_unix_nano else None)
    if kind in ("gauge", "sum"):
        which = p.WhichOneof("value")
        if which:
            fields["value"] = double(p.as_double) if which == "as_double" else f"i:{p.as_int}"
    if kind == "sum":
        fields["monotonic"] = "true" if data.is_monotonic else "false"
    if kind in ("sum", "histogram", "exponential_histogram"):
        fields |= some(temporality=TEMPORALITY[data.aggregation_temporality])
    if kind != "summary":
        fields |= some(exemplars=listing(exemplar(e) for e in p.exemplars))
    if kind in ("histogram", "exponential_histogram", "summary"):
        fields["count"] = f"i:{p.count}"
    if kind in ("histogram", "exponential_histogram"):
        fields |= {k: double(getattr(p, k)) for k in ("sum", "min", "max") if p.HasField(k)}
    if kind == "histogram":
        fields |= some(bounds=listing(map(double, p.explicit_bounds)), buckets=listing(f"i:{c}" for c in p.bucket_counts))
    if kind == "exponential_histogram":
        fields |= {"scale": f"i:{p.scale}", "zero_count": f"i:{p.zero_count}"}
        fields |= some(zero_threshold=double(p.zero_threshold) if p.zero_threshold else None,
                       positive=buckets(p.positive) if p.HasField("positive") else None,
                       negative=buckets(p.negative) if p.HasField("negative") else None)
    if kind == "summary":
        fields["sum"] = double(p.sum)
        fields |= some(quantiles=listing(f'{{"quantile": {double(q.quantile)}, "value": {double(q.value)}}}' for q in p.quantile_values))
    return fields


def metric_lines(m):
    kind = m.WhichOneof("data")
    if kind is None:
        return
    data = getattr(m, kind)
    for p in data.data_points:
        first = next((e for e in getattr(p, "exemplars", []) if any(e.trace_id)), None)
        yield record_line("metrics", kind=METRIC_KINDS[kind], trace=first.trace_id if first else b"",
                          span=first.span_id if first else b"", flags=p.flags, time=p.time_unix_nano,
                          duration=p.time_unix_nano - p.start_time_unix_nano if p.start_time_unix_nano else 0, name=m.name)
        yield from attr_lines(p.attributes, point_fields(m, kind, data, p), "  ")


SIGNALS = {
    "traces": (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans", span_lines),
    "logs": (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records", log_lines),
    "metrics": (ExportMetricsServiceRequest, "resource_metrics", "scope_metrics", "metrics", metric_lines),
}


def dump(signal, request):
    _, resources, scopes, records, lines_of = SIGNALS[signal]
    out = []
    for r in getattr(request, resources):
        for s in getattr(r, scopes):
            lines = [line for record in getattr(s, records) for line in lines_of(record)]
            if not lines:
                continue
            out.append(f"resource schema={text(r.schema_url)} dropped={r.resource.dropped_attributes_count}")
            out += attr_lines(r.resource.attributes, {}, "  ")
            out.append(f"scope name={text(s.scope.name)} version={text(s.scope.version)} schema={text(s.schema_url)} "
                       f"dropped={s.scope.dropped_attributes_count}")
            out += attr_lines(s.scope.attributes, {}, "  ")
            out += lines
    return "".join(line + "\n" for line in out)


# --- the requests

def set_value(value, v):
    if v is None:
        return
    if isinstance(v, bool):
        value.bool_value = v
    elif isinstance(v, int):
        value.int_value = v
    elif isinstance(v, float):
        value.double_value = v
    elif isinstance(v, str):
        value.string_value = v
    elif isinstance(v, bytes):
        value.bytes_value = v
    elif isinstance(v, list):
        value.array_value.SetInParent()
        for x in v:
            set_value(value.array_value.values.add(), x)
    else:
        value.kvlist_value.SetInParent()
        set_attrs(value.kvlist_value.values, v)


def set_attrs(attrs, mapping):
    for k, v in mapping.items():
        kv = attrs.add()
        kv.key = k
        kv.value.SetInParent()
        set_value(kv.value, v)


EVERY = {
    "string": "text with \"quotes\", \\ and \u00e9\u4e16\U0001f600\n", "empty": "", "yes": True, "no": False,
    "int": -42, "int.min": -(1 << 63), "int.max": (1 << 63) - 1, "zero": 0, "double": 0.1, "minus.zero": -0.0,
    "nan": float("nan"), "infinity": float("inf"), "minus.infinity": float("-inf"), "whole": 5.0, "bytes": b"\x00\xff\x7f",
    "no bytes": b"", "nothing": None, "list": ["a", 1, 2.5, True, None, b"\x01", [[]], {"k": []}], "empty list": [],
    "map": {"nested": {"deep": {"deeper": [1, "two"]}}, "": "empty key", "null": None}, "empty map": {}, "": "no key",
    "long": "x" * 300, "k" * 200: "long key",
}


def deep(levels):
    return [deep(levels - 1)] if levels else "bottom"


def section(request, signal):
    _, resources, scopes, _, _ = SIGNALS[signal]
    r = getattr(request, resources).add()
    set_attrs(r.resource.attributes, {"service.name": "shop", "service.instance.id": "a-1", "host.cpus": 4})
    r.resource.dropped_attributes_count = 3
    r.schema_url = "https://opentelemetry.io/schemas/1.30.0"
    s = getattr(r, scopes).add()
    s.scope.name, s.scope.version, s.scope.dropped_attributes_count = "lib.db", "1.2.3", 1
    set_attrs(s.scope.attributes, {"scope.attr": True})
    s.schema_url = "https://opentelemetry.io/schemas/1.29.0"
    return s


def traces_all():
    request = ExportTraceServiceRequest()
    s = section(request, "traces")
    span = s.spans.add(trace_id=bytes(range(16)), span_id=bytes(range(1, 9)), parent_span_id=bytes(range(2, 10)),
                       trace_state="vendor=value,other=1", flags=0x301, name="GET /cart", kind=2,
                       start_time_unix_nano=NOW, end_time_unix_nano=NOW + 1_500_000, dropped_attributes_count=1,
                       dropped_events_count=2, dropped_links_count=3)
    set_attrs(span.attributes, EVERY | {"deep": deep(32)})
    span.status.code, span.status.message = 2, "it broke"
    event = span.events.add(time_unix_nano=NOW + 5, name="exception", dropped_attributes_count=7)
    set_attrs(event.attributes, {"exception.type": "ValueError", "exception.stacktrace": "at line 1\nat line 2", "n": [1]})
    span.events.add()
    link = span.links.add(trace_id=bytes(range(16, 32)), span_id=b"\xff" * 8, trace_state="a=b", flags=0x100,
                          dropped_attributes_count=9)
    set_attrs(link.attributes, {"why": "batch"})
    span.links.add(trace_id=bytes(16), span_id=bytes(8))
    s.spans.add()
    s.spans.add(trace_id=bytes(16), span_id=bytes(8), name="all-zero ids", start_time_unix_nano=NOW, end_time_unix_nano=NOW - 1)
    for kind in range(6):
        s.spans.add(trace_id=b"\x01" * 16, span_id=struct.pack(">Q", kind + 1), kind=kind, name=f"kind {kind}").status.code = kind % 3
    request.resource_spans.add().scope_spans.add().spans.add(name="no resource, no scope")
    request.resource_spans.add().scope_spans.add()
    request.resource_spans.add()
    return request


def logs_all():
    request = ExportLogsServiceRequest()
    s = section(request, "logs")
    record = s.log_records.add(time_unix_nano=NOW, observed_time_unix_nano=NOW + 10, severity_number=17, severity_text="ERROR",
                               dropped_attributes_count=2, flags=1, trace_id=bytes(range(16)), span_id=bytes(range(8)),
                               event_name="device.app.lifecycle")
    set_value(record.body, "connection refused")
    set_attrs(record.attributes, EVERY)
    s.log_records.add(observed_time_unix_nano=NOW + 20)
    s.log_records.add()
    for severity in range(25):
        s.log_records.add(time_unix_nano=NOW + severity, severity_number=severity)
    for body in EVERY.values():
        record = s.log_records.add(time_unix_nano=NOW)
        record.body.SetInParent()
        set_value(record.body, body)
    return request


def add_exemplars(point):
    e = point.exemplars.add(time_unix_nano=NOW + 1, as_double=2.5, trace_id=bytes(range(16)), span_id=bytes(range(8)))
    set_attrs(e.filtered_attributes, {"user": "u1", "list": [1, {"a": None}]})
    point.exemplars.add(as_int=-3)
    point.exemplars.add()


def metrics_all():
    request = ExportMetricsServiceRequest()
    s = section(request, "metrics")
    gauge = s.metrics.add(name="cpu", description="how busy", unit="1")
    set_attrs(gauge.metadata, {"meta": [1, "x"], "empty": None})
    p = gauge.gauge.data_points.add(time_unix_nano=NOW, as_double=0.25, flags=1)
    set_attrs(p.attributes, EVERY)
    add_exemplars(p)
    gauge.gauge.data_points.add(time_unix_nano=NOW, as_int=-(1 << 63))
    gauge.gauge.data_points.add(time_unix_nano=NOW, start_time_unix_nano=NOW)
    for temporality in range(3):
        m = s.metrics.add(name="requests", unit="{request}")
        m.sum.aggregation_temporality, m.sum.is_monotonic = temporality, temporality == 2
        p = m.sum.data_points.add(start_time_unix_nano=NOW - 1000, time_unix_nano=NOW, as_int=7)
        set_attrs(p.attributes, {"http.route": "/"})
    h = s.metrics.add(name="latency", unit="ms")
    h.histogram.aggregation_temporality = 1
    p = h.histogram.data_points.add(start_time_unix_nano=NOW - 5, time_unix_nano=NOW, count=6, sum=12.5, min=0.0, max=9.0,
                                    bucket_counts=[1, 2, 3, 0], explicit_bounds=[0.5, 1, float("inf")], flags=0)
    add_exemplars(p)
    h.histogram.data_points.add(count=0)
    e = s.metrics.add(name="sizes")
    e.exponential_histogram.aggregation_temporality = 2
    p = e.exponential_histogram.data_points.add(start_time_unix_nano=NOW - 5, time_unix_nano=NOW, count=300, sum=-1.5, scale=-3,
                                                zero_count=4, zero_threshold=0.001, min=-8.0, max=8.0)
    p.positive.offset, p.negative.offset = -2, 1 << 20
    p.positive.bucket_counts.extend([1, 200, 1 << 40])
    add_exemplars(p)
    e.exponential_histogram.data_points.add(time_unix_nano=NOW)
    q = s.metrics.add(name="old.summary")
    p = q.summary.data_points.add(time_unix_nano=NOW, count=3, sum=6.0)
    p.quantile_values.add(quantile=0.5, value=2)
    p.quantile_values.add(quantile=0.99)
    q.summary.data_points.add()
    s.metrics.add(name="no data")
    s.metrics.add(name="no points").gauge.SetInParent()
    return request


def random_value(rng, depth):
    kind = rng.randrange(8 if depth else 6)
    if kind == 0:
        return rng.choice(["", "a", "GET", "\u00fc\u0000\u20ac", "y" * rng.randrange(200)])
    if kind == 1:
        return rng.getrandbits(rng.randrange(1, 64)) * rng.choice([1, -1])
    if kind == 2:
        v = struct.unpack("<d", rng.randbytes(8))[0]
        return v if v == v and rng.random() < 0.5 else rng.randrange(1000) / 8  # JSON has one NaN only
    if kind == 3:
        return rng.random() < 0.5
    if kind == 4:
        return rng.randbytes(rng.randrange(5))
    if kind == 5:
        return None
    if kind == 6:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {f"k{i}": random_value(rng, depth - 1) for i in range(rng.randrange(4))}


def random_number(rng, field):
    if field.name in ("kind",):
        return rng.randrange(6)
    if field.name == "code" or field.name == "aggregation_temporality":
        return rng.randrange(3)
    if field.name == "severity_number":
        return rng.randrange(25)
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return rng.choice([0.0, 1.5, -2.25, 1e300, float("nan"), float("-inf"), rng.random()])
    if field.cpp_type == field.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if field.cpp_type in (field.CPPTYPE_UINT32,):
        return rng.choice([0, 1, 255, (1 << 32) - 1])
    if field.cpp_type == field.CPPTYPE_INT32:
        return rng.choice([0, 1, -1, (1 << 31) - 1, -(1 << 31)])
    if field.cpp_type == field.CPPTYPE_INT64:
        return rng.choice([0, 1, -1, (1 << 63) - 1, -(1 << 63)])
    return rng.choice([0, 1, 127, 128, NOW + rng.randrange(1 << 30), (1 << 63) - 1])


STRUCTURE = ("resource_spans", "resource_logs", "resource_metrics", "scope_spans", "scope_logs", "scope_metrics", "spans",
             "log_records", "metrics", "data_points")


def fill(rng, message, depth):
    """Every field of the message, each present or not by chance."""
    if message.DESCRIPTOR.name == "AnyValue":
        set_value(message, random_value(rng, 3))
        return
    for field in message.DESCRIPTOR.fields:
        structure = field.name in STRUCTURE
        if not structure and rng.random() < 0.3 or field.name in ("entity_refs", "key_strindex", "string_value_strindex"):
            continue
        repeated = field.is_repeated
        if field.cpp_type == field.CPPTYPE_MESSAGE:
            if depth == 0:
                continue
            for _ in range(rng.randrange(1, 3) if structure else rng.randrange(4) if repeated else 1):
                child = getattr(message, field.name).add() if repeated else getattr(message, field.name)
                if not repeated:
                    child.SetInParent()
                fill(rng, child, depth - 1)
        elif field.cpp_type == field.CPPTYPE_STRING:
            if field.type == field.TYPE_BYTES:
                size = 16 if field.name == "trace_id" else 8
                value = rng.choice([bytes(size), rng.randbytes(size), b""])
            else:
                value = rng.choice(["", "name", "\u00e4 b", "z" * rng.randrange(200)])
            setattr(message, field.name, value)
        elif repeated:
            getattr(message, field.name).extend(random_number(rng, field) for _ in range(rng.randrange(5)))
        else:
            setattr(message, field.name, random_number(rng, field))


def otlp_json(request):
    """OTLP/JSON is proto3's mapping but for ids in hex and enums as numbers."""
    def fix(node):
        if isinstance(node, dict):
            return {k: base64.b64decode(v).hex() if k in ("traceId", "spanId", "parentSpanId") else fix(v) for k, v in node.items()}
        return [fix(x) for x in node] if isinstance(node, list) else node
    return fix(MessageToDict(request, use_integers_for_enums=True))


def write(signal, name, request):
    stem = OUT / f"{signal}_{name}"
    stem.with_suffix(".bin").write_bytes(request.SerializeToString(deterministic=True))
    stem.with_suffix(".json").write_text(json.dumps(otlp_json(request), indent=None, ensure_ascii=name != "all") + "\n")
    stem.with_suffix(".txt").write_text(dump(signal, request))


def main():
    OUT.mkdir(exist_ok=True)
    for name, request in (("traces", traces_all()), ("logs", logs_all()), ("metrics", metrics_all())):
        write(name, "all", request)
    for signal, (kind, *_) in SIGNALS.items():
        for n in range(RANDOM_EACH):
            request = kind()
            fill(random.Random(f"{signal} {n}"), request, 8)
            write(signal, f"random{n}", request)


if __name__ == "__main__":
    main()
