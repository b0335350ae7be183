#!/usr/bin/python3
"""Writes paths.json: traces with their critical path and self times, computed here a third time and slowly, for the tests of
the server (tests/traces/test_trace_path.c) and of the pages (ui/src/trace/vectors.test.ts), which must agree."""
import json
import pathlib
import random

MS = 1_000_000
TOLERANCE = 1_500_000
HERE = pathlib.Path(__file__).parent


class Span:
    def __init__(self, span, parent, service, kind, start, duration):
        self.span, self.parent, self.service, self.kind, self.time, self.duration = span, parent, service, kind, start, duration
        self.children, self.depth, self.shift = [], 0, 0


def tree(spans):
    """In tree order, with depth; a parent that is not there makes a root."""
    by_id = {s.span: s for s in spans}
    roots = []
    for s in sorted(spans, key=lambda s: s.time):
        if s.parent in by_id:
            by_id[s.parent].children.append(s)
        else:
            roots.append(s)
    out = []

    def write(s, depth):
        s.depth = depth
        out.append(s)
        for c in s.children:
            write(c, depth + 1)
    for r in roots:
        write(r, 0)
    return out, roots


def correct(s, parent):
    if parent:
        if parent.service == s.service:
            s.shift = parent.shift
        elif parent.kind == "client" and s.kind == "server":
            early = parent.start - s.time
            late = s.time + s.duration - parent.start - parent.duration
            if early > TOLERANCE or late > TOLERANCE:
                if s.duration > parent.duration:
                    s.shift = early if early > TOLERANCE else 0
                else:
                    s.shift = early + (parent.duration - s.duration + 1) // 2
    s.start = s.time + s.shift
    s.end = s.start + max(0, s.duration)
    for c in s.children:
        correct(c, s)


def solve(spans):
    order, roots = tree(spans)
    for r in roots:
        correct(r, None)
    whole = [r for r in roots if not r.parent]
    root = min(whole or roots, key=lambda r: r.time)
    if whole:
        root.children = root.children + [r for r in roots if r.parent]
    self_of = {}
    for s in order:
        marks = sorted({s.start, s.end, *(t for c in s.children for t in (c.start, c.end) if s.start < t < s.end)})
        own = sum(b - a for a, b in zip(marks, marks[1:]) if not any(c.start <= a and c.end >= b for c in s.children))
        self_of[s.service] = self_of.get(s.service, 0) + own
    steps = []

    def walk(s, begin, end):
        for c in sorted(s.children, key=lambda c: (-c.end, c.start, c.span)):
            if end <= begin:
                return
            to, at = min(c.end, end), max(c.start, begin)
            if c.end > end + TOLERANCE or to <= at:
                continue
            if end > to:
                steps.append([s.span, to, end])
            walk(c, at, to)
            end = at
        if end > begin:
            steps.append([s.span, begin, end])
    walk(root, root.start, root.end)
    steps = [[i, a - root.start, b - root.start] for i, a, b in reversed(steps)]
    assert sum(b - a for _, a, b in steps) == max(0, root.duration)
    service = {s.span: s.service for s in order}
    critical = dict.fromkeys(self_of, 0)
    for i, a, b in steps:
        critical[service[i]] += b - a
    return order, root, steps, self_of, critical


def case(name, spans):
    order, root, steps, self_of, critical = solve(spans)
    return {"name": name, "root": root.span, "duration": max(0, root.duration), "steps": steps,
            "services": sorted([k, self_of[k], critical[k]] for k in self_of),
            "spans": [[s.span, s.parent, s.depth, s.service, s.kind, s.time, s.duration] for s in order]}


def made(*rows):
    return [Span(f"{i + 1:016x}", f"{p:016x}" if p else "", service, kind, int(start * MS), int(duration * MS))
            for i, (p, service, kind, start, duration) in enumerate(rows)]


def chance(random):
    n = random.randrange(1, 40)
    spans = []
    for i in range(n):
        parent = random.choice(spans) if spans and random.random() < 0.93 else None
        lost = spans and not parent and random.random() < 0.8
        start = (parent.time if parent else 0) + random.randrange(-10, 60) * MS // 2
        duration = random.choice([0, random.randrange(-4, 0), random.randrange(1, 120), random.randrange(1, 400)]) * MS // 2 + random.randrange(0, 3)
        spans.append(Span(f"{i + 1:016x}", parent.span if parent else f"{random.randrange(1000, 1003):016x}" if lost else "",
                          random.choice(["web", "shop", "db"]), random.choice(["client", "server", "internal"]), start, duration))
    return spans


def main():
    chances = random.Random(7)
    cases = [
        case("one span", made((0, "web", "server", 0, 10))),
        case("sequence", made((0, "web", "server", 0, 100), (1, "web", "internal", 10, 20), (1, "db", "internal", 40, 50))),
        case("overlap: the last to end is waited for", made((0, "web", "server", 0, 100), (1, "a", "internal", 10, 50), (1, "b", "internal", 30, 60))),
        case("a child that outlives its parent", made((0, "web", "server", 0, 100), (1, "a", "internal", 10, 20), (1, "b", "producer", 50, 500))),
        case("a skewed clock", made((0, "web", "client", 0, 100), (1, "shop", "server", -40, 60), (2, "shop", "internal", -30, 20))),
        case("zero and negative durations", made((0, "web", "server", 0, 100), (1, "a", "internal", 50, 0), (1, "b", "internal", 60, -30))),
        case("children of a span that never came", made((0, "web", "server", 0, 100), (99, "a", "internal", 20, 30), (99, "b", "internal", 60, 30))),
        case("no root at all", made((98, "web", "server", 0, 100), (99, "a", "internal", 20, 30))),
        case("a root of nothing", made((0, "web", "server", 0, 0), (1, "a", "internal", 0, 30))),
    ]
    while len(cases) < 60:
        spans = chance(chances)
        if len({s.time for s in spans}) == len(spans):  # the order of equal starts is nobody's business
            cases.append(case(f"chance {len(cases)}", spans))
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (HERE / "paths.json").write_text(f"[\n{rows}\n]\n")


main()
