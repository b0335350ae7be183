#!/usr/bin/python3
"""Puts a text file into a C file as bytes: embed.py OUT.c NAME FILE."""
import pathlib
import sys

out, name, file = sys.argv[1:]
data = pathlib.Path(file).read_bytes()
rows = "\n".join("    " + ",".join(str(b) for b in data[at:at + 64]) + "," for at in range(0, len(data), 64))
pathlib.Path(out).write_text(f"// Made by runtimes/node/embed.py.\n#include <stddef.h>\nextern const char {name}[];\nextern const size_t {name}_size;\n"
                             f"const char {name}[] = {{\n{rows}\n    0,\n}};\nconst size_t {name}_size = sizeof {name} - 1;\n")
