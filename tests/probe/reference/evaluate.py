"""What an expression means, written from docs/probes.md alone: a second opinion on the machine of src/probe."""
from functions import LOOPS, call
from patterns import search
from values import ABSENT, INT_MIN, Big, Container, Fault, arithmetic, as_float, equal, got, inside, is_made, is_number, member, order, truth

PATHS = ("name", "field", "index", "special", "frame", "static")


class Aside(Exception):
    """A fault inside of has() that is not one of its path, but of a key."""

    def __init__(self, fault):
        super().__init__(fault.reason)
        self.fault = fault


class Undetermined(Exception):
    """Targets of their own have no object in common, but maybe an address."""


def element(of, key):
    if isinstance(key, Container):
        raise Fault("type")
    if of is None:
        raise Fault("null")
    if isinstance(of, Container) and of.kind in ("dict", "object"):
        return member(of, key) if isinstance(key, str) else member(of, object())
    if isinstance(of, Container) and of.kind not in ("list", "made"):
        raise Fault("type")
    if type(key) is not int or not isinstance(of, (str, bytes, Container)):
        raise Fault("type")
    items = [value for _, value in of.items] if isinstance(of, Container) else of
    if key < 0 and isinstance(of, Container) and of.kind == "list":
        key += len(items)
    if not 0 <= key < len(items):
        raise Fault("range")
    return got(items[key])


def field(of, name):
    if of is None:
        raise Fault("null")
    if not isinstance(of, Container) or of.kind not in ("dict", "object"):
        raise Fault("missing")
    return member(of, name)


def same(a, b):
    """Of big integers only their floats are known; what is no number has not changed from itself."""
    if isinstance(a, Container) and isinstance(b, Container):
        raise Undetermined
    a, b = (as_float(x) if isinstance(x, Big) else x for x in (a, b))
    return equal(a, b) or (a != a and b != b)


class Evaluation:
    def __init__(self, variables, callers=(), memory=None):
        self.frames = [variables, *callers]
        self.memory = {} if memory is None else memory

    def run(self, node, bound=None):
        return getattr(self, "do_" + NAMES.get(node[0], node[0]))(node, bound or {})

    def path(self, node, bound, asked):
        """asked: by has(), about the whole path."""
        kind = node[0]
        if kind in ("name", "special"):
            return member(self.frames[0], node[1])
        if kind == "frame":
            if node[1] >= len(self.frames):
                raise Fault("range")
            return member(self.frames[node[1]], node[2])
        if kind == "static":
            return member(member(self.frames[0], "@static"), node[1])
        gone = of = key = None
        try:
            of = self.path(node[1], bound, asked) if node[1][0] in PATHS else self.aside(node[1], bound, asked)
        except Fault as fault:
            if not asked or fault.reason not in ABSENT:
                raise
            gone = fault
        if kind == "index":
            key = self.aside(node[2], bound, asked)
            if isinstance(key, Container):
                raise Fault("type")
        if gone:
            raise gone
        try:
            return element(of, key) if kind == "index" else field(of, node[2])
        except Fault as fault:
            if node[3] and not asked and fault.reason in ABSENT:
                return None
            raise

    def aside(self, node, bound, asked):
        try:
            return self.run(node, bound)
        except Fault as fault:
            if asked:
                raise Aside(fault) from None
            raise

    def do_path(self, node, bound):
        return self.path(node, bound, False)

    def do_literal(self, node, bound):
        return node[1]

    def do_param(self, node, bound):
        return bound[node[1]]

    def do_if(self, node, bound):
        return self.run(node[2] if truth(self.run(node[1], bound)) else node[3], bound)

    def do_or(self, node, bound):
        return truth(self.run(node[1], bound)) or truth(self.run(node[2], bound))

    def do_and(self, node, bound):
        return truth(self.run(node[1], bound)) and truth(self.run(node[2], bound))

    def do_not(self, node, bound):
        return not truth(self.run(node[1], bound))

    def do_neg(self, node, bound):
        x = self.run(node[1], bound)
        if not is_number(x):
            raise Fault("type")
        return -x if type(x) is int and x != INT_MIN else -as_float(x)

    def do_matches(self, node, bound):
        x = self.run(node[1], bound)
        if not isinstance(x, str):
            raise Fault("type")
        return search(node[2], x)

    def do_in_list(self, node, bound):
        x = self.run(node[1], bound)
        return any(equal(x, self.run(item, bound)) for item in node[2])

    def do_binary(self, node, bound):
        op, a, b = node[0], self.run(node[1], bound), self.run(node[2], bound)
        if op == "in":
            return inside(a, b)
        if op in ("==", "!="):
            return equal(a, b) == (op == "==")
        if op in ("<", "<=", ">", ">="):
            return order(a, b) in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[op]
        return arithmetic(op, a, b)

    def do_call(self, node, bound):
        _, function, args, params = node
        if function == "has":
            return self.has(args[0], bound)
        if params or (function in ("min", "max") and len(args) == 1):
            of = self.run(args[0], bound)

            def body(key, value):
                inner = dict(zip(params, (key, value) if len(params) == 2 else (value,)))
                return self.run(args[1], bound | inner) if params else value

            return LOOPS[function](of, body)
        if function == "changed":
            x, before = self.run(args[0], bound), self.memory.get(id(node))
            if is_made(x):
                raise Fault("type")
            self.memory[id(node)] = (x,)
            return before is not None and not same(x, before[0])
        if function in ("min", "max"):  # compared from the left, as they come
            best = self.run(args[0], bound)
            for arg in args[1:]:
                best = call(function, [best, self.run(arg, bound)])
            return best
        return call(function, [self.run(arg, bound) for arg in args])

    def has(self, node, bound):
        try:
            self.path(node, bound, True)
            return True
        except Aside as aside:
            raise aside.fault from None
        except Fault as fault:
            if fault.reason in ABSENT:
                return False
            raise


NAMES = {k: "path" for k in PATHS} | {op: "binary" for op in ("in", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%")}
