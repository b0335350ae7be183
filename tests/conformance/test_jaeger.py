"""Jaeger's query API as Grafana's Jaeger data source and Jaeger's UI call it."""
import json
import urllib.parse

import pytest

import shop
from openapi import described, matches

US = 1000


@pytest.fixture(scope="module")
def filled(clew):
    clew.began = shop.send(clew)
    return clew


def get(server, path, template=None, expect=200, **parameters):
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters, doseq=True)
    status, answer = server.request("GET", path)
    assert status == expect, answer
    body = json.loads(answer)
    if template:
        matches(described("GET", template, status), body)
    return body


def search(server, **parameters):
    """As Grafana asks: microseconds, a lookback, a limit. Names of root spans, newest first."""
    defaults = {"service": "checkout", "start": (server.began - 10**9) // US, "end": (server.began + 60 * 10**9) // US, "limit": 20, "lookback": "custom"}
    body = get(server, "/jaeger/api/traces", "/jaeger/api/traces", **{**defaults, **parameters})
    return [trace["traceID"] for trace in body["data"]]


def test_services_and_operations(filled):
    body = get(filled, "/jaeger/api/services", "/jaeger/api/services")
    assert set(body["data"]) == {"web", "checkout", "db"} and body["errors"] is None
    names = get(filled, "/jaeger/api/services/web/operations", "/jaeger/api/services/{service}/operations")["data"]
    assert set(names) == {"GET /cart", "GET /health"}
    operations = get(filled, "/jaeger/api/operations", "/jaeger/api/operations", service="db")["data"]
    assert {"name": "SELECT orders", "spanKind": "client"} in operations
    assert [o["name"] for o in get(filled, "/jaeger/api/operations", service="db", spanKind="client")["data"]] == ["SELECT orders"]
    get(filled, "/jaeger/api/operations", expect=400)
    assert get(filled, "/jaeger/api/services/no%2Fsuch/operations")["data"] == []


def test_a_trace(filled):
    trace = get(filled, f"/jaeger/api/traces/{shop.TRACE}", "/jaeger/api/traces/{id}")["data"][0]
    spans = {s["operationName"]: s for s in trace["spans"]}
    order = spans["POST /order"]
    assert order["references"] == [{"refType": "CHILD_OF", "traceID": shop.TRACE, "spanID": "00000000000000a1"}]
    assert order["duration"] == 700_000 and order["startTime"] == (filled.began + 100 * 10**6) // US
    tags = {t["key"]: (t["type"], t["value"]) for t in order["tags"]}
    assert tags["span.kind"] == ("string", "server") and tags["error"] == ("bool", True) and tags["retry"] == ("bool", True)
    assert tags["otel.status_description"] == ("string", "db timeout") and tags["otel.scope.name"] == ("string", "by.hand")
    numbers = {t["key"]: (t["type"], t["value"]) for t in spans["SELECT orders"]["tags"]}
    assert numbers["rows"] == ("int64", 3) and numbers["ratio"] == ("float64", 0.5)
    process = trace["processes"][order["processID"]]
    assert process["serviceName"] == "checkout" and {"key": "service.version", "type": "string", "value": "1.4.2"} in process["tags"]
    assert {trace["processes"][s["processID"]]["serviceName"] for s in trace["spans"]} == {"web", "checkout", "db"}
    assert spans["lost"]["warnings"] and trace["warnings"]


def test_ids(filled):
    several = get(filled, "/jaeger/api/traces", "/jaeger/api/traces", traceID=[shop.TRACE, shop.OTHER])["data"]
    assert {t["traceID"] for t in several} == {shop.TRACE, shop.OTHER}
    assert get(filled, f"/jaeger/api/traces/{'0' * 31}7", "/jaeger/api/traces/{id}", 404)["errors"][0]["code"] == 404
    get(filled, "/jaeger/api/traces/nonsense", "/jaeger/api/traces/{id}", 400)
    get(filled, "/jaeger/api/traces", "/jaeger/api/traces", 400, traceID=["nonsense"])


def test_search(filled):
    assert search(filled) == [shop.TRACE]
    assert search(filled, service="web") == [shop.OTHER, shop.TRACE]
    assert search(filled, service="web", limit=1) == [shop.OTHER]
    assert search(filled, operation="POST /order") == [shop.TRACE]
    assert search(filled, operation="all") == [shop.TRACE]
    assert search(filled, operation="GET /cart") == []
    assert search(filled, service="nobody") == []
    assert search(filled, end=(filled.began - 1) // US) == []


@pytest.mark.parametrize("tags,found", [
    ({"error": "true"}, True), ({"error": "false"}, False), ({"retry": "true"}, True), ({"span.kind": "server"}, True), ({"span.kind": "client"}, False),
    ({"otel.status_code": "ERROR"}, True), ({"service.version": "1.4.2"}, True), ({"service.version": "1.4"}, False), ({"no.such": "x"}, False),
    ({"otel.status_description": "db timeout"}, True), ({"retry": "true", "error": "true"}, True), ({"retry": "true", "no.such": "x"}, False),
    ({"otel.scope.name": "by.hand"}, True), ({"name": "POST /order"}, False), ({"odd key' or 1": "'; | limit 0"}, False),
], ids=str)
def test_tags(filled, tags, found):
    expect = [shop.TRACE] if found else []
    assert search(filled, tags=json.dumps(tags)) == expect
    assert search(filled, tag=[f"{k}:{v}" for k, v in tags.items()]) == expect


def test_durations(filled):
    assert search(filled, minDuration="600ms") == [shop.TRACE]
    assert search(filled, minDuration="0.6s", maxDuration="800ms") == [shop.TRACE]
    assert search(filled, minDuration="701ms") == []
    assert search(filled, maxDuration="100us") == []


def test_lookback(filled):
    body = get(filled, "/jaeger/api/traces", "/jaeger/api/traces", service="checkout", lookback="1h")
    assert [t["traceID"] for t in body["data"]] == [shop.TRACE]


@pytest.mark.parametrize("bad", [{"service": ""}, {"limit": "many"}, {"start": "x"}, {"minDuration": "long"}, {"tags": "{"}, {"tags": '{"a":{}}'},
                                 {"tag": "novalue"}, {"tag": "a`b:c"}, {"lookback": "ages", "start": ""}, {"start": 5, "end": 4}], ids=str)
def test_what_cannot_be_read_is_400_in_jaegers_form(filled, bad):
    defaults = {"service": "checkout", "start": filled.began // US - 10**6, "end": filled.began // US + 10**6}
    get(filled, "/jaeger/api/traces", "/jaeger/api/traces", 400, **{**defaults, **bad})
