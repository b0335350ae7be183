#!/usr/bin/python3
"""Spliced bytecode (CPython up to 3.11) against dis: the same instructions, places, jumps and handlers, moved; and the same behaviour.

    test_splice.py CC ROOT MINOR [FILES]      FILES: how many of the standard library's (default 60). Exits 77 where there is no 3.MINOR with headers.
"""
import asyncio
import dis
import glob
import os
import pathlib
import random
import subprocess
import sys
import sysconfig
import tempfile
import traceback
import types

if sys.version_info >= (3, 11):
    from splice_table import RAISE, RETURN, compare
else:
    from splice_blocks import RAISE, RETURN, compare

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
def fails(n):
    with open('/dev/null') as h:
        for i in range(n):
            try:
                if i == 2: raise KeyError(
                    i)
            except ValueError:
                pass
            finally:
                i += 1
def refuses(n):
    try:
        fails(n)
    except KeyError as e:
        raise ValueError(n) from e
def gives(n):
    for i in range(n):
        yield i
    fails(n)
async def waits(n):
    await asyncio.sleep(0)
    async with asyncio.Lock():
        refuses(n)
def closure(a):
    def inner(b):
        nonlocal a
        a += b
        return a
    return inner
'''


def interpreter(root, minor):
    """Debian's, the one that tools/setup fetched, or one of pyenv."""
    places = [f"/usr/bin/python3.{minor}", f"{root}/.setup/cpython/3.{minor}/bin/python3", *glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python3"))]
    return next((p for p in places if os.path.exists(p)), None)


def build(cc, root):
    out = pathlib.Path(tempfile.mkdtemp()) / "splice_module.so"
    include = sysconfig.get_path("include")
    if not pathlib.Path(include, "internal/pycore_code.h").exists():
        print(f"skipped: no headers of CPython for {sys.executable}")
        sys.exit(77)
    source = f"{root}/runtimes/python/splice.c" if sys.version_info >= (3, 11) else f"{root}/runtimes/python/splice_blocks.c"
    subprocess.run([cc, "-std=gnu17", "-shared", "-fPIC", "-O1", "-g", "-fvisibility=hidden", f"-I{root}/runtimes/python", f"-I{include}",
                    f"-I{include}/internal", "-o", out, source, f"{root}/tests/agent/python/splice_module.c"], check=True)
    sys.path.insert(0, str(out.parent))
    import splice_module
    return splice_module


def all_code(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from all_code(const)


def lines_of(code):
    return sorted({line for _, line in dis.findlinestarts(code) if line})


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
            checked += compare(splice, code, lines[:1]) + compare(splice, code, lines[:40]) + compare(splice, code, lines[:1] * 60) + compare(splice, code, [0])
            checked += compare(splice, code, [RAISE]) + compare(splice, code, [0, RETURN, RAISE]) + compare(splice, code, lines[:20] + [RETURN, RETURN, RAISE, RAISE])
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


def told(function, *args):
    """What it does, with the whole chain of tracebacks."""
    try:
        made = function(*args)
        if hasattr(made, "cr_frame"):
            made = asyncio.run(made)
        elif hasattr(made, "gi_frame"):
            made = list(made)
        return repr(made)
    except BaseException as e:
        return "".join(traceback.format_exception(type(e), e, e.__traceback__)).replace(f", in {function.__name__}", "") + str([f.f_lasti >= 0 for f, _ in traceback.walk_tb(e.__traceback__)])


def exits(module):
    """Returns and exceptions are told of, once each, and change nothing: not a value, a traceback, a line."""
    names = {}
    exec(compile(PROGRAM, "program", "exec"), names)
    functions = [names[n] for n in ("loops", "gen", "co", "fails", "refuses", "gives", "waits")]
    want = [told(f, 4) for f in functions] + [told(f, 1) for f in functions]
    before = {f: f.__code__ for f in functions}
    for f in functions:
        f.__code__ = module.splice(f.__code__, [0, RETURN, RAISE])
    module.seen()
    for _ in range(50):
        assert [told(f, 4) for f in functions] + [told(f, 1) for f in functions] == want
    module.seen()
    told(names["refuses"], 4)
    kinds = [type(v).__name__ for v in module.seen()]
    assert kinds == ["KeyError", "ValueError"], kinds
    told(names["fails"], 1)
    assert module.seen() == [None]
    told(names["loops"], 3)
    assert [type(v) for v in module.seen()] == [list]
    for _ in range(3):
        made = names["gen"](5)
        next(made)
        made.close()
        made = names["gen"](5)
        next(made)
        try:
            made.throw(KeyError("thrown"))
        except KeyError:
            pass
        made = names["gen"](5)  # never begun: nothing of its body runs
        made.close()
    assert [type(v).__name__ for v in module.seen()] == ["GeneratorExit", "KeyError"] * 3
    try:
        names["refuses"](4)
    except ValueError as e:
        trace = e.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        assert (trace.tb_frame.f_code.co_name, trace.tb_lineno, trace.tb_frame.f_lineno) == ("refuses", line_in("raise ValueError(n)"), line_in("raise ValueError(n)"))
        assert trace.tb_frame.f_locals["n"] == 4 and e.__cause__.args == (2,)
    module.seen()
    for f in functions:
        f.__code__ = before[f]
    assert sys.exc_info() == (None, None, None)
    print("ok: exits are seen, and are what they were")


def nested(module):
    """A frame of 3.10 has room for twenty blocks: where all are taken, no other is laid around them."""
    for depth in (5, 19, 20):
        body = "".join(f"{' ' * k}try:\n" for k in range(1, depth + 1)) + " " * (depth + 1) + "return [][n]\n"
        body += "".join(f"{' ' * k}finally: seen.append({k})\n" for k in range(depth, 0, -1))
        names = {"seen": []}
        exec("def deep(n):\n" + body, names)
        code = names["deep"].__code__
        if depth == 20 and sys.version_info < (3, 11):
            try:
                module.splice(code, [RAISE])
                raise AssertionError("one block too many")
            except ValueError:
                continue
        names["deep"].__code__ = module.splice(code, [0, RETURN, RAISE])
        module.seen()
        try:
            names["deep"](3)
        except IndexError:
            pass
        assert names["seen"] == list(range(depth, 0, -1)) and [type(e) for e in module.seen()] == [IndexError]
    print("ok: blocks have room")


def library(module):
    """Modules of the standard library, every function of theirs a copy with calls at each line and exit, do what they did."""
    import argparse
    import difflib
    import json
    import re
    import textwrap

    def errs(f, *args):
        try:
            return f(*args)
        except Exception as e:  # whatever: it is to be the same
            return [type(e).__name__, str(e), traceback.extract_tb(e.__traceback__)[-1].lineno]

    def run():
        parser = argparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("-n", type=int, nargs="+", default=[1])
        re.purge()
        return repr((errs(json.JSONDecoder(parse_float=str).decode, '{"a": [1, 2.5, {"b": null}], "c": "\\u00e4"}'), errs(json.loads, '{"a": ]'),
                     json.dumps({"a": [1, None, {"b": 2.5}]}, indent=1), errs(re.compile, "(a|b)*?[^c-f]{2,3}(?P<x>y)(?=z)"), errs(re.compile, "(a"),
                     re.sub(r"(\w+) (\w+)", r"\2-\1", "one two three four"), textwrap.wrap("the quick brown fox jumps over the lazy dog" * 3, 17),
                     list(difflib.unified_diff("abcdefg", "abxdeyg", n=1)), difflib.get_close_matches("appel", ["ape", "apple", "peach"]),
                     errs(parser.parse_args, ["-n", "3", "4"]), errs(parser.parse_args, ["-n", "x"])))

    want, before = run(), {}
    modules = [argparse, difflib, json.decoder, json.encoder, json.scanner, re, textwrap, *(sys.modules[n] for n in ("sre_parse", "sre_compile") if n in sys.modules)]
    for owner in [o for m in modules for o in (m, *(c for c in vars(m).values() if isinstance(c, type) and c.__module__ == m.__name__))]:
        for function in vars(owner).values():
            if isinstance(function, types.FunctionType) and function.__globals__ in [vars(m) for m in modules]:
                made = module.splice(function.__code__, [0, *lines_of(function.__code__)[:60], RETURN, RAISE])
                before[function], function.__code__ = function.__code__, made
    calls = module.calls()
    for _ in range(20):
        assert run() == want
    calls = module.calls() - calls
    for function, code in before.items():
        function.__code__ = code
    module.seen()
    assert len(before) > 150 and calls > 10000, (len(before), calls)
    print(f"ok: {len(before)} functions of the standard library do what they did")


def line_in(text):
    return next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if text in line)


def main(cc, root, minor, files=60):
    if sys.version_info[1] != int(minor):
        python = interpreter(root, minor)
        if not python:
            print(f"skipped: no CPython 3.{minor}")
            sys.exit(77)
        os.execv(python, [python, *sys.argv])
    module = build(cc, root)
    standard_library(module.splice, int(files))
    behaviour(module)
    exits(module)
    nested(module)
    library(module)


if __name__ == "__main__":
    main(*sys.argv[1:])
