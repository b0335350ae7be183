"""What a probe is placed in: a request loop with values of many kinds, and with classes whose methods count every call of theirs."""
import contextvars
import datetime
import decimal
import gc
import os
import sys
import threading
import time

try:
    from opentelemetry import trace as otel
    from opentelemetry.sdk.trace import TracerProvider
except ImportError:
    otel = None

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
    amounts = [decimal.Decimal(t) for t in ("184.50", "-0.005", "12345678901234567890123456789.1", "7")]
    when = datetime.datetime(2026, 5, 4, 3, 2, 1, 42)
    loop = [1, "zwei\u00e4"]
    loop.append(loop)
    total = quantity * each
    del poison.inside
    poison.inside = "changed"
    return total, slots, password, numbers, amounts, when


class Span:
    """As OpenTelemetry's SDK has it, for interpreters without it."""

    def __init__(self, trace, span):
        self._context = (trace, span, False)


current = contextvars.ContextVar("current_context", default={})


def traced():
    if otel:
        with otel.get_tracer("t").start_as_current_span("s") as span:
            ids = span.get_span_context()
            ids_seen = "%032x/%016x" % (ids.trace_id, ids.span_id)
            return inside(ids_seen)
    current.set({"current-span-1": Span(0x0123456789abcdef00000000000000ff, 0xfedcba9876543210)})
    ids_seen = "0123456789abcdef00000000000000ff/fedcba9876543210"
    return inside(ids_seen)


def inside(ids_seen):
    here = len(ids_seen)
    return here


class Status:
    kind = "new"

    @property
    def computed(self):
        return Poison.count(self)

    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        return Poison.count(self)


class Key:
    """Equal to everything, as far as it is asked."""

    def __init__(self, like):
        self.like = hash(like)

    def __hash__(self):
        return self.like

    def __eq__(self, other):
        Poison.count(self)
        return True


class Sly(str):
    __eq__ = __len__ = Poison.count
    __hash__ = str.__hash__


LIMIT = 250


def order(i):
    customer = Status("Zo\u00eb")
    items = [{"sku": "A-1", "price": decimal.Decimal("60.5")}, {"sku": "B-2", "price": decimal.Decimal("40"), 7: "seven", "\u00e4\u20ac": 1}]
    trap = {Key("total"): 1, Key("\u00e4"): 2}
    trap["more"] = 3
    sly = Sly("sly")
    login = {"password": "hunter2hunter2"}
    card = "4111 1111 1111 1111"
    slots = Slots()
    poison = Poison()
    huge = 2**80
    even = i % 2 == 0
    done = even and customer and items
    return done, trap, sly, login, card, slots, poison, huge, LIMIT


class Refused(ValueError):
    def __str__(self):
        return Poison.count(self)


def check(i):
    doubled = i * 2
    if i % 3 == 0:
        raise Refused("not today")
    return {"n": doubled}


def checked(i):
    try:
        return check(i)
    except ValueError:
        return None


def closure(base):
    def inner(x):
        y = x + base
        return y
    return inner


inner = closure(40)


def turns(n):
    threading.current_thread().name = "turn-%d" % (n % 2)
    if n % 2:
        odd = n
    turned = n
    threading.current_thread().name = "MainThread"
    return turned


def spin(n):
    for i in range(n):
        x = i + 1
    return x


class Basket:
    def __init__(self, each):
        self.each = each

    def total(self, quantity):
        return sum(self.each for _ in range(quantity))


class Empty:
    def total(self, quantity):
        return 0


basket = Basket(7)


def slow(i):
    begun = i
    time.sleep(0.1)
    done = begun
    return done


def nest(i):
    seen = []
    try:
      try:
        try:
          try:
            try:
              try:
                try:
                  try:
                    try:
                      try:
                        try:
                          try:
                            try:
                              try:
                                try:
                                  try:
                                    try:
                                      try:
                                        try:
                                          try:
                                            seen.append(i)
                                          finally:
                                            seen.append(19)
                                        finally:
                                          seen.append(18)
                                      finally:
                                        seen.append(17)
                                    finally:
                                      seen.append(16)
                                  finally:
                                    seen.append(15)
                                finally:
                                  seen.append(14)
                              finally:
                                seen.append(13)
                            finally:
                              seen.append(12)
                          finally:
                            seen.append(11)
                        finally:
                          seen.append(10)
                      finally:
                        seen.append(9)
                    finally:
                      seen.append(8)
                  finally:
                    seen.append(7)
                finally:
                  seen.append(6)
              finally:
                seen.append(5)
            finally:
              seen.append(4)
          finally:
            seen.append(3)
        finally:
          seen.append(2)
      finally:
        seen.append(1)
    finally:
      seen.append(0)
    return seen


if otel:
    otel.set_tracer_provider(TracerProvider())
codes = (price.__code__, inner.__code__, spin.__code__, closure.__code__, order.__code__, check.__code__, Basket.total.__code__)
n = 0
heap = [[i] for i in range(300000)] if "heap" in sys.argv else []
held = [closure(i) for i in range(50)] if heap else []
print("up", flush=True)
while True:
    n += 1
    if heap:
        # Objects are made and lost, and move from list to list of the collector.
        heap[n % 1000:n % 1000 + 50] = [[i] for i in range(60)]
        gc.collect(2 if n % 40 == 0 else n % 2)
        if n % 150 == 0:
            gc.freeze()
        elif n % 150 == 75:
            gc.unfreeze()
        # So are functions of one code, of which none may be forgotten when it is exchanged.
        held[n % 50] = closure(n)
        held[n % 7](2)
        called += any(f.__code__ is not inner.__code__ for f in held)
    price(n, 7)
    inner(2)
    traced()
    order(n)
    turns(n)
    checked(n)
    basket.total(3), Empty().total(3), nest(n)
    if "fork" in sys.argv and n == 400 and os.fork() == 0:
        sys.stdout = open(os.devnull, "w")
    if "collects" in sys.argv:
        # Functions that are young, and a collector that is about to begin: it does when somebody, whoever that is, makes a few objects more.
        young = [closure(i) for i in range(100)]
        gc.set_threshold(gc.get_count()[0] + 20)
    if "slow" in sys.argv:
        slow(n)
    if "hot" in sys.argv:
        spin(200000)
    else:
        time.sleep(0.0002 if "fast" in sys.argv else 0.002)
    # Nothing left: the very code objects from before.
    same = codes == (price.__code__, inner.__code__, spin.__code__, closure.__code__, order.__code__, check.__code__, Basket.total.__code__) and any(const is inner.__code__ for const in closure.__code__.co_consts)
    print(n, called, int(same), flush=True)
