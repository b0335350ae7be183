#!/usr/bin/python3
"""Builds the part that runs inside a CPython, one object for each minor version whose headers are on this machine, and puts them into one C file.

    runtimes/python/build.py OUT.c WORK DEPFILE CC SOURCE...

A machine without some version's headers builds without that object; the agent then says which versions it was built for. The objects are not sanitised and
not part of any link: they are bytes that the agent hands over.
"""
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

MINOR_MIN, MINOR_MAX = 9, 14
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-DNDEBUG", "-fPIC", "-O3", "-flto=auto", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter",
         "-Wno-missing-field-initializers", "-fno-strict-aliasing", "-fvisibility=hidden", "-fstack-protector-strong"]
LINK = ["-shared", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-s"]


def headers():
    """minor version -> include directory: the system's first, then what tools/setup fetched, then what pyenv has."""
    found = {}
    fetched = pathlib.Path(__file__).resolve().parents[2] / ".setup/cpython/3.*/include/python3.*"
    places = ["/usr/include/python3.*", "/usr/local/include/python3.*", str(fetched), os.path.expanduser("~/.pyenv/versions/3.*/include/python3.*")]
    for place in places:
        for folder in sorted(glob.glob(place)):
            match = re.search(r"/python3\.(\d+)$", folder)
            if match and MINOR_MIN <= int(match[1]) <= MINOR_MAX and os.path.exists(folder + "/internal/pycore_code.h"):
                found.setdefault(int(match[1]), folder)
    return dict(sorted(found.items()))


def literal(data):
    return "\n".join("    " + ",".join(str(b) for b in data[at:at + 64]) + "," for at in range(0, len(data), 64))


def compile_object(made, cc, flags, sources):
    """One source a call, so that ccache, where there is one, knows those that did not change."""
    launcher, units = ["ccache"] if shutil.which("ccache") else [], []
    for at, source in enumerate(sources):
        units.append(f"{made}.{at}.o")
        subprocess.run([*launcher, *cc.split(), *FLAGS, *flags, "-c", "-o", units[-1], source], check=True)
    subprocess.run([*cc.split(), *FLAGS, *LINK, "-o", made, *units], check=True)


def main(out, work, depfile, cc, sources):
    here = pathlib.Path(__file__).resolve().parent
    root = here.parent.parent
    os.makedirs(work, exist_ok=True)
    march = ["-march=x86-64-v2"] if os.uname().machine == "x86_64" else []
    parts, deps = ["// Made by runtimes/python/build.py.", '#include "agent/python/objects.h"', ""], set(sources)
    table = []
    for minor, include in headers().items():
        made = f"{work}/clew_python_3_{minor}.so"
        compile_object(made, cc, [*march, f"-I{here}", f"-I{root}/src", f"-I{include}", f"-I{include}/internal"], sources)
        data = pathlib.Path(made).read_bytes()
        parts += [f"static const uint8_t object_3_{minor}[] = {{", literal(data), "};", ""]
        table.append(f"    {{ {minor}, object_3_{minor}, sizeof object_3_{minor} }},")
    parts += ["const struct python_object python_objects[] = {", *table, "    { 0, NULL, 0 },", "};", ""]
    pathlib.Path(out).write_text("\n".join(parts))
    deps |= {str(p) for p in [*here.glob("*.h"), *(root / "src/probe").glob("*.h"), root / "src/base/bytes.h", root / "src/agent/python/orders.h"]}
    pathlib.Path(depfile).write_text(f"{out}: {' '.join(sorted(deps))}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
