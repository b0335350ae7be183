"""A host for the journeys of the Live page: the tests' agent with a small program's files, told on stdin what happens there.

usage: live_host.py URL ADMIN_TOKEN; then a JSON object a line:
{"processes": [..], "old": [id, ..], "other": [id, ..]}  what runs there from now on; of which file texts that are not the newest
{"hides": true}    no text leaves the host from now on
{"capture": "p1", "times": 2, "total": 184.5, "rate": null, "trace": "..", "span": ".."}
{"log": "p2", "level": "info", "body": "order 8121", "trace": "..", "span": ".."}
{"figures": "p1", "kind": "count", "name": "orders.placed", "series": [{"count": 7, "by": {"tier": "gold"}}]}    what has been counted, all in all
{"raise": "p1", "trace": "..", "file": "..", "line": 31}    an exception, in apply_discount() of that file
{"copied": true}    somebody else shows its key while it is connected
{"policy": {..}}    what the policy of the host says
{"close": true}
Each is answered with a line; one that begins with "probe" says what the server wants placed.
"""
import ast
import hashlib
import json
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

from websockets.exceptions import InvalidStatus

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from live_agent import Agent, enrol, now, process  # noqa: E402

PRICING = '''"""Prices of orders."""
from decimal import Decimal


def rate_of(coupon):
    # rates are in basis points
    return coupon.rate


def apply_discount(order, coupon):
    """Price of an order after its coupon, in the order's currency."""
    if coupon is None:
        return order.total
    rate = coupon.rate
    floor = Decimal("0.00")
    off = rate * order.total
    return max(floor, order.total - off)


def price_order(order):
    coupon = load_coupon(order)
    return apply_discount(order, coupon)
'''
FILES = {"app/pricing.py": PRICING, "app/orders.py": "def create_order(cart):\n    return cart\n", "manage.py": "import app\n"}
# The request that runs the line, unless a hit says another one.
WHERE = {"trace": "7f3a9c0444aa4bb29d1e5a6b7c8d9e0f", "span": "5a6b7c8d9e0f1122"}
TELLING = threading.Lock()
OLD = PRICING.replace("    # rates are in basis points\n", "")
# A later version: lines further down, and one of them is not what it was.
OTHER = PRICING.replace("from decimal import Decimal\n", "import logging\nfrom decimal import Decimal\n").replace("off = rate * order.total", "off = order.total * rate / 100")


class Server:
    def __init__(self, url):
        self.url, self.port = url, int(url.rsplit(":", 1)[1])

    def request(self, method, path, body=None, headers=None, token=None):
        sent = urllib.request.Request(self.url + path, body.encode() if body else None, {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}, method=method)
        try:
            with urllib.request.urlopen(sent) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()


def seen(server, token, processes):
    """Waits until the server knows that these are the processes that run."""
    said = [(p["id"], p["service"], p["instance"], p["version"], p["environment"], p["runtime_version"], p["attachable"]) for p in processes]
    names = ("id", "service", "instance", "version", "environment", "runtime_version", "attachable")
    end = time.monotonic() + 20
    while True:
        known = json.loads(server.request("GET", "/api/v1/live/instances", token=token)[1])["instances"]
        if sorted(tuple(one.get(name) for name in names) for one in known) == sorted(said):
            return
        assert time.monotonic() < end, known
        time.sleep(0.05)


def entries(path):
    found = {}
    for name in FILES:
        if path and not name.startswith(path + "/"):
            continue
        rest = name[len(path) + 1:] if path else name
        first, _, more = rest.partition("/")
        full = f"{path}/{first}" if path else first
        found[full] = {"name": first, "path": full, "dir": bool(more)}
    return {"entries": list(found.values())}


