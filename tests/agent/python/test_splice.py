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
import traceback
import types

INSERTED = [["PUSH_NULL", "LOAD_CONST", "PRECALL", "CALL", "POP_TOP"], ["PUSH_NULL", "LOAD_CONST", "COPY", "PRECALL", "CALL", "POP_TOP"]]
RETURN, RAISE = -1, -2  # in place of a line
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


def inserted_at(rows, k, consts):
    """How many instructions of a call that was inserted begin here."""
    for names in INSERTED:
        if [i.opname for i in rows[k:k + len(names)]] == names and rows[k + 1].arg >= consts:
            return len(names)
    return 0


def without_inserted(code, consts):
    """Pairs: an instruction, and the first one of what was inserted before it (itself if nothing was); and where the handler begins (None: there is none)."""
    rows, pairs, k = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"], [], 0
    while k < len(rows):
        first = rows[k]
        while n := inserted_at(rows, k, consts):
            k += n
        if k == len(rows) - 1 and first is not rows[k] and rows[k].opname == "RERAISE" and rows[k].positions.lineno is None:
            assert rows[k].arg == 1
            return pairs, first
        pairs.append((rows[k], first))
        k += 1
    return pairs, None


def compare(splice, code, lines):
    made = splice(code, lines)
    if made is None:
        return 0
    old = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
    pairs, handler = without_inserted(made, len(code.co_consts))
    assert len(pairs) == len(old) and (handler is None) == (RAISE not in lines), code
    old_starts, new_starts = starts_of(code), starts_of(made)
    moved = {len(code.co_code): new_starts[handler.offset] if handler else len(made.co_code)}
    for was, (now, first) in zip(old, pairs):
        assert was.opcode == now.opcode and was.positions == now.positions, (code, was, now)
        moved[old_starts[was.offset]] = new_starts[first.offset]
    for was, (now, _) in zip(old, pairs):
        if was.opcode in dis.hasjrel:
            assert moved[was.argval] == now.argval, (code, was, now)
        else:
            assert was.arg == now.arg, (code, was, now)
    handlers = [(moved[e.start], moved[e.end], moved[e.target], e.depth, e.lasti) for e in dis._parse_exception_table(code)]
    table = [(e.start, e.end, e.target, e.depth, e.lasti) for e in dis._parse_exception_table(made)]
    assert table == sorted(table) and all(a[1] <= b[0] for a, b in zip(table, table[1:])), code
    assert handlers == [e for e in table if not handler or e[2] != moved[len(code.co_code)]], code
    assert made.co_stacksize >= code.co_stacksize + 3
    if handler:
        covered(made, table, moved[len(code.co_code)])
    if RETURN in lines:
        for was, (now, first) in zip(old, pairs):
            assert was.opname != "RETURN_VALUE" or now is not first, code
    assert made.co_consts[:len(code.co_consts)] == code.co_consts and made.co_names == code.co_names
    return 1


def covered(made, table, end):
    """Of the body, everything has a handler; of its head and the handler itself nothing has."""
    resumes = [i.offset + 2 for i in dis.get_instructions(made) if i.opname == "RESUME" and i.arg == 0]
    at = resumes[0] if resumes else 0
    assert not table or table[0][0] >= at
    for start, stop, target, depth, lasti in table:
        assert start == at and (target != end or (depth, lasti) == (0, True)), made
        at = stop
    assert at == end, made


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
        return "".join(traceback.format_exception(e)).replace(f", in {function.__name__}", "") + str([f.f_lasti >= 0 for f, _ in traceback.walk_tb(e.__traceback__)])


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


def line_in(text):
    return next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if text in line)


if __name__ == "__main__":
    module = build(sys.argv[1], sys.argv[2])
    standard_library(module.splice, int(sys.argv[3]) if len(sys.argv) > 3 else 60)
    behaviour(module)
    exits(module)
