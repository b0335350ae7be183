"""`clew probe`, `clew snapshots`, `clew agents`, against an agent that does what the test tells it to."""
import json
import os
import re
import subprocess
import threading
import time

import pytest

import harness
from harness import eventually
from live_agent import shop
from live_calls import prepare


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live-cli") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def agent(server):
    made = shop(server)
    yield made
    made.close()


def clew(server, *words, token=None, status=0):
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("CLEW_")}, "CLEW_URL": server.url, "CLEW_TOKEN": token or server.admin}
    r = subprocess.run([harness.binary(), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, env=environment)
    assert r.returncode == status, (words, r)
    return r


def lines(r):
    return [json.loads(line) for line in r.stdout.splitlines()]


def answer(agent, *before, **state):
    """Says of the next probe what becomes of it; before: states before the last one, each of which is looked at for a while."""
    def run():
        [probe] = agent.wait("desired", lambda m: m["probes"])["probes"]
        for one in before:
            agent.state(probe["id"], **one)
            time.sleep(1)
        agent.state(probe["id"], **state)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_captures_of_some_traces(server, agent):
    def added(*words, status=0):
        return clew(server, "probe", "add", agent.service, "app/pricing.py:87", "--no-wait", *words, status=status)

    id = added("--keep", "trace_slow=1500ms").stdout.strip()
    assert "keep      of traces that took 1500 ms or more\n" in clew(server, "probe", "show", id).stdout
    assert "keep      of traces that failed\n" in clew(server, "probe", "show", added("--keep", "trace_error").stdout.strip()).stdout
    assert "trace_slow needs a time" in added("--keep", "trace_slow", status=1).stderr
    assert "has no time" in added("--keep", "trace_slow=soon", status=2).stderr


def test_add_prints_the_id_alone_and_waits_until_it_is_installed(server, agent):
    thread = answer(agent, state="installed")
    r = clew(server, "probe", "add", agent.service, "app/pricing.py:87", "--if", "order.total > 100", "--capture", "order.total", "--capture", "len(order.items)",
             "--ttl", "5m", "--hits", "3", "--environment", "test", "--wait")
    thread.join()
    id = r.stdout.strip()
    assert r.stdout == id + "\n" and id.startswith("p") and r.stderr.startswith("installed:\n") and agent.host in r.stderr
    [probe] = lines(clew(server, "probe", "ls", "--json", "--service", agent.service))
    assert (probe["if"], probe["exprs"], probe["hits"]) == ("order.total > 100", ["order.total", "len(order.items)"], 3)
    assert probe["where"] == {"file": "app/pricing.py", "line": 87} and probe["scope"]["environment"] == "test"
    assert id in clew(server, "probe", "ls", "--service", agent.service).stdout
    shown = clew(server, "probe", "show", id).stdout
    assert "capture   len(order.items)" in shown and "installed" in shown

    capture = agent.capture(id)
    agent.send(capture)
    agent.wait("ack")
    [row] = lines(clew(server, "snapshots", "--probe", id, "--json"))
    assert row["probe"] == id and row["line"] == 87
    tree = clew(server, "snapshot", row["id"]).stdout
    assert "  order = Order\n    total = 184.5\n" in tree and "    card = <redacted: card>\n" in tree and '  customer = "Ada O\'Hara"\n' in tree
    assert "      [0] = dict\n        [\"price\"] = 100\n" in tree
    assert json.loads(clew(server, "snapshot", row["id"], "--json").stdout)["id"] == row["id"]

    clew(server, "probe", "pause", id)
    assert json.loads(clew(server, "probe", "show", id, "--json").stdout)["state"] == "paused"
    clew(server, "probe", "resume", id)
    assert clew(server, "probe", "rm", id).stdout == ""
    assert "there is no such probe" in clew(server, "probe", "show", id, status=1).stderr


def test_what_is_refused_comes_with_the_way_out(server, agent):
    thread = answer(agent, state="unresolvable", code="no_code_at_line", message="no statement begins at this line", data={"nearest": [85, 90]})
    r = clew(server, "probe", "add", "app/pricing.py:87", "--service", agent.service, "--wait", status=1)
    thread.join()
    assert "refused:" in r.stderr and "no statement begins at this line" in r.stderr and "near it: 85, 90" in r.stderr


def test_what_is_tried_again_in_a_moment_is_waited_for(server, agent):
    thread = answer(agent, {"state": "waiting", "code": "busy_in_native", "message": "it is tried again"}, state="installed")
    r = clew(server, "probe", "add", "app/pricing.py:87", "--service", agent.service, "--wait")
    thread.join()
    assert r.stderr.startswith("installed:\n"), r.stderr


@pytest.mark.parametrize("code", ["not_loaded", "module_not_loaded"])
def test_a_file_that_is_not_loaded_yet_is_an_answer(server, agent, code):
    thread = answer(agent, state="waiting", code=code, message="no code of this file is loaded yet")
    r = clew(server, "probe", "add", "app/pricing.py:87", "--service", agent.service, "--wait", status=1)
    thread.join()
    assert r.stderr.startswith("waiting:\n") and "It is installed as soon as the process loads the file" in r.stderr, r.stderr


@pytest.mark.parametrize("state, code, way", [("error", "invalid_probe", "Use the same version of agent and server."), ("error", "too_many_probes", "Remove some of them."),
                                              ("error", "set_unreadable", "or remove some of the probes"),
                                              ("suspended", "host_brake", "they come back a minute after it takes less"),
                                              ("error", "musl", "Use an image with the GNU C library.")])
def test_what_the_agent_itself_does_not_take_comes_with_a_way_out(server, agent, state, code, way):
    thread = answer(agent, state=state, code=code, message="the agent on this host said why")
    r = clew(server, "probe", "add", "app/pricing.py:87", "--service", agent.service, "--wait", status=1)
    thread.join()
    assert "the agent on this host said why" in r.stderr and way in r.stderr


def test_a_probe_on_a_host_whose_agent_is_away_says_so(server):
    host = shop(server)
    id = clew(server, "probe", "add", host.service, "app/pricing.py:87", "--no-wait").stdout.strip()
    host.desired(id)
    host.close()

    def told():
        text = clew(server, "probe", "show", id).stdout
        assert f"away         {host.host}: its agent is away" in text and "Start `clew agent` on its host again" in text, text

    eventually(told)


def test_an_enrolment_token_is_taken_back(server):
    made = clew(server, "agents", "token", "web-7")
    [id] = re.findall(r"clew agents revoke (e\d+)", made.stderr)
    assert made.stdout.startswith("clewa_")
    assert any(row.split()[:2] == [id, "web-7"] for row in clew(server, "agents", "tokens").stdout.splitlines())
    clew(server, "agents", "revoke", id)
    assert id not in clew(server, "agents", "tokens").stdout.split()
    assert "it was used, or its hour is over" in clew(server, "agents", "revoke", id, status=1).stderr


def test_what_nobody_has_taken_says_where_to_look(server, agent):
    id = clew(server, "probe", "add", "chekout", "app/pricing.py:87", "--no-wait").stdout.strip()
    assert "no process of this service has taken it" in clew(server, "probe", "show", id).stdout


def test_a_condition_that_fails_each_time_is_seen_in_the_list(server, agent):
    id = clew(server, "probe", "add", agent.service, "app/pricing.py:87", "--if", "totl > 5", "--no-wait").stdout.strip()
    agent.wait("desired", lambda m: m["probes"])
    agent.state(id)
    agent.say("counts", counts=[{"probe": id, "process": agent.processes[0]["id"], "hits": 112, "filtered": 112, "captured": 0, "errors": 112, "dropped": {}, "ns": 1,
                                 "first_error": "`totl` is not in scope here"}])

    def listed():
        head, *rows = clew(server, "probe", "ls", "--service", agent.service).stdout.splitlines()
        [row] = [row for row in rows if row.startswith(id + " ")]
        at = head.find("errors")
        assert at > 0 and row[at:at + len("errors")].strip() == "112"

    eventually(listed)
    assert "first error: `totl` is not in scope here" in clew(server, "probe", "show", id).stdout


@pytest.mark.parametrize("option, text, under", [("--if", "order.total >> 3", ">"), ("--capture", "len(", ""), ("--log", "total {order.}", "}")])
def test_a_mistake_in_an_expression_is_underlined(server, agent, option, text, under):
    r = clew(server, "probe", "add", agent.service, "app/pricing.py:87", option, text, status=1)
    shown = r.stderr.splitlines()
    at = shown.index("  " + text)
    column = shown[at + 1].index("^")
    assert shown[at][column:].startswith(under) and set(shown[at + 1].strip()) == {"^"}
    assert clew(server, "probe", "ls", "--service", agent.service).stdout == ""


@pytest.mark.parametrize("words", [["shop"], ["app.py:0", "--service", "shop"], ["app.py:1"], ["shop", "app.py:1", "--service", "shop"], ["shop", "app.py:1", "--hits", "many"],
                                   ["shop", "app.py:1", "--ttl", "soon"]])
def test_what_is_no_probe_is_a_usage_error(server, words):
    assert clew(server, "probe", "add", *words, status=2).stderr.startswith("clew: ")


def test_a_token_that_may_not_is_told_which_may(server):
    reader = server.token("read")
    assert "--scope read,values,probe" in clew(server, "probe", "add", "shop", "a.py:1", token=reader, status=1).stderr
    assert "scope admin" in clew(server, "agents", "token", token=reader, status=1).stderr


def test_agents(server, agent):
    mine = next(a for a in lines(clew(server, "agents", "--json")) if a["host"] == agent.host)
    assert mine["connected"] and agent.host in clew(server, "agents").stdout
    assert agent.service in {s["service"] for s in lines(clew(server, "agents", "--services", "--json"))}
    admin = server.token("read", "admin")
    token = clew(server, "agents", "token", "web-7", token=admin)
    assert token.stdout.startswith("clewa_") and token.stdout.count("\n") == 1
    clew(server, "agents", "rm", mine["id"], token=admin)
    assert agent.wait("bye")["code"] == "removed"


def test_tail_prints_captures_as_they_come(server, agent):
    id = clew(server, "probe", "add", agent.service, "app/pricing.py:87").stdout.strip()
    agent.desired(id)
    p = subprocess.Popen([harness.binary(), "probe", "tail", id, "--server", server.url, "--token", server.admin], stdout=subprocess.PIPE, text=True)
    got = []
    reader = threading.Thread(target=lambda: got.append(p.stdout.readline()))
    reader.start()

    def comes():  # until the stream is open
        agent.send(agent.capture(id))
        reader.join(0.2)
        assert got

    eventually(comes)
    p.kill()
    p.wait()
    assert json.loads(got[0])["probe"] == id


def test_remove_all_wants_to_be_told_so(server, agent):
    assert clew(server, "probe", "rm", status=2).stderr
    clew(server, "probe", "add", agent.service, "app/pricing.py:87")
    assert clew(server, "probe", "rm", "--service", agent.service).stdout == "1\n"


def test_what_counts_is_placed_listed_and_asked(server, agent):
    id = clew(server, "probe", "add", agent.service, "app/pricing.py:87", "--metric", "orders.total", "--value", "order.total", "--by", "tier=order.tier", "--by", "len(order.items)").stdout.strip()
    [told] = agent.desired(id)["probes"]
    assert told["kind"] == "metric" and told["metric"]["kind"] == "histogram" and list(told["metric"]["by"]) == ["tier", "len(order.items)"]
    agent.state(id)
    agent.say("counts", counts=[{"probe": id, "process": "1-100", "hits": 9, "filtered": 2, "captured": 7, "dropped": {}, "errors": 0, "ns": 1}])
    agent.send(agent.figures(id, "histogram", {"by": {"tier": "gold"}, "count": 7, "sum": 70, "min": 1, "max": 50, "buckets": [3, 4], "new": True}, since=10, bounds=[10], name="orders.total"))
    agent.wait("ack")
    shown = clew(server, "probe", "show", id).stdout
    assert "orders.total (histogram of order.total) by tier, len(order.items)" in shown and "hits used" not in shown
    words = next(line for line in shown.splitlines() if line.startswith("points")).split("'")[1]
    assert lines(clew(server, "query", words + " | stats increase(count) as n", "--json"))[0] == {"n": 7}
    assert clew(server, "probe", "ls", "--service", agent.service).stdout.split(id)[1].split()[5] == "7"


def test_a_timer_measures_a_function(server, agent):
    id = clew(server, "probe", "add", agent.service, "app/pricing.py:apply()", "--timer").stdout.strip()
    [told] = agent.desired(id)["probes"]
    assert told["where"] == {"file": "app/pricing.py", "function": "apply", "at": "exit"} and told["metric"] == {"kind": "histogram", "name": "probe.duration"}
    assert "probe.duration" in clew(server, "probe", "show", id).stdout


@pytest.mark.parametrize("words, where, listed", [
    (["--exception", "ValueError"], {"exception": "ValueError"}, "exception ValueError"),
    (["--exception", "*"], {"exception": "*"}, "any exception"),
    (["--uncaught"], {"exception": "*", "uncaught": True}, "uncaught exception"),
    (["--uncaught", "--exception", "shop.Refused"], {"exception": "shop.Refused", "uncaught": True}, "uncaught shop.Refused"),
    (["app/pricing.py", "--exception", "KeyError"], {"exception": "KeyError", "file": "app/pricing.py"}, "exception KeyError in app/pricing.py"),
    (["apply()", "--exception", "KeyError"], {"exception": "KeyError", "function": "apply"}, "exception KeyError in apply()"),
    (["app/pricing.py:apply()", "--exception", "*"], {"exception": "*", "file": "app/pricing.py", "function": "apply"}, "any exception in apply()"),
])
def test_an_exception_is_placed_with_or_without_a_place(server, agent, words, where, listed):
    id = clew(server, "probe", "add", agent.service, *words).stdout.strip()
    [told] = agent.desired(id)["probes"]
    assert (told["kind"], told["where"]) == ("exception", where)
    assert f" {listed} " in clew(server, "probe", "ls", "--service", agent.service).stdout
    assert f"where     {listed}\n" in clew(server, "probe", "show", id).stdout


@pytest.mark.parametrize("place", [[], ["app/pricing.py"]])
def test_the_service_of_an_exception_may_be_an_option(server, agent, place):
    id = clew(server, "probe", "add", *place, "--service", agent.service, "--uncaught", "--log", "{@exception}").stdout.strip()
    [told] = agent.desired(id)["probes"]
    assert told["kind"] == "log" and told["where"] == {"exception": "*", "uncaught": True, **({"file": place[0]} if place else {})}


@pytest.mark.parametrize("words, at, listed", [([], "entry", "apply()"), (["--exit", "--capture", "@return"], "exit", "apply() exit"), (["--throw"], "throw", "apply() throw")])
def test_a_function_is_probed_at_either_end(server, agent, words, at, listed):
    id = clew(server, "probe", "add", agent.service, "app/pricing.py:apply()", *words).stdout.strip()
    [told] = agent.desired(id)["probes"]
    assert told["kind"] == "snapshot" and told["where"] == {"file": "app/pricing.py", "function": "apply", "at": at}
    assert f"where     {listed}\n" in clew(server, "probe", "show", id).stdout


@pytest.mark.parametrize("words", [
    [], ["--exception", "ValueError"], ["--service", "shop"], ["shop", "a.py", "b.py", "--uncaught"], ["shop", "a.py", "--service", "shop", "--uncaught"],
    ["shop", "--exception", ""], ["shop", "--exception", "KeyError, ValueError"], ["shop", "--exception", "--uncaught"], ["shop", "a.py:3", "--exception", "KeyError"],
    ["shop", "a.py:0", "--uncaught"], ["shop", "", "--uncaught"], ["shop", "()", "--uncaught"], ["shop", "a.py", "--throw"], ["shop", "a.py:3", "--exit"],
    ["shop", "f()", "--throw", "--exit"], ["shop", "f()", "--throw", "--timer"], ["shop", "f()", "--throw", "--uncaught"], ["shop", "--exit", "--exception", "KeyError"],
    ["shop", "f()", "--timer", "--uncaught"]])
def test_what_is_no_place_of_an_exception_is_a_usage_error(server, words):
    assert clew(server, "probe", "add", *words, status=2).stderr.startswith("clew: ")
    assert clew(server, "probe", "ls", "--service", "shop").stdout == ""


@pytest.mark.parametrize("words", [["--value", "x"], ["--by", "x"], ["--as", "count"], ["--metric", "x", "--log", "y"], ["--timer", "--capture", "y"], ["--timer", "--value", "y"]])
def test_what_does_not_go_together_is_a_usage_error(server, words):
    assert clew(server, "probe", "add", "shop", "a.py:f()", *words, status=2).stderr.startswith("clew: ")
