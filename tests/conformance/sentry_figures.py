"""Prints what each of Sentry's SDKs sends for the same small program, and what is shown of it: python sentry_figures.py"""
import collections
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness  # noqa: E402
import sentry_programs as programs  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as directory:
        server = harness.Server(pathlib.Path(directory) / "data")
        server.start()
        try:
            dsn = server.cli("project", "dsn", "default").strip()
            print("| SDK | version | requests | bytes, as sent | items | events | spans | logs |\n|---|---|---|---|---|---|---|---|")
            for name in ["python", "python-1", *programs.NODE, "profiling-node", "java", "go", "rust", *programs.BROWSER]:
                row(server, name, dsn)
        finally:
            server.stop()


def row(server, name, dsn):
    between = programs.Between(server)
    try:
        printed = programs.run(name, between.dsn(dsn))
    except FileNotFoundError as missing:
        return print(f"| {name} | not run: {missing} |")
    finally:
        between.close()
    trace = json.loads(printed)["trace"] if printed.startswith("{") else printed
    shown = [server.query(f"{source} trace={trace} | limit 500")[0] for source in ("events", "spans", "logs")]
    version = next((found["scope.version"] for rows in shown for found in rows if "scope.version" in found), "")
    items = collections.Counter(kind for _, found, _ in between.seen for kind in found)
    kinds = ", ".join(f"{n} {kind}" if n > 1 else kind for kind, n in sorted(items.items()))
    print(f"| {name} | {version} | {len(between.seen)} | {sum(size for size, _, _ in between.seen)} | {kinds} | {' | '.join(str(len(rows)) for rows in shown)} |")


if __name__ == "__main__":
    main()
