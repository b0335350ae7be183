"""What unmodified Sentry SDKs send becomes events, spans and logs of one trace; what is refused is refused as they understand it."""
import base64
import gzip
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import zlib

import pytest

import harness

HERE = pathlib.Path(__file__).resolve().parent
SDKS = ["python", "python-1", "@sentry/node", "sentry-node-10", "sentry-node-9", "sentry-node-8", "sentry-node-7"]
EVENT = {"event_id": "fc6d8c0c43fc4630ad850ee518f1b9d0", "message": "by hand", "level": "error"}


@pytest.fixture(scope="module")
def dsn(clew):
    return clew.cli("project", "dsn", "default").strip()


@pytest.fixture(scope="module", params=SDKS, ids=lambda name: name.replace("/", "-"))
def sent(request, clew, dsn):
    """Rows of the program's one trace."""
    environment = dict(os.environ)
    if request.param.startswith("python"):
        command = [sys.executable, HERE / "sentry_python.py", dsn]
        if request.param == "python-1":
            environment["PYTHONPATH"] = str(harness.ROOT / ".setup/sdks/python-1")
            if not (harness.ROOT / ".setup/sdks/python-1").exists():
                pytest.skip(".setup/sdks is missing (tools/setup test)")
    else:
        if not (HERE / "node_modules").exists():
            pytest.skip("tests/conformance/node_modules is missing (tools/setup test)")
        command = [shutil.which("node"), HERE / "sentry_node.js", request.param, dsn]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, env=environment,
                         stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stderr
    trace = run.stdout.strip()
    assert len(trace) == 32, run.stdout
    return {source: clew.query(f"{source} trace={trace}")[0] for source in ("events", "spans", "logs")}


def test_the_exception_is_an_event_of_its_span(sent):
    event = next(row for row in sent["events"] if row.get("type") == "TypeError")
    span = next(row for row in sent["spans"] if row["name"] == "GET /cart")
    assert event["span"] == span["span"] and event["level"] == "error" and event["handled"] is True
    assert event["title"].startswith("TypeError: ") and event["title"].endswith(event["message"])
    assert (event["release"], event["version"], event["environment"], event["user"]) == ("web@5.12.0+8", "5.12.0", "conformance", "u_7")
    assert event["stack.function"][0].endswith("total") and event["stack.in_app"][0] is True
    assert len(event["stack.function"]) == len(event["stack.line"]) == len(event["stack.in_app"])
    assert event["attr"]["coupon.kind"] == "percent_bp" and event["attr"]["extra.order"] == 7


def test_secrets_do_not_get_in(sent, clew):
    event = next(row for row in sent["events"] if row.get("type") == "TypeError")
    assert event["attr"]["extra.password"] == "[Filtered]"
    if event["platform"] == "node":  # the Python SDK removes it itself
        assert "extra.password" in event["scrubbed"]
    assert not any(b"hunter2" in path.read_bytes() for path in clew.data.rglob("*") if path.is_file())


def test_spans_and_logs_are_of_the_same_trace(sent):
    spans = {row["name"]: row for row in sent["spans"]}
    assert set(spans) == {"GET /cart", "SELECT 1"}
    assert spans["SELECT 1"]["parent"] == spans["GET /cart"]["span"]
    assert (spans["GET /cart"]["kind"], spans["SELECT 1"]["kind"]) == ("server", "client")
    for row in sent["logs"]:  # old majors have no logs by default
        assert row["body"] == "cart is slow" and row["level"] == "warn" and row["attr"]["items"] == 3


