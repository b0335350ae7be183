"""What a probe is placed in: a request loop with values of many kinds, and with classes whose methods count every call of theirs."""
import sys
import time

called = 0


class Poison:
    """Nothing of this may run because somebody looks."""

    def __init__(self):
        self.inside = "seen"

    def count(self, *args):
        global called
        called += 1
        return self

    __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __getattr__ = count

    @property
    def danger(self):
        return self.count()


class Slots:
    __slots__ = ("left", "right")

    def __init__(self):
        self.left, self.right = 11, "slot"


class Number(int):
    def __repr__(self):
        return Poison.count(self)


def price(quantity, each):
    poison = Poison()
    slots = Slots()
    password = "hunter2hunter2"
    numbers = {"small": -7, "big": 2**80, 3: [True, None, 1.5]}
    loop = [1, "zwei\u00e4"]
    loop.append(loop)
    total = quantity * each
    del poison.inside
    poison.inside = "changed"
    return total, slots, password, numbers


def closure(base):
    def inner(x):
        y = x + base
        return y
    return inner


inner = closure(40)


def spin(n):
    for i in range(n):
        x = i + 1
    return x


codes = (price.__code__, inner.__code__, spin.__code__, closure.__code__)
n = 0
print("up", flush=True)
while True:
    n += 1
    price(n, 7)
    inner(2)
    if len(sys.argv) > 1:
        spin(200000)
    else:
        time.sleep(0.002)
    # Nothing left: the very code objects from before.
    same = codes == (price.__code__, inner.__code__, spin.__code__, closure.__code__) and inner.__code__ is closure.__code__.co_consts[1]
    print(n, called, int(same), flush=True)
