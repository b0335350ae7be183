"""The functions of the language, of values."""
import math
import re

from values import INT_MAX, INT_MIN, Big, Container, Fault, got, inside, is_looped, is_made, order, truth


def length(x):
    if isinstance(x, (str, bytes)):
        return len(x)
    if not is_looped(x):
        raise Fault("type")
    return len(x.items)


def text(x):
    if x is None or isinstance(x, bool):
        return {None: "null", True: "true", False: "false"}[x]
    if isinstance(x, (int, str)):
        return str(x)
    raise Fault("unsupported")


def integer(x):
    if isinstance(x, float):
        if not -(2.0**63) <= x < 2.0**63:
            raise Fault("unsupported")
        return int(x)
    if isinstance(x, str):
        digits = x.strip(" \t\r\n")
        if not re.fullmatch(r"-?[0-9]+", digits, re.ASCII) or not INT_MIN <= int(digits) <= INT_MAX:
            raise Fault("unsupported")
        return int(digits)
    if x is None or isinstance(x, (bytes, Container)):
        raise Fault("type")
    return int(x) if isinstance(x, bool) else x


def type_name(x):
    if isinstance(x, Container):
        return "list" if is_made(x) else x.type
    return {type(None): "null", bool: "bool", int: "int", Big: "int", float: "float", str: "str", bytes: "bytes"}[type(x)]


def lower(x):
    if not isinstance(x, str):
        raise Fault("type")
    return re.sub("[A-Z]", lambda m: m[0].lower(), x)


def alike(a, b):
    if type(a) is not type(b) or not isinstance(a, (str, bytes)):
        raise Fault("type")


def starts(a, b):
    alike(a, b)
    return a.startswith(b)


def ends(a, b):
    alike(a, b)
    return a.endswith(b)


def hexadecimal(x):
    if isinstance(x, bytes):
        return x.hex()
    if type(x) is not int:
        raise Fault("type")
    return hex(x)


def made(values):
    return Container("made", list(enumerate(values)), "list")


def keys(x):
    if not isinstance(x, Container) or x.kind not in ("dict", "object"):
        raise Fault("type")
    return made([key for key, _ in x.items])


def extreme(wanted):
    def of(best, x):
        found = order(x, best)
        if found is None:
            raise Fault("unsupported")
        return x if found == wanted else best

    return of


def elements(of):
    if not is_looped(of):
        raise Fault("type")
    return ((key, got(value)) for key, value in of.items)


def loop_extreme(wanted):
    def loop(of, body):
        best = None
        for i, pair in enumerate(elements(of)):
            x = body(*pair)
            if x is None or isinstance(x, (bool, Container)):
                raise Fault("type")
            if isinstance(x, float) and math.isnan(x):
                raise Fault("unsupported")
            if i == 0 or order(x, best) == wanted:
                best = x
        return best

    return loop


def count(of, body=None):
    return sum(truth(body(*pair)) for pair in elements(of))


LOOPS = {
    "any": lambda of, body: any(truth(body(*pair)) for pair in elements(of)),
    "all": lambda of, body: all(truth(body(*pair)) for pair in elements(of)),
    "count": count,
    "filter": lambda of, body: made([pair[1] for pair in elements(of) if truth(body(*pair))]),
    "map": lambda of, body: made([body(*pair) for pair in elements(of)]),
    "min": loop_extreme(-1),
    "max": loop_extreme(1),
}


def collection(x):
    if not is_looped(x):
        raise Fault("type")
    return len(x.items)


CALLS = {
    "len": length,
    "empty": lambda x: x is None or length(x) == 0,
    "type": type_name,
    "str": text,
    "int": integer,
    "lower": lower,
    "starts": starts,
    "ends": ends,
    "contains": lambda x, y: inside(y, x),
    "hex": hexadecimal,
    "keys": keys,
    "min": extreme(-1),
    "max": extreme(1),
}


def call(function, values):
    if function == "count":
        return collection(values[0])
    return CALLS[function](*values)
