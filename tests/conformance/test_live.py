"""Live debugging, the server's half, against an agent that speaks the protocol: from enrolment to the rows of queries."""
import base64
import http.client
import json
import threading
import time
import uuid

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import harness
import openapi
from harness import eventually
from live_agent import Agent, enrol, process
from live_calls import ask, prepare, query

JSON = {"Content-Type": "application/json"}
WHERE = {"file": "app/pricing.py", "line": 87}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def connected(server):
    """An agent of a host and a service of its own; and a function that makes more of them."""
    agents = []

    def more(**options):
        host = options.pop("host", f"host-{uuid.uuid4().hex[:8]}")
        secret = enrol(server, host, server.admin)[1]["secret"]
        agents.append(Agent(server, secret, host, **options))
        agents[-1].secret = secret
        return agents[-1]

    yield more
    for agent in agents:
        agent.close()


def service():
    return f"shop-{uuid.uuid4().hex[:8]}"


def place(server, name, expect=201, token=None, **more):
    return ask(server, "POST", "/api/v1/probes", {"service": name, "where": WHERE, **more}, expect, token)


def probe(server, id):
    return ask(server, "GET", f"/api/v1/probes/{id}")


def actions(server):
    return [e["action"] for e in ask(server, "GET", "/api/v1/audit")["entries"]]


# ---- agents

def test_an_enrolment_token_is_for_one_use(server):
    token, made = enrol(server, "once", server.admin)
    assert made["agent"].startswith("a") and made["secret"]
    error = ask(server, "POST", "/api/v1/agents/enrol", {"token": token, "host": "twice"}, 403)
    assert error["error"]["code"] == "bad_token"
    ask(server, "POST", "/api/v1/agents/tokens", {"name": "x"}, 403, token=server.token("read", "probe"))
    for path in server.data.glob("live.db*"):
        assert made["secret"].encode() not in path.read_bytes() and token.encode() not in path.read_bytes()
    assert {"agent.token", "agent.enrol"} <= set(actions(server))


def test_an_enrolment_token_can_be_revoked(server):
    ids = {name: ask(server, "POST", "/api/v1/agents/tokens", {"name": name}, 201) for name in ("mailed", "kept")}
    listed = ask(server, "GET", "/api/v1/agents/tokens")
    openapi.matches(openapi.described("GET", "/api/v1/agents/tokens", 200), listed)
    assert {ids["mailed"]["id"], ids["kept"]["id"]} <= {t["id"] for t in listed["tokens"]} and "clewa_" not in json.dumps(listed)
    ask(server, "DELETE", f"/api/v1/agents/tokens/{ids['mailed']['id']}", expect=204)
    assert ask(server, "POST", "/api/v1/agents/enrol", {"token": ids["mailed"]["token"], "host": "thief"}, 403)["error"]["code"] == "bad_token"
    ask(server, "POST", "/api/v1/agents/enrol", {"token": ids["kept"]["token"], "host": "kept"}, 201)
    for gone in (ids["mailed"]["id"], ids["kept"]["id"], "e0", "p1", "x"):  # revoked, used, never made
        assert ask(server, "DELETE", f"/api/v1/agents/tokens/{gone}", expect=404)["error"]["code"] == "no_token"
    assert not {t["id"] for t in ask(server, "GET", "/api/v1/agents/tokens")["tokens"]} & {t["id"] for t in ids.values()}
    [entry] = [e for e in ask(server, "GET", "/api/v1/audit")["entries"] if e["action"] == "agent.token.remove"]
    assert (entry["target"], entry["detail"]) == ("mailed", ids["mailed"]["id"])


def test_a_second_connection_with_a_hosts_key_is_refused_and_entered(server, connected):
    agent = connected(host="web-9")
    with pytest.raises(InvalidStatus) as e:
        Agent(server, agent.secret, "web-9")
    assert e.value.response.status_code == 409
    with pytest.raises(InvalidStatus) as e:
        Agent(server, "clewk_wrong", "web-9")
    assert e.value.response.status_code == 401
    assert "agent.second" in actions(server)
    row = next(a for a in ask(server, "GET", "/api/v1/agents")["agents"] if a["host"] == "web-9")
    assert row["connected"] and row["refused"] == 1
    agent.close()
    let_in(server, agent).close()


def let_in(server, agent, **shown):
    """Its next connection, once the server has noticed that the last one is over."""
    def connect():
        try:
            return Agent(server, agent.secret, agent.host, **shown)
        except InvalidStatus as e:
            raise AssertionError(e.response.body) from e

    return eventually(connect)


def refused(server, agent, status, code, **shown):
    with pytest.raises(InvalidStatus) as e:
        Agent(server, agent.secret, agent.host, **shown)
    assert (e.value.response.status_code, json.loads(e.value.response.body)["error"]["code"]) == (status, code)


def copied(server, agent):
    return next(a for a in ask(server, "GET", "/api/v1/agents")["agents"] if a["host"] == agent.host).get("copied")


def entries(server, agent):
    return [e for e in ask(server, "GET", "/api/v1/audit")["entries"] if e["action"] == "agent.copied" and e["target"] == agent.host]


def test_a_stolen_key_is_refused_on_another_machine(server, connected):
    """The host is away: the copy comes first, and alone."""
    agent = connected(machine="aa" * 32, turn=1)
    agent.close()
    eventually(lambda: refused(server, agent, 403, "other_machine", machine="bb" * 32, turn=2))
    refused(server, agent, 403, "other_machine", turn=2)  # nor who says nothing of it
    refused(server, agent, 403, "other_machine", machine="bb" * 32, turn=99)
    refused(server, agent, 400, "bad_machine", machine="x" * 9, turn=99)
    assert copied(server, agent)["why"] == "machine" and copied(server, agent)["times"] >= 3
    assert len(entries(server, agent)) == 1  # who tries without end fills no audit trail
    let_in(server, agent, machine="aa" * 32, turn=2).close()  # the host itself
    assert copied(server, agent)  # until somebody has looked at it


