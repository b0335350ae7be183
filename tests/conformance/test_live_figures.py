"""Probes that count: metrics and timers, from an agent's reports to points that queries add up."""
import pytest

import harness
from harness import eventually
from live_agent import shop
from live_calls import ask, prepare, query

WHERE = {"file": "app/pricing.py", "line": 87}
COUNT = {"kind": "count", "name": "orders.placed"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("figures") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def agent(server):
    made = shop(server)
    yield made
    made.close()


def place(server, agent, expect=201, **more):
    body = {"service": agent.service, "where": WHERE, "kind": "metric", "metric": COUNT, **more}
    made = ask(server, "POST", "/api/v1/probes", body, expect)
    if expect == 201:
        agent.told = agent.desired(made["id"])["probes"][0]
    return made


def tell(agent, *reports):
    agent.send(*reports)
    assert sorted(agent.wait("ack")["ids"]) == sorted(r["id"] for r in reports)


def rows(server, agent, text):
    return query(server, f"metrics service={agent.service} {text}")


def test_what_is_asked_of_a_metric(server, agent):
    for more, place_of in [({"metric": None}, "metric"), ({"metric": {"name": "x"}}, "metric.kind"), ({"metric": {"kind": "count"}}, "metric.name"),
                           ({"metric": {**COUNT, "name": "2 orders"}}, "metric.name"), ({"metric": {"kind": "gauge", "name": "x"}}, "metric.value"),
                           ({"metric": {**COUNT, "value": "order."}}, "metric.value"), ({"metric": {**COUNT, "by": {"tier": "1 +"}}}, "metric.by"),
                           ({"kind": "snapshot"}, "metric"), ({"kind": "timer", "metric": None}, "where"),
                           ({"kind": "timer", "metric": {"value": "x"}, "where": {"function": "f"}}, "metric"),
                           ({"kind": "timer", "metric": None, "where": {"function": "f", "at": "entry"}}, "where.at")]:
        error = ask(server, "POST", "/api/v1/probes", {"service": agent.service, "where": WHERE, "kind": "metric", "metric": COUNT, **more}, 400)
        assert error["error"]["place"].split(":")[0] == place_of, (more, error)


def test_a_metric_is_compiled_for_agents(server, agent):
    place(server, agent, metric={**COUNT, "kind": "histogram", "value": "order.total", "by": {"tier": "order.tier"}})
    told = agent.told["metric"]
    assert told["kind"] == "histogram" and told["value"]["text"] == "order.total" and told["value"]["code"] and told["by"]["tier"]["code"]


def test_a_timer_is_told_as_a_histogram(server, agent):
    made = place(server, agent, kind="timer", where={"file": "app/pricing.py", "function": "apply"}, metric=None)
    assert "metric" not in made
    assert agent.told["kind"] == "timer" and agent.told["metric"] == {"kind": "histogram", "name": "probe.duration"}


def test_a_count_is_a_counter_by_series(server, agent):
    made = place(server, agent, metric={**COUNT, "by": {"tier": "order.tier"}})
    tell(agent, agent.figures(made["id"], "count", {"by": {"tier": "gold"}, "count": 3, "new": True}, {"by": {"tier": "tin"}, "count": 5, "new": True}, since=30))
    tell(agent, agent.figures(made["id"], "count", {"by": {"tier": "gold"}, "count": 10}, {"by": {"tier": "tin"}, "count": 5}))
    found = rows(server, agent, "name=orders.placed | stats increase(value) as n by tier, type, probe, host, instance | sort tier")
    assert found == [{"n": n, "tier": t, "type": "sum", "probe": made["id"], "host": agent.host, "instance": "shop-1"} for t, n in [("gold", 10), ("tin", 5)]]
    now = ask(server, "GET", f"/api/v1/probes/{made['id']}")
    assert (now["hits_used"], now["captures"], now["state"]) == (0, 0, "pending")
    assert not ask(server, "GET", f"/api/v1/snapshots?probe={made['id']}")["snapshots"]


def test_a_report_that_comes_again_is_stored_once(server, agent):
    made = place(server, agent)
    report = agent.figures(made["id"], "count", {"count": 4, "new": True}, since=10)
    tell(agent, report)
    agent.send(report)
    assert agent.wait("ack")["ids"] == [report["id"]]
    assert rows(server, agent, "| stats count() as n, increase(value) as grew") == [{"n": 2, "grew": 4}]


def test_a_histogram_has_buckets_and_a_gauge_its_last(server, agent):
    made = place(server, agent, metric={"kind": "histogram", "name": "orders.placed", "value": "order.total"})
    tell(agent, agent.figures(made["id"], "histogram", {"count": 3, "sum": 7.5, "min": 0.5, "max": 6, "buckets": [1, 1, 1], "new": True}, since=10, bounds=[1, 2], unit="s"))
    assert rows(server, agent, "| stats increase(count) as n, increase(sum) as s, last(buckets) as b, last(bounds) as e, last(unit) as u by type") == [
        {"n": 3, "s": 7.5, "b": [1, 1, 1], "e": [1, 2], "u": "s", "type": "histogram"}]
    other = ask(server, "POST", "/api/v1/probes", {"service": agent.service, "where": WHERE, "kind": "metric",
                                                    "metric": {"kind": "gauge", "name": "orders.open", "value": "len(orders)"}}, 201)
    agent.desired(made["id"], other["id"])
    tell(agent, agent.figures(other["id"], "gauge", {"count": 9, "last": 4.5, "new": True}, since=10, name="orders.open"))
    assert rows(server, agent, "name=orders.open | stats last(value) as v, count() as n by type") == [{"v": 4.5, "n": 1, "type": "gauge"}]


def test_what_does_not_add_up_is_refused_and_the_agent_goes_on(server, agent):
    made = place(server, agent)
    good = {"count": 1, "new": True}
    histogram = {"count": 2, "sum": 2, "min": 1, "max": 1, "buckets": [1, 1]}
    bad = [agent.figures(made["id"], "count"), agent.figures(made["id"], "sum", good), agent.figures(made["id"], "count", {"count": -1}),
           agent.figures(made["id"], "count", {"count": 1, "by": {"a": {}}}), agent.figures(made["id"], "count", {"count": 1, "by": {str(i): "x" for i in range(9)}}),
           agent.figures(made["id"], "count", good, name="no name"), agent.figures(made["id"], "gauge", good), agent.figures(made["id"], "histogram", histogram),
           agent.figures(made["id"], "histogram", histogram, bounds=[1, 2]), agent.figures(made["id"], "histogram", {**histogram, "buckets": [2, 1]}, bounds=[1]),
           agent.figures(made["id"], "histogram", {**histogram, "buckets": [2**62, 2**62]}, bounds=[1]), agent.figures(made["id"], "count", *[good] * 257),
           {**agent.figures(made["id"], "count", good), "metric": 7}, agent.capture(made["id"])]
    tell(agent, *bad)
    tell(agent, agent.figures(made["id"], "count", good, since=10))
    assert rows(server, agent, "| stats increase(value) as n") == [{"n": 1}]
    snapshot = ask(server, "POST", "/api/v1/probes", {"service": agent.service, "where": WHERE}, 201)
    agent.desired(made["id"], snapshot["id"])
    tell(agent, agent.figures(snapshot["id"], "count", good))
    assert ask(server, "GET", f"/api/v1/probes/{snapshot['id']}")["hits_used"] == 0


def test_the_last_report_of_a_probe_that_has_ended_is_taken(server, agent):
    made = place(server, agent, ttl_s=1)

    def expired():
        assert ask(server, "GET", f"/api/v1/probes/{made['id']}")["state"] == "expired"

    eventually(expired)
    tell(agent, agent.figures(made["id"], "count", {"count": 6, "new": True}, since=5))
    assert rows(server, agent, "| stats increase(value) as n") == [{"n": 6}]
