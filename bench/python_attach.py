#!/usr/bin/env python3
"""Attaches to Python servers and loops, idle and loaded, N times each, and prints a table: docs/experiments/python-attach.md.

    bench/python_attach.py [-n 10000] [--only 3.11] [--attach build/dev/bench/python_attach]

Every interpreter that tests/agent/python/victims.py finds; gunicorn, uvicorn and the frameworks are installed into .setup/venvs once.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/agent/python"))
import victims  # noqa: E402


class Load:
    """Requests from four threads, one after the other; a request that fails is counted."""

    def __init__(self, url):
        self.url, self.done, self.failed, self.over = url, 0, 0, False
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.over:
            try:
                with urllib.request.urlopen(self.url, timeout=30) as answer:
                    answer.read()
                self.done += 1
            except OSError:
                self.failed += 1

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join(35)


def measure(attach, interpreter, kind, loaded, n):
    with victims.start(interpreter, kind, busy=loaded) as victim:
        load = Load(victim.url) if loaded and victim.url else None
        before = time.monotonic()
        ran = subprocess.run([attach, str(victim.worker()), str(n)], capture_output=True, text=True, check=False)
        seconds = time.monotonic() - before
        if load:
            load.stop()
        survived = victim.alive() and victim.answers()
        row = json.loads(ran.stdout) if ran.stdout else {"error": ran.stderr.strip(), "done": 0, "hangs": 0, "failed": n}
        row.update(python=interpreter.version, victim=kind, loaded=loaded, survived=survived, seconds=round(seconds, 1))
        if load:
            row.update(requests=load.done, requests_failed=load.failed)
        return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=10000)
    parser.add_argument("--only", default="")
    parser.add_argument("--kinds", default=",".join(victims.KINDS))
    parser.add_argument("--attach", default=str(ROOT / "build/dev/bench/python_attach"))
    args = parser.parse_args()
    print(f"{'python':9} {'victim':16} {'load':5} {'done':>6} {'hangs':>5} {'fail':>5} {'alive':5} {'queued':>6} {'busy':>7} "
          f"{'pause p50/p99/max us':>24} {'latency p50/p99 us':>20} {'requests':>9} {'lost':>4}", flush=True)
    bad = 0
    for interpreter in victims.interpreters():
        if not interpreter.version.startswith(args.only):
            continue
        for kind in args.kinds.split(","):
            for loaded in (False, True):
                r = measure(args.attach, interpreter, kind, loaded, args.n)
                bad += r["done"] != args.n or not r["survived"]
                pause, latency = r.get("pause_us", {}), r.get("latency_us", {})
                print(f"{r['python']:9} {kind:16} {'busy' if loaded else 'idle':5} {r['done']:6} {r['hangs']:5} {r['failed']:5} {str(r['survived']):5} "
                      f"{r.get('queued', 0):6} {r.get('busy', 0):7} "
                      f"{pause.get('p50', 0):8.0f}/{pause.get('p99', 0):6.0f}/{pause.get('max', 0):8.0f} "
                      f"{latency.get('p50', 0):10.0f}/{latency.get('p99', 0):9.0f} {r.get('requests', 0):9} {r.get('requests_failed', 0):4} {r['error']}", flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
