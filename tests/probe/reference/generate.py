"""Expressions and targets by chance: well formed, mostly of types that fit, in every spelling that the language has."""
import json

NAMES = ["i", "n", "f", "s", "t", "no", "big", "b", "xs", "names", "d", "order", "deep", "mixed", "st", "fn", "z", "gone", "lost", "secret", "odd name"]
NUMBERS = ["0", "1", "2", "3", "7", "100", "1_000", "0xff", "2.5", "0.1", "1e3", "1e300", "9223372036854775807", "9223372036854775808", "10ms", "1m30s", "64kb",
           "1mib", "1.5ms", "4.0", "9007199254740993", "5e-324"]
TEXTS = ["", "a", "b", "ab", "Ab", "A-1", "12", " -7 ", "x y", "ä", "Grüße", "\U0001F600a", "it's", 'a"b', "a\\b", "a\nb", "abcabc", "k"]
FIELDS = ["id", "total", "items", "price", "sku", "tags", "none", "secret", "host", "a", "customer"]
FAULTS = ["$missing", "$redacted", "$unreadable", "$optimized_out", "$uninitialized", "$not_in_scope", "$null", "$range"]
INTS = [0, 1, -1, 2, 3, 7, -7, 100, 255, 2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
BIGS = [2**63, 2**64, -(2**63) - 1, 10**30, -(10**30), 10**400]
FLOATS = [0.0, -0.0, 1.0, 2.5, -7.5, 0.1, 1e300, -1e300, 5e-324, 9007199254740992.0, 9.3e18, 255.0]


class Values:
    def __init__(self, random):
        self.random = random

    def number(self):
        r = self.random
        return r.choice(r.choice([INTS, INTS, FLOATS, BIGS, [r.randint(-20, 20)]]))

    def scalar(self):
        r = self.random
        return r.choice([self.number, self.number, lambda: r.choice(TEXTS), lambda: r.random() < 0.5, lambda: None,
                         lambda: {"$bytes": r.choice(["", "ab", "b"])}])()

    def any(self, depth=2):
        r = self.random
        if r.random() < 0.06:
            return r.choice(FAULTS)
        if depth == 0 or r.random() < 0.5:
            return self.scalar()
        return r.choice([self.list, self.dict, self.object, self.set, lambda d: {"$other": "function"}])(depth - 1)

    def some(self, make):
        return [make() for _ in range(self.random.randint(0, 4))]

    def list(self, depth):
        r = self.random
        if r.random() < 0.7:  # of one kind, as lists are
            return self.some(r.choice([self.number, lambda: r.choice(TEXTS), lambda: r.randint(-3, 3), lambda: self.item()]))
        return self.some(lambda: self.any(depth))

    def item(self):
        return {"$type": "Item", "price": self.number(), "sku": self.random.choice(TEXTS), **({"a": self.any(0)} if self.random.random() < 0.3 else {})}

    def fields(self, depth):
        return {self.random.choice(FIELDS): self.any(depth) for _ in range(self.random.randint(0, 5))}

    def dict(self, depth):
        return self.fields(depth)

    def object(self, depth):
        return {"$type": self.random.choice(["Order", "Item"]), **self.fields(depth)}

    def set(self, depth):
        return {"$set": self.some(lambda: self.scalar())}

    def variables(self):
        r = self.random
        out = {"i": r.choice(INTS), "n": self.number(), "f": r.choice(FLOATS), "s": r.choice(TEXTS), "t": r.random() < 0.5, "no": None, "big": r.choice(BIGS),
               "b": {"$bytes": r.choice(["", "ab", "b"])}, "xs": self.some(lambda: r.randint(-3, 9)), "names": self.some(lambda: r.choice(TEXTS)),
               "d": self.dict(1), "order": self.object(2), "deep": self.any(3), "mixed": self.some(lambda: self.any(1)), "st": self.set(0),
               "fn": {"$other": "function"}, "z": self.any(0), "lost": "$unreadable", "secret": "$redacted", "odd name": self.any(0),
               "@hit": r.randint(1, 9), "@duration": r.randint(0, 10**9), "@service": "shop", "@trace.id": r.choice([None, "0af7"]),
               "@static": {"Config": self.object(1)}}
        return {k: v for k, v in out.items() if r.random() < 0.97}

    def target(self):
        return {"vars": self.variables(), "callers": [self.variables()]}


class Expressions:
    """Text, made from what shall come out: bool number text any collection."""

    def __init__(self, random):
        self.random, self.params, self.left, self.loops = random, [], 0, 0

    def pick(self, *options):
        return self.random.choice(options)

    def whole(self):
        self.params, self.left, self.loops = [], self.random.randint(2, 14), 0
        return self.of(self.pick("bool", "bool", "bool", "number", "text", "any", "collection"))

    def of(self, kind):
        self.left -= 1
        if self.random.random() < 0.04:
            kind = self.pick("bool", "number", "text", "any", "collection")
        out = getattr(self, "small_" + kind if self.left <= 0 else kind)()
        if self.random.random() < 0.06:
            return f"({out})"
        return out

    def inner(self, kind):
        """As an operand: in brackets, unless it is small, so that what is meant is what is read, or by chance not."""
        out = self.of(kind)
        return out if self.random.random() < 0.35 or out.replace(".", "").isalnum() else f"({out})"

    # --- leaves
    def literal_text(self):
        text = self.random.choice(TEXTS)
        if self.random.random() < 0.5:
            return "'" + text.replace("'", "''") + "'"
        out = json.dumps(text, ensure_ascii=False)
        return out.replace("ä", "\\u{e4}") if self.random.random() < 0.5 else out

    def name(self, *of):
        return self.random.choice([*of, *of, *self.params]) if self.params else self.random.choice(of)

    def small_bool(self):
        return self.pick("true", "False", self.name("t"), self.name("t"), "no", "i")

    def small_number(self):
        return self.pick(self.name("i", "n", "f", "big"), self.name("i", "n"), self.random.choice(NUMBERS), "-" + self.random.choice(NUMBERS), "@hit", "@duration")

    def small_text(self):
        return self.pick(self.name("s", "s", "b"), self.literal_text(), "@service", "@trace.id")

    def small_any(self):
        name = self.name(*NAMES)
        return self.pick(f"`{name}`" if " " in name else name, "@return", "null", "undefined", "@static(Config)", f"@frame({self.pick(0, 1, 2)}).{self.pick('i', 's', 'order')}")

    def small_collection(self):
        return self.name("xs", "xs", "names", "order", "d", "mixed", "st")

    # --- nodes
    def path(self):
        base = self.pick("order", "order", "d", "deep", "@static(Config)", "xs", "s", "mixed", *self.params)
        for _ in range(self.random.randint(1, 3)):
            step = self.random.random()
            if step < 0.7:
                base += self.pick(".", ".", "?.", "->") + self.random.choice(FIELDS)
            else:
                base += self.pick("[", "[", "?[") + self.pick("0", "1", "-1", self.literal_text(), "i", self.of("any")) + "]"
        return base

    def bool(self):
        of = self.of
        return self.pick(self.compare, self.compare, self.equality, self.logic, self.logic, self.negation, self.inside, self.inside, self.matching, self.quantified,
                         self.small_bool, lambda: f"has({self.path()})", lambda: f"changed({of(self.pick('number', 'text', 'bool', 'any'))})", lambda: f"empty({of('any')})", lambda: f"{self.pick('starts', 'ends')}({of('text')}, {of('text')})",
                         lambda: f"contains({of(self.pick('collection', 'text'))}, {of(self.pick('any', 'text'))})", lambda: self.choice("bool"))()

    def compare(self):
        kind = self.pick("number", "number", "number", "text", "any")
        return f"{self.inner(kind)} {self.pick('<', '<=', '>', '>=', '==', '!=')} {self.inner(kind)}"

    def equality(self):
        kind = self.pick("number", "text", "any", "bool")
        return f"{self.inner(kind)} {self.pick('==', '=', '!=')} {self.inner(self.pick(kind, 'any'))}"

    def logic(self):
        return f"{self.inner('bool')} {self.pick('&&', '||', 'and', 'or', 'AND', 'OR')} {self.inner('bool')}"

    def negation(self):
        return self.pick("!", "not ", "! ") + self.inner("bool")

    def inside(self):
        word = self.pick("in", "not in")
        if self.random.random() < 0.5:
            kind = self.pick("number", "text", "any")
            return f"{self.inner(kind)} {word} [{', '.join(self.of(kind) for _ in range(self.random.randint(0, 3)))}]"
        return self.pick(lambda: f"{self.inner('text')} {word} {self.inner('text')}", lambda: f"{self.inner('any')} {word} {self.inner('collection')}")()

    def matching(self):
        pattern = self.pattern(self.random.randint(1, 3))
        quoted = f"'{pattern}'" if self.random.random() < 0.5 else f'"{pattern}"'
        return f"{self.inner('text')} {self.pick('matches', '=~', '!~', 'not matches')} {quoted}"

    def pattern(self, depth):
        r = self.random

        def atom(depth):
            if depth and r.random() < 0.3:
                return f"({self.pick('', '?:')}{either(depth - 1)})"
            return self.pick("a", "b", "c", "A", "-", "1", ".", "ä", "[a-c]", "[^a]", r"\d", r"\w", r"\s", r"\W", r"[\d_]", "k", " ", r"\.")

        def part(depth):
            if r.random() < 0.15:
                return self.pick("^", "$", r"\b", r"\B", r"\A", r"\z")
            return atom(depth) + self.pick("", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?")

        def either(depth):
            return self.pick("|", "").join("".join(part(depth) for _ in range(r.randint(1, 3))) for _ in range(r.randint(1, 2)))

        return self.pick("", "", "(?i)") + either(depth)

    def looped(self, body, result):
        if self.loops == 2:
            return None
        over = self.of("collection")
        pair = self.random.random() < 0.3
        params = self.pick(["k", "v"], ["x", "y"]) if pair else [self.pick("x", "y", "v", "i")]
        before, self.loops = list(self.params), self.loops + 1
        self.params += params
        inner = self.of(body)
        self.params, self.loops = before, self.loops - 1
        return f"{result}({over}, {'(' + ', '.join(params) + ')' if pair else params[0]} => {inner})"

    def quantified(self):
        return self.looped("bool", self.pick("any", "all")) or self.small_bool()

    def choice(self, kind):
        return f"{self.inner('bool')} ? {self.inner(kind)} : {self.inner(kind)}"

    def number(self):
        of = self.of
        return self.pick(self.small_number, self.arithmetic, self.arithmetic, self.arithmetic, self.path, lambda: "-" + self.inner("number"),
                         lambda: f"len({of(self.pick('text', 'collection'))})", lambda: f"int({of(self.pick('number', 'text', 'any'))})",
                         lambda: f"count({of(self.pick('collection', 'any'))})", lambda: self.looped("bool", "count") or "1",
                         lambda: self.looped(self.pick("number", "text"), self.pick("min", "max")) or "1", lambda: f"{self.pick('min', 'max')}({of(self.pick('collection', 'any'))})",
                         lambda: f"{self.pick('min', 'max')}({', '.join(of('number') for _ in range(self.random.randint(2, 3)))})", lambda: self.choice("number"))()

    def arithmetic(self):
        return f"{self.inner('number')} {self.pick('+', '-', '*', '/', '%')} {self.inner('number')}"

    def text(self):
        of = self.of
        return self.pick(self.small_text, self.path, lambda: f"{self.inner('text')} + {self.inner('text')}", lambda: f"str({of('any')})", lambda: f"lower({of('text')})",
                         lambda: f"hex({of(self.pick('number', 'any'))})", lambda: f"type({of('any')})", lambda: f"{self.inner('text')}[{of('number')}]", lambda: self.choice("text"))()

    def any(self):
        return self.pick(self.small_any, self.small_any, self.path, self.path, lambda: self.of(self.pick("number", "text", "bool")), lambda: self.choice("any"))()

    def collection(self):
        return self.pick(self.small_collection, self.small_collection, self.path, lambda: f"keys({self.of('any')})", lambda: self.looped("bool", "filter") or "xs",
                         lambda: self.looped(self.pick("number", "text", "any"), "map") or "xs")()


def expression(random):
    return Expressions(random).whole()
