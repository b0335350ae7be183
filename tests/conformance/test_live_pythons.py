"""The journeys of live debugging in every Python: `clew serve`, one `clew agent`, and a shop for each version, in Flask under gunicorn or in FastAPI under uvicorn."""
import os
import pathlib
import signal
import subprocess
import urllib.request

import pytest

import harness
from harness import eventually
from live_calls import ask, prepare, query
from real_agent import SLOW_S, Agent, enrolment, snapshots

HERE = pathlib.Path(__file__).resolve().parent
VENVS = HERE.parents[1] / ".setup/venvs"
FILE = "victim_pythons.py"
LINE = next(i for i, text in enumerate((HERE / FILE).read_text().splitlines(), 1) if "return order.total" in text)
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def python(version):
    """The newest environment of this version; None: there is none."""
    return max(VENVS.glob(f"{version}.*/bin/python"), key=lambda p: int(p.parts[-3].rsplit(".", 1)[1]), default=None)


class Shop:
    def __init__(self, program, version):
        self.version, self.service, self.port = version, f"shop-{version}-{os.urandom(3).hex()}", harness.free_port()
        self.forks = VERSIONS.index(version) % 2 == 0
        server = (["gunicorn", "-w", "1", "--log-level", "warning", "-b", f"127.0.0.1:{self.port}", "victim_pythons:flask_app"] if self.forks
                  else ["uvicorn", "--log-level", "warning", "--port", str(self.port), "victim_pythons:fast_app"])
        self.process = subprocess.Popen([program, "-m", *server], cwd=HERE, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "OTEL_SERVICE_NAME": self.service, "PYTHONDONTWRITEBYTECODE": "1"})

    def buy(self, total=200):
        """One request, in a trace of its own."""
        trace = os.urandom(16).hex()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{total}", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
        except OSError as e:
            raise AssertionError(e) from e
        assert text == ("refused" if total > 1000 else str(total * 0.9)), text  # whatever is placed in it
        return trace

    def place(self, server, **more):
        return ask(server, "POST", "/api/v1/probes", {"service": self.service, "where": {"file": FILE, "line": LINE}, **more}, 201)["id"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = prepare(harness.Server(tmp_path_factory.mktemp("live-pythons") / "data"))
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture(scope="module")
def shops():
    """By version; of those that are there."""
    made = {v: Shop(python(v), v) for v in VERSIONS if python(v)}
    try:
        for shop in made.values():
            eventually(shop.buy, SLOW_S)
        yield made
        assert all(shop.process.poll() is None and shop.buy() for shop in made.values()), "a shop has died"
    finally:
        for shop in made.values():
            shop.process.terminate()
        for shop in made.values():
            shop.process.wait(SLOW_S)


@pytest.fixture(params=VERSIONS)
def shop(request, shops):
    if request.param not in shops:
        pytest.skip(f"needs Python {request.param} (.setup/venvs/{request.param}.*)")
    return shops[request.param]


@pytest.fixture(scope="module")
def host(server, shops, tmp_path_factory):
    """The agent; what is in .now is the one that runs."""
    made = Agent(server, tmp_path_factory.mktemp("host") / "state", enrolment(server))
    made.now = made
    try:
        eventually(lambda: all_there(server, shops), SLOW_S)
        yield made
    finally:
        made.now.end()


def all_there(server, shops):
    found = {i["service"] for i in ask(server, "GET", "/api/v1/live/instances")["instances"] if i["connected"] and i["attachable"]}
    assert {shop.service for shop in shops.values()} <= found, found


def nobody_there(server):
    assert not any(a["connected"] for a in ask(server, "GET", "/api/v1/agents")["agents"])


def installed(server, shop, id):
    """In the process that serves: gunicorn's own is one of the service, too, and may have it before."""
    def check():
        found = ask(server, "GET", f"/api/v1/probes/{id}")["instances"]
        assert any(i["state"] == "installed" and (i.get("pid") != shop.process.pid) == shop.forks for i in found), str(
            [(i["pid"] == shop.process.pid, i["state"], i.get("code"), i.get("message")) for i in found])

    eventually(check, SLOW_S)


def remove(server, shop, id):
    """And no request is touched by it any more: of two that are told in their order the second has come, and the first has not."""
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)

    def untouched():
        trace = shop.buy()
        mark = shop.place(server, hits=1)
        installed(server, shop, mark)
        last = shop.buy()
        snapshots(server, 1, trace=last)
        assert ask(server, "GET", f"/api/v1/snapshots?trace={trace}")["snapshots"] == []

    eventually(untouched, SLOW_S)


