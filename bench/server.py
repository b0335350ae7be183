"""A clew server under measurement: starts in a fresh data directory, watched from outside through /proc."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

START_TIMEOUT_S = 60
SETTLE_TIMEOUT_S = 900
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, binary, data, extra=()):
        self.binary, self.data, self.extra = pathlib.Path(binary), pathlib.Path(data), list(extra)
        self.port = free_port()
        self.process = None
        self.token = None
        self.rss_peak = 0

    def start(self):
        """Seconds from exec until /healthz answers."""
        command = [str(self.binary), "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", "--no-otlp-ports"]
        began = time.monotonic()
        self.log = open(self.data.parent / "server.log", "ab")
        self.process = subprocess.Popen(command + self.extra, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.sampling = threading.Event()
        threading.Thread(target=self._sample, args=(self.process.pid, self.sampling), daemon=True).start()
        while True:
            try:
                if self.get("/healthz")[0] == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise RuntimeError(f"the server did not start, see {self.log.name}")
            time.sleep(0.005)
        elapsed = time.monotonic() - began
        if self.token is None:
            made = subprocess.run([str(self.binary), "token", "add", "bench", "--scope", "read,admin", "--data", str(self.data)],
                                  check=True, capture_output=True, text=True)
            self.token = made.stdout.strip()
        return elapsed

    def stop(self):
        self.sampling.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def kill(self):
        self.sampling.set()
        self.process.kill()
        self.process.wait()

    # ---- from outside
    def _proc(self, name, pid=None):
        return pathlib.Path(f"/proc/{pid or self.process.pid}/{name}").read_text()

    def _sample(self, pid, stop):
        while not stop.wait(0.05):
            try:
                found = re.search(r"RssAnon:\s+(\d+) kB", self._proc("status", pid))
            except OSError:
                return
            self.rss_peak = max(self.rss_peak, int(found.group(1)) * 1024 if found else 0)

    def cpu_s(self):
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def disk(self):
        """Bytes that files occupy: parts (what a record costs), log (recycled, of fixed size), the rest."""
        sizes = {"parts": 0, "log": 0, "other": 0}
        for path in self.data.rglob("*"):
            try:
                if path.is_file():
                    name = str(path.relative_to(self.data))
                    kind = "parts" if "part" in name else "log" if re.search(r"log|wal", name) and ".db" not in name else "other"
                    sizes[kind] += path.stat().st_blocks * 512
            except FileNotFoundError:
                pass  # merged away meanwhile
        return sizes

    # ---- over HTTP
    def request(self, method, path, body=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def query(self, text, start_ns, end_ns):
        """Rows and _stats of a query over event times [start, end)."""
        body = json.dumps({"query": text, "from": iso(start_ns), "to": iso(end_ns)})
        status, answer = self.request("POST", "/api/v1/query", body)
        if status != 200:
            raise RuntimeError(f"{text}: {status} {answer[:300]!r}")
        rows = [json.loads(line) for line in answer.splitlines() if line]
        stats = rows.pop()["_stats"] if rows and "_stats" in rows[-1] else {}
        return rows, stats

    def metrics(self):
        """Sums over labels of what /metrics says."""
        values = {}
        for line in self.get("/metrics")[1].decode().splitlines():
            found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+([-+.\deE]+)$", line)
            if found:
                values[found.group(1)] = values.get(found.group(1), 0) + float(found.group(2))
        return values

    def settle(self):
        """Waits until nothing written so far has to be rewritten any more. Returns the seconds that took."""
        began = time.monotonic()
        calm = 0
        while time.monotonic() - began < SETTLE_TIMEOUT_S:
            values = self.metrics()
            debt = values["clew_store_merge_debt_rows"] + values.get("clew_store_head_rows", 0)
            calm = calm + 1 if debt == 0 else 0
            if calm >= 4:
                return time.monotonic() - began
            time.sleep(0.25)
        raise RuntimeError("merge debt did not reach zero")


def iso(ns):
    seconds, rest = divmod(int(ns), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"
