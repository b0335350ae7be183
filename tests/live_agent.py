"""An agent made of another's WebSocket, that speaks the protocol and captures what a test tells it to."""
import json
import queue
import threading
import time
import uuid

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

JSON = {"Content-Type": "application/json"}


def enrol(server, host, admin):
    status, answer = server.request("POST", "/api/v1/agents/tokens", json.dumps({"name": host}), JSON, token=admin)
    assert status == 201, answer
    token = json.loads(answer)["token"]
    status, answer = server.request("POST", "/api/v1/agents/enrol", json.dumps({"token": token, "host": host}), JSON, token=None)
    assert status == 201, answer
    return token, json.loads(answer)


def process(n=1, service="shop", **more):
    return {"id": f"{n}-100", "pid": n, "started": "2026-01-01T00:00:00.000000000Z", "service": service, "version": "1.2", "environment": "test",
            "instance": f"shop-{n}", "runtime": "python", "runtime_version": "3.12", "command": "app", "user": "app", "attachable": True, "attached": False, **more}


class Agent:
    def __init__(self, server, secret, host="web-1", processes=None, policy=None, machine=None, turn=None):
        self.host, self.processes, self.heard = host, processes if processes is not None else [process()], queue.Queue()
        self.ws = connect(f"ws://127.0.0.1:{server.port}/api/v1/agents/connect", compression=None, max_size=None,
                          additional_headers={"Authorization": f"Bearer {secret}", **({"Clew-Machine": machine} if machine else {}),
                                              **({"Clew-Turn": str(turn)} if turn else {})}).__enter__()
        threading.Thread(target=self.listen, daemon=True).start()
        self.say("hello", protocol=1, host={"name": host, "os": "linux"}, agent={"version": "1", "pid": 1}, policy=policy or {}, runtimes=["python"], revision=0)
        self.welcome = self.wait("welcome")
        self.say("processes", processes=self.processes)

    def listen(self):
        try:
            for m in self.ws:
                self.heard.put(json.loads(m))
        except ConnectionClosed:
            pass
        self.heard.put({"type": "closed"})

    def say(self, kind, **members):
        self.ws.send(json.dumps({"type": kind, **members}))

    def wait(self, kind, fits=lambda m: True, timeout=60):
        end = time.monotonic() + timeout
        while True:
            m = self.heard.get(timeout=max(end - time.monotonic(), 0.01))
            if m["type"] == kind and fits(m):
                return m
            assert m["type"] != "closed" or kind == "closed", "the connection has ended"

    def desired(self, *probes):
        """The next desired set with exactly these probes."""
        return self.wait("desired", lambda m: {p["id"] for p in m["probes"]} == set(probes))

    def state(self, probe, state="installed", n=0, **more):
        self.say("states", revision=1, states=[{"probe": probe, "revision": 1, "process": self.processes[n]["id"], "state": state, "file": "app/pricing.py", "line": 87, **more}])

    def capture(self, probe, id=None, n=0, **more):
        made = {"id": id or uuid.uuid4().hex, "probe": probe, "revision": 1, "process": self.processes[n]["id"], "kind": "snapshot", "time": now(),
                "thread": {"id": 7, "name": "MainThread"}, "file": "app/pricing.py", "line": 87, "function": "apply_discount",
                "frames": [{"function": "apply_discount", "file": "app/pricing.py", "line": 87, "module": "app.pricing", "in_app": True, "vars": [
                    {"name": "order", "kind": "arg", "value": {"k": "object", "t": "Order", "f": [
                        ["total", {"k": "float", "t": "float", "v": 184.5}],
                        ["id", {"k": "int", "t": "int", "v": "9007199254740993"}],
                        ["items", {"k": "list", "t": "list", "n": 2, "i": [{"k": "dict", "t": "dict", "e": [[{"k": "str", "t": "str", "v": "price"}, {"k": "int", "t": "int", "v": 100}]]}], "cut": "items"}],
                        ["card", {"k": "missing", "why": "redacted", "rule": "card"}]]}},
                    {"name": "customer", "kind": "local", "value": {"k": "str", "t": "str", "v": "Ada O'Hara"}}]},
                    {"function": "checkout", "file": "app/views.py", "line": 12, "in_app": True}],
                "cost_ns": 900, "bytes": 400, "redacted": 1, "dropped_before": 0, **more}
        return made

    def figures(self, probe, kind, *series, id=None, n=0, since=0, **more):
        """What a metric or timer probe has counted; since: so many seconds ago it had been told before."""
        metric = {"kind": kind, "name": "orders.placed", "start": now(-60), "since": now(-since), "series": list(series), **more}
        return {"id": id or uuid.uuid4().hex, "probe": probe, "revision": 1, "process": self.processes[n]["id"], "kind": "metric", "time": now(),
                "file": "app/pricing.py", "line": 87, "metric": metric}

    def send(self, *captures):
        self.say("captures", captures=list(captures))

    def close(self):
        self.ws.close()


def now(seconds=0):
    t = time.time_ns() + seconds * 10**9
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t // 10**9)) + f".{t % 10**9:09d}Z"


def shop(server):
    """An agent of a host of its own, that has one process of a service of its own (.service); the test closes it."""
    host, name = f"host-{uuid.uuid4().hex[:8]}", f"shop-{uuid.uuid4().hex[:8]}"
    made = Agent(server, enrol(server, host, server.admin)[1]["secret"], host, [process(1, name)])
    made.service = name
    return made
