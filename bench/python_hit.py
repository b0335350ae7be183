#!/usr/bin/env python3
"""What a probe in Python costs, beside sys.settrace and a logpoint of debugpy in the same run: the tables of docs/experiments/python-cost.md.

    bench/python_hit.py [--only 3.11] [--rounds 40] [--arms 1000] [--hit build/dev/bench/python_hit]

Nanoseconds are of the thread's own processor time, the difference of a call with and without, each the quickest tenth of the rounds: what a neighbour takes
from a shared processor is no cost of a probe. debugpy is installed into .setup/venvs once.
"""
import argparse
import json
import pathlib
import statistics
import socket
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/agent/python"))
import python_attach  # noqa: E402
import victims  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
NAME = "bench/python_hit_victim.py"
TEN = "quantity each customer order codes total tax name paid rest".split()
DEBUGPY = ["debugpy==1.8.22; python_version >= '3.10'", "debugpy==1.8.21; python_version < '3.10'"]  # the last one of 3.9
A_ROUND = 2000  # hits: what the ring holds, and what the budget forgives
SLOW = 100      # hits of a round of a debugger
HOT = 1000000   # calls of a loop that does nothing else


class Lines:
    """A program that answers each line with one."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.first = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} has ended")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Debugger:
    """As much of the Debug Adapter Protocol as a logpoint needs."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file, self.seq, self.output, self.answers = self.socket.makefile("rb"), 0, 0, {}
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        self.send("attach", justMyCode=False)
        self.until(lambda: "initialized" in self.answers)

    def read(self):
        while True:
            size = 0
            while (line := self.file.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            if not size:
                return
            message = json.loads(self.file.read(size))
            with self.changed:
                if message["type"] == "response":
                    self.answers[message["request_seq"]] = message
                elif message["event"] == "output":
                    self.output += 1
                else:
                    self.answers[message["event"]] = message
                self.changed.notify_all()

    def send(self, command, **arguments):
        self.seq += 1
        text = json.dumps({"seq": self.seq, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        return self.seq

    def until(self, holds):
        with self.changed:
            if not self.changed.wait_for(holds, 60):
                raise RuntimeError("debugpy does not answer")

    def request(self, command, **arguments):
        seq = self.send(command, **arguments)
        self.until(lambda: seq in self.answers)
        return self.answers[seq]

    def logpoint(self, path, line, condition=None):
        point = {"line": line, "logMessage": " ".join("{%s}" % n for n in TEN), **({"condition": condition} if condition else {})}
        self.request("setBreakpoints", source={"path": str(path)}, breakpoints=[point])
        self.request("configurationDone")

    def close(self):
        self.send("disconnect")  # the program ends next; the debugger's last one for 3.9 does not answer
        self.socket.close()


def quick(values):
    return statistics.quantiles(values, n=10)[0]


def rounds(n, measure):
    return quick([measure() for _ in range(n)])


def hits(victim, probe, n):
    """ns of a call, and what the probe counted in the last round."""
    values, said = [], {}
    probe.ask("ready")
    for _ in range(n):
        values.append(victim.ask(f"priced {A_ROUND}"))
        said = probe.ask("ready")
    return quick(values), said


def cost(hit, python, n):
    row = {}
    with Lines([python, HERE / "python_hit_victim.py"]) as victim:
        line = victim.first
        plain = rounds(n, lambda: victim.ask(f"priced {A_ROUND}"))
        beside = rounds(n, lambda: victim.ask("beside 2000"))
        row["version"] = None
        with Lines([hit, str(victim.process.pid)]) as probe:
            row["version"] = probe.first["version"]
            for name, condition in (("capture", "-"), ("filtered", "quantity < 0")):
                probe.ask(f"place {NAME} {line} {condition}")
                ns, said = hits(victim, probe, n)
                if said["hits"] != A_ROUND or said["captured" if name == "capture" else "filtered"] != A_ROUND:
                    raise RuntimeError(f"{name}: {said}")
                row[name] = ns - plain
                row[name + " beside"] = rounds(n, lambda: victim.ask("beside 2000")) / beside
            # As many as it takes until it has cost too much: 10 ms at once, 1 % of a core.
            probe.ask("ready")
            victim.ask(f"priced {HOT}")
            hot = probe.ask("ready")
            row["suspended"] = None if hot["active"] else hot["hits"] * (row["filtered"] + plain) / 1e6
            probe.ask("remove")
            row["removed"] = rounds(n, lambda: victim.ask(f"priced {A_ROUND}")) - plain
        victim.ask("settrace on")
        row["settrace"] = rounds(n, lambda: victim.ask(f"priced {A_ROUND}")) - plain
        row["settrace beside"] = rounds(n, lambda: victim.ask("beside 2000")) / beside
        victim.ask("settrace off")
    with Lines([python, "-Xfrozen_modules=off", HERE / "python_hit_victim.py"]) as victim:
        plain = rounds(n, lambda: victim.ask(f"priced {A_ROUND}"))
        beside = rounds(n, lambda: victim.ask("beside 2000"))
        port = victim.ask("debugger")
        if not port:
            return row
        debugger = Debugger(port)
        debugger.logpoint(HERE / "python_hit_victim.py", line)
        few = min(n, 10)
        row["debugpy"] = rounds(few, lambda: victim.ask(f"priced {SLOW}")) - plain
        debugger.until(lambda: debugger.output >= few * SLOW)
        row["debugpy beside"] = rounds(few, lambda: victim.ask("beside 2000")) / beside
        debugger.logpoint(HERE / "python_hit_victim.py", line, "quantity < 0")
        row["debugpy filtered"] = rounds(few, lambda: victim.ask(f"priced {SLOW}")) - plain
        debugger.close()
    return row


PLACES = {"loop": ("python/victim_loop.py", "pair = [n"), "gunicorn-gthread": ("python/victim_flask.py", "return"), "uvicorn": ("python/victim_fastapi.py", "return")}


def pauses(hit, interpreter, kind, loaded, n):
    file, text = PLACES[kind]
    source = (ROOT / "tests/agent" / file).read_text(encoding="utf-8").splitlines()
    line = next(i for i, each in enumerate(source, 1) if text in each and each.startswith(" "))
    with victims.start(interpreter, kind, busy=loaded) as victim:
        load = python_attach.Load(victim.url) if loaded and victim.url else None
        if victim.url:
            victim.get()
        try:
            with Lines([hit, str(victim.worker())]) as probe:
                return probe.ask(f"arm {file} {line} {n}")
        finally:
            if load:
                load.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--arms", type=int, default=1000)
    parser.add_argument("--hit", default=str(ROOT / "build/dev/bench/python_hit"))
    args = parser.parse_args()
    found = [i for i in victims.interpreters() if i.version.startswith(args.only)]
    print("| Python | snapshot of ten values, ns | filtered, ns | hot loop suspended after, ms | after removal, ns | elsewhere | settrace: hit, ns | elsewhere | debugpy logpoint: hit, us | filtered, us | elsewhere |\n" + "|---" * 11 + "|", flush=True)
    for each in found:
        subprocess.run([each.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *DEBUGPY], check=True)
        r = cost(args.hit, str(each.python), args.rounds)
        print(f"| {each.version} | {r['capture']:.0f} | {r['filtered']:.0f} | {r['suspended']:.0f} | {r['removed']:.0f} | x{max(r['capture beside'], r['filtered beside']):.2f} "
              f"| {r['settrace']:.0f} | x{r['settrace beside']:.2f} "
              + (f"| {r['debugpy'] / 1e3:.0f} | {r['debugpy filtered'] / 1e3:.1f} | x{r['debugpy beside']:.2f} |" if "debugpy" in r else "| | | |"), flush=True)
    print("\n| Python | process | | stops: p50 | longest, ms, from asking for it: p50 / p99 / max | from when it stood: p50 / p99 / max | longest call, ms of its processor time: p50 / p99 / max | until installed, ms: p50 / p99 |\n" + "|---" * 8 + "|", flush=True)
    for each in found:
        for kind in PLACES:
            for loaded in (False, True):
                r = pauses(args.hit, each, kind, loaded, args.arms)
                stops = r.pop("stops")["p50"]
                r = {k: {q: v / 1e3 for q, v in of.items()} for k, of in r.items()}
                print(f"| {each.version} | {kind} | {'loaded' if loaded else 'parked'} | {stops:.0f} | {r['stopped']['p50']:.2f} / {r['stopped']['p99']:.2f} / {r['stopped']['max']:.2f} "
                      f"| {r['stood']['p50']:.2f} / {r['stood']['p99']:.2f} / {r['stood']['max']:.2f} "
                      f"| {r['process']['p50']:.2f} / {r['process']['p99']:.2f} / {r['process']['max']:.2f} | {r['whole']['p50']:.1f} / {r['whole']['p99']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
