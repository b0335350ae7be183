#!/usr/bin/python3
"""Runs bench/node_walk.js on each Node of the machine and those of tools/setup, and prints the tables of docs/experiments/node-safe-walk.md
and node-breakpoints.md."""
import glob
import json
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def run(node, mode):
    with tempfile.TemporaryDirectory() as folder:
        fifo = folder + "/fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        try:
            done = subprocess.run([node, HERE + "/node_walk.js", mode, fifo], capture_output=True, text=True, timeout=600)
        finally:
            os.close(reader)
    return json.loads(done.stdout) if done.returncode == 0 else {"node": node, "failed": done.stderr[-300:]}


def main():
    places = ["/usr/bin/node", "/usr/local/bin/node", *sorted(glob.glob(HERE + "/../.setup/nodes/*/node_modules/node/bin/node"))]
    nodes = list(dict.fromkeys(os.path.realpath(p) for p in places if os.access(p, os.X_OK)))
    for mode in ("poisoned", "cost", "inspector", "breakpoint"):
        rows = sorted((run(n, mode) for n in nodes), key=lambda r: r["node"])
        names = [k for k in rows[0] if k != "node"]
        print("\n| Node | " + " | ".join(names) + " |\n|---" * 1 + "|---" * len(names) + "|")
        for r in rows:
            print("| " + r["node"] + " | " + " | ".join(" / ".join(map(str, v)) if isinstance(v := r.get(k, "?"), list) else str(v) for k in names) + " |")


if __name__ == "__main__":
    main()
