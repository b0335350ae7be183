"""What a copy of CPython 3.11's bytecode has to be: the same instructions, places, jumps and handlers, moved."""
import dis

INSERTED = [["PUSH_NULL", "LOAD_CONST", "PRECALL", "CALL", "POP_TOP"], ["PUSH_NULL", "LOAD_CONST", "COPY", "PRECALL", "CALL", "POP_TOP"]]
RETURN, RAISE = -1, -2  # in place of a line


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
