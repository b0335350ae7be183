#!/usr/bin/env python3
"""The machine of src/probe against the reference of this folder: compare.py DRIVER [PAIRS] [SEED].

Each expression is run over some targets by both; value or reason of the fault must be the same. The driver also sends every
tree through JSON, where the bytecode must not change, and runs broken copies of the bytecode. Prints TAP; the first
differences with what is needed to see them again."""
import json
import random
import subprocess
import sys

sys.dont_write_bytecode = True

from evaluate import Evaluation, Undetermined  # noqa: E402
from generate import Values, expression  # noqa: E402
from parse import Syntax, parse  # noqa: E402
from refuse import refused  # noqa: E402
from values import Big, Container, Fault, read  # noqa: E402

RUNS = 4
SHOWN = 10


def shown(x):
    """As tests/probe/expr_run.c writes it."""
    if isinstance(x, Big):
        return "big"
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, float):
        return repr(x)
    if isinstance(x, Container) and x.kind == "made":
        return [shown(value) for _, value in x.items]
    return json_of(json.dumps(x.source)) if isinstance(x, Container) else x


def json_of(text):
    """Floats as their text, so that NaN is NaN and -0.0 is not 0."""
    return json.loads(text, parse_float=lambda x: repr(float(x)), parse_constant=lambda x: repr(float(x)))


def expected(tree, targets):
    memory, out = {}, []
    for target in targets:
        frames = [read(frame) for frame in (target["vars"], *target["callers"])]
        try:
            out.append(["value", shown(Evaluation(frames[0], frames[1:], memory).run(tree))])
        except Fault as fault:
            out.append(["fault", fault.reason])
        except Undetermined:
            break
    return out


def given(line):
    if line.startswith(("fault ", "error ")):
        kind, word = line.split(" ")[:2]
        return [kind, word.rstrip(":")]
    return ["value", json_of(line)]


def pairs(seed, n):
    chance = random.Random(seed)
    for _ in range(0, n, RUNS):
        yield expression(chance), [Values(chance).target() for _ in range(RUNS)]


def main():
    driver, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(10**6)
    made = list(pairs(seed, n))
    text = "".join(json.dumps({"text": text, "targets": targets, "seed": seed + i}, ensure_ascii=False) + "\n" for i, (text, targets) in enumerate(made))
    run = subprocess.run([driver], input=text.encode(), stdout=subprocess.PIPE, check=False)
    lines = run.stdout.decode().split("\n")
    print(f"TAP version 13\n1..2\n{'not ' if run.returncode else ''}ok 1 - broken bytecode breaks nothing")
    counts, wrong, at = {}, 0, 0
    for text, targets in made:
        got = [given(line) if line else ["nothing"] for line in lines[at : at + RUNS]] or [["nothing"]]
        at += RUNS
        for answer in got:
            counts[answer[0]] = counts.get(answer[0], 0) + 1
        try:
            tree = parse(text)
        except Syntax:
            tree = None
        if got[0][0] == "error" or tree is None:
            if tree is None:
                fits = got[0] == ["error", "syntax"]
            else:
                fits = refused(tree, got[0][1])
            if not fits:
                wrong += 1
                if wrong <= SHOWN:
                    print(f"# {text}\n#   {got[0]}, reference {tree}")
            continue
        for target, ours, theirs in zip(targets, got, expected(tree, targets)):
            if ours != theirs:
                wrong += 1
                if wrong <= SHOWN:
                    print(f"# {text}\n#   over {json.dumps(target, ensure_ascii=False)}\n#   machine {ours}, reference {theirs}")
                break
    print(f"# seed {seed}: {counts}, {wrong} differences")
    few = counts.get("value", 0) < n / 4 or counts.get("fault", 0) < n / 20
    print(f"{'not ' if wrong or few else ''}ok 2 - the machine says what the reference says")
    return run.returncode != 0 or wrong > 0 or few


if __name__ == "__main__":
    sys.exit(main())
