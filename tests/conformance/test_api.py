"""The HTTP API: what it answers, and that it is what docs/openapi.json says."""
import http.client
import json
import random
import threading
import time
import urllib.parse

import openapi_spec_validator
import pytest

import harness
import shop
from openapi import DOCUMENT, described, matches

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def filled(clew):
    clew.began = shop.send(clew)
    return clew


def ask(server, method, template, body=None, expect=200, token="read", **where):
    """Asks, and checks status and answer against the document. {name} in the path and the rest as parameters."""
    path, parameters = template, dict(where)
    for name in list(parameters):
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", urllib.parse.quote(str(parameters.pop(name)), safe=""))
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters, doseq=True)
    status, answer = server.request(method, path, None if body is None else json.dumps(body), JSON if body is not None else None, token=token)
    assert status == expect, (path, answer[:500])
    schema = described(method, template, status)
    if schema is None:
        return answer
    value = json.loads(answer)
    matches(schema, value)
    return value


def test_the_document_is_sound_and_served(clew):
    openapi_spec_validator.validate(DOCUMENT)
    assert ask(clew, "GET", "/api/v1/openapi.json") == DOCUMENT


def test_every_described_path_is_there(clew):
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            status, _ = clew.request(method.upper(), path.replace("{", "").replace("}", ""), "{}" if method in ("post", "patch") else None, JSON, token=None)
            assert status in (200, 400, 401, 403, 404, 415), (method, path, status)
            assert status != 404 or "{" in path, path


def test_errors_have_their_form(clew):
    matches(described("GET", "/api/v1/me", 401), json.loads(clew.request("GET", "/api/v1/me", token=None)[1]))
    matches({"$ref": "#/components/schemas/Error"}, json.loads(clew.request("GET", "/api/v1/nothing")[1]))
    status, answer = clew.request("PUT", "/api/v1/query", "{}", JSON)
    assert status == 405 and clew.answer_headers["allow"] == "POST"
    matches({"$ref": "#/components/schemas/Error"}, json.loads(answer))


def test_administration(clew):
    admin = clew.token("admin,read")
    made = ask(clew, "POST", "/api/v1/tokens", {"name": "ci", "scopes": ["read"], "ttl": "30d"}, 201, admin)
    assert made["token"].startswith("clew_") and made["expires"] > made["created"]
    assert "ci" in [t["name"] for t in ask(clew, "GET", "/api/v1/tokens", token=admin)["tokens"]]
    ask(clew, "DELETE", "/api/v1/tokens/{id}", None, 204, admin, id=made["id"])
    ask(clew, "DELETE", "/api/v1/tokens/{id}", None, 404, admin, id=made["id"])
    ask(clew, "POST", "/api/v1/projects", {"slug": "shop"}, 201, admin)
    ask(clew, "POST", "/api/v1/projects", {"slug": "shop"}, 409, admin)
    ask(clew, "POST", "/api/v1/projects", {"slug": "No good"}, 400, admin)
    ask(clew, "POST", "/api/v1/projects", {"slugs": "x"}, 400, admin)
    assert {"default", "shop"} <= {p["slug"] for p in ask(clew, "GET", "/api/v1/projects")["projects"]}
    entries = ask(clew, "GET", "/api/v1/audit", token=admin, limit=2)["entries"]
    assert len(entries) == 2 and entries[0]["seq"] == entries[1]["seq"] + 1
    assert {e["action"] for e in ask(clew, "GET", "/api/v1/audit", token=admin, containing="project.add")["entries"]} == {"project.add"}
    assert ask(clew, "GET", "/api/v1/audit", token=admin, containing="%_")["entries"] == []  # no patterns
    ask(clew, "GET", "/api/v1/audit", None, 400, admin, containing="x" * 600)
    assert ask(clew, "GET", "/api/v1/audit", token=admin, before=2)["entries"][0]["action"] == "workspace.create"


