"""What unmodified SDKs send over each of their transports comes back as it was meant."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import harness

HERE = pathlib.Path(__file__).resolve().parent
TRANSPORTS = [("python", "http/protobuf"), ("python", "grpc"), ("node", "http/protobuf"), ("node", "http/json"), ("node", "grpc")]


def run_sdk(language, protocol, server):
    """Runs the program to its end; returns its trace id."""
    if language == "python":
        command = [sys.executable, HERE / "sdk_python.py", "grpc" if protocol == "grpc" else "http"]
    else:
        if not (harness.ROOT / "demo/node_modules").exists():
            pytest.skip("demo/node_modules is missing (tools/setup run)")
        command = [shutil.which("node"), HERE / "sdk_node.js"]
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                   "OTEL_EXPORTER_OTLP_INSECURE": "true"}
    run = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, timeout=60,
                         stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stderr
    assert "rror" not in run.stderr, run.stderr  # exporters complain there and go on
    return run.stdout.strip()


@pytest.fixture(scope="module", params=TRANSPORTS, ids=lambda p: f"{p[0]}-{p[1].replace('/', '-')}")
def sent(request, clew):
    language, protocol = request.param
    return f"sdk-{language}", run_sdk(language, protocol, clew)


def by_name(rows):
    return {row["name"]: row for row in rows}


def test_spans(clew, sent):
    service, trace = sent
    rows, _ = clew.query(f"spans trace={trace}")
    spans = by_name(rows)
    assert sorted(spans) == ["child", "parent"] and len(rows) == 2
    parent, child = spans["parent"], spans["child"]
    assert parent["service"] == child["service"] == service
    assert (parent["kind"], child["kind"]) == ("server", "client")
    assert child["parent"] == parent["span"] and "parent" not in parent
    assert child["status"] == "error" and child["message"] == "it failed"
    assert {key: parent["attr"][key] for key in ("text", "number", "real", "flag", "list")} == \
        {"text": "grün", "number": 42, "real": 2.5, "flag": True, "list": ["a", "b"]}
    assert parent["resource"]["service.version"] == "7.8.9"
    assert child["duration"] >= 0


def test_events_and_links(clew, sent):
    _, trace = sent
    child = by_name(clew.query(f"spans trace={trace} name=child")[0])["child"]
    events = by_name(child["events"])
    assert set(events) == {"halfway", "exception"}
    found, _ = clew.query(f"spans trace={trace} event.percent=50")
    assert [row["name"] for row in found] == ["child"]
    assert [row["name"] for row in clew.query(f'spans trace={trace} event.exception.message="no such order"')[0]] == ["child"]
    assert child["links"][0]["trace"] == trace


def test_logs_belong_to_their_span(clew, sent):
    service, trace = sent
    rows, _ = clew.query(f"logs trace={trace}")
    assert [row["body"] for row in rows] == ["order 1001 refused"]
    child = by_name(clew.query(f"spans trace={trace} name=child")[0])["child"]
    assert rows[0]["span"] == child["span"] and rows[0]["service"] == service
    assert rows[0]["level"] == "error" and rows[0]["attr"]["order"] == 1001


def test_metrics(clew, sent):
    service, _ = sent
    rows, _ = clew.query(f"metrics service={service}")
    points = by_name(rows)
    assert points["orders"]["value"] == 3 and points["orders"]["unit"] == "{order}" and points["orders"]["attr"]["kind"] == "web"
    assert points["latency"]["count"] == 1 and points["latency"]["sum"] == 12.5
