#!/usr/bin/env python3
"""Places a probe in idle Node programs of several sizes and takes it out, N times each, and prints the table of docs/experiments/node-cycles.md.

    bench/node_place.py [-n 50] [--only 22]

Each program is one file of so many bytes, a function for each 90 of them, of which one is called;
"objects" is a small one that holds that many (five things of the engine's each). Every Node that has its text
changed (20 and later) of the machine and of tools/setup, one at a time: port 9229 must be free.
"""
import argparse
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = "'use strict';\nfunction step(order) {\n  const total = order.price * order.count;\n  return total;\n}\n"
LINE = 4
FILL = "function f%d(a, b) {\n  const c = a + %d;\n  if (c > b) return c * b;\n  return c - b;\n}\n"
TAIL = "step({ price: 2, count: 3 });\nsetInterval(() => {}, 1 << 30);\nconsole.log('ready');\n"
HEAP = "const held = [];\nfor (let i = 0; i < %d; i++) held.push({ i, a: { i }, b: [i, String(i)] });\nglobalThis.held = held;\n"
PROGRAMS = {"1 KB": (1 << 10, 0), "10 KB": (10 << 10, 0), "100 KB": (100 << 10, 0), "200 KB": (200 << 10, 0), "1 KB, 100,000 objects": (1 << 10, 100000)}


def write(path, size, objects):
    text = HEAD + (HEAP % objects if objects else "")
    parts, n, i = [text], len(text) + len(TAIL), 0
    while n < size:
        parts.append(FILL % (i, i))
        n += len(parts[-1])
        i += 1
    path.write_text("".join(parts) + TAIL)


def measure(node, path, n):
    with subprocess.Popen([node, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as victim:
        try:
            victim.stdout.readline()
            ran = subprocess.run([ROOT / "build/dev/bench/node_place", str(victim.pid), str(path), str(LINE), str(n)], capture_output=True, text=True, check=False)
            if ran.returncode or victim.poll() is not None:
                return None, ran.stderr.strip() or "the process has ended"
            return json.loads(ran.stdout), ""
        finally:
            victim.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    places = ["/usr/bin/node", "/usr/local/bin/node", *sorted(glob.glob(str(ROOT / ".setup/nodes/*/node_modules/node/bin/node")))]
    bad = 0
    print("| Node | script | placed, ms | of it computed by the main thread, ms | taken out, ms | computed, ms |\n|---|---|---|---|---|---|")
    for node in dict.fromkeys(os.path.realpath(p) for p in places if os.access(p, os.X_OK)):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()[1:]
        if int(version.split(".")[0]) < 20 or not version.startswith(args.only):
            continue
        for name, (size, objects) in PROGRAMS.items():
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "program.js"
                write(path, size, objects)
                row, error = measure(node, path, args.n)
            bad += row is None
            cells = [" / ".join(map(str, row[k])) for k in ("placed", "placed_computed", "taken", "taken_computed")] if row else [error]
            print(f"| {version} | {name} | " + " | ".join(cells) + " |", flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