def test_users(clew):
    admin = clew.token("admin,read,values")
    made = ask(clew, "POST", "/api/v1/users", {"login": "mara@example.com", "scopes": ["read"]}, 201, admin)
    assert made["link"].startswith(clew.url + "/signin#invite=")
    ask(clew, "POST", "/api/v1/users", {"login": "mara@example.com", "scopes": ["read"]}, 409, admin)
    for bad in ({"login": "Mara", "scopes": ["read"]}, {"login": "x", "scopes": []}, {"login": "x", "scopes": ["root"]}, {"name": "x"}):
        ask(clew, "POST", "/api/v1/users", bad, 400, admin)
    users = {u["login"]: u for u in ask(clew, "GET", "/api/v1/users", token=admin)["users"]}
    assert users["mara@example.com"]["state"] == "invited" and "link_expires" in users["mara@example.com"] and users["admin"]["state"] == "active"
    ask(clew, "PATCH", "/api/v1/users/{login}", {"scopes": ["read", "values"]}, 204, admin, login="mara@example.com")
    ask(clew, "PATCH", "/api/v1/users/{login}", {"disabled": True}, 204, admin, login="mara@example.com")
    ask(clew, "POST", "/api/v1/users/{login}/link", {}, 400, admin, login="mara@example.com")
    for bad in ({}, {"scopes": ["read"], "disabled": True}, {"disabled": "yes"}):
        ask(clew, "PATCH", "/api/v1/users/{login}", bad, 400, admin, login="mara@example.com")
    ask(clew, "PATCH", "/api/v1/users/{login}", {"disabled": False}, 204, admin, login="mara@example.com")
    ask(clew, "POST", "/api/v1/users/{login}/link", {}, 201, admin, login="mara@example.com")
    ask(clew, "DELETE", "/api/v1/users/{login}/sessions", None, 204, admin, login="mara@example.com")
    ask(clew, "DELETE", "/api/v1/users/{login}", None, 204, admin, login="mara@example.com")
    ask(clew, "DELETE", "/api/v1/users/{login}", None, 404, admin, login="mara@example.com")
    ask(clew, "GET", "/api/v1/me/sessions", None, 403)


def test_projects_and_keys(clew):
    admin = clew.token("admin,read")
    ask(clew, "POST", "/api/v1/projects", {"slug": "keyed"}, 201, admin)
    first = ask(clew, "GET", "/api/v1/projects/{slug}/keys", slug="keyed")["keys"]
    second = ask(clew, "POST", "/api/v1/projects/{slug}/keys", {}, 201, admin, slug="keyed")
    keys = ask(clew, "GET", "/api/v1/projects/{slug}/keys", slug="keyed")["keys"]
    assert [k["id"] for k in keys] == [second["id"]] + [k["id"] for k in first]
    dsn = next(p["dsn"] for p in ask(clew, "GET", "/api/v1/projects")["projects"] if p["slug"] == "keyed")
    assert second["key"] in dsn
    for key in keys:
        ask(clew, "DELETE", "/api/v1/projects/{slug}/keys/{id}", None, 204, admin, slug="keyed", id=key["id"])
    ask(clew, "DELETE", "/api/v1/projects/{slug}/keys/{id}", None, 404, admin, slug="keyed", id=second["id"])
    assert "dsn" not in next(p for p in ask(clew, "GET", "/api/v1/projects")["projects"] if p["slug"] == "keyed")
    assert ask(clew, "PATCH", "/api/v1/projects/{slug}", {"slug": "renamed"}, 200, admin, slug="keyed")["slug"] == "renamed"
    ask(clew, "PATCH", "/api/v1/projects/{slug}", {"slug": "x"}, 404, admin, slug="keyed")
    ask(clew, "PATCH", "/api/v1/projects/{slug}", {"slug": "default"}, 409, admin, slug="renamed")
    ask(clew, "PATCH", "/api/v1/projects/{slug}", {"slug": "x"}, 400, admin, slug="default")


