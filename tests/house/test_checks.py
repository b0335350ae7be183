"""Each house check passes a clean tree and finds what it is there to find."""
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

CLEAN = {
    "src/base/a.h": "#pragma once\nint a(void);\n",
    "src/base/a.c": '#include "base/a.h"\n\n// Says "system(" and free( in words only.\nint a(void) { return 0; }\n',
    "src/net/n.c": '#include "base/a.h"\n\nint n(struct x *x) { return x->free(a()); }\n',
    "README.md": "# Title\n[code](src/base/a.c), [here](#title)\n",
}
# check: file, contents, what it must say
BAD = [
    ("arrow", "src/base/b.c", '#include "net/n.h"\n', "base may not include net/n.h"),
    ("arrow", "src/wire/b.c", '#include "net/n.h"\n', "wire may not include net/n.h"),
    ("arrow", "src/api/b.c", '#include "store/part_internal.h"\n', "private to store"),
    ("arrow", "src/attic/b.c", '#include "base/a.h"\n', "no place in the arrow"),
    ("banned", "src/net/b.c", "void f(char *p)\n{\n    free(p);\n}\n", "free(): memory comes from base/mem.h"),
    ("banned", "src/net/b.c", "int f(void)\n{\n    return system(0);\n}\n", "b.c:3: system()"),
    ("banned", "src/net/b.c", "void f(int x)\n{\n    assert(x);\n}\n", "must() stays on"),
    ("size", "src/net/b.c", "int x;\n" * 1001, "1001 lines"),
    ("words", "src/net/b.c", "// TO" "DO: later\n", "work left undone"),
    ("words", "ui/package-lock.json", '{"resolved": "https://npm.example.com/x.tgz"}\n', "no registry but the public one"),
    ("links", "docs/x.md", "[gone](nothing.md)\n", "no such file"),
    ("links", "docs/x.md", "[gone](../README.md#nowhere)\n", "no such heading"),
    ("scripts", "tools/x", "#!/bin/bash\nrm -rf $1/*\n", "SC2086"),
    ("manual", "docs/x.1", ".Sh NAME\nbroken\n", "mandoc"),
    ("format", "src/net/b.c", "int  x;\n", "not as clang-format has it"),
]


@pytest.fixture
def tree(tmp_path):
    shutil.copytree(ROOT / "tools/checks", tmp_path / "tools/checks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tools/format", "tools/env", ".clang-format"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, contents in CLEAN.items():
        write(tmp_path, name, contents)
    (tmp_path / "build").mkdir()
    (tmp_path / ".gitignore").write_text("/build/\n__pycache__/\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def write(tree, name, contents):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contents)


def run(tree, check):
    done = subprocess.run([str(tree / "tools/checks" / check)], cwd=tree, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("check", sorted({row[0] for row in BAD}))
def test_a_clean_tree_passes(tree, check):
    assert run(tree, check) == (0, "")


@pytest.mark.parametrize("check,name,contents,words", BAD, ids=[f"{row[0]}-{number}" for number, row in enumerate(BAD)])
def test_it_finds(tree, check, name, contents, words):
    write(tree, name, contents)
    status, output = run(tree, check)
    assert status != 0 and words in output
