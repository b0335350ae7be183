"""What a copy of the bytecode of CPython 3.9 and 3.10 has to be: the same instructions, lines, jumps and blocks, moved."""
import dis
import sys

RETURN, RAISE = -1, -2  # in place of a line
LINE_CALL = ["LOAD_CONST", "CALL_FUNCTION", "POP_TOP"]
RETURN_CALL = ["DUP_TOP", "LOAD_CONST", "ROT_TWO", "CALL_FUNCTION", "POP_TOP"]
RAISE_CALL = ["DUP_TOP_TWO", "POP_TOP", "LOAD_CONST", "ROT_TWO", "CALL_FUNCTION", "POP_TOP"]


class Rows:
    """Instructions with their prefixes: each begins where the first prefix does."""

    def __init__(self, code):
        self.code, self.rows, self.starts, first = code, [], [], None
        for i in dis.get_instructions(code):
            first = i.offset if first is None else first
            if i.opname != "EXTENDED_ARG":
                self.rows.append(i)
                self.starts.append(first)
                first = None
        self.starts.append(len(code.co_code))
        self.index = {start: k for k, start in enumerate(self.starts)}

    def names(self, k, n):
        return [i.opname for i in self.rows[k:k + n]]

    def call(self, k, names, consts):
        """Behind a call that was inserted here; k: there is none."""
        made = self.rows[k:k + len(names)]
        ours = self.names(k, len(names)) == names and any(i.opname == "LOAD_CONST" and i.arg >= consts for i in made)
        return k + len(names) if ours else k


def parts(code):
    """[first offset, line or None] of each part of the table, joined where the line goes on."""
    out, at, line = [], 0, code.co_firstlineno

    def add(start, end, line):
        if end > start and not (out and out[-1][1] == line):
            out.append((start, line))

    table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab
    for k in range(0, len(table), 2):
        size, change = table[k], table[k + 1] - 256 if table[k + 1] > 127 else table[k + 1]
        if sys.version_info >= (3, 10):
            line += 0 if change == -128 else change
            add(at, at + size, None if change == -128 else line)
        else:
            add(at, at + size, line)
            line += change
        at += size
    if sys.version_info < (3, 10):
        add(at, len(code.co_code), line)
    else:
        assert at == len(code.co_code), code
    return out


class Moved:
    """Takes the copy apart. place: of each old instruction, where what stands before it begins; jump: where jumps to it go; self.own: itself."""

    def __init__(self, old, new, lines):
        self.place, self.jump, self.own = [], [], []
        consts, k, wrapped = len(old.code.co_consts), 0, RAISE in lines
        body = 1 if old.rows[0].opname == "GEN_START" else 0
        self.setup = None
        for n, was in enumerate(old.rows):
            self.place.append(k)
            if n == body:
                for _ in range(lines.count(0)):
                    assert new.call(k, LINE_CALL, consts) > k, old.code
                    k = new.call(k, LINE_CALL, consts)
                if wrapped:
                    self.setup, k = new.rows[k], k + 1
            self.jump.append(k)
            while (to := max(new.call(k, LINE_CALL, consts), new.call(k, RETURN_CALL, consts))) > k:
                k = to
            if was.opname == "RETURN_VALUE":
                calls = sum(new.rows[i].opname == "DUP_TOP" for i in range(self.jump[n], k))
                assert calls == lines.count(RETURN), old.code
                if wrapped:
                    assert new.rows[k].opname == "POP_BLOCK", old.code
                    k += 1
            self.own.append(k)
            k += 1
        self.place.append(k), self.jump.append(k), self.own.append(k)
        if wrapped:
            assert self.setup.opname == "SETUP_FINALLY" and self.setup.argval == new.starts[k], old.code
            for _ in range(lines.count(RAISE)):
                assert new.call(k, RAISE_CALL, consts) > k, old.code
                k = new.call(k, RAISE_CALL, consts)
            assert new.rows[k].opname == "RERAISE" and new.rows[k].arg == (1 if sys.version_info >= (3, 10) else None), old.code
            k += 1
        assert k == len(new.rows), old.code


def compare(splice, code, lines):
    made = splice(code, lines)
    if made is None:
        return 0
    old, new = Rows(code), Rows(made)
    moved = Moved(old, new, lines)
    for n, was in enumerate(old.rows):
        now = new.rows[moved.own[n]]
        assert was.opcode == now.opcode, (code, was, now)
        if was.opcode in dis.hasjrel or was.opcode in dis.hasjabs:
            assert new.starts[moved.jump[old.index[was.argval]]] == now.argval, (code, was, now)
        else:
            assert was.arg == now.arg, (code, was, now)
    want = [(new.starts[moved.place[old.index[at]]], line) for at, line in parts(code)]
    if RAISE in lines and sys.version_info >= (3, 10) and want[-1][1] is not None:
        want.append((new.starts[moved.place[-1]], None))
    assert parts(made) == want, code
    assert made.co_stacksize >= code.co_stacksize + 9
    assert made.co_consts[:len(code.co_consts)] == code.co_consts and made.co_names == code.co_names
    return 1