def test_a_stolen_key_that_comes_first_is_found_out_by_the_host(server, connected):
    """The whole of the host's directory was copied, and its machine's name, too: the copy has had the turn that is the host's next one."""
    agent = connected(machine="cc" * 32, turn=7)
    agent.close()
    thief = let_in(server, agent, machine="cc" * 32, turn=8)
    assert not copied(server, agent)
    refused(server, agent, 409, "turn_taken", machine="cc" * 32, turn=8)
    thief.close()
    assert copied(server, agent)["why"] == "turn" and len(entries(server, agent)) == 1
    let_in(server, agent, machine="cc" * 32, turn=9).close()
    # It is shut out, and the host is let in with a key of its own.
    ask(server, "DELETE", f"/api/v1/agents/{agent.welcome['agent']}", expect=204)
    refused(server, agent, 401, "bad_secret", machine="cc" * 32, turn=100)
    again = connected(host=agent.host, machine="cc" * 32, turn=10)
    assert not copied(server, again)


def test_two_connections_that_live_at_once_are_found_out(server, connected):
    """One that is left over from a cable that was pulled says nothing any more: that alone is no copy."""
    agent = connected(machine="dd" * 32, turn=1)
    refused(server, agent, 409, "connected", machine="dd" * 32, turn=2)
    assert not copied(server, agent)

    def alive():
        agent.say("status", cpu_ratio=0, rss=1, spool_bytes=0, attached=0)
        assert (copied(server, agent) or {}).get("why") == "second"

    eventually(alive)


def test_what_a_key_is_bound_to_survives_a_restart(tmp_path):
    server = prepare(harness.Server(tmp_path / "data"))
    secret = enrol(server, "bound", server.admin)[1]["secret"]
    agent = Agent(server, secret, "bound", machine="ee" * 32, turn=5)
    agent.secret = secret
    agent.close()
    eventually(lambda: refused(server, agent, 409, "turn_taken", machine="ee" * 32, turn=5))
    assert server.stop() == 0
    server.start()
    refused(server, agent, 409, "turn_taken", machine="ee" * 32, turn=5)
    refused(server, agent, 403, "other_machine", machine="ff" * 32, turn=6)
    assert copied(server, agent)["times"] >= 3
    assert "key in two places" in server.cli("agents")
    assert server.stop() == 0


def test_what_a_host_lets_out_is_listed(server, connected):
    """The host's own word; not known before it has said so."""
    enrol(server, "never-seen", server.admin)
    connected(host="careful", policy={"shapes": True, "patch": False}), connected(host="open")
    listed = {a["host"]: a.get("policy") for a in ask(server, "GET", "/api/v1/agents")["agents"]}
    assert (listed["careful"], listed["open"], listed["never-seen"]) == ("shapes", "values", None)


def test_the_policy_of_a_host_is_listed_as_it_was_told_last(server, connected):
    agent, old = connected(host="ruled"), connected(host="says-nothing")

    def rules(host="ruled"):
        return next((a["policy"], a.get("rules")) for a in ask(server, "GET", "/api/v1/agents")["agents"] if a["host"] == host)

    def row(host):
        return next(line for line in server.cli("agents").splitlines() if f" {host} " in line)

    def told(*expected):
        assert rules() == expected

    agent.say("policy", policy={"shapes": False, "patch": False})
    eventually(lambda: told("values", {}))
    assert row("ruled").endswith("  all") and rules("says-nothing") == ("values", None) and not row("says-nothing").endswith("all")
    # Read again on the host; what nobody asked for is not kept, and lists no longer than they may be.
    agent.say("policy", policy={"shapes": True, "services": ["shop-*", "!shop-payments"], "environments": ["!prod*"] + ["x" * 129], "users": [f"u{n}" for n in range(99)], "more": 2, "secret": ["s"]})
    kept = {"services": ["shop-*", "!shop-payments"], "environments": ["!prod*"], "users": [f"u{n}" for n in range(16)], "more": 86}
    eventually(lambda: told("shapes", kept))
    assert "values=shapes users=u0,u1," in row("ruled") and row("ruled").endswith(" services=shop-*,!shop-payments environments=!prod* and 86 more")
    agent.say("policy", policy={"services": [{}]})
    assert agent.wait("bye")["code"] == "bad_message"
    assert rules() == ("shapes", kept)


def test_a_removed_agent_is_sent_away(server, connected):
    agent = connected()
    ask(server, "DELETE", f"/api/v1/agents/{agent.welcome['agent']}", expect=204)
    assert agent.wait("bye")["code"] == "removed"
    agent.wait("closed")
    with pytest.raises(InvalidStatus):
        Agent(server, agent.secret)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"type":"states"}', '{"type":"hello"}', '{"type":"captures","captures":[{}]}', '{"type":"processes","processes":[1]}'])
def test_what_is_no_message_ends_the_connection(server, connected, text):
    agent = connected()
    agent.ws.send(text)
    assert agent.wait("bye")["message"]
    agent.wait("closed")
    assert server.running()


def test_a_message_of_a_newer_agent_is_passed_over(server, connected):
    agent = connected()
    agent.say("weather", sun=True)
    agent.say("status", cpu_ratio=0.25, rss=1 << 20, spool_bytes=7, attached=0)

    def seen():
        row = next(a for a in ask(server, "GET", "/api/v1/agents")["agents"] if a["host"] == agent.host)
        assert [row[k] for k in ("cpu_ratio", "rss", "spool_bytes")] == [0.25, 1 << 20, 7]

    eventually(seen)


# ---- an agent whose key was stolen

def test_an_agent_speaks_of_its_own_probes_only(server, connected):
    name, other = service(), service()
    mine, thief = connected(processes=[process(1, name)]), connected(processes=[process(1, other)])
    made = place(server, name)
    mine.desired(made["id"])
    thief.state(made["id"])
    thief.say("counts", counts=[{"probe": made["id"], "process": "1-100", "hits": 9, "filtered": 0, "captured": 0, "dropped": {}, "errors": 0, "ns": 1}])
    capture = thief.capture(made["id"])
    thief.send(capture)
    assert thief.wait("ack")["ids"] == [capture["id"]]  # so that it is not sent again
    mine.state(made["id"])
    eventually(lambda: probe(server, made["id"])["instances"][0])
    now = probe(server, made["id"])
    assert [i["host"] for i in now["instances"]] == [mine.host] and now["hits_used"] == 0 and now["captures"] == 0
    real = mine.capture(made["id"])
    mine.send(real)
    assert mine.wait("ack")["ids"] == [real["id"]]
    assert probe(server, made["id"])["captures"] == 1


