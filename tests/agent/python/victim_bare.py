"""A program that ends of an exception, and has neither threads nor anything to do at its exit: not even the modules for it."""
import _signal
import os
import sys
import time

go = []


class Failure(ValueError):
    pass


def deep(order):
    total = order * 21
    if total == 42:
        raise Failure("deep failure")


os.dup2(1, 2)
_signal.signal(_signal.SIGUSR1, lambda *args: go.append(args))
if "atexit" in sys.modules or "threading" in sys.modules:
    print("has them", flush=True)
print("up", flush=True)
while not go:
    print("1 0 1", flush=True)
    time.sleep(0.002)
deep(2)
