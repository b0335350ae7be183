"""Coroutines from before a probe is placed: a task that waits, and one that nobody has awaited yet. SIGUSR2 lets both go on, and others be made."""
import asyncio
import signal


async def held(made, gate):
    await gate.wait()
    passed = made
    return passed


async def main():
    gate, n = asyncio.Event(), 0
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, gate.set)
    waiting = asyncio.ensure_future(held("waiting", gate))
    never_awaited = held("never awaited", gate)
    await asyncio.sleep(0)
    print("up", flush=True)
    while True:
        n += 1
        await asyncio.sleep(0.002)
        if gate.is_set():
            if waiting:
                await waiting
                await never_awaited
                waiting = None
            await held("later", gate)
        print(n, 0, int(not waiting), flush=True)


asyncio.run(main())