# ---- sets that an agent does not take

LONG = " + ".join(["order.customer.address.total"] * 12)  # almost as many parts as an expression may have


def refusals(server, ids, code):
    """Of each probe the one process' state, once all are told."""
    found = {id: probe(server, id)["instances"] for id in ids}
    assert all([(i["state"], i.get("code")) for i in found[id]] == [("error", code)] for id in ids), found
    return found


def test_what_is_too_much_for_one_set_is_refused_and_the_rest_stands(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made, sent = [], agent.desired()
    while len(sent["probes"]) == len(made):  # until one has no room
        assert len(made) < 100
        made.append(place(server, name, exprs=[LONG] * 32)["id"])
        sent = agent.wait("desired")
    assert len(sent["probes"]) > 3 and [p["id"] for p in sent["probes"]] == made[:-1]  # the oldest stand
    size = len(json.dumps(sent, separators=(",", ":")))
    assert size <= 4 << 20 and size + 2 * size / len(made) > 4 << 20, size

    def values(x):  # the tree that it is read into has 80 bytes a value
        return 1 + sum(map(values, x.values() if isinstance(x, dict) else x if isinstance(x, list) else ()))

    assert values(sent) * 80 + size < 64 << 20  # what an agent has for it
    [[refused]] = refusals(server, made[-1:], "too_many_probes").values()
    assert "together larger than 4 MB" in refused["message"] and probe(server, made[-1])["state"] == "refused"
    agent.state(made[-1], "removed")
    agent.state(made[0])
    eventually(lambda: probe(server, made[0])["instances"][0])
    refusals(server, made[-1:], "too_many_probes")  # says more than that it is not there
    ask(server, "DELETE", f"/api/v1/probes/{made[0]}", expect=204)
    agent.desired(*made[1:])
    assert [(i["state"], i.get("code")) for i in probe(server, made[-1])["instances"]] == [("pending", None)]
    ask(server, "DELETE", f"/api/v1/probes?service={name}&all=1")


def test_a_set_that_the_agent_cannot_read_is_a_state_of_each_probe(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    ids = [place(server, name)["id"] for _ in range(2)]
    agent.desired(*ids)
    agent.state(ids[0])
    agent.say("unread", message="line 1: this is no JSON")
    eventually(lambda: refusals(server, ids, "set_unreadable"))
    agent.state(ids[0], "removed")  # it has none in
    mark = place(server, name)["id"]
    agent.desired(*ids, mark)
    agent.state(mark)
    eventually(lambda: probe(server, mark)["instances"][0])
    [[told], _] = refusals(server, ids, "set_unreadable").values()
    assert "cannot read its probes" in told["message"] and "this is no JSON" in told["message"]
    agent.state(ids[0])
    eventually(lambda: [i for i in probe(server, ids[0])["instances"] if (i["state"], i.get("code")) == ("installed", None)][0])


def test_a_probe_says_whose_agent_is_away(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name)["id"]
    agent.desired(made)
    assert probe(server, made)["away"] == []
    agent.close()
    away = eventually(lambda: probe(server, made)["away"][0])
    assert (away["host"], away["code"]) == (agent.host, "no_agent") and "90 s" in away["message"]
    openapi.matches(openapi.described("GET", "/api/v1/probes/{id}", 200), probe(server, made))
    eventually(lambda: setattr(agent, "again", Agent(server, agent.secret, agent.host, [process(1, name)])))
    assert probe(server, made)["away"] == []
    agent.again.close()


class Quiet(Agent):
    """Does not say which processes there are."""

    def say(self, kind, **members):
        if kind != "processes":
            super().say(kind, **members)


def test_captures_come_after_the_processes(server):
    agent = Quiet(server, enrol(server, "quiet", server.admin)[1]["secret"], "quiet")
    agent.say("captures", captures=[{"id": "x", "probe": "p1"}])
    assert agent.wait("bye")["code"] == "bad_message"
    agent.wait("closed")


def test_a_flood_ends_the_connection_and_nobody_else_waits(server, connected):
    name = service()
    agent, loud = connected(processes=[process(1, name)]), connected(processes=[process(n, service()) for n in range(1, 100)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])
    states = [{"probe": "p1", "revision": 1, "process": f"{n % 99 + 1}-100", "state": "installed", "data": {"x": "y" * 50}} for n in range(20000)]
    with pytest.raises(ConnectionClosed):
        for _ in range(100):
            loud.say("states", revision=1, states=states)
    assert loud.wait("bye")["code"] == "flood"
    made = place(server, name)
    agent.desired(made["id"])


def test_what_an_agent_calls_a_process_stays_a_text(server, connected):
    name = service()
    odd = '1","process":"2\\'
    agent = connected(processes=[process(1, name, id=odd)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])

    def answer():
        m = agent.wait("resolve")
        agent.say("resolved", request=m["request"], ok=True, result={})

    t = threading.Thread(target=answer)
    t.start()
    assert ask(server, "GET", f"/api/v1/live/files?service={name}") == {"process": odd}
    t.join()


# ---- probes

def test_from_a_probe_to_the_rows_of_queries(server, connected):
    name = service()
    agent = connected(processes=[process(1, name), process(2, "other")])
    eventually(lambda: [s for s in ask(server, "GET", "/api/v1/live/services")["services"] if s["service"] == name][0])
    made = place(server, name, frames_vars=2, hits=5)
    assert (made["state"], made["service"], made["hits"], made["frames_vars"], made["where"]) == ("pending", name, 5, 2, WHERE)
    wanted = agent.desired(made["id"])["probes"][0]
    assert (wanted["kind"], wanted["grant"], wanted["scope"]["processes"], wanted["paused"]) == ("snapshot", 5, ["1-100"], False)

    agent.state(made["id"], "waiting", code="module_not_loaded", message="not loaded yet", data={"nearest": [85]})
    agent.state(made["id"])
    seen = eventually(lambda: probe(server, made["id"]) if probe(server, made["id"])["state"] == "installed" else [][0])
    assert (seen["instances"][0]["state"], seen["instances"][0]["line"], seen["instances"][0]["pid"]) == ("installed", 87, 1)

    trace, span = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    sent = agent.capture(made["id"], trace=trace, span=span)
    agent.send(sent, sent)
    assert agent.wait("ack")["ids"] == [sent["id"]] * 2
    agent.send(sent)  # it did not hear the answer
    agent.wait("ack")
    rows = query(server, f"snapshots probe={made['id']}")
    assert len(rows) == 1 and rows[0]["trace"] == trace and rows[0]["function"] == "apply_discount" and rows[0]["status"] == "partial"
    assert "Hara" not in json.dumps(rows)  # who looks at rows reads no values
    assert rows[0]["service"] == name and rows[0]["instance"] == "shop-1" and rows[0]["host"] == agent.host
    for text in ("vars.order.total>100", "vars.order.items.price=100", "cut=redacted", "cut=items", "vars.order.id=9007199254740993", "hara", "file='app/pricing.py' line=87"):
        assert len(query(server, f"snapshots probe={made['id']} {text}")) == 1, text
    assert query(server, f"snapshots probe={made['id']} vars.order.total<100") == []
    assert query(server, f"snapshots probe={made['id']} | select vars.order.total, vars.customer")[0] == {"vars.order.total": 184.5, "vars.customer": "Ada O'Hara"}
    assert probe(server, made["id"])["hits_used"] == 1


def test_what_differs_between_hits_is_told_of_their_values(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name, hits=40)
    agent.desired(made["id"])

    def hit(total, gold):
        order = {"k": "object", "t": "Order", "f": [["total", {"k": "int", "t": "int", "v": total}], ["tags", {"k": "list", "t": "list", "n": 1, "i": [{"k": "str", "t": "str", "v": "a" if gold else "b"}]}],
                                                   ["customer", {"k": "dict", "t": "dict", "e": [[{"k": "str", "t": "str", "v": "tier"}, {"k": "str", "t": "str", "v": "gold" if gold else "new"}]]}]]}
        frame = {"function": "f", "file": "app/pricing.py", "line": 87, "in_app": True, "vars": [{"name": "order", "kind": "arg", "value": order}]}
        return agent.capture(made["id"], frames=[frame], exprs=[{"text": "len(order.items)", "value": {"k": "int", "t": "int", "v": 1 if gold else 2}}])

    agent.send(*(hit(n, n % 2 == 0) for n in range(40)))
    agent.wait("ack")
    eventually(lambda: query(server, f"snapshots probe={made['id']}")[39])
    found = query(server, f"snapshots probe={made['id']} | differ vars.order.customer.tier=gold")
    told = {(row["field"], row["value"]): (row["in"], row["out"]) for row in found}
    for field, values in {"vars.order.customer.tier": ("gold", "new"), "vars.order.tags": ("a", "b"), "expr.len(order.items)": (1, 2)}.items():
        assert told[(field, values[0])] == (1, 0) and told[(field, values[1])] == (0, 1), told
    assert not any(field == "payload" for field, _ in told)
    facets = query(server, f"snapshots probe={made['id']} | facets 2")
    assert {row["value"]: row["count"] for row in facets if row["field"] == "vars.order.customer.tier"} == {"gold": 20, "new": 20}
    shown = query(server, f"snapshots probe={made['id']} | facets", server.token("read"))
    assert shown and not any(row["field"].startswith(("vars.", "expr.")) or row["field"] == "payload" for row in shown)


def test_values_are_read_by_who_may_and_it_is_entered(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name)
    agent.desired(made["id"])
    agent.send(agent.capture(made["id"]))
    agent.wait("ack")
    plain = server.token("read")
    for text in ("vars.order.total>1", "hara", "expr.x=1", "| select payload", "message:x"):
        assert query(server, f"snapshots {text}", plain, 403)["code"] == "forbidden_field"
    listed = ask(server, "GET", f"/api/v1/snapshots?service={name}", token=plain)["snapshots"]
    assert len(listed) == 1 and "columns" not in listed[0]
    ask(server, "GET", f"/api/v1/snapshots/{listed[0]['id']}", expect=403, token=plain)
    before = ask(server, "GET", "/api/v1/audit")["entries"][0]["seq"]
    assert ask(server, "GET", f"/api/v1/snapshots?service={name}")["snapshots"][0]["columns"]["customer"] == "Ada O'Hara"
    whole = ask(server, "GET", f"/api/v1/snapshots/{listed[0]['id']}")
    assert whole["id"] == listed[0]["id"] and whole["frames"][0]["vars"][1]["value"]["v"] == "Ada O'Hara"
    read = [e for e in ask(server, "GET", "/api/v1/audit")["entries"] if e["seq"] > before and e["action"] == "values.read"]
    assert {e["target"] for e in read} == {"snapshots", "snapshot"}
    assert ask(server, "GET", "/api/v1/audit/verify")["holds"]


def test_the_first_values_tell_what_is_none(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name)
    agent.desired(made["id"])
    exprs = [{"text": "rate", "value": {"k": "null", "t": "null"}}, {"text": "last", "value": {"k": "null", "t": "undefined"}}, {"text": "card", "value": {"k": "missing", "why": "redacted"}}]
    agent.send(agent.capture(made["id"], frames=[], exprs=exprs), agent.capture(made["id"], frames=[], exprs=exprs, file="src/cart.js"))
    agent.wait("ack")
    listed = {s["file"]: s["columns"] for s in ask(server, "GET", f"/api/v1/snapshots?service={name}")["snapshots"]}
    assert listed == {"app/pricing.py": {"rate": "None", "last": "undefined"}, "src/cart.js": {"rate": "null", "last": "undefined"}}


def test_the_first_values_are_of_objects_where_there_are_few_others(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name)
    agent.desired(made["id"])
    agent.send(agent.capture(made["id"]), agent.capture(made["id"], line=88, exprs=[{"text": "x", "value": {"k": "int", "t": "int", "v": 1}}]))
    agent.wait("ack")
    listed = {s["line"]: s["columns"] for s in ask(server, "GET", f"/api/v1/snapshots?service={name}")["snapshots"]}
    assert listed == {87: {"customer": "Ada O'Hara", "order.total": "184.5", "order.id": "9007199254740993"}, 88: {"x": "1", "customer": "Ada O'Hara"}}


def test_a_snapshot_stands_in_its_trace(server, connected):
    name, trace, span = service(), uuid.uuid4().hex, uuid.uuid4().hex[:16]
    agent = connected(processes=[process(1, name)])
    made = place(server, name)
    agent.desired(made["id"])
    t = time.time_ns()
    spans = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]}, "scopeSpans": [{"spans": [
        {"traceId": trace, "spanId": span, "name": "GET /", "kind": 2, "startTimeUnixNano": str(t - 10**7), "endTimeUnixNano": str(t)}]}]}]}
    assert server.request("POST", "/v1/traces", json.dumps(spans), JSON, token=None)[0] == 200
    agent.send(agent.capture(made["id"], trace=trace, span=span), agent.capture(made["id"]))
    agent.wait("ack")
    found = ask(server, "GET", f"/api/v1/traces/{trace}")["snapshots"]
    assert len(found) == 1 and found[0]["span"] == span and found[0]["probe"] == made["id"] and "columns" not in found[0]
    assert [s["id"] for s in ask(server, "GET", f"/api/v1/snapshots?trace={trace}")["snapshots"]] == [found[0]["id"]]


