"""clew agent against a server made of another's WebSocket: enrolment, the protocol, and what survives a kill."""
import datetime
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

import harness
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.datastructures import Headers
from websockets.server import ServerProtocol
from websockets.sync.server import serve

PROGRAM = """
import time
def work(order):
    total = order["n"] * 2
    return total
n = 0
print("ready", flush=True)
while True:
    n += 1
    work({"n": n})
    time.sleep(0.01)
"""


class FakeServer:
    """Takes one agent; what it says comes out of a queue."""

    def __init__(self):
        self.said, self.early, self.ws, self.auth, self.lease = queue.Queue(), [], None, None, {"lease_s": 90, "heartbeat_s": 15}
        self.server = serve(self.handle, "127.0.0.1", 0, compression=None, max_size=None, process_request=self.request)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def request(self, ws, request):
        self.auth = request.headers.get("Authorization")
        if self.auth != "Bearer s3cret":
            return Response(401, "Unauthorized", Headers(), b"")
        return None

    def handle(self, ws):
        self.ws = ws
        ws.send(json.dumps({"type": "welcome", "agent": "a1", **self.lease}, separators=(",", ":")))
        try:
            for m in ws:
                self.said.put(json.loads(m))
        except ConnectionClosed:
            pass

    def send(self, message):
        self.ws.send(json.dumps(message, separators=(",", ":")))

    def wait(self, kind, fits=lambda m: True):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            m = self.said.get(timeout=60)
            if m["type"] == kind and fits(m):
                return m
            if m["type"] == "captures":
                self.early += m["captures"]
        raise AssertionError(f"the agent has said much, and no {kind} that fits")


@pytest.fixture
def victim(tmp_path):
    program = tmp_path / "work.py"
    program.write_text(PROGRAM)
    p = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "OTEL_SERVICE_NAME": "shop",
                              "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.2,deployment.environment.name=test%20bed"})
    assert p.stdout.readline() == "ready\n"
    p.file = str(program)
    yield p
    assert p.poll() is None, "the agent has killed its target"
    p.kill()
    p.wait()


STARTED = []


def agent(state, *options):
    STARTED.append(subprocess.Popen([harness.binary(), "agent", "--state", state, *options], stderr=subprocess.PIPE, text=True))
    return STARTED[-1]


@pytest.fixture
def enrolled(tmp_path):
    """A state directory as an enrolment leaves it, and its server."""
    server = FakeServer()
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "host").write_text(f"server http://127.0.0.1:{server.port}\nagent a1\nsecret s3cret\n")
    (state / "host").chmod(0o600)
    server.state = state
    yield server
    while STARTED:  # of a test that failed
        p = STARTED.pop()
        if p.poll() is None:
            p.terminate()
            p.wait(60)
    server.server.shutdown()


def end(p):
    p.send_signal(signal.SIGTERM)
    assert p.wait(60) == 0, p.stderr.read()


def of(pid):
    return lambda m: any(p["pid"] == pid for p in m["processes"])


