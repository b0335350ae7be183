#!/usr/bin/python3
"""Spliced bytecode (CPython 3.11) against dis: the same instructions, places, jumps and handlers, moved; and the same behaviour.

    test_splice.py CC ROOT [FILES]      FILES: how many of the standard library's (default 60). Exits 77 where there is no 3.11 with headers.
"""
import asyncio
import dis
import glob
import pathlib
import random
import subprocess
import sys
import sysconfig
import tempfile
import types

INSERTED = ["PUSH_NULL", "LOAD_CONST", "PRECALL", "CALL", "POP_TOP"]
PROGRAM = '''
import asyncio
def loops(n):
    out = []
    for i in range(n):
        try:
            if i % 3 == 0: raise ValueError(i)
            with open('/dev/null') as h:
                out.append(i)
        except ValueError as e:
            out.append(-i)
        finally:
            out.append('f')
    while n > 0:
        n -= 1
        x = [k for k in range(n) if
             k % 2]
        out.append(dict(
            a=n,
            b=x))
    return out
def gen(n):
    for i in range(n):
        y = yield i
        if y: yield from range(y)
async def agen(n):
    for i in range(n):
        yield i
async def co(n):
    t = 0
    async with asyncio.Lock():
        for i in range(n):
            await asyncio.sleep(0)
            t += i
    return [v async for v in agen(n)], t
def closure(a):
    def inner(b):
        nonlocal a
        a += b
        return a
    return inner
'''


def build(cc, root):
    out = pathlib.Path(tempfile.mkdtemp()) / "splice_module.so"
    include = sysconfig.get_path("include")
    if sys.version_info[:2] != (3, 11) or not pathlib.Path(include, "internal/pycore_frame.h").exists():
        print(f"skipped: no headers of CPython 3.11 for {sys.executable}")
        sys.exit(77)
    subprocess.run([cc, "-std=gnu17", "-shared", "-fPIC", "-O1", "-g", "-fvisibility=hidden", f"-I{root}/runtimes/python", f"-I{include}",
                    f"-I{include}/internal", "-o", out, f"{root}/runtimes/python/splice.c", f"{root}/tests/agent/python/splice_module.c"], check=True)
    sys.path.insert(0, str(out.parent))
    import splice_module
    return splice_module


def starts_of(code):
    """Offset of an instruction -> offset of the first of its prefixes."""
    starts, first = {}, None
    for i in dis.get_instructions(code):
        if i.opname == "EXTENDED_ARG":
            first = i.offset if first is None else first
        else:
            starts[i.offset] = i.offset if first is None else first
            first = None
    return starts


def without_inserted(code, consts):
    """Pairs: an instruction, and the first one of what was inserted before it (itself if nothing was)."""
    rows, pairs, k = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"], [], 0
    while k < len(rows):
        first = rows[k]
        while rows[k].opname == "PUSH_NULL" and rows[k + 1].opname == "LOAD_CONST" and rows[k + 1].arg >= consts:
            assert [i.opname for i in rows[k:k + 5]] == INSERTED
            k += 5
        pairs.append((rows[k], first))
        k += 1
    return pairs


def compare(splice, code, lines):
    made = splice(code, lines)
    if made is None:
        return 0
    old = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
    pairs = without_inserted(made, len(code.co_consts))
    assert len(pairs) == len(old), code
    old_starts, new_starts = starts_of(code), starts_of(made)
    moved = {len(code.co_code): len(made.co_code)}
    for was, (now, first) in zip(old, pairs):
        assert was.opcode == now.opcode and was.positions == now.positions, (code, was, now)
        moved[old_starts[was.offset]] = new_starts[first.offset]
    for was, (now, _) in zip(old, pairs):
        if was.opcode in dis.hasjrel:
            assert moved[was.argval] == now.argval, (code, was, now)
        else:
            assert was.arg == now.arg, (code, was, now)
    handlers = [(moved[e.start], moved[e.end], moved[e.target], e.depth, e.lasti) for e in dis._parse_exception_table(code)]
    assert handlers == [(e.start, e.end, e.target, e.depth, e.lasti) for e in dis._parse_exception_table(made)], code
    assert made.co_consts[:len(code.co_consts)] == code.co_consts and made.co_names == code.co_names
    return 1


def all_code(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from all_code(const)


def lines_of(code):
    return sorted({line for _, _, line in code.co_lines() if line})


def standard_library(splice, count):
    files = sorted(glob.glob(sysconfig.get_path("stdlib") + "/*.py") + glob.glob(sysconfig.get_path("stdlib") + "/*/*.py"))
    chance = random.Random(1)
    chance.shuffle(files)
    checked = 0
    for name in files[:count]:
        try:
            whole = compile(pathlib.Path(name).read_text(encoding="utf-8"), name, "exec")
        except (SyntaxError, UnicodeDecodeError):
            continue
        for code in all_code(whole):
            lines = lines_of(code)
            chance.shuffle(lines)
            checked += compare(splice, code, lines[:1]) + compare(splice, code, lines[:40]) + compare(splice, code, [0])
    assert checked > count
    print(f"ok: {checked} copies are what they were")


def behaviour(module):
    names = {}
    exec(compile(PROGRAM, "program", "exec"), names)

    def run():
        made = names["gen"](5)
        seen = [next(made), made.send(3)] + list(made)
        inner = names["closure"](1)
        return repr((names["loops"](5), seen, asyncio.run(names["co"](4)), inner(2), inner(3)))

    want = run()
    for name in ("loops", "gen", "agen", "co", "closure"):
        function = names[name]
        function.__code__ = module.splice(function.__code__, [*lines_of(function.__code__), 0])
    before = module.calls()
    for _ in range(300):  # long enough to be specialised
        assert run() == want
    assert module.calls() > before + 300 * 20
    print("ok: they do what they did")


if __name__ == "__main__":
    module = build(sys.argv[1], sys.argv[2])
    standard_library(module.splice, int(sys.argv[3]) if len(sys.argv) > 3 else 60)
    behaviour(module)
