"""A real Python that is probed, and then writes over everything that it shares with the agent, again and again: the ring, its counters, its orders."""
import os
import random
import threading
import time


def scribble():
    rng, memory = random.Random(1), None
    while True:
        with open("/proc/self/maps") as maps:
            spans = [line.split()[0].split("-") for line in maps if "memfd:clew-shared" in line]
        for begin, end in spans:
            begin, end = int(begin, 16), int(end, 16)
            memory = memory or os.open("/proc/self/mem", os.O_RDWR)
            for at in range(begin, end, 4096):
                words = [rng.choice((0, 1, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff, rng.getrandbits(64))) for _ in range(8)]
                try:
                    os.pwrite(memory, b"".join(w.to_bytes(8, "little") for w in words), at + rng.randrange(0, 4032, 8))
                except OSError:
                    pass
            print("scribbled", flush=True)
        time.sleep(0.01)


def work(n):
    total = n + 1
    return total  # HERE


threading.Thread(target=scribble, daemon=True).start()
print("ready", flush=True)
n = 0
while True:
    n = work(n)
    time.sleep(0.005)
