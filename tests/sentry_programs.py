"""The programs on unmodified Sentry SDKs, and what stands between one and the server to see what it sends."""
import gzip
import http.client
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import harness

HERE = harness.ROOT / "tests/conformance"
SDKS = harness.ROOT / ".setup/sdks"
NODE = ["@sentry/node", "sentry-node-10", "sentry-node-9", "sentry-node-8", "sentry-node-7"]
BROWSER = ["@sentry/browser", "sentry-browser-7"]


def command(name, dsn):
    """(words, environment, what it needs on disk)"""
    environment, modules = dict(os.environ), HERE / "node_modules"
    if name.startswith("python"):
        if name == "python-1":
            environment["PYTHONPATH"] = str(SDKS / "python-1")
        return [sys.executable, HERE / "sentry_python.py", dsn], environment, SDKS / "python-1"
    if name == "java":
        return ["java", "-cp", SDKS / "sentry.jar", HERE / "sentry_java/Shop.java", dsn], environment, SDKS / "sentry.jar"
    if name in ("go", "rust"):
        return [SDKS / f"sentry_{name}", dsn], environment, SDKS / f"sentry_{name}"
    if name == "profiling-node":
        return [shutil.which("node"), HERE / "sentry_profile.js", dsn], environment, modules
    if name in BROWSER:
        return [shutil.which("node"), HERE / "sentry_browser.mjs", name, dsn], environment, modules
    return [shutil.which("node"), HERE / "sentry_node.js", name, dsn], environment, modules


def run(name, dsn):
    """What it printed; FileNotFoundError when it is not installed."""
    words, environment, needs = command(name, dsn)
    if not needs.exists():
        raise FileNotFoundError(f"{needs} is missing (tools/setup test)")
    done = subprocess.run([str(word) for word in words], env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def items(body):
    """Types of an envelope's items."""
    found, at = [], body.find(b"\n") + 1
    while 0 < at < len(body):
        end = body.find(b"\n", at)
        if not body[at:end].strip():
            break
        header = json.loads(body[at:end])
        found.append(header["type"])
        length = header.get("length")
        after = end + 1 + length if length is not None else body.find(b"\n", end + 1)
        at = len(body) if after < 0 else after + 1
    return found


class Between:
    """Passes everything on to the server, and remembers: self.seen is a list of (bytes sent, item types, status)."""

    def __init__(self, server):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                length = self.headers.get("content-length")
                body = self.rfile.read(int(length)) if length else b"".join(iter(self.chunk, b""))
                to = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("transfer-encoding", "connection", "content-length")}
                to.request(self.command, self.path, body, headers)
                answer = to.getresponse()
                text = answer.read()
                if self.command == "POST":
                    plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                    seen.append((len(body), items(plain), answer.status))
                self.send_response(answer.status)
                for key, value in answer.getheaders():
                    if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def chunk(self):
                size = int(self.rfile.readline(), 16)
                data = self.rfile.read(size)
                self.rfile.readline()
                return data

            do_POST = do_OPTIONS = pass_on

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def dsn(self, dsn):
        return dsn.rpartition(":")[0] + f":{self.port}/" + dsn.rpartition("/")[2]

    def close(self):
        self.http.shutdown()
        self.http.server_close()
