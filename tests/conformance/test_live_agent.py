"""Live debugging end to end: `clew serve`, `clew agent`, and a shop in Flask under gunicorn that knows of neither. A probe goes in over REST, a
request goes through it, what it captured comes out of every door, and nothing is left behind whoever is killed."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.request

import pytest

import harness
import shop as otlp
from harness import eventually
from live_calls import ask, prepare, query
from real_agent import Agent, enrolment, installed, snapshots, states

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
TRACING = ROOT / ".setup/venv/lib/python3.11/site-packages"  # OpenTelemetry's; the servers' environments have none
SERVERS = sorted(ROOT.glob(".setup/venvs/3.11.*/bin/python"))
LINE = next(i for i, text in enumerate((HERE / "victim_shop.py").read_text().splitlines(), 1) if "return order.total" in text)
SERVICE = "shop-e2e"

pytestmark = pytest.mark.skipif(not SERVERS or not TRACING.is_dir() or os.geteuid() != 0, reason="needs root and an environment with gunicorn")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live-agent") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


class Shop:
    def __init__(self):
        self.port = harness.free_port()
        self.process = subprocess.Popen(
            [SERVERS[0], "-m", "gunicorn", "-w", "1", "--log-level", "warning", "-b", f"127.0.0.1:{self.port}", "victim_shop:app"], cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(TRACING), "OTEL_SERVICE_NAME": SERVICE, "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"})
        eventually(self.buy)

    def buy(self, total=200, trace=None):
        """One request; in a trace of its own."""
        trace = trace or os.urandom(16).hex()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{total}", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert float(answer.read()) == total * 0.9
        except OSError as e:
            raise AssertionError(e) from e
        return trace


@pytest.fixture(scope="module")
def shop():
    made = Shop()
    yield made
    assert made.process.poll() is None and made.buy()
    made.process.terminate()
    assert made.process.wait(60) == 0


@pytest.fixture
def agent(server, tmp_path):
    """An agent that is connected, and gone with the test. What a test puts into .now is ended in its place."""
    made = Agent(server, tmp_path / "state", enrolment(server))
    made.now = made
    try:
        eventually(lambda: instance(server))
        yield made
    finally:
        made.now.end()
    id = next(line.split()[1] for line in (tmp_path / "state/host").read_text().splitlines() if line.startswith("agent "))
    ask(server, "DELETE", f"/api/v1/agents/{id}", expect=204)


def instance(server):
    """The shop's worker, as the server knows it: the one whose parent is a process of the shop, too."""
    found = [i for i in ask(server, "GET", f"/api/v1/live/instances?service={SERVICE}")["instances"] if i["connected"]]
    assert len(found) == 2, found
    return max(found, key=lambda i: i["pid"])


def place(server, **more):
    return ask(server, "POST", "/api/v1/probes", {"service": SERVICE, "where": {"file": "victim_shop.py", "line": LINE}, **more}, 201)["id"]


def hits(server, id):
    return sum(i["hits"] for i in ask(server, "GET", f"/api/v1/probes/{id}")["instances"])


def test_from_a_probe_to_the_value_of_a_variable(server, shop, agent):
    found = instance(server)
    assert (found["runtime"], found["environment"], found["attachable"]) == ("python", "test", True)
    source = ask(server, "GET", f"/api/v1/live/source?service={SERVICE}&path=victim_shop.py")
    assert source["text"] == (HERE / "victim_shop.py").read_text()

    id = place(server)
    installed(server, id)
    assert states(server, id) == {"installed", "waiting"}  # gunicorn's master never loads the file
    trace = shop.buy(200)
    [row] = snapshots(server, 1, trace=trace)
    assert (row["probe"], row["service"], row["line"], row["function"]) == (id, SERVICE, LINE, "price")
    assert row["columns"] == {"customer": "Ada", "discount": "20"}

    whole = ask(server, "GET", f"/api/v1/snapshots/{row['id']}")
    values = {v["name"]: v["value"] for v in whole["frames"][0]["vars"]}
    order = dict(values["order"]["f"])
    assert values["order"]["t"] == "Order" and order["total"] == {"k": "int", "v": 200}
    assert order["card"]["why"] == "redacted"
    assert "4111" not in json.dumps(whole)
    assert [f["function"] for f in whole["frames"]][:2] == ["price", "home"]

    assert [r["trace"] for r in query(server, f"snapshots probe={id} vars.order.total>100")] == [trace]
    assert [r["span"] for r in query(server, f"snapshots trace={trace}")] == [row["span"]]
    assert query(server, f"snapshots probe={id} vars.order.total>200") == []

    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)
    eventually(lambda: untouched(server, shop))