def test_a_logpoint_writes_log_records(server, connected):
    name, trace = service(), uuid.uuid4().hex
    agent = connected(processes=[process(1, name)])
    made = place(server, name, kind="log", log={"level": "warn", "template": "{{reached}}"})
    assert agent.desired(made["id"])["probes"][0]["log"] == {"level": "warn", "template": "{{reached}}", "parts": [{"text": "{reached}"}]}
    agent.send(agent.capture(made["id"], kind="log", frames=[], trace=trace, log={"level": "warn", "body": "{reached}"}))
    agent.wait("ack")
    row, = query(server, f"logs probe={made['id']}")
    assert row["body"] == "{reached}" and row["level"] == "warn" and row["trace"] == trace and row["service"] == name
    assert query(server, f"snapshots probe={made['id']}") == []


def test_who_may_place_probes(server):
    name = service()
    place(server, name, 403, server.token("read"))
    probing = server.token("read", "probe")
    made = place(server, name, token=probing)
    assert place(server, name, 403, probing, scope={"environment": "production"})["error"]["code"] == "forbidden"
    prod = place(server, name, scope={"environment": "production"})
    ask(server, "PATCH", f"/api/v1/probes/{prod['id']}", {"paused": True}, 403, token=probing)
    server.cli("project", "add", "elsewhere", check=False)
    confined = server.token("read", "probe", project="elsewhere")
    ask(server, "GET", f"/api/v1/probes/{made['id']}", expect=404, token=confined)
    ask(server, "DELETE", f"/api/v1/probes/{made['id']}", expect=404, token=confined)
    assert ask(server, "GET", f"/api/v1/probes?service={name}", token=confined)["probes"] == []


