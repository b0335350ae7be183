"""Patterns: what RE2's syntax and Python's re share, in Python's words."""
import functools
import re

WORD = "[A-Za-z0-9_]"
EDGE = f"(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))"
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r"\t\n\f\r "}


def translate(pattern):
    """`$` is the end alone; classes and words are ASCII's, whatever (?i) says of the letters."""
    out, at, inside = "", 0, False
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if c == "\\":
            c = pattern[at]
            at += 1
            if c.lower() in CLASSES:
                out += CLASSES[c] if inside and c in CLASSES else f"[{'^' if c.isupper() else ''}{CLASSES[c.lower()]}]"
            else:
                out += {"z": r"\Z", "A": r"\A", "b": EDGE, "B": f"(?!{EDGE})"}.get(c, "\\" + c)
        elif inside or c not in "$[":
            inside = inside and c != "]"
            out += c
        elif c == "$":
            out += r"\Z"
        else:
            inside = True
            out += c
    return out


@functools.cache
def compiled(pattern):
    flags = re.IGNORECASE if pattern.startswith("(?i)") else 0
    return re.compile(translate(pattern[4:] if flags else pattern), flags)


def search(pattern, text):
    return compiled(pattern).search(text) is not None