def untouched(server, shop, id=None):
    """A request captures nothing, and (of a probe that is paused) is not even counted."""
    before = hits(server, id) if id else 0
    trace = shop.buy()
    mark = place(server, **{"if": "false"})  # what the request may have captured has come by the time that this one is told of
    installed(server, mark)
    ask(server, "DELETE", f"/api/v1/probes/{mark}", expect=204)
    assert ask(server, "GET", f"/api/v1/snapshots?trace={trace}")["snapshots"] == []  # at once: whoever waits for it asks again with another request
    assert (hits(server, id) if id else 0) == before


def test_hits_are_counted_and_limited(server, shop, agent):
    id = place(server, hits=2, rate=1000, burst=100)
    installed(server, id)
    for _ in range(5):
        shop.buy()
    snapshots(server, 2, probe=id)

    def done():
        assert ask(server, "GET", f"/api/v1/probes/{id}")["state"] == "done"

    eventually(done)
    assert len(snapshots(server, 2, probe=id)) == 2


def test_a_probe_that_is_paused_is_out_and_comes_back(server, shop, agent):
    id = place(server)
    installed(server, id)
    assert ask(server, "PATCH", f"/api/v1/probes/{id}", {"paused": True})["state"] == "paused"
    eventually(lambda: untouched(server, shop, id))
    ask(server, "PATCH", f"/api/v1/probes/{id}", {"paused": False})
    installed(server, id)
    snapshots(server, 1, trace=shop.buy())
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_a_line_without_code_is_refused_with_the_nearest(server, shop, agent):
    id = place(server, where={"file": "victim_shop.py", "line": LINE + 1})

    def refused():
        found = [i for i in ask(server, "GET", f"/api/v1/probes/{id}")["instances"] if i["state"] == "unresolvable"]
        assert [i["code"] for i in found] == ["no_code_at_line"] and LINE in found[0]["data"]["nearest"]

    eventually(refused)
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_a_killed_agent_leaves_nothing_and_its_successor_goes_on(server, shop, agent):
    id = place(server)
    installed(server, id)
    agent.process.send_signal(signal.SIGKILL)
    agent.process.wait()

    def unconnected():
        assert not any(i["connected"] for i in ask(server, "GET", f"/api/v1/live/instances?service={SERVICE}")["instances"])

    eventually(unconnected)
    shop.buy()  # with the probe's remains in it
    agent.now = Agent(server, agent.state)
    eventually(lambda: instance(server))
    installed(server, id)
    snapshots(server, 1, trace=shop.buy())
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)
    eventually(lambda: untouched(server, shop))


