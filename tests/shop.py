"""A small trace over three services with logs, as an SDK would send it, for tests that read it back."""
import json
import time

TRACE = "5b8efff798038103d269b633813fc60c"
OTHER = "6b8efff798038103d269b633813fc60d"


def attributes(**values):
    def value(v):
        kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(v)]
        return {kind: str(v) if kind == "intValue" else v}
    return [{"key": k.replace("__", "."), "value": value(v)} for k, v in values.items()]


def span(name, span_id, start, duration_ms, parent="", kind=1, trace=TRACE, status=None, **attrs):
    made = {"traceId": trace, "spanId": span_id, "parentSpanId": parent, "name": name, "kind": kind, "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + duration_ms * 10**6), "attributes": attributes(**attrs)}
    if status:
        made["status"] = status
    return made


def resource(service, signal, records, version="1.4.2"):
    name = {"spans": "scopeSpans", "logRecords": "scopeLogs"}[signal]
    return {"resource": {"attributes": attributes(service__name=service, service__version=version)},
            name: [{"scope": {"name": "by.hand", "version": "1"}, signal: records}]}


def send(server, start=None):
    """Sends it; returns when it begins, in ns."""
    t = start or time.time_ns() - 10 * 10**9
    ms = 10**6
    traces = {"resourceSpans": [
        resource("web", "spans", [span("GET /cart", "00000000000000a1", t, 900, kind=2, http__response__status_code=200),
                                  span("GET /health", "00000000000000b1", t + 5000 * ms, 1, kind=2, trace=OTHER)]),
        resource("checkout", "spans", [span("POST /order", "00000000000000a2", t + 100 * ms, 700, "00000000000000a1", 2, retry=True,
                                            status={"code": 2, "message": "db timeout"})]),
        resource("db", "spans", [span("SELECT orders", "00000000000000a3", t + 200 * ms, 400, "00000000000000a2", 3, rows=3, ratio=0.5),
                                 span("lost", "00000000000000a4", t + 250 * ms, 1, "00000000000000ff")]),
    ]}
    logs = {"resourceLogs": [resource("checkout", "logRecords", [
        {"timeUnixNano": str(t + 150 * ms), "severityNumber": 9, "body": {"stringValue": "order 1001 received"}, "traceId": TRACE, "spanId": "00000000000000a2"},
        {"timeUnixNano": str(t + 790 * ms), "severityNumber": 17, "body": {"stringValue": "Connection refused: \u001b[31m10.0.0.1"}, "traceId": TRACE, "spanId": "00000000000000a2"},
    ])]}
    for path, body in (("/v1/traces", traces), ("/v1/logs", logs)):
        status, answer = server.request("POST", path, json.dumps(body), {"Content-Type": "application/json"}, token=None)
        assert status == 200 and answer == b"{}", answer
    return t
