"""Real processes to attach to: servers and loops, on every Python found. Nothing in them knows of Clew."""
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
VENVS = ROOT / ".setup/venvs"
KINDS = ["loop", "threads", "gunicorn-sync", "gunicorn-gthread", "uvicorn"]


@dataclasses.dataclass
class Interpreter:
    version: str
    python: pathlib.Path  # of its environment, with the servers in it


def found():
    """Interpreters of this machine that an agent may attach to: Debian's, what tools/setup fetched, and what pyenv has."""
    candidates = [pathlib.Path("/usr/bin/python3"), *sorted(ROOT.glob(".setup/cpython/3.*/bin/python3")), *sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3"))]
    for python in candidates:
        if not python.exists():
            continue
        version = subprocess.run([python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], capture_output=True, text=True, check=True)
        version = version.stdout.strip()
        if 9 <= int(version.split(".")[1]) <= 14:
            yield version, python


def environment(version, python):
    home = VENVS / version
    if not (home / "bin/gunicorn").exists():
        subprocess.run([python, "-m", "venv", home], check=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], check=True)
    return home / "bin/python"


def interpreters(oldest=9):
    """oldest: the minor version from which on they are wanted."""
    return [Interpreter(version, environment(version, python)) for version, python in found() if int(version.split(".")[1]) >= oldest]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Victim:
    def __init__(self, process, url, forks):
        self.process, self.url, self.forks = process, url, forks

    def worker(self):
        """The process that serves: a worker where there are some."""
        if not self.forks:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def alive(self):
        return self.process.poll() is None

    def get(self, path="/"):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read().decode()

    def answers(self):
        if not self.url:
            return True
        try:
            return bool(self.get())
        except OSError:
            return False


def command(interpreter, kind, port, busy):
    python = str(interpreter.python)
    if kind in ("loop", "threads"):
        return [python, str(HERE / "victim_loop.py"), kind, "busy" if busy else "idle"]
    if kind == "uvicorn":
        return [python, "-m", "uvicorn", "--log-level", "warning", "--port", str(port), "victim_fastapi:app"]
    worker = kind.split("-")[1]
    threads = ["--threads", "4"] if worker == "gthread" else []
    return [python, "-m", "gunicorn", "--log-level", "warning", "-w", "1", "-k", worker, *threads, "-b", f"127.0.0.1:{port}", "victim_flask:app"]


@contextlib.contextmanager
def start(interpreter, kind, busy=False):
    port = free_port()
    serves = kind not in ("loop", "threads")
    process = subprocess.Popen(command(interpreter, kind, port, busy), cwd=HERE, stdout=subprocess.PIPE,
                               stderr=None if os.environ.get("VICTIM_STDERR") else subprocess.DEVNULL,
                               env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    victim = Victim(process, f"http://127.0.0.1:{port}" if serves else None, kind.startswith("gunicorn"))
    try:
        if serves:
            until = time.monotonic() + 60
            while not victim.answers():
                if time.monotonic() > until or not victim.alive():
                    raise RuntimeError(f"{kind} on {interpreter.version} does not come up")
                time.sleep(0.05)
        elif not re.match(rb"up", process.stdout.readline()):
            raise RuntimeError(f"{kind} on {interpreter.version} does not come up")
        yield victim
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    for each in interpreters(*map(int, sys.argv[1:])):
        print(each.version, each.python, file=sys.stdout)