def test_a_server_that_starts_again_finds_its_probes_and_loses_no_capture(server, shop, agent):
    id = place(server, hits=10, rate=1000, burst=100)
    installed(server, id)
    first = shop.buy()
    snapshots(server, 1, trace=first)
    server.kill()
    second = shop.buy()  # captured while nobody is there to take it
    server.start()
    snapshots(server, 1, trace=second)
    snapshots(server, 1, trace=first)
    installed(server, id)
    snapshots(server, 1, trace=shop.buy())
    assert ask(server, "GET", f"/api/v1/probes/{id}")["hits_used"] == 3
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_an_enrolment_that_is_refused_says_why(server, tmp_path, agent):
    for token in ("clewa_wrong", None):
        state = tmp_path / f"other-{token}"
        r = subprocess.run([harness.binary(), "agent", "--state", state, *(["--server", server.url, "--token", token] if token else [])],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and "clew agents token" in r.stderr, r.stderr
    assert "the server refuses the enrolment: " in subprocess.run(
        [harness.binary(), "agent", "--state", tmp_path / "third", "--server", server.url, "--token", "clewa_wrong"], capture_output=True, text=True, timeout=60).stderr
    for url in ("http://192.0.2.1:1", "https://"):  # a secret goes over no plain connection to elsewhere
        r = subprocess.run([harness.binary(), "agent", "--state", tmp_path / "fourth", "--server", url, "--token", "x"], capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and not (tmp_path / "fourth/host").exists(), r.stderr


def test_an_enrolment_token_that_has_expired_says_so(tmp_path):
    made = prepare(harness.Server(tmp_path / "data"))
    token = enrolment(made)
    assert made.stop() == 0
    with sqlite3.connect(tmp_path / "data/live.db") as db:  # an hour is over
        assert db.execute("UPDATE enrolment SET expires_ns = 1").rowcount == 1
    db.close()
    made.start()
    r = subprocess.run([harness.binary(), "agent", "--state", tmp_path / "state", "--server", made.url, "--token", token], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "it is for one use within an hour" in r.stderr and "`clew agents token` on the server makes another one" in r.stderr, r.stderr
    assert not (tmp_path / "state/host").exists() and ask(made, "GET", "/api/v1/agents")["agents"] == []
    assert made.stop() == 0


def test_an_agent_that_was_removed_says_so(server, tmp_path):
    made = Agent(server, tmp_path / "state", enrolment(server))

    def connected():
        assert "connected to" in made.words()

    eventually(connected)
    id = next(line.split()[1] for line in (tmp_path / "state/host").read_text().splitlines() if line.startswith("agent "))
    ask(server, "DELETE", f"/api/v1/agents/{id}", expect=204)

    def told():
        words = made.words()
        assert "this agent is not known any more" in words and "401" in words, words

    eventually(told)
    made.end()


def test_a_copy_of_an_agents_directory_is_found_out(server, tmp_path):
    """Taken while the host was away, and started first: from then on there are two of it."""
    made = Agent(server, tmp_path / "state", enrolment(server))
    host = lambda: next(a for a in ask(server, "GET", "/api/v1/agents")["agents"] if a["id"] == id)  # noqa: E731

    def connected():
        assert "connected to" in made.words()

    eventually(connected)
    made.end()
    subprocess.run(["cp", "-a", tmp_path / "state", tmp_path / "copy"], check=True)
    id = next(line.split()[1] for line in (tmp_path / "state/host").read_text().splitlines() if line.startswith("agent "))
    thief = Agent(server, tmp_path / "copy")
    made = thief
    eventually(connected)
    assert not host().get("copied")
    made = Agent(server, tmp_path / "state")

    def told():
        assert "with this host's key" in made.words() and host()["copied"]["why"] == "turn"

    eventually(told)
    made.end(), thief.end()
    ask(server, "DELETE", f"/api/v1/agents/{id}", expect=204)


def certificate(folder, name):
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key


def connect_tls(cert):
    """What harness.Server asks with: it trusts this certificate alone."""
    context = ssl.create_default_context(cafile=cert)

    def connection(host, port, timeout):
        return http.client.HTTPSConnection("localhost", port, timeout=timeout, context=context)

    return connection


def test_a_server_with_another_key_is_not_spoken_to(tmp_path, monkeypatch):
    """Pinned at the enrolment: a certificate that everybody trusts is not enough afterwards."""
    made = harness.Server(tmp_path / "data")
    open_to_all = pathlib.Path(tempfile.mkdtemp())  # the network process has no privileges
    open_to_all.chmod(0o755)
    monkeypatch.setenv("SSL_CERT_FILE", str(open_to_all / "ca.pem"))
    for name in ("one", "two"):
        cert, key = certificate(tmp_path, name)
        monkeypatch.setattr(http.client, "HTTPConnection", connect_tls(cert))
        shutil.copy(cert, open_to_all / "ca.pem")
        made.options = ["--tls-cert", str(cert), "--tls-key", str(key)]
        if name == "one":
            prepare(made)
            agent = Agent(made, tmp_path / "state", enrolment(made), f"https://localhost:{made.port}")
        else:
            made.start()
            agent = Agent(made, tmp_path / "state")

        def told():
            words = agent.words()
            assert ("connected to https://" if name == "one" else "key") in words and ("connected to" in words) == (name == "one"), words

        eventually(told)
        if name == "two":
            assert not any(a["connected"] for a in ask(made, "GET", "/api/v1/agents")["agents"])
            assert "pinned" in agent.words()
        agent.end()
        assert made.stop() == 0
    shutil.rmtree(open_to_all)


def test_a_log_line_from_outside_is_a_log_record_of_its_trace(server, shop, agent):
    id = place(server, kind="log", log={"level": "warn", "template": "total {order.total} of {customer}"}, **{"if": "order.total > 250"})
    installed(server, id)
    shop.buy(200)
    trace = shop.buy(300)

    def logged():
        [row] = query(server, f"logs trace={trace}") or [None]
        assert row and row["body"] == "total 300 of Ada", row
        assert (row["service"], row["level"]) == (SERVICE, "warn") and row["span"]

    eventually(logged)
    assert [r["trace"] for r in query(server, f"logs probe={id}")] == [trace]
    eventually(lambda: counted(server, id))
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def ended(server, trace, failed, ms=20):
    """What the shop's own tracing would send: it exports nothing."""
    span = otlp.span("GET /", trace[-16:], time.time_ns() - 10**9, ms, kind=2, trace=trace, status={"code": 2} if failed else None)
    body = json.dumps({"resourceSpans": [otlp.resource(SERVICE, "spans", [span])]})
    assert server.request("POST", "/v1/traces", body, {"Content-Type": "application/json"}, token=None)[0] == 200


def test_only_captures_of_traces_that_fail_are_kept(server, shop, agent):
    failing, slow = place(server, keep="trace_error"), place(server, keep="trace_slow", keep_ms=500)
    installed(server, failing)
    installed(server, slow)
    fine, failed, late, nobody = (shop.buy(total) for total in (200, 300, 400, 500))
    ended(server, fine, False)
    ended(server, failed, True)
    ended(server, late, False, ms=900)  # nothing ever comes of the last one

    def decided():
        found = {id: {r["trace"] for r in ask(server, "GET", f"/api/v1/snapshots?probe={id}")["snapshots"]} for id in (failing, slow)}
        assert found == {failing: {failed}, slow: {late}}, found
        for id in (failing, slow):
            got = ask(server, "GET", f"/api/v1/probes/{id}")
            assert got["hits_used"] == 1  # what is let go uses none up
            row = next(i for i in got["instances"] if i["hits"])
            assert (row["hits"], row["filtered"], row["dropped"]) == (4, 2, 0), row  # and the last one is still waited for

    eventually(decided, 120)
    [row] = snapshots(server, 1, trace=failed)
    whole = ask(server, "GET", f"/api/v1/snapshots/{row['id']}")
    values = {v["name"]: v["value"] for v in whole["frames"][0]["vars"]}
    assert dict(values["order"]["f"])["total"] == {"k": "int", "v": 300}  # as it was at the hit
    for id in (failing, slow):
        ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def counted(server, id):
    assert sum(i["filtered"] for i in ask(server, "GET", f"/api/v1/probes/{id}")["instances"]) == 1


def test_a_condition_and_a_capture_are_evaluated_in_the_shop(server, shop, agent):
    id = place(server, exprs=["order.total / 4", "customer"], **{"if": "order.total > 250"})
    installed(server, id)
    shop.buy(200)
    trace = shop.buy(300)
    [row] = snapshots(server, 1, probe=id)
    assert row["trace"] == trace
    whole = ask(server, "GET", f"/api/v1/snapshots/{row['id']}")
    assert [(e["text"], e["value"]["v"]) for e in whole["exprs"]] == [("order.total / 4", 75), ("customer", "Ada")]
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_a_metric_is_counted_in_the_shop(server, shop, agent):
    id = place(server, kind="metric", metric={"kind": "histogram", "name": "shop.totals", "value": "order.total", "by": {"who": "customer"}})
    installed(server, id)
    for total in (100, 200, 300):
        shop.buy(total)

    def counted():
        assert query(server, f"metrics name=shop.totals probe={id} | stats increase(count) as n, increase(sum) as s by who, service") == [
            {"n": 3, "s": 600, "who": "Ada", "service": SERVICE}]

    eventually(counted)
    assert ask(server, "GET", f"/api/v1/probes/{id}")["hits_used"] == 0
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)
    eventually(lambda: untouched(server, shop))


def test_a_second_probe_of_a_line_leaves_the_first_one_in(server, shop, agent):
    first = place(server, rate=1000, burst=100)
    installed(server, first)
    snapshots(server, 1, trace=shop.buy())
    second = place(server, rate=1000, burst=100)
    installed(server, second)
    found = snapshots(server, 2, trace=shop.buy())
    assert {s["probe"] for s in found} == {first, second}
    ask(server, "DELETE", f"/api/v1/probes/{second}", expect=204)

    def first_alone():
        assert {s["probe"] for s in snapshots(server, 1, trace=shop.buy())} == {first}

    eventually(first_alone)
    ask(server, "DELETE", f"/api/v1/probes/{first}", expect=204)


@pytest.mark.parametrize("sdk", ["", ".setup/sdks/python-1"], ids=["2", "1"])
def test_a_capture_is_in_the_trace_of_sentrys_sdk(server, shop, agent, sdk):
    name = "sentry-" + os.urandom(3).hex()
    program = subprocess.Popen([ROOT / ".setup/venv/bin/python", HERE / "victim_sentry.py"], stdin=subprocess.DEVNULL,
                               env={**os.environ, "OTEL_SERVICE_NAME": name, "PYTHONPATH": str(ROOT / sdk) if sdk else ""})
    try:
        line = next(i for i, text in enumerate((HERE / "victim_sentry.py").read_text().splitlines(), 1) if text.endswith("# here"))
        id = ask(server, "POST", "/api/v1/probes", {"service": name, "where": {"file": "victim_sentry.py", "line": line}, "rate": 10}, 201)["id"]

        def some():
            found = ask(server, "GET", f"/api/v1/snapshots?probe={id}")["snapshots"]
            assert len(found) > 4
            return found

        for row in eventually(some):
            assert row["columns"]["said"] == f"{row['trace']} {row['span']}"
    finally:
        program.kill()
        program.wait()


MODERN = ROOT / ".setup/venvs/3.14.3/bin/python"
NODE = ROOT / ".setup/nodes/22/node_modules/node/bin/node"


def raising(*words):
    name = "raises-" + os.urandom(3).hex()
    return name, subprocess.Popen([MODERN, HERE / "victim_raises.py", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  env={**os.environ, "OTEL_SERVICE_NAME": name, "PYTHONPATH": str(TRACING)})


def refusals(server, name):
    """Two snapshots of what it raises, by a probe that has ended then."""
    eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])
    body = {"service": name, "where": {"exception": "ValueError", "file": "victim_raises.py"}, "kind": "exception", "hits": 2}
    return snapshots(server, 2, probe=ask(server, "POST", "/api/v1/probes", body, 201)["id"])


@pytest.mark.skipif(not MODERN.exists(), reason="needs Python 3.14")
def test_an_exception_of_a_program_without_an_sdk_is_an_issue(server, shop, agent):
    name, program = raising()
    try:
        found = refusals(server, name)
        rows = eventually(lambda: [r for r in [query(server, f"events service={name}")] if len(r) == 2][0])
        assert {r["event_id"] for r in rows} == {s["event"] for s in found}
        event = ask(server, "GET", f"/api/v1/events/{rows[0]['event_id']}")
        assert (event["title"], event["platform"], event["exceptions"][0]["type"]) == ("Refused: no charge of 42", "python", "Refused")
        inner, outer = event["exceptions"][0]["frames"]
        assert (inner["function"], inner["vars"]["total"], inner["vars"]["order"]["total"], outer["function"]) == ("charge", 42, 21, "<module>")
        assert "4111" not in json.dumps(event) and inner["vars"]["card"] == "<redacted>"
        issue = eventually(lambda: [i for i in [ask(server, "GET", f"/api/v1/issues/{event['issue']}")] if i["events"] == 2][0])
        assert issue["services"] == [name]
    finally:
        program.kill()
        program.wait()


@pytest.mark.skipif(not MODERN.exists(), reason="needs Python 3.14")
def test_beside_sentrys_sdk_its_own_events_are_all_there_are(server, shop, agent):
    dsn = server.cli("project", "dsn", "default").strip()
    name, program = raising("sdk", dsn)
    try:
        found = refusals(server, name)
        assert not any("event" in s for s in found)
        # The SDK's own are there; none is the server's.
        eventually(lambda: query(server, "events type=Refused sdk.name=sentry.python")[1])
        assert query(server, f"events service={name}") == query(server, "events sdk.name=clew.probe clew.probe=" + found[0]["probe"]) == []
    finally:
        program.kill()
        program.wait()


@contextlib.contextmanager
def running(server, *words):
    """A program that says "up" once it has come to its loop, as soon as the server knows of it, too; the name of its service."""
    name = "runs-" + os.urandom(3).hex()
    program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "OTEL_SERVICE_NAME": name})
    try:
        assert program.stdout.readline() == "up\n"
        eventually(lambda: ask(server, "GET", f"/api/v1/live/instances?service={name}")["instances"][0])
        yield name
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