def test_who_owns_the_data_directory_places_probes(server):
    """The command line's own token, of the run file; in production, too, and the trail says whose it is."""
    name = service()
    made = server.cli("probe", "add", name, "app/pricing.py:87", "--environment", "production").split()[0]
    assert probe(server, made)["scope"]["environment"] == "production"
    entry = next(e for e in ask(server, "GET", "/api/v1/audit")["entries"] if e["target"] == made)
    assert (entry["action"], entry["actor"]) == ("probe.add", "token:command line")
    server.cli("probe", "rm", made)
    ask(server, "GET", f"/api/v1/probes/{made}", expect=404)


def test_a_key_of_one_project_reaches_no_process(server, connected):
    """Hosts are the workspace's: what runs on one is of any project."""
    name = service()
    connected(processes=[process(service=name)])
    server.cli("project", "add", "elsewhere", check=False)
    confined = server.token("read", "values", "probe", "probe_prod", project="elsewhere")
    place(server, name, 403, confined)
    place(server, name, 403, confined, project="elsewhere")
    mine = place(server, name, project="elsewhere")["id"]
    assert [p["id"] for p in ask(server, "GET", "/api/v1/probes", token=confined)["probes"]] == [mine]
    ask(server, "PATCH", f"/api/v1/probes/{mine}", {"hits": 30}, 403, token=confined)
    for path in ("live/services", "live/instances", "live/stream", "agents", *(f"live/{what}?service={name}&path=app/pricing.py&line=87" for what in ("files", "source", "lines", "functions", "variables", "forecast"))):
        ask(server, "GET", "/api/v1/" + path, expect=403, token=confined)
    ask(server, "DELETE", f"/api/v1/probes/{mine}", expect=204, token=confined)


def test_a_probe_without_the_scope_never_reaches_production(server, connected):
    name = service()
    agent = connected(processes=[process(1, name, environment="production"), process(2, name)])
    made = place(server, name, token=server.token("read", "probe"))
    assert agent.desired(made["id"])["probes"][0]["scope"]["processes"] == ["2-100"]


@pytest.mark.parametrize("more, where", [
    ({"where": {"file": "a.py"}}, "where"), ({"where": {"file": "a.py", "line": 0}}, "where.line"), ({"frames": 129}, "frames"), ({"ttl_s": 86401}, "ttl_s"),
    ({"hits": 0}, "hits"), ({"hit": "3"}, "hit"), ({"kind": "patch"}, "kind"), ({"scope": {"instances": "0%"}}, "scope.instances"), ({"depth": 1.5}, "depth"),
    ({"kind": "log"}, "log.template"), ({"nonsense": 1}, "nonsense"), ({"service": ""}, "service"), ({"sample": 2}, "sample"), ({"exprs": "x"}, "exprs"),
])
def test_a_wrong_probe_says_where(server, more, where):
    error = ask(server, "POST", "/api/v1/probes", {"service": "x", "where": WHERE, **more}, 400)["error"]
    assert error["code"] == "bad_probe" and error["place"] == where


def test_changes_make_revisions_and_are_entered(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name)
    agent.desired(made["id"])
    changed = ask(server, "PATCH", f"/api/v1/probes/{made['id']}", {"paused": True, "depth": 5, "hits": 30})
    assert (changed["revision"], changed["state"], changed["depth"], changed["hits"]) == (2, "paused", 5, 30)
    wanted = agent.wait("desired", lambda m: m["probes"] and m["probes"][0]["revision"] == 2)["probes"][0]
    assert wanted["paused"] and wanted["depth"] == 5
    assert ask(server, "PATCH", f"/api/v1/probes/{made['id']}", {"depth": 50}, 400)["error"]["place"] == "depth"
    assert probe(server, made["id"])["revision"] == 2
    ask(server, "DELETE", f"/api/v1/probes/{made['id']}", expect=204)
    agent.desired()
    ask(server, "GET", f"/api/v1/probes/{made['id']}", expect=404)
    said = [(e["action"], e["target"]) for e in ask(server, "GET", "/api/v1/audit")["entries"]]
    assert [(a, made["id"]) in said for a in ("probe.add", "probe.change", "probe.remove")] == [True] * 3


