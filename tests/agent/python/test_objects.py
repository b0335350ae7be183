#!/usr/bin/python3
"""The collector's objects are met in parts, whatever the program makes, loses, collects and freezes between two of them: no function that is alive is missed.

    test_objects.py CC ROOT MINOR [SEEDS]      SEEDS: how many programs (default 12). Exits 77 where there is no 3.MINOR with headers.
"""
import gc
import os
import pathlib
import random
import subprocess
import sys
import sysconfig
import tempfile

from test_splice import interpreter

PARTS_LEAST, PARTS_MOST = 20, 400  # of some 25,000 objects, 256 at a time; after 500 all is looked at in one go


def build(cc, root):
    out = pathlib.Path(tempfile.mkdtemp()) / "objects_module.so"
    include = sysconfig.get_path("include")
    if not pathlib.Path(include, "internal/pycore_code.h").exists():
        print(f"skipped: no headers of CPython for {sys.executable}")
        sys.exit(77)
    subprocess.run([cc, "-std=gnu17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-g", "-fno-strict-aliasing", "-fvisibility=hidden", f"-I{root}/runtimes/python",
                    f"-I{root}/src", f"-I{include}", f"-I{include}/internal", "-o", out, f"{root}/runtimes/python/objects.c", f"{root}/runtimes/python/collector.c",
                    f"{root}/tests/agent/python/objects_module.c"], check=True)
    sys.path.insert(0, str(out.parent))
    import objects_module
    return objects_module


def function():
    return lambda: None


def program():
    """Some of what a program keeps: functions, and rings that only a collection ends; the functions far apart."""
    kept = []
    for i in range(12000):
        kept.append(function() if i % 10 == 0 else [i])
    return kept


def ring():
    a = []
    a.append(a)


def alive(kept):
    return {id(o) for o in kept if type(o) is type(function)}


def walk(module, kept, between):
    """How many parts it took."""
    parts, done = 0, False
    while not done:
        done = module.some()
        parts += 1
        if not done:
            between(parts)
        assert parts < 2000, "it does not end"
    missed = alive(kept) - module.met()
    assert not missed, f"{len(missed)} functions missed"
    assert not module.strayed(), "from one list into another"
    return parts


def mixed(kept, dice, rate):
    """What may happen between two parts, more of it or less."""
    def between(_):
        for _ in range(dice.randrange(30)):
            ring()
        for _ in range(dice.randrange(8)):
            kept[dice.randrange(len(kept))] = function()
        for _ in range(dice.randrange(8)):
            kept.append(kept.pop(dice.randrange(len(kept))))
        if dice.random() < rate:
            gc.collect(dice.choice((0, 0, 0, 0, 1, 1, 1, 2)))
        if dice.random() < rate / 10:
            gc.freeze()
        if dice.random() < rate / 5:
            gc.unfreeze()
            if dice.random() < 0.5:
                gc.freeze()
    return between


def main(cc, root, minor, seeds=12):
    if sys.version_info[1] != int(minor):
        python = interpreter(root, minor)
        if not python:
            print(f"skipped: no CPython 3.{minor}")
            sys.exit(77)
        os.execv(python, [python, *sys.argv])
    module = build(cc, root)
    kept = program()

    gc.disable()
    parts = walk(module, kept, lambda _: None)
    assert parts >= PARTS_LEAST, f"{parts} parts"
    print(f"ok: in {parts} parts")

    # One collection of each kind, at each part of the walk in turn; then it goes on from where it was, for the most part.
    for kind in (0, 1, 2, "freeze"):
        for at in range(1, PARTS_LEAST, 3):
            def once(part, at=at, kind=kind):
                kept[part] = function()
                if part == at:
                    gc.freeze() if kind == "freeze" else gc.collect(kind)
            parts = walk(module, kept, once)
            assert PARTS_LEAST <= parts <= PARTS_MOST, f"{parts} parts, with {kind} after {at}"
            gc.unfreeze()
    print("ok: a collection between two parts")

    # One after each part: steps of the incremental collector, the ends of its rounds among them.
    for kind in (0, 1):
        for frozen in (False, True):
            for _ in range(6):
                parts = walk(module, kept, lambda _, kind=kind: [ring() for _ in range(50)] and gc.collect(kind))
                assert parts <= PARTS_MOST, f"{parts} parts, with {kind} after each"
                if frozen:
                    gc.freeze()
            gc.unfreeze()
    print("ok: collections between all parts")

    for seed in range(int(seeds)):
        dice = random.Random(seed)
        if seed % 3 == 0:
            gc.set_threshold(dice.choice((60, 700)), dice.choice((2, 5)), 10)
            gc.enable()
        kept = program()
        gc.collect(dice.randrange(3))
        total = [walk(module, kept, mixed(kept, dice, dice.choice((0.02, 0.2, 1)))) for _ in range(4)]
        gc.disable()
        gc.unfreeze()
        if seed % 4 == 0:  # taken back in the middle
            module.some()
            module.end()
            gc.collect()
        assert max(total) > 1, total
    print("ok: programs")

    if hasattr(module, "read"):
        kinds = {
            # size of the structure, where `collecting` is, version, visited space, whose address the last member has
            (240, 192, 0x030E00F0, 0, -1): "incremental",
            (240, 192, 0x030E04F0, 1, -1): "incremental",
            (264, 192, 0x030E05F0, 0, 0): "generations",
            (264, 192, 0x030E04F0, 0, 0): "generations",  # put into an earlier one by who built it
            (264, 192, 0x030E05F0, 0, 1): None,
            (264, 192, 0x030E05F0, 0, -1): None,
            (264, 200, 0x030E05F0, 0, 0): None,
            (240, 192, 0x030E05F0, 0, -1): None,
            (240, 192, 0x030E04F0, 7, -1): None,
            (248, 192, 0x030E04F0, 0, -1): None,
        }
        for told, kind in kinds.items():
            assert module.read(*told) == kind, (told, module.read(*told))
        print("ok: the kinds of collectors")


if __name__ == "__main__":
    main(*sys.argv[1:])
