"""Figures of services, their calls and their deploys: exact, over restarts and kills, and for those who may see them."""
import json
import time
import urllib.parse

import pytest

from harness import eventually
from openapi import described, matches
from shop import attributes, resource, span

MINUTE = 60 * 10**9
JSON = {"Content-Type": "application/json"}


def ask(server, method, path, expect=200, token="read", **where):
    """The answer, which is what the document says."""
    asked = path + ("?" + urllib.parse.urlencode(where) if where else "")
    status, answer = server.request(method, asked, token=token)
    assert status == expect, (asked, answer[:500])
    value = json.loads(answer)
    matches(described(method, path, status), value)
    return value


def send(server, *resources, token=None):
    for path, kind in (("/v1/traces", "scopeSpans"), ("/v1/logs", "scopeLogs")):
        mine = [r for r in resources if kind in r]
        if mine:
            top = "resourceSpans" if kind == "scopeSpans" else "resourceLogs"
            status, answer = server.request("POST", path, json.dumps({top: mine}), JSON, token=token)
            assert status == 200 and answer == b"{}", answer


def requests(service, start, count, failed=0, version="1.0.0", ms=20, seed=0, **more):
    """Root server spans, a millisecond apart."""
    spans = [span("GET /", f"{seed + i + 1:016x}", start + i * 10**6, ms, kind=2, trace=f"{seed + i + 1:032x}", status={"code": 2} if i < failed else None)
             for i in range(count)]
    made = resource(service, "spans", spans, version)
    made["resource"]["attributes"] += attributes(**more)
    return made


def services(server, token="read", **where):
    return {s["service"]: s for s in ask(server, "GET", "/api/v1/overview", token=token, **where)["services"]}


def edges(server, token="read", **where):
    return {(e["from"], e["to"]): (e["requests"], e["errors"]) for e in ask(server, "GET", "/api/v1/map", token=token, **where)["edges"]}


def call_of(trace, begin, callee_ms=30, failed=False, version="1.4.2"):
    """A client span of web and the server span of checkout that it leads to."""
    client = span("POST", "00000000000000c1", begin, 40, "00000000000000c0", 3, trace, server__address="checkout.internal")
    server = span("POST /order", "00000000000000c2", begin + 10**6, callee_ms, "00000000000000c1", 2, trace, status={"code": 2} if failed else None)
    return resource("web", "spans", [client]), resource("checkout", "spans", [server], version)


def test_services_count_exactly_their_requests_errors_and_logs(clew):
    now = time.time_ns()
    records = [{"timeUnixNano": str(now - MINUTE), "severityNumber": 9 + 8 * (i == 0), "body": {"stringValue": "line"}} for i in range(5)]
    send(clew, requests("counted", now - 2 * MINUTE, 200, 10, ms=20, service__instance__id="a", telemetry__sdk__language="python"),
         requests("counted", now - 2 * MINUTE, 50, ms=200, seed=1000, service__instance__id="b"),
         resource("counted", "logRecords", records, "1.0.0"))

    def check():
        got = services(clew)["counted"]
        assert (got["requests"], got["errors"], got["logs"], got["log_errors"], got["instances"]) == (250, 10, 5, 1, 2)
        assert got["kind"] == "service" and got["version"] == "1.0.0" and got["language"] == "python"
        assert abs(got["p50"] / 20e6 - 1) < 0.01 and abs(got["p95"] / 200e6 - 1) < 0.01
        assert got["error_ratio"] == 0.04 and sum(got["spark"]["requests"]) == 250 and sum(got["spark"]["errors"]) == 10
        assert "before" not in got
    eventually(check)
    whole = ask(clew, "GET", "/api/v1/overview", buckets=10)
    assert len(whole["series"]["time"]) <= 10 and sum(whole["series"]["requests"]) == 250
    assert whole["step"] % MINUTE == 0 and all(len(v) == len(whole["series"]["time"]) for v in whole["series"].values())
    later = services(clew, **{"from": (now + 5 * MINUTE), "to": (now + 65 * MINUTE)})
    assert later["counted"]["requests"] == 0 and later["counted"]["before"]["requests"] == 250