def test_storage_and_server(clew_new):
    server = clew_new("--retention", "30d", "--snapshot-retention", "2d", "--disk-cap", "50GB", "--no-otlp-ports")
    admin = server.token("admin")
    shop.send(server)
    assert server.stop() == 0  # seals: what arrived is parts afterwards
    server.start()
    storage = ask(server, "GET", "/api/v1/storage", token=admin)
    assert storage["retention"] == 30 * 86400 * 10**9 and storage["snapshot_retention"] == 2 * 86400 * 10**9 and storage["disk_cap"] == 50 * 10**9 and storage["takes_records"]
    assert storage["part_rows"] + storage["head_rows"] >= 7 and storage["used"] >= storage["part_bytes"]
    for source in storage["sources"]:
        assert abs(sum(source["hours"]) - source["bytes"]) <= 48 and source["oldest"] <= source["newest"]
    facts = ask(server, "GET", "/api/v1/server", token=admin)
    settings = {s["key"]: s for s in facts["settings"]}
    assert (settings["retention"]["value"], settings["retention"]["origin"], settings["retention"]["flag"]) == ("30d", "flag", "--retention")
    assert settings["query_time"]["origin"] == "default" and "token" not in settings
    assert facts["listening"] == [{"address": f"127.0.0.1:{server.port}", "takes": "all", "tls": False}]
    assert any(f["what"] == "data directory" and f["ok"] for f in facts["findings"])


def test_the_trail_verifies(clew):
    report = ask(clew, "GET", "/api/v1/audit/verify", token=clew.token("admin"))
    assert report["holds"] and report["entries"] > 0 and len(report["head"]) == 64


def test_me(clew):
    assert ask(clew, "GET", "/api/v1/me")["scopes"] == ["read"]
    assert ask(clew, "GET", "/api/v1/me", token=clew.token("ingest,admin"))["scopes"] == ["ingest", "admin"]


# ---- queries

def query(server, text, expect=200, **more):
    status, answer = server.request("POST", "/api/v1/query", json.dumps({"query": text, **more}), JSON)
    assert status == expect, answer
    return [json.loads(line) for line in answer.splitlines()]


def test_a_query_streams_rows_and_ends_with_stats(filled):
    rows = query(filled, "spans")
    assert "_stats" in rows[-1] and rows[-1]["_stats"]["rows"] == len(rows) - 1 == 5
    assert filled.answer_headers["content-type"] == "application/x-ndjson"
    for row in rows[:-1]:
        assert list(row)[:2] == ["source", "time"]