def test_a_line_gives_its_values_and_their_trace(server, host, shop):
    id = shop.place(server, **{"if": "order.total > 250"})
    installed(server, shop, id)
    shop.buy(200)
    trace = shop.buy(300)
    [row] = snapshots(server, 1, probe=id)
    assert (row["trace"], row["function"], row["line"]) == (trace, "price", LINE) and row["span"]
    whole = ask(server, "GET", f"/api/v1/snapshots/{row['id']}")
    values = {v["name"]: v["value"] for v in whole["frames"][0]["vars"]}
    order = dict(values["order"]["f"])
    assert order["total"] == {"k": "int", "v": 300} and values["customer"]["v"] == "Ada" and float(values["discount"]["v"]) == 30
    assert order["card"]["why"] == "redacted" and "4111" not in str(whole)
    assert [f["function"] for f in whole["frames"]][:2] == ["price", "sell"]
    remove(server, shop, id)


def test_a_logpoint_writes_a_line_of_the_request(server, host, shop):
    id = shop.place(server, kind="log", log={"level": "warn", "template": "total {order.total} of {customer}"})
    installed(server, shop, id)
    trace = shop.buy(300)

    def logged():
        row = query(server, f"logs trace={trace}")[0]
        assert (row["body"], row["level"], row["service"]) == ("total 300 of Ada", "warn", shop.service) and row["span"]

    eventually(logged, SLOW_S)
    ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_an_exception_is_captured_where_it_is_raised(server, host, shop):
    id = ask(server, "POST", "/api/v1/probes", {"service": shop.service, "where": {"exception": "Refused", "file": FILE, "function": "price"}, "kind": "exception", "hits": 1}, 201)["id"]
    installed(server, shop, id)
    trace = shop.buy(2000)
    [row] = snapshots(server, 1, probe=id)
    assert row["trace"] == trace
    values = {v["name"]: v["value"] for v in ask(server, "GET", f"/api/v1/snapshots/{row['id']}")["frames"][0]["vars"]}
    assert dict(values["order"]["f"])["total"] == {"k": "int", "v": 2000}


@pytest.fixture(scope="module")
def counters(server, host, shops):
    """A counter in each shop, that three requests have run through: they are told of every ten seconds."""
    ids = {v: shop.place(server, kind="metric", metric={"kind": "count", "name": f"sold.{v}", "value": "order.total"}) for v, shop in shops.items()}
    for v, shop in shops.items():
        installed(server, shop, ids[v])
        for total in (100, 200, 300):
            shop.buy(total)
    yield ids
    for id in ids.values():
        ask(server, "DELETE", f"/api/v1/probes/{id}", expect=204)


def test_a_metric_counts_every_run(server, counters, shop):
    def counted():
        assert query(server, f"metrics name=sold.{shop.version} probe={counters[shop.version]} | stats increase(value) as s by service") == [{"s": 600, "service": shop.service}]

    eventually(counted, SLOW_S)


@pytest.fixture(scope="module")
def survivors(server, host, shops):
    """A probe in each shop; then the agent is killed, each goes on with what is left in it, and another agent comes."""
    ids = {v: shop.place(server) for v, shop in shops.items()}
    for v, id in ids.items():
        installed(server, shops[v], id)
    host.now.process.send_signal(signal.SIGKILL)
    host.now.process.wait()
    eventually(lambda: nobody_there(server), SLOW_S)
    for shop in shops.values():
        shop.buy()
    host.now = Agent(server, host.state)
    return ids


def test_a_killed_agent_leaves_a_working_shop_and_its_successor_goes_on(server, survivors, shop):
    id = survivors[shop.version]
    installed(server, shop, id)
    snapshots(server, 1, trace=shop.buy())
    remove(server, shop, id)
