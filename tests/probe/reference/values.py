"""Values, their equality and order, by docs/probes.md.

None, bool, int, float, str, bytes, and the containers below. An int beyond 64 bits is a Big."""
import math

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
ABSENT = ("missing", "null", "range", "not_in_scope", "uninitialized")
REASONS = (*ABSENT, "redacted", "unreadable", "optimized_out")


class Fault(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Big:
    """Of it the order is known as far as a float tells it."""

    def __init__(self, value):
        self.value = value
        try:
            self.float = float(value)
        except OverflowError:
            self.float = math.inf if value > 0 else -math.inf


class Container:
    """kind: list set dict object other made. items: [(key, value or Fault)]."""

    def __init__(self, kind, items, type_name, source=None):
        self.kind, self.items, self.type, self.source = kind, items, type_name, source


def read(x):
    """A value of the target as tests/probe/json_host.h writes it. A Fault when it cannot be given."""
    if isinstance(x, str) and x[:1] == "$" and x[1:] in REASONS:
        return Fault(x[1:])
    if isinstance(x, int) and not isinstance(x, bool) and not INT_MIN <= x <= INT_MAX:
        return Big(x)
    if isinstance(x, list):
        return Container("list", [(i, read(v)) for i, v in enumerate(x)], "list", x)
    if not isinstance(x, dict):
        return x
    if "$bytes" in x:
        return x["$bytes"].encode()
    if "$set" in x:
        return Container("set", [(i, read(v)) for i, v in enumerate(x["$set"])], "set", x)
    if "$other" in x:
        return Container("other", [], x["$other"], x)
    fields = [(k, read(v)) for k, v in x.items() if k != "$type"]
    return Container("object" if "$type" in x else "dict", fields, x.get("$type", "dict"), x)


def got(x):
    if isinstance(x, Fault):
        raise Fault(x.reason)
    return x


def member(of, key):
    for name, value in of.items:
        if name == key:
            return got(value)
    raise Fault("missing")


def is_number(x):
    return isinstance(x, (int, float, Big)) and not isinstance(x, bool)


def is_made(x):
    return isinstance(x, Container) and x.kind == "made"


def is_looped(x):
    return isinstance(x, Container) and x.kind != "other"


def as_float(x):
    return x.float if isinstance(x, Big) else float(x)


def number_order(a, b):
    """-1, 0, 1, or None beside NaN."""
    for x, y, sign in ((a, b, 1), (b, a, -1)):
        if isinstance(x, Big) and type(y) is int:
            return sign if x.value > 0 else -sign
    if isinstance(a, Big) or isinstance(b, Big):
        x, y = as_float(a), as_float(b)
        if x == y:
            raise Fault("unsupported")
        return None if x != x or y != y else -1 if x < y else 1
    return None if a != a or b != b else (a > b) - (a < b)  # Python compares an int and a float exactly, too


def equal(a, b):
    if is_made(a) or is_made(b):
        raise Fault("type")
    if is_number(a) and is_number(b):
        return number_order(a, b) == 0
    if isinstance(a, Container) or isinstance(b, Container):
        return a is b
    return type(a) is type(b) and a == b


def order(a, b):
    if is_number(a) and is_number(b):
        return number_order(a, b)
    if type(a) is type(b) and isinstance(a, (str, bytes)):
        a, b = (x.encode() if isinstance(x, str) else x for x in (a, b))
        return (a > b) - (a < b)
    raise Fault("type")


def truth(x):
    if not isinstance(x, bool):
        raise Fault("not_bool")
    return x


def arithmetic(op, a, b):
    if op == "+" and isinstance(a, str) and isinstance(b, str):
        return a + b
    if not is_number(a) or not is_number(b):
        raise Fault("type")
    if op in "/%" and as_float(b) == 0:
        raise Fault("zero")
    if type(a) is int and type(b) is int and op != "/":
        exact = a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else abs(a) % abs(b) * (-1 if a < 0 else 1)
        if INT_MIN <= exact <= INT_MAX:
            return exact
    a, b = as_float(a), as_float(b)
    if op == "/":
        return divide(a, b)
    if op == "%":
        return math.nan if math.isinf(a) or a != a or b != b else math.fmod(a, b)
    return a + b if op == "+" else a - b if op == "-" else a * b


def divide(a, b):
    try:
        return a / b
    except OverflowError:
        return math.copysign(math.inf, a) * math.copysign(1, b)


def inside(x, of):
    if isinstance(of, (str, bytes)):
        if type(x) is not type(of):
            raise Fault("type")
        return x in of
    if not is_looped(of):
        raise Fault("type")
    by_key = of.kind in ("dict", "object")
    return any(equal(x, key if by_key else got(value)) for key, value in of.items)
