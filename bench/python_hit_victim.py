"""What bench/python_hit.py measures: a function with ten variables, and one beside it. Commands on stdin, nanoseconds a call on stdout."""
import sys
import time


class Order:
    def __init__(self):
        self.id, self.total = 1001, 99.5


def priced(quantity, each, customer, order, codes):
    total = quantity * each
    tax = total * 0.19
    name = "order"
    paid = total > 1000
    rest = None
    return total


def beside(quantity):
    total = 0
    for i in range(quantity):
        total += i * 2
    return total


order, codes = Order(), [200, 404, 500]


def calls(n):
    begun = time.thread_time_ns()
    for i in range(n):
        priced(i, 7, "Zoe", order, codes)
    return (time.thread_time_ns() - begun) / n


def apart(n):
    begun = time.thread_time_ns()
    for _ in range(n):
        beside(100)
    return (time.thread_time_ns() - begun) / n / 100


seen = [None]


def line_trace(frame, event, arg):
    if event == "line" and frame.f_lineno == LINE:
        seen[0] = dict(frame.f_locals)
    return line_trace


def call_trace(frame, event, arg):
    return line_trace if frame.f_code is priced.__code__ else None


def debugger():
    try:
        import debugpy  # of PyPI, in the environment of bench/python_hit.py
        return debugpy.listen(("127.0.0.1", 0))[1]
    except ImportError:  # it wants a libffi that not every interpreter here finds
        return 0


LINE = next(n for n, text in enumerate(open(__file__, encoding="utf-8"), 1) if text == "    return total\n")
kinds = {"priced": calls, "beside": apart}
print(LINE, flush=True)
for command in sys.stdin:
    word, *rest = command.split()
    if word in kinds:
        print(kinds[word](int(rest[0])), flush=True)
    elif word == "settrace":
        sys.settrace(call_trace if rest[0] == "on" else None)
        print(0, flush=True)
    elif word == "debugger":
        print(debugger(), flush=True)
