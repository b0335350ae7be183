"""Frames that stop and go on: a generator and a coroutine, in a loop of asyncio."""
import asyncio


def steps(limit):
    for step in range(limit):
        twice = step * 2
        yield twice


async def awaited(amount):
    parts = [part + amount for part in steps(3)]
    await asyncio.sleep(0)
    total = sum(parts)
    return total


async def main():
    n = 0
    print("up", flush=True)
    while True:
        n += 1
        assert await awaited(40) == 126
        await asyncio.sleep(0.002)
        print(n, 0, 1, flush=True)


asyncio.run(main())