def test_pausing_is_entered_as_that(server):
    made = place(server, service())
    for paused in (True, False):
        ask(server, "PATCH", f"/api/v1/probes/{made['id']}", {"paused": paused})
    said = [e["action"] for e in ask(server, "GET", "/api/v1/audit")["entries"] if e["target"] == made["id"]]
    assert said == ["probe.resume", "probe.pause", "probe.add"]


def test_the_kill_switch(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    ids = [place(server, name)["id"] for _ in range(3)]
    agent.desired(*ids)
    ask(server, "DELETE", "/api/v1/probes", expect=400)
    assert ask(server, "DELETE", f"/api/v1/probes?service={name}") == {"removed": 3}
    agent.desired()


def test_only_so_many_instances_the_same_ones_each_time(server, connected):
    name = service()
    agents = [connected(processes=[process(n, name) for n in range(5)]) for _ in range(2)]
    made = place(server, name, scope={"instances": 3})
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][9])
    latest = {}

    def chosen():
        for i, a in enumerate(agents):
            while not a.heard.empty():
                m = a.heard.get()
                if m["type"] == "desired":
                    latest[i] = [x for p in m["probes"] if p["id"] == made["id"] for x in p["scope"]["processes"]]
        assert sum(map(len, latest.values())) == 3
        return json.dumps(latest, sort_keys=True)

    first = eventually(chosen)
    agents[0].say("processes", processes=list(reversed(agents[0].processes)))
    time.sleep(0.3)
    assert sorted(chosen()) == sorted(first)


def test_a_probe_expires(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    made = place(server, name, ttl_s=1)
    agent.desired(made["id"])
    agent.desired()
    assert probe(server, made["id"])["state"] == "expired"
    assert made["id"] not in [p["id"] for p in ask(server, "GET", f"/api/v1/probes?service={name}")["probes"]]
    assert made["id"] in [p["id"] for p in ask(server, "GET", f"/api/v1/probes?service={name}&all=1")["probes"]]


def test_hits_are_exact_over_two_agents(server, connected):
    name, hits = service(), 20
    agents = [connected(processes=[process(1, name)]) for _ in range(2)]
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][1])
    made = place(server, name, hits=hits)
    granted = [a.desired(made["id"])["probes"][0]["grant"] for a in agents]
    assert all(g > 0 for g in granted) and sum(granted) <= hits
    # One is busy, the other never hit: the busy one is given what is left, slice by slice.
    busy, left, sent = agents[0], granted[0], 0
    while sent < hits:
        while left:
            busy.send(busy.capture(made["id"]))
            busy.wait("ack")
            left, sent = left - 1, sent + 1
        if sent < hits:
            left = busy.wait("grant", lambda m: m["probe"] == made["id"])["hits"]
            assert left > 0
    for a in agents:
        a.desired()
        a.send(*[a.capture(made["id"]) for _ in range(7)])  # late ones, beyond the limit
        assert len(a.wait("ack", lambda m: len(m["ids"]) == 7)["ids"]) == 7
    assert query(server, f"snapshots probe={made['id']} | stats count() as n")[0]["n"] == hits
    seen = probe(server, made["id"])
    assert (seen["state"], seen["hits_used"], seen["captures"]) == ("done", hits, hits)


def test_many_at_once_from_two_agents_are_exact_too(server, connected):
    name, hits = service(), 50
    agents = [connected(processes=[process(1, name)]) for _ in range(2)]
    made = place(server, name, hits=hits)
    for a in agents:
        a.desired(made["id"])
    threads = [threading.Thread(target=lambda a=a: [a.send(*[a.capture(made["id"]) for _ in range(20)]) for _ in range(5)]) for a in agents]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for a in agents:
        for _ in range(5):
            a.wait("ack")
    assert query(server, f"snapshots probe={made['id']} | stats count() as n")[0]["n"] == hits


# ---- questions, streams

def test_questions_are_answered_by_an_agent(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])

    def answer():
        m = agent.wait("resolve")
        agent.say("resolved", request=m["request"], ok=True, result={"path": m["path"], "text": "x = 1\n", "hash": "ab", "lines": [1], "functions": []})
        m = agent.wait("resolve")
        agent.say("resolved", request=m["request"], ok=False, error={"code": "no_such_file", "message": "there is no such file"})

    t = threading.Thread(target=answer)
    t.start()
    got = ask(server, "GET", f"/api/v1/live/source?service={name}&path=app/pricing.py")
    assert got == {"process": "1-100", "path": "app/pricing.py", "text": "x = 1\n", "hash": "ab", "lines": [1], "functions": []}
    error = ask(server, "GET", f"/api/v1/live/source?service={name}&path=gone.py", expect=400)["error"]
    assert error["message"] == "there is no such file"
    t.join()
    ask(server, "GET", "/api/v1/live/files?service=nobody", expect=404)
    ask(server, "GET", f"/api/v1/live/files?service={name}", expect=403, token=server.token("read"))


def test_a_process_that_has_no_such_file_is_not_the_last_one_asked(server, connected):
    name = service()
    agent = connected(processes=[process(n, name) for n in (1, 2, 3)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][2])
    asked = []

    def answer():
        for _ in range(5):
            m = agent.wait("resolve")
            asked.append(m["process"])
            if m["process"] == "2-100":
                agent.say("resolved", request=m["request"], ok=True, result={"path": m["path"], "text": "x = 1\n"})
            else:
                agent.say("resolved", request=m["request"], ok=False, error={"code": "no_source", "message": "the process has no such file"})

    t = threading.Thread(target=answer)
    t.start()
    assert ask(server, "GET", f"/api/v1/live/source?service={name}&path=app.py")["process"] == "2-100"
    # One that is named is the only one.
    assert "no such file" in ask(server, "GET", f"/api/v1/live/source?service={name}&path=app.py&process=3-100", expect=400)["error"]["message"]
    assert asked[-1] == "3-100" and len(set(asked[:-1])) == len(asked) - 1
    for _ in range(5 - len(asked)):
        ask(server, "GET", f"/api/v1/live/source?service={name}&path=app.py&process=2-100")
    t.join()


