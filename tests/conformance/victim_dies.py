"""A program without an SDK whose threads end by what they raise, one after the other."""
import threading
import time


class Refused(ValueError):
    pass


def charge(order):
    total = order["total"] * 2
    raise Refused(f"no charge of {total}")


print("up", flush=True)
while True:
    threading.Thread(target=charge, args=({"total": 21},)).start()
    time.sleep(0.2)