def functions(text):
    """Those of a file, as the back end for Python finds them."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return [{"name": node.name, "line": node.lineno, "end": node.end_lineno} for node in found]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def other_source(state, message):
    return {**{k: v for k, v in state.items() if k not in ("line", "file")}, "state": "mismatch", "code": "source_mismatch", "message": message}


def told(line):
    """Whole: print writes the end of a line apart, and two threads tell."""
    with TELLING:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Host(Agent):
    # The processes that answer with the old text of a file, and with the later one.
    old = ()
    other = ()
    hides = False

    def text(self, path, process):
        return FILES[path] if path != "app/pricing.py" else OLD if process in self.old else OTHER if process in self.other else PRICING

    def follow(self, probe, process):
        """The line where the text is that a person saw, as the back ends find it: None where it is not."""
        line, want = probe["where"]["line"], probe.get("line_hash")
        if not want or digest(self.text(probe["where"]["file"], process)) == probe.get("source_hash"):
            return line
        lines = self.text(probe["where"]["file"], process).split("\n")
        found = [n for n, text in enumerate(lines, 1) if digest(" ".join(text.split())) == want]
        return min(found, key=lambda n: abs(n - line)) if found else None

    def resolve(self, m):
        what, path = m["what"], m.get("path", "")
        if what == "files":
            return entries(path)
        if path not in FILES:
            return None
        text = self.text(path, m["process"])
        lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip() and not line.strip().startswith(("#", '"""'))]
        if what == "source":
            return {"path": path, "text": text, "hash": digest(text), "lines": lines, "functions": functions(text)}
        if what == "variables":
            return {"variables": [{"name": "order", "kind": "arg", "type": "Order"}, {"name": "coupon", "kind": "arg", "type": "Coupon"}, {"name": "rate", "kind": "local"}]}
        return {"lines": lines}

    def answer(self):
        while True:
            m = self.heard.get()
            if m["type"] == "closed":
                return
            if m["type"] == "resolve":
                result = None if self.hides and m["what"] in ("files", "source") else self.resolve(m)
                error = {"code": "denied", "message": "the policy of the host lets no source leave it"} if self.hides else {"code": "no_source", "message": "the process has no such file"}
                more = {"result": result} if result else {"error": error}
                self.say("resolved", request=m["request"], ok=result is not None, **more)
            elif m["type"] == "desired":
                self.place(m["probes"])

    def place(self, probes):
        for probe in probes:
            for p in self.processes:
                if not p["attachable"] or p["id"] not in probe["scope"]["processes"]:
                    continue
                state = {"probe": probe["id"], "revision": probe["revision"], "process": p["id"], "state": "installed", "file": probe["where"].get("file"), "line": probe["where"].get("line")}
                if probe["where"].get("exception") and p["runtime_version"] < "3.12":
                    state |= {"state": "error", "code": "runtime_unsupported", "message": "exceptions are seen from Python 3.12 on"}
                if p["id"] in self.other and probe["where"].get("line"):
                    line = self.follow(probe, p["id"])
                    if probe.get("match") == "exact" and probe["source_hash"] != digest(self.text(probe["where"]["file"], p["id"])):
                        state = other_source(state, "the file of this process is not the one that was seen")
                    elif line:
                        state |= {"line": line}
                    else:
                        state = other_source(state, "the line that was seen is not in the file of this process")
                if p["id"] in self.old:
                    state |= {"state": "unresolvable", "code": "no_code_at_line", "message": "no statement begins at this line", "data": {"nearest": [13, 15]}}
                self.say("states", revision=1, states=[state])
                self.say("counts", counts=[{"probe": probe["id"], "process": p["id"], "hits": 40, "filtered": 40 if probe.get("if") else 0, "captured": 0, "errors": 0, "ns": 12000,
                                            "dropped": {"rate": 0, "ring": 0, "spool": 0, "budget": 0, "grant": 0}}])
            if not probe.get("count_only"):
                told(f"probe {json.dumps({k: probe.get(k) for k in ('id', 'revision', 'kind', 'paused', 'where', 'match', 'source_hash', 'line_hash', 'function', 'metric', 'keep', 'keep_ms', 'rate')})}")
        if not probes:
            told("probe none")

    def hit(self, probe, total=184.5, rate=None, n=0, **more):
        value = {"k": "null", "t": "NoneType"} if rate is None else {"k": "int", "t": "int", "v": rate}
        order = {"k": "object", "t": "Order", "f": [["id", {"k": "int", "t": "int", "v": 8121}], ["total", {"k": "float", "t": "float", "v": total}],
                                                   ["lines", {"k": "list", "t": "list", "n": 14, "i": [{"k": "str", "t": "str", "v": "AMPH-3"}], "cut": "items"}],
                                                   ["card", {"k": "missing", "why": "redacted", "rule": "cards"}]]}
        frames = [{"function": "apply_discount", "file": "app/pricing.py", "line": 16, "module": "app.pricing", "in_app": True, "vars": [
                      {"name": "order", "kind": "arg", "value": order}, {"name": "rate", "kind": "local", "value": value},
                      {"name": "currency", "kind": "local", "value": {"k": "str", "t": "str", "v": "EUR"}},
                      {"name": "off", "kind": "local", "value": {"k": "missing", "why": "uninitialized"}}]},
                  {"function": "price_order", "file": "app/pricing.py", "line": 22, "module": "app.pricing", "in_app": True},
                  {"function": "run", "file": "/usr/lib/python3/site-packages/web.py", "line": 300, "module": "web", "in_app": False}]
        return self.capture(probe, n=n, line=16, frames=frames, exprs=[{"text": "order.total", "value": {"k": "float", "t": "float", "v": total}}], **WHERE | more)

    def raised(self, probe, file, line, **more):
        """As the back end for Python tells of an exception: where it was raised, and who called that."""
        order = {"k": "dict", "t": "dict", "e": [[{"k": "str", "t": "str", "v": "id"}, {"k": "int", "t": "int", "v": 8121}]]}
        frames = [{"function": "apply_discount", "file": file, "line": line, "module": "__main__", "in_app": True, "vars": [
                      {"name": "order", "kind": "arg", "value": order}, {"name": "rate", "kind": "local", "value": {"k": "null", "t": "NoneType"}},
                      {"name": "password", "kind": "local", "value": {"k": "missing", "why": "redacted", "rule": "names"}}]},
                  {"function": "<module>", "file": file, "line": 64, "module": "__main__", "in_app": True, "vars": [
                      {"name": "kind", "kind": "local", "value": {"k": "str", "t": "str", "v": "TypeError"}}]}]
        return self.capture(probe, kind="exception", file=file, line=line, frames=frames, **more,
                            exception={"type": "TypeError", "message": "unsupported operand", "value": {"k": "object", "t": "TypeError", "f": []}})