def test_locals_of_the_frame_can_be_asked_for(clew, dsn):
    subprocess.run([sys.executable, HERE / "sentry_python.py", dsn], check=True, capture_output=True, timeout=60)
    body = json.dumps({"query": "events vars.price=129.5 | select title, vars.price", "from": "-1h"})
    status, answer = clew.request("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
    assert status == 403 and json.loads(answer)["error"]["code"] == "forbidden_field", "values need a permission of their own"
    status, answer = clew.request("POST", "/api/v1/query", body, {"Content-Type": "application/json"}, token=clew.token("read", "values"))
    rows = [json.loads(line) for line in answer.splitlines()][:-1]
    assert status == 200 and rows and all("TypeError" in row["title"] and row["vars.price"] == "129.5" for row in rows)
    rows, _ = clew.query('events "unsupported operand" type=TypeError | stats count() as n by release')
    assert rows[0]["release"] == "web@5.12.0+8"


def test_the_trace_has_its_errors(sent, clew):
    trace = json.loads(clew.request("GET", f"/api/v1/traces/{sent['spans'][0]['trace']}")[1])
    assert {row["event_id"] for row in trace["events"]} == {row["event_id"] for row in sent["events"]}
    assert {row["span"] for row in trace["events"] if row.get("type")} <= {row["span"] for row in trace["spans"]}


def test_the_trace_is_printed_with_its_errors(sent, clew):
    lines = clew.cli("trace", sent["spans"][0]["trace"]).splitlines()
    event = next(row for row in sent["events"] if row.get("type") == "TypeError")
    at = next(n for n, line in enumerate(lines) if event["title"] in line)
    assert any("GET /cart" in line for line in lines[:at]) and f"{len(sent['events'])} error event" in lines[1]
    assert "not handled" not in lines[at]


def test_a_trace_of_an_error_alone_is_one_too(clew, dsn):
    trace = "0123456789abcdef0123456789abcdef"
    event = {**an_event(0xa00), "contexts": {"trace": {"trace_id": trace, "span_id": "0123456789abcdef"}}}
    assert post(clew, f"/api/1/envelope/?sentry_key={key_of(dsn)}", envelope(event))[0] == 200
    status, answer = clew.request("GET", f"/api/v1/traces/{trace}")
    assert status == 200 and [row["event_id"] for row in json.loads(answer)["events"]] == [event["event_id"]]


# ---- by hand: every way in, and every way to be refused

def key_of(dsn):
    return dsn.split("//")[1].split("@")[0]


def envelope(event=None, header=None):
    body = json.dumps(event or EVENT).encode()
    return json.dumps(header or {}).encode() + b"\n" + json.dumps({"type": "event", "length": len(body)}).encode() + b"\n" + body + b"\n"


def post(clew, path, body, **headers):
    status, answer = clew.request("POST", path, body, headers, token=None)
    return status, answer, dict(clew.answer_headers)


def stored(clew, event_id):
    rows, _ = clew.query(f"events event_id={event_id}")
    return len(rows)


def an_event(n):
    return {**EVENT, "event_id": f"{n:032x}"}


@pytest.mark.parametrize("way", ["header", "authorization", "query", "dsn"])
def test_each_way_to_show_the_key(clew, dsn, way):
    event = an_event(0x100 + ["header", "authorization", "query", "dsn"].index(way))
    auth = f"Sentry sentry_version=7,sentry_client=x/1 ,  sentry_key={key_of(dsn)}"
    headers = {"header": {"X-Sentry-Auth": auth}, "authorization": {"Authorization": auth}}.get(way, {})
    path = "/api/1/envelope/" + (f"?sentry_version=7&sentry_key={key_of(dsn)}" if way == "query" else "")
    body = envelope(event, {"dsn": dsn} if way == "dsn" else {})
    status, answer, answered = post(clew, path, body, **headers)
    assert status == 200 and json.loads(answer) == {"id": event["event_id"]}
    assert answered["access-control-allow-origin"] == "*"
    assert stored(clew, event["event_id"]) == 1


def test_keys_that_are_wrong_missing_or_disagree(clew, dsn):
    other = clew.cli("project", "add", "other") and clew.cli("project", "dsn", "other").strip()
    good = {"X-Sentry-Auth": f"Sentry sentry_key={key_of(dsn)}"}
    for path, body, headers in [
        ("/api/1/envelope/", envelope(), {}),
        ("/api/1/envelope/", envelope(), {"X-Sentry-Auth": "Sentry sentry_key=0123456789abcdef0123456789abcdef"}),
        ("/api/1/envelope/", envelope(header={"dsn": other}), good),
        ("/api/1/envelope/", envelope(header={"dsn": other}), {}),
        ("/api/1/envelope/?sentry_key=" + key_of(other), envelope(), good),
        ("/api/2/envelope/", envelope(), good),
        ("/api/1/store/", json.dumps(EVENT), {}),
        # A token for OTLP opens nothing here.
        ("/api/1/envelope/", envelope(), {"Authorization": "Bearer " + clew.token("ingest")}),
    ]:
        status, answer, _ = post(clew, path, body, **headers)
        assert status == 403 and json.loads(answer)["detail"], (path, headers)
    # And the public key opens nothing else.
    assert clew.request("POST", "/api/v1/query", '{"query":"spans"}', {"Content-Type": "application/json"}, token=key_of(dsn))[0] == 401
    assert clew.request("POST", "/v1/traces", b"", {"Content-Type": "application/x-protobuf"}, token=key_of(dsn))[0] == 401


@pytest.mark.parametrize("encoding,pack", [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("", bytes)])
def test_encodings(clew, dsn, encoding, pack):
    event = an_event(0x200 + len(encoding))
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={key_of(dsn)}", **({"Content-Encoding": encoding} if encoding else {})}
    assert post(clew, "/api/1/envelope/", pack(envelope(event)), **headers)[0] == 200
    assert stored(clew, event["event_id"]) == 1


def test_the_old_endpoint_takes_plain_and_packed_events(clew, dsn):
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={key_of(dsn)}"}
    plain, packed = an_event(0x300), an_event(0x301)
    assert post(clew, "/api/1/store/", json.dumps(plain), **headers)[0] == 200
    body = base64.b64encode(zlib.compress(json.dumps(packed).encode()))
    status, answer, _ = post(clew, "/api/1/store/", body, **headers)
    assert status == 200 and json.loads(answer)["id"] == packed["event_id"]
    assert stored(clew, plain["event_id"]) == stored(clew, packed["event_id"]) == 1


def test_a_chunked_body_without_a_type(clew, dsn):
    event = an_event(0x400)
    connection = http.client.HTTPConnection("127.0.0.1", clew.port)
    connection.request("POST", f"/api/1/envelope/?sentry_key={key_of(dsn)}", iter([envelope(event)[:20], envelope(event)[20:]]), encode_chunked=True)
    assert connection.getresponse().status == 200
    assert stored(clew, event["event_id"]) == 1


def test_an_event_that_is_sent_again_is_there_once(clew, dsn):
    event, headers = an_event(0x500), {"X-Sentry-Auth": f"Sentry sentry_key={key_of(dsn)}"}
    for _ in range(2):
        status, answer, _ = post(clew, "/api/1/envelope/", envelope(event), **headers)
        assert status == 200 and json.loads(answer)["id"] == event["event_id"]
    assert stored(clew, event["event_id"]) == 1


def test_what_is_malformed_says_where(clew, dsn):
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={key_of(dsn)}"}
    status, answer, _ = post(clew, "/api/1/envelope/", b"not an envelope", **headers)
    assert status == 400 and "envelope header" in json.loads(answer)["detail"]
    status, answer, _ = post(clew, "/api/1/envelope/", b'{}\n{"type":"event","length":99}\n{}', **headers)
    assert status == 400 and "item 0" in json.loads(answer)["detail"]
    # An item that cannot be read takes nothing else along.
    event = an_event(0x600)
    body = b'{}\n{"type":"event"}\n{broken\n' + envelope(event).split(b"\n", 1)[1]
    assert post(clew, "/api/1/envelope/", body, **headers)[0] == 200
    assert stored(clew, event["event_id"]) == 1
    assert post(clew, "/api/1/store/", json.dumps({"message": "x" * (1 << 20)}), **headers)[0] == 413


def test_a_page_of_another_site_may_send(clew, dsn):
    status, _ = clew.request("OPTIONS", "/api/1/envelope/", None, {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}, token=None)
    assert status == 204 and clew.answer_headers["access-control-allow-origin"] == "*"
    assert "content-type" in clew.answer_headers["access-control-allow-headers"]
    status, _, headers = post(clew, f"/api/1/envelope/?sentry_key={key_of(dsn)}", envelope(an_event(0x700)), Origin="https://shop.example", **{"Content-Type": "text/plain;charset=UTF-8"})
    assert status == 200 and "x-sentry-rate-limits" in headers["access-control-expose-headers"]


def test_over_its_rate_a_project_is_told_when_to_come_back(tmp_path):
    server = harness.Server(tmp_path / "data", ["--ingest-rate", "1kb"])
    server.start()
    try:
        key = key_of(server.cli("project", "dsn", "default").strip())
        for n in range(20):
            big = {**an_event(0x800 + n), "extra": {"filler": "x" * 4000}}
            status, answer, headers = post(server, f"/api/1/envelope/?sentry_key={key}", envelope(big))
            if status != 200:
                break
        assert status == 429 and int(headers["retry-after"]) > 0 and json.loads(answer)["detail"]
        seconds, categories, scope = headers["x-sentry-rate-limits"].split(":")[:3]
        assert int(seconds) > 0 and categories == "" and scope == "organization"
    finally:
        server.stop()


def test_a_clock_that_is_off_is_corrected(clew, dsn):
    event = {**an_event(0x900), "timestamp": time.time() - 7200}
    sent_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
    assert post(clew, f"/api/1/envelope/?sentry_key={key_of(dsn)}", envelope(event, {"sent_at": sent_at}))[0] == 200
    assert stored(clew, event["event_id"]) == 1, "in the last hour, not two hours ago"