def test_hello_and_processes(enrolled, victim):
    p = agent(enrolled.state)
    hello = enrolled.wait("hello")
    assert hello["protocol"] == 1 and hello["agent"]["pid"] == p.pid and hello["policy"] == {"shapes": False, "patch": False}
    found = next(x for x in enrolled.wait("processes", of(victim.pid))["processes"] if x["pid"] == victim.pid)
    assert (found["service"], found["version"], found["environment"], found["runtime"]) == ("shop", "1.2", "test bed", "python")
    enrolled.send({"type": "resolve", "request": 7, "process": "1-1", "what": "files"})
    assert enrolled.wait("resolved")["error"]["code"] == "no_process"
    status = subprocess.run([harness.binary(), "agent", "status", "--state", enrolled.state], capture_output=True, text=True)
    assert status.returncode == 0 and ": connected" in status.stdout
    second = subprocess.run([harness.binary(), "agent", "--state", enrolled.state], capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "another agent runs on this host" in second.stderr
    end(p)


def test_a_welcome_that_comes_with_the_handshake_is_taken(tmp_path):
    """In the same segment: nothing more comes for a while by which the descriptor would become readable."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (tmp_path / "host").write_text(f"server http://127.0.0.1:{listening.getsockname()[1]}\nagent a1\nsecret s3cret\n")
        (tmp_path / "host").chmod(0o600)
        tmp_path.chmod(0o700)
        p = agent(tmp_path)
        connection, _ = listening.accept()
        with connection:
            protocol, welcome = ServerProtocol(), b'{"type":"welcome","agent":"a1","lease_s":90,"heartbeat_s":15}'
            while not (events := protocol.events_received()):
                protocol.receive_data(connection.recv(65536))
            protocol.send_response(protocol.accept(events[0]))
            protocol.send_text(welcome)
            connection.sendall(b"".join(protocol.data_to_send()))
            told = next(line for line in p.stderr if "connect" in line)
            assert "connected to http://" in told  # and not, some time later, that it is silent
            end(p)


def test_a_process_that_becomes_another_is_found(enrolled, victim):
    """A program run by a process that was known as something else (a script that waits, then `exec`), and one that has the number of one that ended."""
    late = subprocess.Popen(["sh", "-c", f"read go; exec {sys.executable} {victim.file}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True, env={**os.environ, "OTEL_SERVICE_NAME": "late"})
    p = agent(enrolled.state)
    first = enrolled.wait("processes", of(victim.pid))
    assert late.pid not in {x["pid"] for x in first["processes"]}
    late.stdin.write("go\n")
    late.stdin.flush()
    assert next(x for x in enrolled.wait("processes", of(late.pid))["processes"] if x["pid"] == late.pid)["service"] == "late"

    pid, numbers = late.pid, open("/proc/sys/kernel/ns_last_pid", "w") if os.geteuid() == 0 else None
    late.kill()
    late.wait()
    for _ in range(50 if numbers else 0):  # others take numbers, too
        os.pwrite(numbers.fileno(), str(pid - 1).encode(), 0)
        again = subprocess.Popen([sys.executable, victim.file], stdout=subprocess.DEVNULL, env={**os.environ, "OTEL_SERVICE_NAME": "again"})
        if again.pid == pid:
            enrolled.wait("processes", lambda m: any((x["pid"], x["service"]) == (pid, "again") for x in m["processes"]))
        again.kill()
        again.wait()
        if again.pid == pid:
            break
    enrolled.wait("processes", lambda m: all(x["pid"] != pid for x in m["processes"]))
    end(p)


def test_a_hostile_server_does_not_end_the_agent(enrolled, victim):
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    for text in ('{"type":"desired"', '{"type":"desired","probes":{}}', '{"type":"desired","probes":[1,{},{"id":"' + "x" * 9999 + '"}]}',
                 "[" * 5000, '{"type":"grant","probe":5,"hits":-1}', '{"type":"ack","ids":[1,{},"nope"]}', "", "null", '{"type":5}'):
        enrolled.ws.send(text)
    enrolled.ws.send(b"\0binary")
    enrolled.send({"type": "resolve", "request": "still there", "process": "x", "what": "?"})
    assert enrolled.wait("resolved")["request"] == "still there"
    # What it cannot take is told of, and what stands beside it works.
    enrolled.send({"type": "desired", "revision": 7, "probes": [probe(victim, id="p2", keep="trace_of_a_newer_server"), probe(victim, id="p3", frames=10**9), probe(victim)]})
    told = {}
    while set(told) < {"p2", "p3"}:
        told |= {s["probe"]: s for s in enrolled.wait("states")["states"] if s["state"] == "error"}
    assert all(s["code"] == "invalid_probe" and s["process"].startswith(f"{victim.pid}-") for s in told.values())
    assert "keep is an unknown word" in told["p2"]["message"] and "frames is out of its range" in told["p3"]["message"]
    assert {c["probe"] for c in captures(enrolled, 2)} == {"p1"}
    end(p)


@pytest.mark.parametrize("frame", [
    b"\x81\x7f" + b"\xff" * 8,  # a length of 2^64-1
    b"\x81\x7f\x00\x00\x00\x00\x7f\xff\xff\xff",  # two gigabytes are announced
    b"\xc1\x02{}",  # a bit that nobody has agreed on
    b"\x80\x02{}",  # the rest of nothing
    b"\x89\x7e\x01\x00" + b"x" * 256,  # a ping that is too long
    b"\x81\x82\x00\x00\x00\x00{}",  # a server masks nothing
    b"\x81\x02\xff\xfe",  # no UTF-8
    b"\x01\x01{" * 3,  # a message within another
], ids=["length", "announced", "reserved", "continuation", "ping", "masked", "utf8", "nested"])
def test_a_hostile_frame_costs_the_connection_alone(enrolled, victim, frame):
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.ws.socket.sendall(frame)
    enrolled.wait("hello")  # of the next one
    enrolled.wait("processes", of(victim.pid))
    end(p)


def test_a_connection_that_breaks_is_made_again(enrolled, victim):
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.ws.close()
    enrolled.wait("hello")
    enrolled.wait("processes", of(victim.pid))
    end(p)


def test_the_policy_beats_the_server(enrolled, victim, tmp_path):
    policy = tmp_path / "agent.conf"
    policy.write_text("# ours\nservices = other-*\nvalues = shapes\npatch = off\n")
    p = agent(enrolled.state, "--policy", policy)
    assert enrolled.wait("hello")["policy"]["shapes"]
    assert enrolled.wait("policy")["policy"] == {"shapes": True, "patch": False, "services": ["other-*"]}
    found = next(x for x in enrolled.wait("processes", of(victim.pid))["processes"] if x["pid"] == victim.pid)
    assert not found["attachable"] and found["code"] == "policy"
    # Read again while it runs; with a mistake in it nothing changes.
    policy.write_text("services = shop\nenvironments = !prod*, !-\nnonsense\n")
    p.send_signal(signal.SIGHUP)
    assert any("agent.conf:3" in line for line in p.stderr)
    policy.write_text("services = shop\nenvironments = !prod*, !-\nshapes-environments = test*\n")
    p.send_signal(signal.SIGHUP)
    assert enrolled.wait("policy")["policy"] == {"shapes": False, "patch": False, "services": ["shop"], "environments": ["!prod*", "!-"], "shapes_environments": ["test*"]}
    enrolled.wait("processes", lambda m: any(x["pid"] == victim.pid and x["attachable"] for x in m["processes"]))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, grant=1)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    total = next(v["value"] for v in captures(enrolled, 1)[0]["frames"][0]["vars"] if v["name"] == "total")
    assert total["k"] == "int" and "v" not in total
    # What it forbids now is taken out of the process at once, and says why.
    policy.write_text("environments = prod*\n")
    p.send_signal(signal.SIGHUP)
    refused = enrolled.wait("states", lambda m: any(s.get("code") == "policy" for s in m["states"]))["states"]
    assert [(s["state"], s["message"]) for s in refused if s.get("code")] == [("error", "this host's policy leaves this environment out")]
    end(p)
    policy.write_text("\nuser = root\n")
    bad = subprocess.run([harness.binary(), "agent", "--state", enrolled.state, "--policy", policy], capture_output=True, text=True, timeout=60)
    assert bad.returncode == 1 and "agent.conf:2" in bad.stderr and "there is no setting" in bad.stderr


def test_without_an_enrolment_it_says_what_to_do(tmp_path):
    r = subprocess.run([harness.binary(), "agent", "--state", tmp_path / "none"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "not enrolled" in r.stderr and "--token" in r.stderr


def probe(victim, **more):
    expires = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": "p1", "revision": 1, "kind": "snapshot", "where": {"file": victim.file, "line": 5}, "match": "follow",
            "frames": 5, "frames_vars": 2, "locals": True, "args": True, "scope": {"service": "shop", "instances": "all"},
            "expires": expires, "hits": 20, "grant": 2, "rate": 5, "burst": 5, **more}


def captures(server, n):
    """Also those that came while something else was waited for: the first hit may be told before the state."""
    got, server.early = server.early, []
    while len(got) < n:
        got += server.wait("captures")["captures"]
    return got


def test_a_probe_captures_what_was_granted_and_leaves(enrolled, victim):
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 4, "probes": [probe(victim)]})
    state = enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    assert state["revision"] == 4 and state["states"][0]["probe"] == "p1"
    got = captures(enrolled, 2)
    assert [(c["probe"], c["line"], c["function"]) for c in got] == [("p1", 5, "work")] * 2
    assert {v["name"] for v in got[0]["frames"][0]["vars"]} >= {"order", "total"}
    # Neither was acknowledged: a killed agent's successor sends both again, with the ids that they had.
    p.kill()
    p.wait()
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))  # first, because captures name them
    again = captures(enrolled, 2)
    assert [c["id"] for c in again] == [c["id"] for c in got]
    enrolled.send({"type": "ack", "ids": [c["id"] for c in again]})
    enrolled.send({"type": "desired", "revision": 5, "probes": [probe(victim, revision=2, grant=1)]})
    assert captures(enrolled, 1)[0]["id"] not in {c["id"] for c in got}
    enrolled.send({"type": "desired", "revision": 6, "probes": []})
    enrolled.wait("states", lambda m: any(s["state"] == "removed" for s in m["states"]))
    end(p)


def enrolled_in(state):
    server = FakeServer()
    state.mkdir(mode=0o700)
    (state / "host").write_text(f"server http://127.0.0.1:{server.port}\nagent a1\nsecret s3cret\n")
    (state / "host").chmod(0o600)
    server.state = state
    return server


def test_a_process_is_one_agents(enrolled, victim, tmp_path):
    """Of three agents on a host one has its probes in a process; the others say so, and one of them takes over when it is killed."""
    servers = [enrolled, enrolled_in(tmp_path / "second"), enrolled_in(tmp_path / "third")]
    agents = [agent(s.state) for s in servers]
    for s in servers:
        s.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, grant=1000, hits=10000)]})
    captures(enrolled, 1)
    for s in servers[1:]:
        s.send({"type": "desired", "revision": 1, "probes": [probe(victim)]})
        states = s.wait("states", lambda m: any(x["state"] == "error" for x in m["states"]))["states"]
        told = next(x for x in states if x["state"] == "error")
        assert told["code"] == "other_agent" and "another agent on this host" in told["message"]
    captures(enrolled, 1)  # nobody has disturbed it
    agents[0].kill()
    agents[0].wait()
    agents[1].terminate()
    assert agents[1].wait(60) == 0  # it has none, and leaves
    captures(servers[2], 2)
    end(agents[2])
    for s in servers[1:]:
        s.server.shutdown()


def test_a_kill_while_it_works_on_three_processes(enrolled, victim):
    """At several moments of placing probes in three processes at once: all of them run on, and the next agent places its own."""
    env = {**os.environ, "OTEL_SERVICE_NAME": "shop"}
    victims = [victim] + [subprocess.Popen([sys.executable, victim.file], stdout=subprocess.PIPE, text=True, env=env) for _ in range(2)]
    assert all(v.stdout.readline() == "ready\n" for v in victims[1:])
    everybody = lambda m: {v.pid for v in victims} <= {p["pid"] for p in m["processes"]}  # noqa: E731
    try:
        for n in range(4):
            p = agent(enrolled.state)
            enrolled.wait("processes", everybody)
            enrolled.send({"type": "desired", "revision": n, "probes": [probe(victim, revision=2 * n + 1, grant=1000, hits=10000)]})
            if n:  # as soon as the first has got so far, the others are under way
                enrolled.wait("states", lambda m: n < 3 or any(s["state"] == "installed" for s in m["states"]))
            threading.Event().wait(0.01 * n)
            p.kill()
            p.wait()
            assert all(v.poll() is None for v in victims)
        p = agent(enrolled.state)
        enrolled.wait("processes", everybody)
        enrolled.early = []
        enrolled.send({"type": "desired", "revision": 9, "probes": [probe(victim, revision=99, grant=1000, hits=10000)]})
        seen, until = set(), time.monotonic() + 120
        while len(seen) < 3:
            assert time.monotonic() < until, seen
            seen |= {c["process"] for c in captures(enrolled, 1) if c["revision"] == 99}
        end(p)
        assert all(v.poll() is None for v in victims)
    finally:
        for v in victims[1:]:
            v.kill()
            v.wait()


def test_a_lease_that_lapses_takes_every_probe_out(enrolled, victim):
    """The server is there and does not answer: after its lease nothing is left in the target, and all of it comes back with the server."""
    enrolled.lease = {"lease_s": 3, "heartbeat_s": 1}
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, grant=1, hits=1)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    captures(enrolled, 1)
    protocol = enrolled.ws.protocol  # of this connection: on a slow machine the next one is there before it answers again
    send_frame, protocol.send_frame = protocol.send_frame, lambda frame: None  # no pong
    enrolled.wait("states", lambda m: any((s["state"], s.get("code")) == ("removed", "lease_expired") for s in m["states"]))
    protocol.send_frame = send_frame
    enrolled.wait("states", lambda m: any(s["state"] != "removed" for s in m["states"]))  # with the server it is wanted again
    end(p)


def test_a_set_that_cannot_be_read_takes_every_probe_out(enrolled, victim):
    """Which are wanted is not known any more: none stays, the server is told why, and the next set is placed."""
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    enrolled.ws.send('{"type":"desired","revision":2,"probes":[{"id":"p1",]}')
    assert enrolled.wait("unread")["message"]
    enrolled.wait("states", lambda m: any((s["probe"], s["state"]) == ("p1", "removed") for s in m["states"]))
    enrolled.send({"type": "desired", "revision": 3, "probes": [probe(victim, revision=2)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    end(p)


def test_a_set_names_as_many_processes_as_a_host_has(enrolled, victim):
    p = agent(enrolled.state)
    found = next(x for x in enrolled.wait("processes", of(victim.pid))["processes"] if x["pid"] == victim.pid)
    processes = [f"{n}-1" for n in range(4095)] + [found["id"]]
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, scope={"service": "shop", "processes": processes})]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    end(p)


def test_more_hits_are_granted_while_it_stands(enrolled, victim):
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, rate=100)]})
    first = captures(enrolled, 2)
    enrolled.wait("counts", lambda m: any(c["dropped"]["grant"] > 0 for c in m["counts"]))
    enrolled.send({"type": "grant", "probe": "p1", "hits": 3})
    assert len({c["id"] for c in first + captures(enrolled, 3)}) == 5
    end(p)


def test_a_network_process_that_is_ended_comes_back(enrolled, victim):
    """As a system call that it may not make ends it (tests/agent/test_sandbox.c): the helper takes the probes out, and they come back with the next one."""
    p = agent(enrolled.state)
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 1, "probes": [probe(victim, grant=1)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    captures(enrolled, 1)

    def network():
        return int(open(f"/proc/{p.pid}/task/{p.pid}/children").read().split()[0])

    def of_process(pid, name):
        return next(line.split()[1] for line in open(f"/proc/{pid}/status") if line.startswith(name + ":"))

    assert of_process(network(), "NoNewPrivs") == "1" and int(of_process(network(), "CapEff"), 16) == 0
    status = subprocess.run([harness.binary(), "agent", "status", "--state", enrolled.state], capture_output=True, text=True).stdout
    filtered = " are filtered\n" in status
    assert filtered or "not filtered: this is a build with sanitizers" in status
    assert [of_process(pid, "Seccomp") for pid in (network(), p.pid)] == ["2" if filtered else "0"] * 2
    threading.Event().wait(11)  # what falls at once is not started again
    first = network()
    os.kill(first, signal.SIGSYS)
    enrolled.wait("hello")
    assert network() != first and victim.poll() is None
    enrolled.wait("processes", of(victim.pid))
    enrolled.send({"type": "desired", "revision": 2, "probes": [probe(victim, revision=2, grant=1)]})
    captures(enrolled, 1)
    os.kill(network(), signal.SIGSYS)
    assert p.wait(60) == 1 and "made a system call that it may not" in p.stderr.read()


NODE = """
function work(order) {
  const total = order.n * 2;
  return total;
}
let n = 0;
setInterval(() => work({ n: ++n, password: "hunter2" }), 10);
console.log("ready");
"""


@pytest.fixture
def node_victim(tmp_path):
    program = tmp_path / "work.js"
    program.write_text(NODE)
    p = subprocess.Popen(["node", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "OTEL_SERVICE_NAME": "shop in node"})
    assert p.stdout.readline() == "ready\n"
    p.file = str(program)
    yield p
    assert p.poll() is None, "the agent has killed its target"
    p.kill()
    p.wait()


def test_a_probe_in_node(enrolled, node_victim):
    p = agent(enrolled.state)
    found = next(x for x in enrolled.wait("processes", of(node_victim.pid))["processes"] if x["pid"] == node_victim.pid)
    assert (found["service"], found["runtime"], found["attachable"]) == ("shop in node", "node", True)
    enrolled.send({"type": "desired", "revision": 4, "probes": [probe(node_victim, where={"file": "work.js", "line": 4}, scope={"service": "shop in node"}, hits=2)]})
    enrolled.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
    got = captures(enrolled, 2)
    assert [(c["probe"], c["line"], c["function"]) for c in got] == [("p1", 4, "work")] * 2
    values = {v["name"]: v["value"] for v in got[0]["frames"][0]["vars"]}
    fields = dict(values["order"]["f"])
    assert values["total"] == {"k": "int", "v": fields["n"]["v"] * 2} and fields["password"] == {"k": "missing", "why": "redacted", "rule": "name"}
    enrolled.wait("counts", lambda m: any(c["dropped"]["grant"] > 0 for c in m["counts"]))
    enrolled.send({"type": "grant", "probe": "p1", "hits": 3})
    assert len({c["id"] for c in got + captures(enrolled, 3)}) == 5
    enrolled.send({"type": "desired", "revision": 5, "probes": []})
    enrolled.wait("states", lambda m: any(s["state"] == "removed" for s in m["states"]))
    end(p)
