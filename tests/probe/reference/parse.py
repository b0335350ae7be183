"""The text of an expression to a tree of tuples, by docs/probes.md: (kind, ...)."""
import re

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9, "w": 604800 * 10**9}
SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None, "undefined": None, "nil": None}
FUNCTIONS = set("len empty has type str int lower starts ends contains hex any all count filter map min max keys changed".split())
TOKEN = re.compile(r"""\s*(?:
    (?P<number>0[xX][0-9a-fA-F]+ | [0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:(?:ns|us|ms|s|m|h|d|w)(?:[0-9]+(?:ns|us|ms|s|m|h|d|w))*(?![a-z])|[kmgtKMGT]?i?[bB])?)
  | (?P<double>"(?:[^"\\]|\\.)*") | (?P<single>'(?:[^']|'')*') | `(?P<quoted>[^`]+)`
  | (?P<special>@(?:trace\.id|span\.id|[a-z]+)) | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<punct>--|=>|==|!=|=~|!~|<=|>=|&&|\|\||->|\?\.|\?\[|[-+*/%<>=!?:.,()\[\]]))""", re.X)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
KEYWORDS = ("and", "or", "not", "in", "matches", "AND", "OR", "NOT", "IN", "MATCHES")
COMPARISONS = ("==", "=", "!=", "<=", ">=", "<", ">", "in", "matches", "=~", "!~")
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class Syntax(Exception):
    pass


def tokens(text):
    out, at = [], 0
    text = text.rstrip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise Syntax(text[at:])
        out.append((m.lastgroup, m.group(m.lastgroup)))
        at = m.end()
    return [*out, ("end", "")]


def number(text):
    if text[:2].lower() == "0x":
        return int(text, 16)
    plain = text.replace("_", "")
    if re.fullmatch(r"[0-9]+", plain):
        value = int(plain)
        return value if value <= INT_MAX else float(value)
    if re.fullmatch(r"[0-9.]+([eE][+-]?[0-9]+)?", plain):
        return float(plain)
    total = 0
    for whole, part, unit in re.findall(r"([0-9]+)(?:\.([0-9]+))?([a-zA-Z]+)", plain):
        factor = UNITS.get(unit) or SIZES[unit.lower()]
        total += int(whole) * factor + int(part or 0) * factor // 10 ** len(part)
    return total


def text_of(kind, raw, pattern):
    if kind == "single":
        return raw[1:-1].replace("''", "'")
    if pattern:  # its own escapes stay; only the quote has one
        return raw[1:-1].replace('\\"', '"')
    return re.sub(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))", lambda m: chr(int(m[1], 16)) if m[1] else ESCAPES[m[2]], raw[1:-1])


class Parser:
    def __init__(self, text):
        self.tokens, self.at, self.bound = tokens(text), 0, []

    def here(self, *words):
        kind, text = self.tokens[self.at]
        return text in words and kind in ("punct", "name")

    def take(self, *words):
        if self.here(*words):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def need(self, word):
        if not self.take(word):
            raise Syntax(f"{word} at {self.tokens[self.at]}")

    def whole(self):
        tree = self.expression()
        if self.tokens[self.at][0] != "end":
            raise Syntax(f"more at {self.tokens[self.at]}")
        return tree

    def expression(self):
        test = self.either()
        if not self.take("?"):
            return test
        yes = self.expression()
        self.need(":")
        return ("if", test, yes, self.expression())

    def either(self):
        left = self.both()
        while self.take("||", "or", "OR"):
            left = ("or", left, self.both())
        return left

    def both(self):
        left = self.negation()
        while self.take("&&", "and", "AND"):
            left = ("and", left, self.negation())
        return left

    def negation(self):
        return ("not", self.negation()) if self.take("!", "not", "NOT") else self.comparison()

    def comparison(self):
        left = self.sum()
        negated = bool(self.take("not"))
        op = self.take(*COMPARISONS)
        if not op:
            return left
        if op in ("matches", "=~", "!~"):
            kind, raw = self.tokens[self.at]
            self.at += 1
            node = ("matches", left, text_of(kind, raw, True))
            negated = negated or op == "!~"
        elif op == "in" and self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.expression())
                self.take(",")
            node = ("in_list", left, items)
        else:
            node = ("==" if op == "=" else op, left, self.sum())
        if self.here(*COMPARISONS):
            raise Syntax("one comparison at a time")
        return ("not", node) if negated else node

    def sum(self):
        left = self.product()
        while op := self.take("+", "-"):
            left = (op, left, self.product())
        return left

    def product(self):
        left = self.minus()
        while op := self.take("*", "/", "%"):
            left = (op, left, self.minus())
        return left

    def minus(self):
        if not self.take("-"):
            return self.path()
        if self.tokens[self.at] == ("number", str(2**63)) and self.tokens[self.at + 1][1] not in (".", "->", "[", "?.", "?["):
            self.at += 1
            return ("literal", INT_MIN)
        return ("neg", self.minus())

    def path(self):
        node = self.primary()
        while op := self.take(".", "->", "?.", "[", "?["):
            soft = op[0] == "?"
            if op.endswith("["):
                node = ("index", node, self.expression(), soft)
                self.need("]")
            else:
                node = ("field", node, self.name(), soft)
        return node

    def name(self):
        kind, text = self.tokens[self.at]
        if kind not in ("name", "quoted"):
            raise Syntax(f"a name at {text}")
        self.at += 1
        return text

    def primary(self):
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return ("literal", number(text))
        if kind in ("double", "single"):
            return ("literal", text_of(kind, text, False))
        if kind == "special":
            return self.special(text)
        if kind == "name" and text in WORDS:
            return ("literal", WORDS[text])
        if kind == "name" and text not in KEYWORDS and self.here("("):
            return self.call(text)
        if kind == "quoted" or (kind == "name" and text not in KEYWORDS):
            return ("param" if kind == "name" and text in self.bound else "name", text)
        if text != "(":
            raise Syntax(f"a value at {text}")
        node = self.expression()
        self.need(")")
        return node

    def special(self, text):
        if text == "@frame":
            self.need("(")
            n = number(self.tokens[self.at][1])
            self.at += 1
            self.need(")")
            self.need(".")
            return ("frame", n, self.name())
        if text == "@static":
            self.need("(")
            name = self.name()
            self.need(")")
            return ("static", name)
        return ("special", text)

    def call(self, function):
        if function not in FUNCTIONS:
            raise Syntax(function)
        self.need("(")
        args, params = [], []
        while not self.take(")"):
            params = self.parameters()
            self.bound += params
            args.append(self.expression())
            del self.bound[len(self.bound) - len(params) :]
            self.take(",")
        return ("call", function, args, params)

    def parameters(self):
        words = [t[1] for t in self.tokens[self.at : self.at + 6]]
        if words[1] == "=>":
            self.at += 2
            return words[:1]
        if words[0] == "(" and words[2] == "," and words[4:] == [")", "=>"]:
            self.at += 6
            return [words[1], words[3]]
        return []


def parse(text):
    return Parser(text).whole()