def test_a_question_ends_with_its_agent(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])
    asked = threading.Thread(target=lambda: agent.wait("resolve") and agent.close())
    asked.start()
    assert "gone" in ask(server, "GET", f"/api/v1/live/files?service={name}", expect=400)["error"]["message"]
    asked.join()


def test_agents_that_do_not_answer_hold_no_query_up(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])
    [threads] = [int(line.split()[1]) for line in server.request("GET", "/metrics")[1].decode().splitlines() if line.startswith('clew_pool_threads{pool="query"}')]
    asked = [threading.Thread(target=ask, args=(server, "GET", f"/api/v1/live/lines?service={name}&path=app/{n}.py"), kwargs={"expect": 400}) for n in range(min(threads + 1, 15))]
    for t in asked:
        t.start()
    for _ in asked:
        agent.wait("resolve")
    assert query(server, "spans service=nobody | stats count() as n") == [{"n": 0}]
    assert all(t.is_alive() for t in asked)
    agent.close()
    for t in asked:
        t.join()


def test_a_forecast_counts_and_captures_nothing(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])

    def count():
        wanted = agent.wait("desired", lambda m: m["probes"])["probes"][0]
        assert wanted["count_only"] and wanted["grant"] == 0
        agent.state(wanted["id"])
        i = 0
        while not answered.wait(0.1):
            i += 1
            agent.say("counts", counts=[{"probe": wanted["id"], "process": "1-100", "hits": 100 * i, "filtered": 0, "captured": 0, "dropped": {}, "errors": 0, "ns": 40000 * i}])

    answered = threading.Event()
    t = threading.Thread(target=count)
    t.start()
    got = ask(server, "GET", f"/api/v1/live/forecast?service={name}&path=app/pricing.py&line=87")
    answered.set()
    t.join()
    assert got["hits_per_s"] > 0 and got["cost_ns"] == 400 and got["core_ratio"] == pytest.approx(got["hits_per_s"] * 400 / 1e9)
    assert not got["suspended"]
    assert ask(server, "GET", f"/api/v1/probes?service={name}&all=1")["probes"] == []


def test_a_forecast_says_who_refuses_and_what_was_suspended(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])

    def answer(state, **more):
        wanted = agent.wait("desired", lambda m: m["probes"])["probes"][0]
        agent.state(wanted["id"], state, **more)
        agent.say("counts", counts=[{"probe": wanted["id"], "process": "1-100", "hits": 125, "filtered": 0, "captured": 0, "dropped": {}, "errors": 0, "ns": 10000000}])

    def forecast(expect, state, **more):
        t = threading.Thread(target=answer, args=[state], kwargs=more)
        t.start()
        got = ask(server, "GET", f"/api/v1/live/forecast?service={name}&path=app/pricing.py&line=87", expect=expect)
        t.join()
        agent.wait("desired", lambda m: not m["probes"])
        return got

    assert "nothing stands in this line" in forecast(504, "unresolvable", code="no_code_at_line", message="nothing stands in this line")["error"]["message"]
    got = forecast(200, "suspended", code="budget", message="it costs too much here")
    assert got["suspended"] and 0 < got["hits_per_s"] <= 125 and got["cost_ns"] == 80000


def test_the_stream_says_what_changes(server, connected):
    name = service()
    agent = connected(processes=[process(1, name)])
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    c.request("GET", f"/api/v1/live/stream?service={name}", headers={"Authorization": f"Bearer {server.admin}"})
    stream = c.getresponse()
    assert stream.status == 200

    def event(kind):
        at = None
        while True:
            line = stream.readline().decode().rstrip("\n")
            if line.startswith("event:"):
                at = line[6:].strip()
            elif line.startswith("data:") and at == kind:
                return json.loads(line[5:])

    place(server, service())  # another service's
    made = place(server, name)
    assert event("probe")["id"] == made["id"]
    agent.desired(made["id"])
    agent.send(agent.capture(made["id"]))
    assert event("capture")["probe"] == made["id"]
    told = event("probe")
    assert told["hits_used"] == 1 and told["captures"] == 1
    ask(server, "DELETE", f"/api/v1/probes/{made['id']}", expect=204)
    assert event("probe_removed") == {"id": made["id"]}
    c.close()


def test_who_looks_is_told_to_everybody(server):
    def stream(at):
        c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        c.request("GET", f"/api/v1/live/stream?at={at}", headers={"Authorization": f"Bearer {server.admin}"})
        return c, c.getresponse()

    def told(s, *wanted):
        """Until these are told: others, of another test, may come and go meanwhile."""
        event, seen = "", None
        while seen != list(wanted):
            line = s.readline().decode().rstrip("\n")
            event = line[6:].strip() if line.startswith("event:") else event
            if event == "viewers" and line.startswith("data:"):
                seen = sorted(v["service"] for v in json.loads(line[5:])["viewers"] if v.get("service", "").startswith("looked-"))

    first, one = stream("looked-1")
    told(one, "looked-1")
    second, two = stream("looked-2")
    told(one, "looked-1", "looked-2")
    told(two, "looked-1", "looked-2")
    two.close()
    second.close()
    told(one, "looked-1")
    one.close()
    first.close()


def test_expressions_are_checked_and_compiled_where_they_are_written(server, connected):
    name = service()
    agent = connected(processes=[process(service=name)])
    made = place(
        server,
        name,
        kind="log",
        exprs=["order.total"],
        log={"level": "info", "template": "order {order.id} {{now}}"},
        **{"if": "order.total > 100"},
    )
    assert made["if"] == "order.total > 100" and made["exprs"] == ["order.total"]
    (sent,) = agent.desired(made["id"])["probes"]
    assert sent["if"]["text"] == "order.total > 100"
    assert base64.b64decode(sent["if"]["code"]).startswith(b"CPX1") and sent["if"]["tree"]
    assert [e["text"] for e in sent["exprs"]] == ["order.total"]
    parts = sent["log"]["parts"]
    assert [p.get("text") or p["expr"]["text"] for p in parts] == ["order ", "order.id", " {now}"]