def main():
    server = Server(sys.argv[1])
    secret = enrol(server, "web-1", sys.argv[2])[1]["secret"]
    host = Host(server, secret, "web-1", [process(1), process(2)])
    threading.Thread(target=host.answer, daemon=True).start()
    told("ready")
    for line in sys.stdin:
        deed = json.loads(line)
        if "processes" in deed:
            host.processes = [process(p.pop("n"), **p) for p in deed["processes"]]
            host.old, host.other = tuple(deed.get("old", ())), tuple(deed.get("other", ()))
            host.say("processes", processes=host.processes)
            seen(server, sys.argv[2], host.processes)
        elif "hides" in deed:
            host.hides = deed["hides"]
        elif "capture" in deed:
            more = {name: deed[name] for name in ("trace", "span") if name in deed}
            host.send(*[host.hit(deed["capture"], deed.get("total", 184.5), deed.get("rate"), deed.get("n", 0), **more) for _ in range(deed.get("times", 1))])
        elif "log" in deed:
            host.send(host.capture(deed["log"], kind="log", line=16, frames=[], trace=deed["trace"], span=deed["span"], log={"level": deed["level"], "body": deed["body"]}))
        elif "figures" in deed:
            for ago in (60, 50, 40, 30, 20, 10, 0):
                grown = [{**one, "count": one["count"] * (70 - ago) // 10, **({"sum": one["sum"] * (70 - ago) // 10} if "sum" in one else {})} for one in deed["series"]]
                made = host.figures(deed["figures"], deed["kind"], *grown, name=deed["name"], start=now(-80))
                host.send({**made, "time": now(-ago)})
            host.say("counts", counts=[{"probe": deed["figures"], "process": host.processes[0]["id"], "hits": deed["hits"], "filtered": 0, "captured": 0, "errors": 0, "ns": 12000,
                                        "dropped": {"rate": 0, "ring": 0, "spool": 0, "budget": 0, "grant": 0}}])
        elif "raise" in deed:
            more = {name: deed[name] for name in ("trace", "reporter") if name in deed}
            host.send(host.raised(deed["raise"], deed["file"], deed["line"], **more))
        elif "policy" in deed:
            host.say("policy", policy=deed["policy"])
        elif deed.get("copied"):
            try:
                Agent(server, secret, "web-1")
                raise AssertionError("there is a second connection")
            except InvalidStatus as e:
                assert e.response.status_code == 409
            time.sleep(2.1)  # what is said within 2 s may have been under way
            host.say("status", cpu_ratio=0, rss=0, spool_bytes=0, attached=0)
        elif deed.get("close"):
            host.close()
            return
        told("done")


main()
