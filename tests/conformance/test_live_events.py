"""What probes of exceptions capture in processes that have no SDK of Sentry's, as error events and issues; and nothing twice where they have one."""
import json
import os
import subprocess
import uuid

import pytest

import harness
from harness import eventually
from live_agent import shop
from live_calls import ask, prepare, query

OFF = {"health_checks": False, "web_crawlers": False, "localhost": False, "browser_extensions": False, "hydration_errors": False,
       "chunk_load_errors": False, "legacy_browsers": [], "errors": "", "releases": "", "addresses": "", "logs": ""}
WHERE = {"exception": "ValueError", "file": "app/pricing.py"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live-events") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def agent(server):
    made = shop(server)
    yield made
    made.close()


def place(server, agent, **more):
    made = ask(server, "POST", "/api/v1/probes", {"service": agent.service, "where": WHERE, "kind": "exception", **more}, 201)
    agent.desired(made["id"])
    return made["id"]


def raised(agent, probe, type="ValueError", message="no such tier", reporter="none", **more):
    return agent.capture(probe, kind="exception", exception={"type": type, "message": message, "value": {"k": "object", "t": type, "f": []}},
                         **({"reporter": reporter} if reporter else {}), **more)


def tell(agent, *captures):
    agent.send(*captures)
    assert sorted(agent.wait("ack")["ids"]) == sorted(c["id"] for c in captures)


def events(server, agent, text="", n=1):
    """That many, each with its issue: that is made a moment after the event is stored, and a row has it from then on."""
    def check():
        found = query(server, f"events service={agent.service} {text}")
        assert len(found) == n and all("issue" in row for row in found), found
        return found

    return eventually(check)


def issue(server, event):
    return eventually(lambda: ask(server, "GET", f"/api/v1/issues/{ask(server, 'GET', '/api/v1/events/' + event)['issue']}"))


def test_a_capture_is_an_event_of_an_issue(server, agent):
    probe, trace, span = place(server, agent), uuid.uuid4().hex, uuid.uuid4().hex[:16]
    tell(agent, raised(agent, probe, trace=trace, span=span))
    row = events(server, agent)[0]
    line = ask(server, "GET", f"/api/v1/snapshots?probe={probe}")["snapshots"][0]
    assert line["event"] == row["event_id"] == line["id"] and ask(server, "GET", f"/api/v1/snapshots/{line['id']}")["event"] == row["event_id"]
    assert query(server, f"events clew.probe={probe}") == [row]
    event = ask(server, "GET", f"/api/v1/events/{row['event_id']}")
    assert (event["type"], event["message"], event["level"], event["platform"], event["service"]) == ("ValueError", "no such tier", "error", "python", agent.service)
    assert (event["release"], event["environment"], event["server_name"], event["trace"], event["span"]) == ("1.2", "test", agent.host, trace, span)
    assert event["contexts"]["probe"] == {"id": probe, "snapshot": line["id"], "process": "1-100", "thread": "MainThread"} and event["sdk"]["name"] == "clew.probe"
    assert event["time"] == line["time"] and "handled" not in event
    inner, outer = event["exceptions"][0]["frames"]
    assert (inner["function"], inner["module"], inner["file"], inner["line"], inner["in_app"]) == ("apply_discount", "app.pricing", "app/pricing.py", 87, True)
    assert inner["vars"]["order"] == {"total": 184.5, "id": "9007199254740993", "items": [{"price": 100}], "card": "<redacted>"} and outer["function"] == "checkout"
    # Values are for those who may read them.
    hidden = ask(server, "GET", f"/api/v1/events/{row['event_id']}", token=server.token("read"))
    assert "Hara" not in json.dumps(hidden) and hidden["exceptions"][0]["frames"][0]["vars_hidden"]
    tell(agent, raised(agent, probe, message="no such tier"))
    found = eventually(lambda: [i for i in [issue(server, row["event_id"])] if i["events"] == 2][0])
    assert (found["title"], found["project"], found["services"], found["state"]) == ("ValueError: no such tier", "default", [agent.service], "new")


def test_it_is_an_issue_of_the_probes_project(server, agent):
    slug = "p" + uuid.uuid4().hex[:8]
    ask(server, "POST", "/api/v1/projects", {"slug": slug}, 201)
    probe = place(server, agent, project=slug)
    tell(agent, raised(agent, probe))
    assert issue(server, events(server, agent)[0]["event_id"])["project"] == slug


def test_one_event_a_capture_however_often_it_is_told(server, agent):
    probe = place(server, agent)
    one = raised(agent, probe)
    agent.send(one, one)
    assert agent.wait("ack")["ids"] == [one["id"]] * 2
    agent.send(one)
    agent.wait("ack")
    assert events(server, agent)[0]["event_id"] == ask(server, "GET", f"/api/v1/snapshots?probe={probe}")["snapshots"][0]["id"]


def test_what_nobody_catches_is_unhandled(server, agent):
    probe = place(server, agent, where={"exception": "*", "uncaught": True})
    tell(agent, raised(agent, probe, type="TypeError", message="x is undefined"))
    event = events(server, agent)[0]
    assert event["handled"] is False and event["title"] == "TypeError: x is undefined"


def test_beside_an_sdk_there_is_the_snapshot_alone(server, agent):
    probe = place(server, agent)
    told, old = raised(agent, probe, reporter="sentry"), raised(agent, probe, reporter=None)  # of an agent that does not look for SDKs
    tell(agent, told, old)
    lines = ask(server, "GET", f"/api/v1/snapshots?probe={probe}")["snapshots"]
    assert len(lines) == 2 and not any("event" in line for line in lines)
    assert events(server, agent, n=0) == []


def test_other_probes_make_no_events(server, agent):
    probe = place(server, agent, kind="snapshot", where={"file": "app/pricing.py", "line": 87})
    tell(agent, raised(agent, probe))
    assert events(server, agent, n=0) == []


def test_a_projects_scrub_rules_and_filters_hold(server, agent):
    slug = "p" + uuid.uuid4().hex[:8]
    ask(server, "POST", "/api/v1/projects", {"slug": slug}, 201)
    ask(server, "PUT", f"/api/v1/projects/{slug}/scrub", {"addresses": False, "rules": "remove @anything from customer"})
    ask(server, "PUT", f"/api/v1/projects/{slug}/filters", {**OFF, "errors": "*unwanted*"})
    probe = place(server, agent, project=slug)
    tell(agent, raised(agent, probe, message="Ada"), raised(agent, probe, message="an unwanted one"))
    row = events(server, agent)[0]
    event = ask(server, "GET", f"/api/v1/events/{row['event_id']}")
    assert "Hara" not in json.dumps(event) and event["exceptions"][0]["value"] == "Ada"
    lines = ask(server, "GET", f"/api/v1/snapshots?probe={probe}")["snapshots"]
    assert sorted("event" in line for line in lines) == [False, True]


def test_a_host_that_tells_shapes_tells_them_in_events_too(server, agent):
    probe = place(server, agent)
    frame = {"function": "f", "file": "a.py", "line": 1, "in_app": True, "vars": [{"name": "card", "kind": "local", "value": {"k": "str", "t": "str", "n": 16}}]}
    tell(agent, raised(agent, probe, message="", frames=[frame]))
    event = ask(server, "GET", f"/api/v1/events/{events(server, agent)[0]['event_id']}")
    assert event["exceptions"][0]["frames"][0]["vars"] == {"card": "<str 16>"} and not event["exceptions"][0].get("value")


def test_what_a_hostile_agent_says_is_cut(server, agent):
    probe = place(server, agent)
    deep = {"k": "int", "v": 1}
    for _ in range(25):
        deep = {"k": "list", "i": [deep]}
    frames = [{"function": "f" * 5000, "file": "x" * 5000, "line": -1, "in_app": "yes", "vars": [{"name": "n" * 3000, "value": deep}, {"value": "none"}, 7]} for _ in range(200)]
    odd = [raised(agent, probe, type="T" * 100000, message="m" * 100000, frames=frames),
           raised(agent, probe, frames="none", thread=[], trace="zz", span=7),
           raised(agent, probe, type="\u0000\u202e<script>", message="\ud83d\ude00" * 3000, frames=[1, None, []]),
           agent.capture(probe, kind="exception", reporter="none", exception={"type": 7, "message": [], "value": 1})]
    tell(agent, *odd)
    rows = events(server, agent, n=4)
    for row in rows:
        event = ask(server, "GET", f"/api/v1/events/{row['event_id']}")
        raised_one = event["exceptions"][0]
        assert len(raised_one.get("type", "").encode()) <= 255 and len(raised_one.get("value", "").encode()) <= 4096 and len(raised_one.get("frames", [])) <= 128
    assert len(ask(server, "GET", f"/api/v1/snapshots?probe={probe}")["snapshots"]) == 4


def test_one_probe_makes_only_so_many_events(server, agent):
    probe = place(server, agent, hits=1000)
    for _ in range(5):
        tell(agent, *[raised(agent, probe) for _ in range(60)])
    assert len(query(server, f"snapshots probe={probe} | select capture")) == 300
    made = query(server, f"events service={agent.service} | stats count() as n")[0]["n"]
    assert 100 <= made < 250
    told = ask(server, "GET", f"/api/v1/probes/{probe}")
    assert (told["captures"], told["events"], told["events_left_out"]) == (300, made, 300 - made)


def test_it_is_counted_what_became_of_captures(server, agent):
    slug = "p" + uuid.uuid4().hex[:8]
    ask(server, "POST", "/api/v1/projects", {"slug": slug}, 201)
    ask(server, "PUT", f"/api/v1/projects/{slug}/filters", {**OFF, "errors": "*unwanted*"})
    probe = place(server, agent, project=slug)
    tell(agent, raised(agent, probe), raised(agent, probe, message="an unwanted one"), raised(agent, probe, reporter="sentry"))
    told = ask(server, "GET", f"/api/v1/probes/{probe}")
    assert (told["captures"], told["events"], told["events_left_out"]) == (3, 1, 1)
    run = [harness.binary(), "probe"]
    environment = {**os.environ, "CLEW_URL": server.url, "CLEW_TOKEN": server.admin}
    show = subprocess.run([*run, "show", probe], capture_output=True, text=True, timeout=40, env=environment).stdout
    assert "issues    1 error event, 1 left out by limits or filters\n" in show, show
    table = subprocess.run([*run, "ls", "--service", agent.service], capture_output=True, text=True, timeout=40, env=environment).stdout
    assert " 1 of 2 " in table, table
