"""Sentry's SDKs for Java, Go, Rust and browsers, and the profiler: what they send is shown as it was meant; and all obey a refusal."""
import json
import shutil
import subprocess
import sys

import pytest

import sentry_programs as programs

NODE_FLOOD = """
const Sentry = require('@sentry/node');
Sentry.init({ dsn: process.argv[1] });
(async () => { for (let n = 0; n < 40; n++) { Sentry.captureException(new Error('no ' + n), { extra: { filler: 'x'.repeat(3000) } }); await Sentry.flush(5000); } })();
"""
PYTHON_FLOOD = """
import sys, sentry_sdk
sentry_sdk.init(sys.argv[1])
for n in range(40):
    sentry_sdk.set_extra("filler", "x" * 3000)
    sentry_sdk.capture_message("no %d" % n)
    sentry_sdk.flush(5)
"""


@pytest.fixture(scope="module")
def dsn(clew):
    return clew.cli("project", "dsn", "default").strip()


def run(name, dsn):
    try:
        return programs.run(name, dsn)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name,kind,function,language", [
    ("java", "NullPointerException", "total", "java"),
    ("go", "*fmt.wrapError", "main", "go"),
    ("rust", "NoRate", "main", "rust"),
])
def test_a_program(clew, dsn, name, kind, function, language):
    trace = run(name, dsn)
    events, spans, logs = (clew.query(f"{source} trace={trace}")[0] for source in ("events", "spans", "logs"))
    [event] = events
    assert (event["type"], event["level"], event["user"]) == (kind, "error", "u_7")
    assert (event["release"], event["version"], event["environment"]) == ("web@5.12.0+8", "5.12.0", "conformance")
    if name == "rust":  # this one shows its own way into the event first, and marks nothing as the program's
        assert any(frame.endswith(f"::{function}") for frame in event["stack.function"])
    else:
        assert event["stack.function"][0].endswith(function) and event["stack.in_app"][0] is True
    assert event["attr"]["coupon.kind"] == "percent_bp" and str(event["attr"]["extra.order"]) == "7"
    named = {span["name"]: span for span in spans}
    assert set(named) == {"GET /cart", "SELECT 1"}
    assert named["SELECT 1"]["parent"] == named["GET /cart"]["span"]
    assert (named["GET /cart"]["kind"], named["SELECT 1"]["kind"]) == ("server", "client")
    assert event["span"] in {span["span"] for span in spans}
    assert named["GET /cart"]["resource"]["telemetry.sdk.language"] == language
    if name in ("java", "rust"):  # that major of the other has none
        assert [(log["body"], log["level"], log["span"]) for log in logs] == [("cart is slow", "warn", named["GET /cart"]["span"])]
    shown = json.loads(clew.request("GET", f"/api/v1/events/{event['event_id']}")[1])
    assert [crumb["message"] for crumb in shown["breadcrumbs"]][-1] == "cart loaded"


@pytest.fixture(scope="module", params=programs.BROWSER, ids=lambda name: name.replace("/", "-"))
def visit(request, clew, dsn):
    between = programs.Between(clew)
    try:
        told = json.loads(run(request.param, between.dsn(dsn)))
    finally:
        between.close()
    return request.param, told, between.seen


def test_all_that_a_page_sends_is_taken(visit):
    name, told, seen = visit
    assert told["problems"] == [] and all(status == 200 for _, _, status in seen)
    assert {sent["type"] for sent in told["sent"]} <= {"text/plain;charset=UTF-8", ""}
    kinds = {kind for _, found, _ in seen for kind in found}
    assert {"event", "session", "replay_event", "replay_recording"} <= kinds
    assert kinds & {"feedback", "user_report"} and kinds & {"transaction", "span"}
    if name == "@sentry/browser":
        assert told["traceparent"].split("-")[1] == told["trace"], "one context in both headers"


def test_errors_of_a_page(visit, clew):
    name, told, _ = visit
    version = {"@sentry/browser": "11.", "sentry-browser-7": "7."}[name]
    events = [row for row in clew.query("events release=page@5.12.0+8")[0] if row["scope.version"].startswith(version)]
    [error] = [row for row in events if row.get("type") == "TypeError"]
    assert error["handled"] is False and error["user"] == "u_7" and error["platform"] == "javascript"
    assert error["attr"]["coupon.kind"] == "percent_bp" and error["stack.file"][0].endswith("/shop.js")
    assert [row["level"] for row in events if row["title"] == "the shop is open"] == ["info"]
    shown = json.loads(clew.request("GET", f"/api/v1/events/{error['event_id']}")[1])
    assert shown["replay"] == told["replay"] and shown["request"]["url"].startswith("http://127.0.0.1:")
    assert any(crumb["category"] == "ui.click" for crumb in shown["breadcrumbs"])


def test_the_session_of_a_page(visit, clew):
    """What nobody caught crashes it, in all majors: newer ones say `unhandled`."""
    rows, _ = clew.query("sessions release=page@5.12.0+8 | stats count() as n by status, init")
    said = {(row["status"], row["init"]) for row in rows}
    assert ("ok", True) in said and {status for status, _ in said} & {"crashed", "unhandled"}, rows


def test_spans_of_a_page(visit, clew):
    name, told, _ = visit
    spans = clew.query(f"spans trace={told['trace']} | limit 200")[0]
    [load] = [row for row in spans if row["attr"].get("sentry.op") == "pageload"]
    [call] = [row for row in spans if row["attr"].get("sentry.op") == "http.client"]
    assert load["root"] and call["parent"] == load["span"] and call["kind"] == "client"
    if name == "@sentry/browser":
        [log] = clew.query(f"logs trace={told['trace']}")[0]
        assert log["body"] == "cart is slow" and log["level"] == "warn"


def test_a_profile_is_taken(clew, dsn):
    between = programs.Between(clew)
    try:
        trace = run("profiling-node", between.dsn(dsn))
    finally:
        between.close()
    assert all(status == 200 for _, _, status in between.seen)
    assert {kind for _, found, _ in between.seen for kind in found} & {"profile", "profile_chunk"}
    assert [row["name"] for row in clew.query(f"spans trace={trace}")[0]] == ["price catalogue"]


@pytest.mark.parametrize("language", ["node", "python"])
def test_an_sdk_that_is_refused_keeps_still(clew_new, language):
    server = clew_new("--ingest-rate", "1kb")
    between = programs.Between(server)
    words = {"node": [shutil.which("node"), "-e", NODE_FLOOD], "python": [sys.executable, "-c", PYTHON_FLOOD]}[language]
    try:
        subprocess.run([*words, between.dsn(server.cli("project", "dsn", "default").strip())], check=True, timeout=60, cwd=programs.HERE,
                       capture_output=True, stdin=subprocess.DEVNULL)
    finally:
        between.close()
    events = [status for _, found, status in between.seen if "event" in found]
    assert 429 in events and len(events) < 20, "of forty, most were never sent"
