"""What `python -m` runs: a package's own program, with a module that was loaded again while a function of before is still in use."""
import importlib
import time

from . import stock

take_before = stock.take
importlib.reload(stock)


def turn(n):
    both = take_before("before"), stock.take("again")
    return n, both


def main():
    n = 0
    print("up", flush=True)
    while True:
        n += 1
        turn(n)
        time.sleep(0.002)
        print(n, 0, 1, flush=True)


if __name__ == "__main__":
    main()
