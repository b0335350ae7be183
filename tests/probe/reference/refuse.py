"""What may be refused before it runs: an operator whose operands are wrong whatever the target holds.

Types: null bool int float number text list, None where only the target knows."""

TEXTS, NUMBERS = ("type", "str", "lower", "hex"), ("int", "float", "number")
BOOLS = ("has", "empty", "starts", "ends", "contains", "any", "all", "changed")
LITERALS = {type(None): "null", bool: "bool", int: "int", float: "float", str: "text"}
RESULTS = {"@hit": "int", "@duration": "int", "@service": "text", "@host": "text"}


def known(node):
    kind = node[0]
    if kind == "literal":
        return LITERALS[type(node[1])]
    if kind == "special":
        return RESULTS.get(node[1])
    if kind in ("not", "and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "in_list", "matches"):
        return "bool"
    if kind == "if":
        return known(node[2]) if known(node[2]) == known(node[3]) else None
    if kind == "neg":
        return known(node[1])
    if kind in ("+", "-", "*", "/", "%"):
        both = (known(node[1]), known(node[2]))
        if kind == "+" and "text" in both:
            return "text"
        return None if kind == "+" and both == (None, None) else "float" if kind == "/" or "float" in both else "number"
    if kind == "call":
        f = node[1]
        return "text" if f in TEXTS else "bool" if f in BOOLS else "int" if f in ("len", "int", "count") else "list" if f in ("keys", "filter", "map") else None
    return None


def unlike(a, b, equality):
    if "list" in (a, b) or (not equality and (a in ("bool", "null") or b in ("bool", "null"))):
        return True
    return None not in (a, b) and "null" not in (a, b) and a != b and not (a in NUMBERS and b in NUMBERS)


def not_of(t, *fitting):
    return t is not None and t not in fitting


def wrong_in(x, of):
    return not_of(of, "text", "list") or (of == "text" and not_of(x, "text"))


def wrong_call(function, args, params):
    t = [known(a) for a in args]
    if function in ("any", "all", "count", "filter", "map", "min", "max") and (params or len(args) == 1):
        return not_of(t[0], "list") or (bool(params) and (t[1] == "list" if function in ("map", "min", "max") else not_of(t[1], "bool")))
    if function in ("min", "max"):
        return any(unlike(t[0], other, False) for other in t[1:])
    if function == "contains":
        return wrong_in(t[1], t[0])
    if function in ("lower", "starts", "ends"):
        return any(not_of(x, "text") for x in t)
    fitting = {"len": ("text", "list"), "empty": ("text", "list", "null"), "str": ("null", "bool", "int", "number", "text"), "hex": ("int", "number"), "keys": (),
               "int": ("bool", "text", *NUMBERS)}
    if function in ("has", "type"):
        return False
    return t[0] == "list" if function == "changed" else not_of(t[0], *fitting[function])


def wrong(node):
    kind = node[0]
    if kind == "call":
        return wrong_call(*node[1:])
    if kind in ("not", "if"):
        return not_of(known(node[1]), "bool")
    if kind in ("and", "or"):
        return any(not_of(known(x), "bool") for x in node[1:])
    if kind == "matches":
        return not_of(known(node[1]), "text")
    if kind in ("field", "index"):
        return not_of(known(node[1]), *(("text", "list") if kind == "index" else ())) or (kind == "index" and known(node[2]) in ("list", "null"))
    if kind == "in_list":
        return any(unlike(known(node[1]), known(item), True) for item in node[2])
    if kind not in ("==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "neg"):
        return False
    t = [known(x) for x in node[1:]]
    if kind == "in":
        return wrong_in(*t)
    if kind in ("==", "!=", "<", "<=", ">", ">="):
        return unlike(*t, kind in ("==", "!="))
    return any(not_of(x, "text") if kind == "+" and "text" in t else not_of(x, *NUMBERS) for x in t)


def children(node):
    for part in node[1:]:
        if isinstance(part, tuple):
            yield part
        elif isinstance(part, list):
            yield from (x for x in part if isinstance(x, tuple))


def nodes(node):
    yield node
    for child in children(node):
        yield from nodes(child)


def refused(tree, slug):
    """Whether the text gives a reason for the refusal."""
    if slug == "type_mismatch":
        return any(wrong(node) for node in nodes(tree))
    if slug == "bad_argument":
        calls = [node for node in nodes(tree) if node[0] == "call"]
        return any(c[1] == "has" and c[2][0][0] not in ("name", "field", "index", "special", "frame", "static") for c in calls) or any(
            c[3] and any(n[:2] == ("call", "changed") for n in nodes(c[2][-1])) for c in calls)
    return slug == "too_many_terms" and sum(1 for _ in nodes(tree)) > 50