@pytest.mark.parametrize("turned", [False, True], ids=["client-first", "server-first"])
def test_calls_meet_whichever_side_comes_first(clew, turned):
    begin = time.time_ns() - MINUTE
    before = edges(clew).get(("web", "checkout"), (0, 0))
    for i, failed in enumerate((False, True)):
        pair = call_of(f"{begin + i:032x}", begin, failed=failed)
        for half in reversed(pair) if turned else pair:
            send(clew, half)
    eventually(lambda: _equal(edges(clew).get(("web", "checkout")), (before[0] + 2, before[1] + 1)))
    answer = ask(clew, "GET", "/jaeger/api/dependencies", endTs=time.time_ns() // 10**6, lookback=3600000)
    assert {"parent": "web", "child": "checkout", "callCount": before[0] + 2} in answer["data"]


@pytest.mark.parametrize("attribute", ["db__system__name", "db__system"])
def test_a_database_is_known_from_its_clients(clew, attribute):
    begin, name = time.time_ns() - MINUTE, f"db-{attribute.replace('_', '-')}"
    send(clew, resource("stock", "spans", [span("SELECT", "00000000000000d1", begin, 7, "00000000000000d0", 3, f"{begin:032x}",
                                                status={"code": 2}, server__address=name, **{attribute: "postgresql"})]))
    def check():
        assert edges(clew)[("stock", name)] == (1, 1)
    eventually(check)
    node = next(n for n in ask(clew, "GET", "/api/v1/map")["nodes"] if n["service"] == name)
    assert (node["kind"], node["system"], node["requests"], node["errors"]) == ("database", "postgresql", 1, 1)


def test_an_environment_is_looked_at_alone(clew):
    now = time.time_ns()
    send(clew, requests("placed", now - MINUTE, 3, seed=2000, deployment__environment__name="production"),
         requests("placed", now - MINUTE, 4, seed=3000, deployment__environment="staging"))
    eventually(lambda: _equal(services(clew)["placed"]["requests"], 7))
    assert services(clew, environment="production")["placed"]["requests"] == 3
    assert services(clew, environment="staging")["placed"]["requests"] == 4
    assert "counted" not in services(clew, environment="staging")


def _equal(a, b):
    assert a == b


def test_other_projects_are_not_seen(clew):
    clew.cli("project", "add", "secret", check=False)
    now, trace = time.time_ns(), f"{time.time_ns():032x}"
    web, checkout = call_of(trace, now - MINUTE)
    web["resource"]["attributes"] = attributes(service__name="public-web")
    checkout["resource"]["attributes"] = attributes(service__name="hidden", service__version="9")
    ingest = clew.token("ingest", project="secret")
    send(clew, web)
    send(clew, checkout, requests("hidden", now - MINUTE, 30, 30, seed=4000), token=ingest)
    eventually(lambda: _equal(services(clew)["hidden"]["requests"], 31))
    eventually(lambda: _equal(edges(clew)[("public-web", "hidden")], (1, 0)))
    confined = clew.token("read", project="default")
    assert "hidden" not in services(clew, token=confined)
    assert not any("hidden" in edge for edge in edges(clew, token=confined))
    for path in ("overview", "map", "deploys"):
        status, answer = clew.request("GET", f"/api/v1/{path}", token=confined)
        assert status == 200 and b"hidden" not in answer
    assert b"hidden" not in clew.request("GET", "/jaeger/api/dependencies", token=confined)[1]
    assert set(services(clew, project="secret")) == {"hidden"}
    ask(clew, "GET", "/api/v1/overview", expect=404, token=confined, project="secret")
    for path in ("/api/v1/overview", "/api/v1/map", "/api/v1/deploys", "/jaeger/api/dependencies"):
        assert clew.request("GET", path, token=None)[0] == 401
        assert clew.request("GET", path, token=ingest)[0] == 403


def test_a_bad_deploy_is_found_and_named(clew_new):
    server, now = clew_new(), time.time_ns()
    for minute in range(40, 0, -1):
        bad = minute <= 10
        version = "1.4.2" if bad else "1.4.1"
        send(server, requests("checkout", now - minute * MINUTE, 30, 12 if bad else 0, version, seed=minute * 1000),
             requests("web", now - minute * MINUTE, 30, 12 if bad else 0, "7", seed=minute * 1000 + 500000),
             *call_of(f"{minute + 7000000:032x}", now - minute * MINUTE, version=version))
    found = eventually(lambda: _found(server))
    assert found["service"] == "checkout" and found["query"] == "spans service=checkout status=error"
    assert found["cause"] == {"kind": "deploy", "service": "checkout", "version": "1.4.2", "before": "1.4.1"}
    deploys = ask(server, "GET", "/api/v1/deploys", service="checkout")["deploys"]
    assert [(d["version"], d["before"], d["worse"]) for d in deploys] == [("1.4.2", "1.4.1", True)]
    assert abs(int(found["error_ratio"] * 100) - 38) <= 4 and found["error_ratio_before"] == 0
    rows, _ = server.query(found["query"], now - 60 * MINUTE)
    assert len(rows) == 120


def _found(server):
    overview = ask(server, "GET", "/api/v1/overview")
    assert overview["finding"]["state"] == "failing", overview["finding"]
    assert sum(overview["series"]["requests"]) == 2 * 40 * 30 + 40
    return overview["finding"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_figures_outlive_the_process(clew_new, end):
    server = clew_new()
    assert (server.data / "derived.db").stat().st_mode & 0o777 == 0o600
    for number in range(3):
        begin = time.time_ns() - MINUTE
        client, callee = call_of(f"{begin:032x}", begin)
        send(server, requests("lasting", begin, 100, 7, seed=number * 1000 + 1), client)
        (server.stop if end == "stop" else server.kill)()
        server.start()
        send(server, callee)  # its client span was seen by the process before
        want = ((number + 1) * 100, (number + 1) * 7)
        eventually(lambda: _equal(tuple(services(server)["lasting"][k] for k in ("requests", "errors")), want))
        eventually(lambda: _equal(edges(server)[("web", "checkout")], (number + 1, 0)))


def test_the_command_line_shows_the_same(clew):
    now = time.time_ns()
    send(clew, requests("in-the-terminal", now - MINUTE, 40, 10, seed=7000), *call_of(f"{now:032x}", now - MINUTE))
    eventually(lambda: _equal(services(clew)["in-the-terminal"]["requests"], 40))
    table = clew.cli("services")
    line = next(line for line in table.splitlines() if line.startswith("in-the-terminal"))
    assert table.splitlines()[0].split() == ["service", "rate", "errors", "p50", "p95", "version"]
    assert line.split()[2] == "25.00%" and line.split()[-1] == "1.0.0"
    rows = [json.loads(line) for line in clew.cli("services", "--json").splitlines()]
    assert {s["service"]: s["requests"] for s in rows}["in-the-terminal"] == 40
    assert clew.cli("services", "--environment", "nowhere") == ""
    assert any(line.split()[:2] == ["web", "checkout"] for line in clew.cli("map").splitlines())
    assert any((e["from"], e["to"]) == ("web", "checkout") for e in map(json.loads, clew.cli("map", "--json").splitlines()))
