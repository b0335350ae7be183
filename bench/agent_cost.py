#!/usr/bin/env python3
"""What `clew agent` itself costs a host, beside processes that it has nothing to do with and beside Pythons that it watches. As root; prints a table.

    bench/agent_cost.py [--clew build/dev/src/main/clew] [--seconds 20]

CPU is that of both of the agent's processes, from some seconds after its start on (what it learns at its start it learns once), in percent of a core;
memory is what is resident, of the helper and of the network process.
"""
import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/conformance"), str(ROOT / "tests")]
SETTLE_S = 7
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def cpu_s(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def rss_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


@contextlib.contextmanager
def started(*words, env=None):
    p = subprocess.Popen([str(w) for w in words], env={**os.environ, **(env or {})}, **QUIET)
    try:
        yield p
    finally:
        p.terminate()
        p.wait(30)


def measure(clew, others, pythons, seconds):
    import test_agent  # its server

    server = test_agent.FakeServer()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        state, program = pathlib.Path(folder) / "state", pathlib.Path(folder) / "work.py"
        state.mkdir(mode=0o700)
        (state / "host").write_text(f"server http://127.0.0.1:{server.port}\nagent a1\nsecret s3cret\n")
        program.write_text(test_agent.PROGRAM)
        for _ in range(others):
            running.enter_context(started("sleep", "600"))
        victims = [running.enter_context(started(sys.executable, program, env={"OTEL_SERVICE_NAME": "shop"})) for _ in range(pythons)]
        time.sleep(1)
        agent = running.enter_context(started(clew, "agent", "--state", state))
        server.wait("hello")
        if victims:
            server.wait("processes", test_agent.of(victims[-1].pid))
            victims[0].file = str(program)
            server.send({"type": "desired", "revision": 1, "probes": [test_agent.probe(victims[0], grant=1)]})
            server.wait("states", lambda m: any(s["state"] == "installed" for s in m["states"]))
        time.sleep(SETTLE_S)
        both = [agent.pid, int(pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()[0])]
        before, began = [cpu_s(pid) for pid in both], time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        used = sum(cpu_s(pid) for pid in both) - sum(before)
        print(f"{others:9} {pythons:8} {100 * used / took:8.2f} {rss_mb(both[0]):8.1f} {rss_mb(both[1]):8.1f}", flush=True)
    server.server.shutdown()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--clew", default=ROOT / "build/dev/src/main/clew")
    options.add_argument("--seconds", type=float, default=20)
    o = options.parse_args()
    if os.geteuid() != 0:
        sys.exit("the agent attaches to processes: run this as root")
    os.environ["CLEW_BIN"] = str(o.clew)
    print("processes  probed    CPU %  helper MB  network MB")
    for others, pythons in ((0, 0), (300, 0), (1500, 0), (0, 10)):
        measure(o.clew, others, pythons, o.seconds)


if __name__ == "__main__":
    main()