def test_what_is_wrong_in_an_expression_has_its_column(server):
    error = place(server, service(), 400, **{"if": "x >"})["error"]
    assert error["place"].startswith("if") and error["column"] == 4, error
    error = place(server, service(), 400, exprs=["a", "len(1, 2)"])["error"]
    assert error["place"].startswith("exprs[1]"), error
    for kind, text, column in (("template", "a {b", 3), ("condition", "a + 1", 1), ("expression", "nope(1)", 1)):
        checked = ask(server, "POST", "/api/v1/probes/check", {"as": kind, "text": text})
        assert (checked["ok"], checked["column"]) == (False, column), checked
    checked = ask(server, "POST", "/api/v1/probes/check", {"as": "condition", "text": "a > 1"})
    assert checked == {"ok": True, "type": "bool"}


# ---- crashes

def test_a_killed_server_loses_nothing_acknowledged(tmp_path):
    server = prepare(harness.Server(tmp_path / "data"))
    secret = enrol(server, "web-1", server.admin)[1]["secret"]
    name = service()
    made = place(server, name, hits=1000)
    acked, sent, last = set(), 0, None
    for _ in range(4):
        agent = Agent(server, secret, processes=[process(1, name)])
        agent.desired(made["id"])
        if last:
            agent.send(*last)  # not acknowledged before the crash, perhaps stored
            acked |= set(agent.wait("ack")["ids"])
        for _ in range(5):
            batch = [agent.capture(made["id"]) for _ in range(4)]
            agent.send(*batch)
            sent += 4
            acked |= set(agent.wait("ack")["ids"])
        last = [agent.capture(made["id"]) for _ in range(4)]
        agent.send(*last)
        sent += 4
        server.kill()
        server.start()
    agent = Agent(server, secret, processes=[process(1, name)])
    agent.desired(made["id"])
    agent.send(*last)
    acked |= set(agent.wait("ack")["ids"])
    assert len(acked) == sent
    assert query(server, f"snapshots probe={made['id']} | stats count() as n")[0]["n"] == sent
    seen = probe(server, made["id"])
    assert (seen["hits_used"], seen["captures"]) == (sent, sent)
    agent.close()
    assert server.stop() == 0 and not server.complaints()


def test_what_was_captured_before_a_restart_is_taken_when_its_process_has_ended(tmp_path):
    """The agent had no connection while the server was gone, and in that time its process ended: what waits in its spool was granted."""
    server = prepare(harness.Server(tmp_path / "data"))
    secret, other = (enrol(server, host, server.admin)[1]["secret"] for host in ("web-1", "web-2"))
    name = service()
    made = place(server, name)
    agent = Agent(server, secret, processes=[process(1, name)])
    agent.desired(made["id"])
    waits = [agent.capture(made["id"]) for _ in range(3)]
    server.kill()
    server.start()
    agent = Agent(server, secret, processes=[])
    agent.send(*waits)
    assert len(agent.wait("ack")["ids"]) == 3
    assert query(server, f"snapshots probe={made['id']} | stats count() as n")[0]["n"] == 3
    assert probe(server, made["id"])["hits_used"] == 3
    agent.close()
    stranger = Agent(server, other, "web-2", processes=[process(1, "another")])  # was never sent it
    stranger.send(stranger.capture(made["id"]))
    stranger.wait("ack")
    assert probe(server, made["id"])["hits_used"] == 3
    stranger.close()
    assert server.stop() == 0 and not server.complaints()


# ---- answers and permissions

def test_answers_are_as_described(server, connected):
    name, trace = service(), uuid.uuid4().hex
    agent = connected(processes=[process(1, name)])
    made = place(server, name, exprs=[], scope={"instances": "50%"}, sample=0.5, hit=">=2")
    agent.desired(made["id"])
    agent.state(made["id"], "error", code="no_code_at_line", message="nothing here", data={"nearest": [86]})
    agent.say("counts", counts=[{"probe": made["id"], "process": "1-100", "hits": 3, "filtered": 1, "captured": 1, "dropped": {"rate": 2}, "errors": 1, "first_error": "x", "ns": 5}])
    agent.send(agent.capture(made["id"], trace=trace))
    agent.wait("ack")
    for path, at in ((f"/api/v1/probes?service={name}&all=1", None), (f"/api/v1/probes/{made['id']}", "/api/v1/probes/{id}"), ("/api/v1/live/services", None), (f"/api/v1/live/instances?service={name}", None),
                     (f"/api/v1/snapshots?trace={trace}", None), ("/api/v1/agents", None)):
        openapi.matches(openapi.described("GET", at or path.split("?")[0], 200), ask(server, "GET", path))
    seen = probe(server, made["id"])["instances"][0]
    assert (seen["hits"], seen["filtered"], seen["dropped"], seen["errors"], seen["data"]) == (3, 1, 2, 1, {"nearest": [86]})


@pytest.mark.parametrize("method, path, scopes", [
    ("GET", "/probes", "read"), ("POST", "/probes", "probe"), ("DELETE", "/probes?all=1", "probe"), ("PATCH", "/probes/p1", "probe"), ("DELETE", "/probes/p1", "probe"), ("POST", "/probes/check", "read"),
    ("GET", "/live/services", "read"), ("GET", "/live/instances", "read"), ("GET", "/live/files?service=x", "probe"), ("GET", "/live/source?service=x", "probe"), ("GET", "/live/lines?service=x", "probe"),
    ("GET", "/live/functions?service=x", "probe"), ("GET", "/live/variables?service=x", "probe"), ("GET", "/live/forecast?service=x", "probe"), ("GET", "/live/stream", "read"), ("GET", "/snapshots", "read"),
    ("GET", "/snapshots/" + "0" * 32, "values"), ("GET", "/agents", "read"), ("POST", "/agents/tokens", "admin"), ("GET", "/agents/tokens", "admin"),
    ("DELETE", "/agents/tokens/e0", "admin"), ("DELETE", "/agents/a0", "admin"),
])
def test_each_needs_its_scope(server, method, path, scopes):
    assert server.request(method, "/api/v1" + path, "{}", JSON, token=None)[0] == 401
    others = [s for s in ("ingest", "read", "values", "probe", "probe_prod", "admin") if s != scopes]
    status, answer = server.request(method, "/api/v1" + path, "{}", JSON, token=server.token(*others))
    assert status == 403 and scopes in json.loads(answer)["error"]["message"]