@pytest.mark.skipif(not MODERN.exists() or not NODE.exists(), reason="needs Python 3.14 and Node 22")
@pytest.mark.parametrize("words", [[MODERN, HERE / "victim_dies.py"], [NODE, HERE / "victim_dies.js"]], ids=["python", "node"])
def test_what_nobody_catches_is_an_unhandled_issue(server, shop, agent, words):
    with running(server, *words) as name:
        probe = ask(server, "POST", "/api/v1/probes", {"service": name, "where": {"exception": "*", "uncaught": True}, "kind": "exception", "hits": 1}, 201)["id"]
        found = snapshots(server, 1, probe=probe)[0]
        event = eventually(lambda: ask(server, "GET", f"/api/v1/events/{found['event']}"))
        assert (event["title"], event["handled"], event["service"], event["contexts"]["probe"]["id"]) == ("Refused: no charge of 42", False, name, probe)
        assert event["exceptions"][0]["frames"][0]["in_app"]


@pytest.fixture
def threads(server, agent):
    """A program of Node that runs the same in three threads; the name of its service."""
    with running(server, NODE, HERE / "victim_threads.js") as name:
        yield name


@pytest.mark.skipif(not NODE.exists(), reason="needs Node 22")
def test_a_line_in_node_is_counted_before_a_probe_is_placed(server, shop, threads):
    got = eventually(lambda: ask(server, "GET", f"/api/v1/live/forecast?service={threads}&path=victim_threads.js&line=5"))
    assert got["hits_per_s"] > 0 and got["cost_ns"] > 0 and not got["suspended"], got

    def refused():
        answer = ask(server, "GET", f"/api/v1/live/forecast?service={threads}&path=victim_threads.js&line=1", expect=504)
        assert "no statement begins at this line" in answer["error"]["message"]  # and not that the agent has not answered

    eventually(refused)


