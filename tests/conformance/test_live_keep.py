"""Captures that wait for the end of their trace, the server's half: which traces an agent asks for, and what it is told of them."""
import json
import os
import time

import pytest

import harness
import shop
from live_agent import shop as agent_of_a_shop
from live_calls import ask, prepare

WHERE = {"file": "app/pricing.py", "line": 87}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live-keep") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def agent(server):
    made = agent_of_a_shop(server)
    yield made
    made.close()


def trace(server, *spans, logs=()):
    """Spans (id, parent, ms, failed) of one trace."""
    id, start = os.urandom(16).hex(), time.time_ns() - 10 * 10**9
    add(server, id, *spans, start=start)
    if logs:
        records = [{"timeUnixNano": str(start), "severityNumber": n, "body": {"stringValue": "x"}, "traceId": id} for n in logs]
        send(server, "/v1/logs", {"resourceLogs": [shop.resource("web", "logRecords", records)]})
    return id


def add(server, id, *spans, start=None):
    start = start or time.time_ns() - 10 * 10**9
    made = [shop.span("work", f"{n:016x}", start, ms, f"{parent:016x}" if parent else "", 2, id, {"code": 2} if failed else None)
            for n, parent, ms, failed in spans]
    send(server, "/v1/traces", {"resourceSpans": [shop.resource("web", "spans", made)]})


def send(server, path, body):
    status, answer = server.request("POST", path, json.dumps(body), {"Content-Type": "application/json"}, token=None)
    assert status == 200 and answer == b"{}", answer


def said(agent, *traces):
    """The next answer about each."""
    found = {}
    while set(found) != set(traces):
        found.update({t["trace"]: t for t in agent.wait("traces")["traces"] if t["trace"] in traces})
    return [found[t] for t in traces]


def test_what_became_of_a_trace_is_told_when_it_has_ended(server, agent):
    fine = trace(server, (1, 0, 300, False), (2, 1, 100, False))
    failed = trace(server, (1, 0, 300, False), (2, 1, 100, True))
    logged = trace(server, (1, 0, 300, False), logs=[9, 17])
    agent.say("traces", traces=[{"trace": t} for t in (fine, failed, logged)])
    assert said(agent, fine, failed, logged) == [
        {"trace": fine, "error": False, "ended": True, "ms": 300},  # as its root took, not as its spans reach
        {"trace": failed, "error": True, "ended": False, "ms": 300},  # an error is enough
        {"trace": logged, "error": True, "ended": False, "ms": 300}]


def test_an_error_that_comes_later_is_waited_for(server, agent):
    id = trace(server, (2, 1, 100, False))  # of a child alone: the rest is under way
    agent.say("traces", traces=[{"trace": id, "slow": True}])
    time.sleep(3)  # the trace is seen as it is
    add(server, id, (3, 1, 50, True))
    [first] = said(agent, id)
    assert first["error"] and not first["ended"]
    add(server, id, (1, 0, 700, False))
    assert said(agent, id) == [{"trace": id, "error": True, "ended": True, "ms": 700}]  # how long it took was asked, too


def test_a_trace_that_is_never_sent_is_unknown(server, agent):
    id = os.urandom(16).hex()
    agent.say("traces", traces=[{"trace": id, "waited_ms": 58000}])
    assert agent.wait("traces")["traces"] == [{"trace": id, "unknown": True}]


def test_a_trace_without_an_id_ends_the_connection(server, agent):
    agent.say("traces", traces=[{"trace": "xyz"}])
    assert agent.wait("closed")


@pytest.mark.parametrize("more,place", [
    ({"keep": "trace_slow"}, "keep_ms"), ({"keep": "trace_slow", "keep_ms": 60001}, "keep_ms"), ({"keep_ms": 5}, "keep_ms"), ({"keep": "never"}, "keep"),
    ({"keep": "trace_error", "kind": "metric", "metric": {"kind": "count", "name": "n"}}, "keep")])
def test_what_cannot_be_kept_is_refused(server, more, place):
    answer = ask(server, "POST", "/api/v1/probes", {"service": "any", "where": WHERE, **more}, 400)
    assert answer["error"]["place"] == place, answer


def test_an_agent_is_told_what_to_keep(server, agent):
    id = ask(server, "POST", "/api/v1/probes", {"service": agent.service, "where": WHERE, "keep": "trace_slow", "keep_ms": 250}, 201)["id"]
    [told] = agent.desired(id)["probes"]
    assert (told["keep"], told["keep_ms"]) == ("trace_slow", 250) and "rate" not in told  # the rate is the agent's: more than of what is always kept
