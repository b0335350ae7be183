#!/usr/bin/env python3
"""JavaScript that the agent makes of expressions against the reference of this folder: compare_node.py LOWER NODE RUN [PAIRS] [SEED].

JavaScript has one kind of number: where the reference meets a whole float, an integer beyond 2^53 or bytes, there is nothing to compare; nor are there
types' names, places below 0, names that are secret by themselves, @names of the agent and variables of callers."""
import json
import random
import re
import subprocess
import sys

sys.dont_write_bytecode = True

import evaluate  # noqa: E402
from compare import RUNS, SHOWN, pairs  # noqa: E402
from evaluate import Evaluation, Undetermined  # noqa: E402
from parse import Syntax, parse  # noqa: E402
from values import Big, Container, Fault, read  # noqa: E402

ELSEWHERE = re.compile(r"type\s*\(|secret|@(?:duration|return|trace|service|frame\([12])")


def element(of, key, whole=evaluate.element):
    if isinstance(key, int) and key < 0:
        raise Undetermined
    return whole(of, key)


evaluate.element = element


def source_of(x):
    if isinstance(x, Container):
        return [source_of(value) for _, value in x.items] if x.kind == "made" else x.source
    return x.value if isinstance(x, Big) else x


class Common(Evaluation):
    def run(self, node, bound=None):
        x = super().run(node, bound)
        if isinstance(x, (bytes, Big)) or (isinstance(x, Container) and x.kind == "other"):
            raise Undetermined
        if (isinstance(x, float) and (x != x or x in (float("inf"), float("-inf")) or x.is_integer())) or (type(x) is int and abs(x) > 2**53):
            raise Undetermined
        return x


def expected(tree, targets):
    memory, out = {}, []
    for target in targets:
        variables = read(target["vars"])
        try:
            out.append(["value", source_of(Common(variables, [], memory).run(tree))])
        except Fault as fault:
            out.append(["fault", fault.reason])
        except (Undetermined, OverflowError):
            break
    return out


def plain(x):
    """Numbers are one kind, and no bool."""
    if isinstance(x, list):
        return [plain(v) for v in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, bool) or x is None:
        return ("word", x)
    try:
        return float(x) if isinstance(x, (int, float)) else x
    except OverflowError:
        return ("word", None)


def main():
    lower, node, run = sys.argv[1:4]
    n, seed = int(sys.argv[4]) if len(sys.argv) > 4 else 6000, int(sys.argv[5]) if len(sys.argv) > 5 else random.SystemRandom().randrange(10**6)
    made = [(text, targets) for text, targets in pairs(seed, n) if not ELSEWHERE.search(text)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text, _ in made)
    lowered = [json.loads(x) for x in subprocess.run([lower], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split("\n") if x]
    asked = [(text, targets, code) for (text, targets), code in zip(made, lowered, strict=True) if "error" not in code]
    lines = "".join(json.dumps({**code, "targets": targets}) + "\n" for _, targets, code in asked)
    done = subprocess.run([node, run], input=lines.encode(), stdout=subprocess.PIPE, check=False)
    answers = [json.loads(x) for x in done.stdout.decode().split("\n") if x]
    print(f"TAP version 13\n1..1\n# {len(asked)} expressions")
    wrong = compared = 0
    for i, (text, targets, code) in enumerate(asked):
        try:
            tree = parse(text)
        except Syntax:
            continue
        for target, ours, theirs in zip(targets, answers[i * RUNS : (i + 1) * RUNS], expected(tree, targets)):
            if ours[0] == "skip":
                break
            compared += 1
            if plain(ours) != plain(theirs):
                wrong += 1
                if wrong <= SHOWN:
                    print(f"# {text}\n#   {code['code']}\n#   over {json.dumps(target['vars'], ensure_ascii=False)}\n#   JavaScript {ours}, reference {theirs}")
                break
    few = compared < n / 6
    bad = done.returncode != 0 or wrong > 0 or few
    print(f"# seed {seed}: {compared} compared, {wrong} differences\n{'not ' if bad else ''}ok 1 - JavaScript says what the reference says")
    return bad


if __name__ == "__main__":
    sys.exit(main())