@pytest.mark.skipif(not NODE.exists(), reason="needs Node 22")
@pytest.mark.parametrize("hits", [1, 7, 40])
def test_a_probe_in_worker_threads_has_exactly_its_hits(server, shop, threads, hits):
    body = {"service": threads, "where": {"file": "victim_threads.js", "line": 5}, "kind": "snapshot", "hits": hits, "rate": 50, "burst": 200}
    probe = ask(server, "POST", "/api/v1/probes", body, 201)["id"]
    eventually(lambda: [p for p in [ask(server, "GET", f"/api/v1/probes/{probe}")] if p["state"] == "done"][0])
    found = snapshots(server, hits, probe=probe)
    # None comes after the last one: the calls are out of all three threads by then.
    again = {"service": threads, "where": {"file": "victim_threads.js", "line": 6}, "kind": "snapshot", "hits": 1}
    snapshots(server, 1, probe=ask(server, "POST", "/api/v1/probes", again, 201)["id"])
    assert len(ask(server, "GET", f"/api/v1/snapshots?probe={probe}&limit=500")["snapshots"]) == len(found) == hits


@pytest.mark.skipif(not NODE.exists() or not (HERE / "node_modules/@sentry/node").exists(), reason="needs Node 22 and Sentry's SDK")
def test_beside_sentrys_sdk_in_node_too(server, shop, agent):
    dsn = server.cli("project", "dsn", "default").strip()
    with running(server, NODE, HERE / "victim_dies.js", "sdk", dsn) as name:
        probe = ask(server, "POST", "/api/v1/probes", {"service": name, "where": {"exception": "*", "uncaught": True}, "kind": "exception", "hits": 1}, 201)["id"]
        assert "event" not in snapshots(server, 1, probe=probe)[0]
        eventually(lambda: query(server, "events sdk.name=sentry.javascript.node")[0])
        assert query(server, f"events clew.probe={probe}") == []
