"""What ends by an exception when it is told to (SIGUSR1): how, its argument says. Nothing in it knows of Clew."""
import atexit
import concurrent.futures
import os
import signal
import sys
import threading
import time


class Poison:
    """Nothing of this may run because somebody looks: it would be read on the standard output."""

    def told(self, *args):
        os.write(1, b"poisoned\n")
        return self

    __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __getattr__ = told


class Failure(ValueError):
    pass


go = threading.Event()


class Deep:
    @staticmethod
    def deep(order):
        poison = Poison()
        total = order * 21
        if total == 42:
            raise Failure("deep failure")
        return poison


deep = Deep.deep


def middle(order):
    try:
        return deep(order)
    finally:
        order += 1


def caught():
    try:
        middle(2)
    except Failure:
        return 0
    return next(iter([]), None)


def generator():
    yield caught()
    return 7


def hook(kind, value, trace):
    os.write(1, b"hook of the program\n")


def work():
    while not go.is_set():
        caught()
        list(generator())
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(middle, 2).exception()
        print("1 0 1", flush=True)
        go.wait(0.002)


def ends(how):
    if how in ("main", "hooked", "removed", "alone"):
        middle(2)
    elif how == "thread":
        t = threading.Thread(target=middle, args=(2,), name="worker")
        t.start()
        t.join()
    elif how == "exit":
        sys.exit(3)
    elif how == "interrupt":
        raise KeyboardInterrupt
    elif how == "recursion":
        ends(how)


os.dup2(1, 2)
signal.signal(signal.SIGUSR1, lambda *args: go.set())
if sys.argv[1] == "alone":  # as with the green threads of some libraries
    threading._shutdown = lambda: None
if sys.argv[1] == "hooked":
    sys.excepthook = hook
def now():
    """What is the program's own, and after the removal of a probe also the code of what runs at an end."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, deep.__code__
    return (*hooks, threading._shutdown.__code__, atexit._ncallbacks()) if sys.argv[1] == "removed" else hooks


before = now()
print("up", flush=True)
work()
if before != now():
    os.write(1, b"changed\n")
ends(sys.argv[1])
print("survived", flush=True)
