import time
def work(n, xs=tuple(range(1000))):
    return n + 1  # line 3
print("ready", flush=True)
n = 0
while True:
    n = work(n)
    time.sleep(0.02)
