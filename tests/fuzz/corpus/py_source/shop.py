"""A docstring
def not_one():
"""
import a.b.c, d as e
from f import (g as h,
               i)
LIMIT: int = 3
x, (y, *z) = 1, (2, 3)

@decorated(lambda q: q)
def outer(a, b=(1, 2), *args, c: "str" = 'd', **kw) -> int:
    """says"""
    n = m = [v for v in a]
    def inner():
        nonlocal n
        global G
        n = a; G = 1
        return b
    for k, (l, o) in kw.items():
        kw[k].thing = l
    with open(r"x\"") as fd, b as (p, q): pass
    try:
        if (w := len(a)) > 1: late = w
    except (ValueError, KeyError) as error:
        raise
    else:
        f"{a!r} {'nested'}"
    return n \
        + 1


class Shop(Base):
    rate = 2
    async def buy(self, order):
        async for item in order: total = item
        return total
def short(a): return a
