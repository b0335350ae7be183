"""The manual page and `clew config manual` agree; every subcommand is in it."""
import pathlib
import re
import subprocess

import harness

PAGE = harness.ROOT / "docs/clew.1"


def run(*words):
    return subprocess.run([str(harness.binary()), *words], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def test_settings_section_is_that_of_the_table():
    page = PAGE.read_text()
    section = page.split('.\\" settings begin\n')[1].split('.\\" settings end\n')[0]
    assert section == run("config", "manual"), "run tools/manual"


def test_every_command_is_described():
    page = re.sub(r"\s+", " ", PAGE.read_text())
    words = set(re.findall(r"^  ([a-z][a-z-]*)", run("help"), re.M))
    assert {"serve", "query", "trace"} <= words
    missing = [word for word in sorted(words) if f"Cm {word}" not in page]
    assert not missing


def test_the_page_is_clean_mdoc():
    subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(PAGE)], check=True)
