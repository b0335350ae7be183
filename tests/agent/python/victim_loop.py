"""A loop, or threads: idle (asleep, in joins and waits) or busy (never asleep)."""
import sys
import threading
import time


def step(n):
    text = str(n)
    pair = [n, text]
    return n + len(pair)


def work(busy):
    n = 0
    while True:
        n = step(n) % 1000003
        if not busy:
            time.sleep(0.05)


kind, busy = sys.argv[1], sys.argv[2] == "busy"
threads = [threading.Thread(target=work, args=(busy,), daemon=True) for _ in range(3)] if kind == "threads" else []
for thread in threads:
    thread.start()
print("up", flush=True)
if threads:
    threads[0].join()
work(busy)
