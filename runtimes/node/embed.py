#!/usr/bin/python3
"""Puts a text file into a C file as bytes, and what its version is called, which changes with it: embed.py OUT.c NAME FILE."""
import hashlib
import pathlib
import sys

out, name, file = sys.argv[1:]
data = pathlib.Path(file).read_bytes()
rows = "\n".join("    " + ",".join(str(b) for b in data[at:at + 64]) + "," for at in range(0, len(data), 64))
pathlib.Path(out).write_text(f"// Made by runtimes/node/embed.py.\n#include <stddef.h>\nextern const char {name}[], {name}_version[];\nextern const size_t {name}_size;\n"
                             f"const char {name}[] = {{\n{rows}\n    0,\n}};\nconst size_t {name}_size = sizeof {name} - 1;\n"
                             f"const char {name}_version[] = \"{hashlib.sha256(data).hexdigest()[:16]}\";\n")