def test_times_are_taken_in_every_form(filled):
    t = filled.began
    iso = harness.iso
    assert len(query(filled, "spans", **{"from": iso(t), "to": iso(t + 10**9)})) - 1 == 4
    for scale in (1, 10**3, 10**6):  # ns, us, ms
        got = query(filled, "spans", **{"from": (t - 10**9) // scale, "to": (t + 2 * 10**9) // scale})
        assert len(got) - 1 == 4, scale
    assert len(query(filled, "spans", **{"from": "-5m", "to": None})) - 1 == 5
    for bad in ({"from": "yesterday-ish"}, {"from": iso(t), "to": iso(t)}, {"tz": "Mars/Olympus", "from": "now/d"}, {"limit": -1},
                {"ints": "roman"}, {"nonsense": 1}, {"query": 5}):
        assert "error" in query(filled, **{"text": "spans", "expect": 400, **{k: v for k, v in bad.items() if k != "query"}})[0] \
            if "query" not in bad else filled.request("POST", "/api/v1/query", json.dumps(bad), JSON)[0] == 400


def test_a_broken_query_says_where(filled):
    error = query(filled, "spans duration>200", 400)[0]["error"]
    assert error["code"] == "needs_unit" and error["column"] == 16 and "200ms" in error["suggest"]
    matches({"$ref": "#/components/schemas/Error"}, {"error": error})


def test_a_client_that_leaves_cancels_its_query(filled):
    """Much to send and nobody who reads: the worker is free again."""
    now = time.time_ns()
    filler = {"resourceLogs": [shop.resource("filler", "logRecords", [{"timeUnixNano": str(now + i), "body": {"stringValue": "x" * 2000}} for i in range(2000)])]}
    for _ in range(4):
        filler["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["timeUnixNano"] = str(time.time_ns())
        assert filled.request("POST", "/v1/logs", json.dumps(filler), JSON, token=None)[0] == 200
    body = json.dumps({"query": "logs service=filler", "limit": 100_000})
    for _ in range(40):  # more than there are workers
        connection = http.client.HTTPConnection("127.0.0.1", filled.port, timeout=20)
        connection.request("POST", "/api/v1/query", body, {**JSON, "Authorization": f"Bearer {filled.read_token}"})
        if connection.getresponse().status == 429:
            time.sleep(0.05)
        connection.close()
    deadline = time.monotonic() + 60
    while True:
        status, _ = filled.request("POST", "/api/v1/query", json.dumps({"query": "spans | limit 1"}), JSON)
        if status == 200:
            break
        assert status == 429 and time.monotonic() < deadline
        time.sleep(0.1)


def test_only_so_many_queries_at_once(clew_new):
    server = clew_new("--queries", "2")
    shop.send(server)
    results, gate = [], threading.Barrier(12)

    def one():
        gate.wait()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/api/v1/query", json.dumps({"query": "spans"}), {**JSON, "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        results.append((answer.status, answer.headers.get("retry-after")))
        connection.close()

    token = server.token("read")
    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in results} <= {200, 429} and (200, None) in results
    assert all(retry for status, retry in results if status == 429)


QUERIES = ["spans service=web status=error duration>200ms", "logs \"connection refused\" level>=warn | top 10 body", "spans | stats count(), p99(duration) as p by service, name | sort p desc | limit 20",
           "* trace=5b8efff798038103d269b633813fc60c", "spans | bucket 1m | stats count() by bucket", "spans name=~\"(?i)^get\" | let x = duration / 2, y = coalesce(rows, 0) | where y>1 | select name, x, y",
           "spans | traces", "metrics value>1", "logs body:order not slow", "spans rows!=(1, 2) or retry=true | limit 1 by trace"]


def test_no_text_breaks_it(filled):
    """Whatever stands in a request, the answer is a row stream or an error with a code; never 500, never silence."""
    chance = random.Random(3)
    pieces = ["|", "(", ")", "{", "}", '"', "'", "\\", "*", "=", "~", " by ", "0x", "1e999", "\u0000", "\ufffd", "\U0001f9f5", "9" * 30, "-", "`", "[9999999999]", "limit 0"]
    for _ in range(600):
        text = list(chance.choice(QUERIES))
        for _ in range(chance.randrange(0, 6)):
            at = chance.randrange(len(text) + 1)
            text[at:at + chance.randrange(0, 4)] = chance.choice(pieces + QUERIES)
        status, answer = filled.request("POST", "/api/v1/query", json.dumps({"query": "".join(text)}), JSON)
        assert status in (200, 400, 422), (text, answer)
        last = json.loads(answer.splitlines()[-1])
        assert status != 200 and last["error"]["code"] or "_stats" in last or "_error" in last, text


def test_no_body_breaks_it(filled):
    admin, chance = filled.token("admin,read"), random.Random(5)
    bodies = ['{"query":"spans","from":"-1h","to":"now","limit":5}', '{"name":"n","scopes":["read"],"project":"default","ttl":"1d"}', '{"slug":"s"}', '{"link":"x"}']
    for _ in range(400):
        body = bytearray(chance.choice(bodies).encode())
        for _ in range(chance.randrange(1, 6)):
            body[chance.randrange(len(body))] = chance.choice(b'{}[]":,\\u0\x00\xff9e-ntf')
        for path in ("/api/v1/query", "/api/v1/tokens", "/api/v1/projects"):
            status, answer = filled.request("POST", path, bytes(body), JSON, token=admin)
            assert status in (200, 201, 400, 403, 404, 409, 422), (path, body, answer)


# ---- what there is

def test_services_fields_values(filled):
    services = {s["service"]: s for s in ask(filled, "GET", "/api/v1/services")["services"] if "service" in s}
    assert services["web"]["spans"] == 2 and services["checkout"]["errors"] == 1 and services["checkout"]["logs"] == 2
    fields = {f["field"]: f for f in ask(filled, "GET", "/api/v1/fields", source="spans")["fields"]}
    assert "duration" in fields and "int" in fields["rows"]["types"] and fields["retry"]["types"] == ["bool"]
    values = ask(filled, "GET", "/api/v1/values", field="name", source="spans")["values"]
    assert {v["value"] for v in values} >= {"GET /cart", "POST /order"}
    assert [v["value"] for v in ask(filled, "GET", "/api/v1/values", field="name", source="spans", prefix="POST")["values"]] == ["POST /order"]
    limited = ask(filled, "GET", "/api/v1/values", field="name", source="spans", limit=1)
    assert len(limited["values"]) == 1 and limited["more"]
    ask(filled, "GET", "/api/v1/values", None, 400)
    ask(filled, "GET", "/api/v1/services", None, 400, **{"from": "nonsense"})


def test_histogram(filled):
    answer = ask(filled, "GET", "/api/v1/histogram", query="spans", buckets=20, **{"from": "-5m"})
    assert 0 < len(answer["buckets"]) <= 20 and sum(b["rows"] for b in answer["buckets"]) == 5
    assert sum(b["errors"] for b in answer["buckets"]) == 1
    ask(filled, "GET", "/api/v1/histogram", None, 400)
    ask(filled, "GET", "/api/v1/histogram", None, 400, query="spans duration>1")


# ---- a trace

def test_ingest_says_what_was_taken_and_refused(filled):
    before = ask(filled, "GET", "/api/v1/ingest")
    assert before["records"] >= 4 and before["bytes"] > 0
    assert before["store"]["rows"] >= 4 and not before["store"]["read_only"] and before["store"]["free"] > 0
    broken, _ = filled.request("POST", "/v1/traces", b"{", {"Content-Type": "application/json"}, token=None)
    wrong, _ = filled.request("POST", "/v1/traces", b"", {"Content-Type": "application/json", "Authorization": "Bearer nobody"}, token=None)
    assert (broken, wrong) == (400, 401)
    after = ask(filled, "GET", "/api/v1/ingest")
    assert after["refused"]["malformed"] == before["refused"]["malformed"] + 1
    assert after["refused"]["unauthenticated"] == before["refused"]["unauthenticated"] + 1
    assert after["records"] == before["records"] and after["since"] == before["since"]


def test_a_trace_is_a_tree_of_printed_rows(filled):
    trace = ask(filled, "GET", "/api/v1/traces/{id}", id=shop.TRACE)
    assert [(s["name"], s["depth"]) for s in trace["spans"]] == [("GET /cart", 0), ("POST /order", 1), ("SELECT orders", 2), ("lost", 0)]
    assert trace["duration"] == 900_000_000 and trace["complete"] is False and trace["cut"] is False and trace["hidden"] == 0
    assert trace["missing"] == [{"span": "00000000000000ff", "children": 1}]
    assert [log["level"] for log in trace["logs"]] == ["info", "error"]
    assert {s["service"]: s["errors"] for s in trace["services"]} == {"web": 0, "checkout": 1, "db": 0}
    printed = {row["span"]: row for row in query(filled, f"spans trace={shop.TRACE}")[:-1]}
    for span in trace["spans"]:
        span.pop("depth")
        assert span == printed[span["span"]]


def test_the_path_of_a_trace(filled):
    path = ask(filled, "GET", "/api/v1/traces/{id}/path", id=shop.TRACE)
    ms = 10**6
    assert path["root"] == "00000000000000a1" and path["duration"] == 900 * ms and path["clocks"] == []
    assert [(s["name"], s["from"] // ms, s["to"] // ms) for s in path["segments"]] == [
        ("GET /cart", 0, 100), ("POST /order", 100, 200), ("SELECT orders", 200, 600), ("POST /order", 600, 800), ("GET /cart", 800, 900)]
    services = {s["service"]: s for s in path["services"]}
    assert sum(s["critical"] for s in services.values()) == path["duration"]
    assert services["checkout"]["self"] == 300 * ms and services["checkout"]["errors"] == 1
    # `lost`, whose parent never came, ran below the root beside the order: nobody waited for it.
    assert services["db"]["critical"] == 400 * ms and services["db"]["self"] == 401 * ms
    ask(filled, "GET", "/api/v1/traces/{id}/path", None, 404, id="0" * 31 + "1")
    ask(filled, "GET", "/api/v1/traces/{id}/path", None, 400, id="xyz")


def order(server, trace, start, selects, milliseconds, coupon, fails=False, token=None):
    """A trace of a root that calls a database a number of times."""
    ms = 10**6
    spans = [shop.span("POST /orders", trace[-16:], start, 10 + selects * milliseconds, kind=2, trace=trace, coupon=coupon, request__id=trace)]
    spans += [shop.span("SELECT items", f"{i + 1:04x}{trace[-12:]}", start + (5 + i * milliseconds) * ms, milliseconds, trace[-16:], 3, trace,
                        status={"code": 2} if fails else None) for i in range(selects)]
    status, answer = server.request("POST", "/v1/traces", json.dumps({"resourceSpans": [shop.resource("compared", "spans", spans)]}), JSON, token=token)
    assert status == 200 and answer == b"{}", answer


def test_a_trace_beside_another(filled):
    ms, ids = 10**6, [f"{i:032x}" for i in range(0xc0ffee01, 0xc0ffee01 + 13)]
    for n, trace in enumerate(ids):
        order(filled, trace, filled.began + n * ms, 14 if n == 0 else 1, 5, "percent_bp" if n == 0 else "fixed", fails=n == 0)
    pair = ask(filled, "GET", "/api/v1/compare", a=ids[0], b=ids[1])
    assert pair["a"]["duration"] - pair["b"]["duration"] == 65 * ms and pair["cut"] is False
    root, select = pair["rows"]
    assert (root["depth"], root["name"], select["depth"], select["name"], select["kind"]) == (0, "POST /orders", 1, "SELECT items", "client")
    assert (select["a"]["spans"], select["b"]["spans"], select["a"]["errors"], select["b"]["errors"]) == (14, 1, 14, 0)
    assert sum(row["a"]["critical"] for row in pair["rows"]) == pair["a"]["duration"] == 80 * ms
    assert {"key": "coupon", "level": "attr", "a": "percent_bp", "b": "fixed"} in root["attributes"]
    many = ask(filled, "GET", "/api/v1/compare", **{"a": ids[0], "with": "population"})
    assert "b" not in many and many["population"]["found"] == many["population"]["compared"] == many["population"]["faster"] == 12
    root, select = many["rows"]
    assert select["b"]["traces"] == 12 and select["b"]["spans"] == 1 and select["b"]["duration"] == {"p50": 5 * ms, "p95": 5 * ms}
    # An id of its own in every trace tells nothing.
    assert root["attributes"] == [{"key": "coupon", "level": "attr", "a": "percent_bp", "b": "fixed", "b_traces": 12}]
    none = ask(filled, "GET", "/api/v1/compare", **{"a": ids[0], "with": "population", "from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
    assert none["population"]["compared"] == 0 and all("b" not in row for row in none["rows"])
    for wrong in ({"a": ids[0]}, {"a": ids[0], "b": "x"}, {"b": ids[0]}, {"a": ids[0], "with": "others"}, {"a": ids[0], "with": "population", "from": "soon"}):
        ask(filled, "GET", "/api/v1/compare", None, 400, **wrong)
    ask(filled, "GET", "/api/v1/compare", None, 404, a=ids[0], b="0" * 31 + "1")


def test_ids_of_traces(filled):
    assert ask(filled, "GET", "/api/v1/traces/{id}", id=shop.TRACE.upper())["trace"] == shop.TRACE
    ask(filled, "GET", "/api/v1/traces/{id}", None, 404, id="0" * 31 + "1")
    for bad in ("xyz", "12", "g" * 32, "0" * 33):
        ask(filled, "GET", "/api/v1/traces/{id}", None, 400, id=bad)


# ---- live tail

class Tail:
    def __init__(self, server, text):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.connection.request("GET", "/api/v1/tail?" + urllib.parse.urlencode({"query": text}), headers={"Authorization": f"Bearer {server.read_token}"})
        self.answer = self.connection.getresponse()

    def row(self):
        deadline = time.monotonic() + 30  # comments keep the connection awake
        while True:
            assert time.monotonic() < deadline, "no row came"
            line = self.answer.readline()
            if line.startswith(b"data:"):
                return json.loads(line[5:])
            assert line, "the stream ended"


def test_a_tail_shows_what_arrives_and_only_that(filled):
    filled.request("GET", "/api/v1/me")
    tail = Tail(filled, "logs level>=error service=tailed | select body")
    assert tail.answer.status == 200 and tail.answer.headers["content-type"] == "text/event-stream"
    for number, level in enumerate((17, 9, 17, 21)):
        record = {"timeUnixNano": str(time.time_ns()), "severityNumber": level, "body": {"stringValue": f"line {number}"}}
        body = {"resourceLogs": [shop.resource("tailed", "logRecords", [record])]}
        assert filled.request("POST", "/v1/logs", json.dumps(body), JSON, token=None)[0] == 200
    assert [tail.row()["body"] for _ in range(3)] == ["line 0", "line 2", "line 3"]
    tail.connection.close()


def test_a_tail_reads_what_is_in_the_text(filled):
    filled.request("GET", "/api/v1/me")
    tail = Tail(filled, 'logs service=told | extract "took <t:duration>" | parse logfmt | where who=anna | select who, n, t')
    assert tail.answer.status == 200
    for text in ("who=anna n=5 took 75ms", "who=bert n=6 took 1s", "no fields", "n=7 who=anna"):
        record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": text}}
        body = {"resourceLogs": [shop.resource("told", "logRecords", [record])]}
        assert filled.request("POST", "/v1/logs", json.dumps(body), JSON, token=None)[0] == 200
    assert tail.row() == {"who": "anna", "n": 5, "t": 75000000}
    assert tail.row() == {"who": "anna", "n": 7}
    tail.connection.close()


def test_what_cannot_be_tailed_is_refused(filled):
    filled.request("GET", "/api/v1/me")
    for text, code in (("spans | stats count()", "not_live"), ("spans | sort duration", "not_live"), ("spans (a=b", "unclosed")):
        tail = Tail(filled, text)
        assert tail.answer.status == 400 and json.loads(tail.answer.read())["error"]["code"] == code


def test_tails_are_bounded_and_given_back(clew_new):
    server = clew_new("--tails", "2")
    server.request("GET", "/api/v1/me")
    first, second = Tail(server, "logs"), Tail(server, "logs")
    assert (first.answer.status, second.answer.status) == (200, 200)
    assert Tail(server, "logs").answer.status == 429
    first.answer.close()
    first.connection.close()
    deadline = time.monotonic() + 30
    while Tail(server, "logs").answer.status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_server_with_open_tails_stops(clew_new):
    server = clew_new()
    server.request("GET", "/api/v1/me")
    tail = Tail(server, "*")
    assert server.stop() == 0
    assert tail.answer.read() is not None  # and the stream ends


# ---- metrics

def test_metrics_are_each_declared_once(filled):
    """Parsers of the format refuse a second TYPE line for a name."""
    text = filled.request("GET", "/metrics", token=None)[1].decode()
    declared = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    assert declared and sorted(declared) == sorted(set(declared))


def test_metrics_count(filled):
    before = filled.metrics()
    assert before["clew_ingest_records_total"] >= 7 and before["clew_store_rows_committed_total"] >= 7
    filled.request("POST", "/v1/traces", b"", {"Content-Type": "application/x-protobuf"}, token="clew_nonsense")
    assert filled.metrics()["clew_ingest_refused_unauthenticated_total"] == before["clew_ingest_refused_unauthenticated_total"] + 1
