"""A clew server for tests and the bench: starts in a data directory of its own, asked over HTTP, stopped, checked."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
SANITIZER_REPORT = re.compile(r"(AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|this must hold and does not)")


def binary():
    """The server under test: $CLEW_BIN, else the release build."""
    return pathlib.Path(os.environ.get("CLEW_BIN", ROOT / "build/clew"))


def free_port():
    """Nobody listens on it, and no connection that somebody makes meanwhile gets it: the kernel gives those ports from 32768 on (ip(7), ip_local_port_range)."""
    while True:
        port = random.randrange(12000, 32000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def iso(ns):
    """Nanoseconds since 1970 as the query API reads them."""
    seconds, rest = divmod(int(ns), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def eventually(check, seconds=60):
    """What `check` returns, once it no longer fails: much follows an acknowledgement by a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, LookupError, ValueError):  # not yet so, not yet there, not yet so many
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Server:
    """data: a directory that may not exist yet; its parent takes the log. options: further ones for `clew serve`."""

    def __init__(self, data, options=(), program=None):
        self.program = pathlib.Path(program or binary())
        self.data = pathlib.Path(data)
        self.options = list(options)
        self.port = free_port()
        self.process = None
        self.log_path = self.data.parent / (self.data.name + ".log")
        self.read_token = None

    # ---- life
    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Seconds from exec until /healthz answers."""
        command = [self.program, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", "--no-otlp-ports", *self.options]
        began = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            try:
                if self.request("GET", "/healthz", token=None)[0] == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise RuntimeError(f"clew serve did not start (status {self.process.poll()}):\n{self.log()[-4000:]}")
            time.sleep(0.005)

    def stop(self):
        """Graceful; returns the exit status. Fine to call again."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """As a power cut of the process would."""
        self.process.kill()
        self.process.wait()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def complaints(self):
        """Lines in which a sanitizer or must() complains."""
        return [line for line in self.log().splitlines() if SANITIZER_REPORT.search(line)]

    # ---- administration
    def cli(self, *words, check=True, **options):
        """Runs a clew command on this server's data directory; returns what it printed."""
        run = subprocess.run([str(self.program), *words, "--data", str(self.data)], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=120, **options)
        if check and run.returncode:
            raise RuntimeError(f"clew {' '.join(words)}: status {run.returncode}\n{run.stderr}")
        return run.stdout

    def token(self, *scopes, project=None, name=None):
        """A new token with these scopes (default: read)."""
        words = ["token", "add", name or f"t{time.monotonic_ns()}", "--scope", ",".join(scopes or ["read"])]
        return self.cli(*words, *(["--project", project] if project else [])).strip()

    # ---- over HTTP
    def request(self, method, path, body=None, headers=None, token="read", timeout=120):
        """(status, body). token: "read" mints one once; None sends none; else the token itself."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = dict(headers or {})
            if token == "read":
                self.read_token = self.read_token or self.token("read")
                token = self.read_token
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            self.answer_headers = answer.headers  # of any case
            return answer.status, answer.read()
        finally:
            connection.close()

    def otlp(self, signal_name, message, encoding=None):
        """Sends an encoded or opentelemetry-proto message to /v1/SIGNAL as loopback may: without a key."""
        body = message if isinstance(message, bytes) else message.SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        if encoding:
            headers["Content-Encoding"] = encoding
        return self.request("POST", f"/v1/{signal_name}", body, headers, token=None)

    def query(self, text, start_ns=0, end_ns=None):
        """(rows, _stats) of a query over event times [start, end); raises with the server's error."""
        body = json.dumps({"query": text, "from": iso(start_ns), "to": iso(end_ns if end_ns is not None else time.time_ns() + 60 * 10**9)})
        status, answer = self.request("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        if status != 200:
            raise RuntimeError(f"{text}: {status} {answer[:500].decode(errors='replace')}")
        rows = [json.loads(line) for line in answer.splitlines() if line]
        if not rows or "_stats" not in rows[-1]:
            raise RuntimeError(f"{text}: the stream ends without _stats: {answer[-500:].decode(errors='replace')}")
        return rows[:-1], rows[-1]["_stats"]

    def metrics(self):
        """/metrics, summed over labels."""
        values = {}
        for line in self.request("GET", "/metrics")[1].decode().splitlines():
            found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+([-+.\deE]+)$", line)
            if found:
                values[found.group(1)] = values.get(found.group(1), 0) + float(found.group(2))
        return values
