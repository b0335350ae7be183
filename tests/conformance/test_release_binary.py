"""The release binary is hardened and needs nothing of the system but the C library."""
import re
import subprocess

import pytest

import harness

RELEASE = harness.ROOT / "build/clew"
# What every Debian has; everything else is inside.
SYSTEM = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def readelf(*options):
    if not RELEASE.exists():
        pytest.skip("build/clew is not built (make build)")
    return subprocess.run(["readelf", "-W", *options, str(RELEASE)], capture_output=True, text=True, check=True).stdout


def test_needs_only_the_c_library():
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d")))
    assert needed <= SYSTEM


def test_position_independent_and_read_only_after_start():
    assert re.search(r"Type:\s+DYN", readelf("-h"))
    dynamic = readelf("-d")
    assert "BIND_NOW" in dynamic or "NOW" in re.findall(r"\(FLAGS_1\).*", dynamic)[0]
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    segments = readelf("-l")
    assert "GNU_RELRO" in segments
    stack = re.search(r"GNU_STACK.*", segments).group(0)
    assert " RWE " not in stack


def test_stack_and_buffers_are_guarded():
    symbols = readelf("--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk@", symbols), "nothing is compiled with _FORTIFY_SOURCE"
