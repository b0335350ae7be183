"""What the house checks look at: files that are tracked or would be, and C text without comments and strings."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Paths (relative, sorted) of tracked and new, not ignored files that match git's patterns."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z", "--", *patterns],
                         cwd=ROOT, capture_output=True, check=True).stdout
    names = sorted({name for name in out.decode().split("\0") if name})
    return [name for name in names if (ROOT / name).is_file()]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


_NOT_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def code_of(source):
    """C source with comments blanked and literals emptied; line numbers stay."""
    def blank(match):
        found = match.group(0)
        kept = "\n" * found.count("\n")
        return '""' + kept if found[0] == '"' else "' '" if found[0] == "'" else " " + kept
    return _NOT_CODE.sub(blank, source)


def finish(findings):
    """Prints the findings; the exit status says whether there were any."""
    for finding in findings:
        print(finding)
    raise SystemExit(1 if findings else 0)
