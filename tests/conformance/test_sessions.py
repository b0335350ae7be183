"""Sessions as SDKs count them by themselves: a release's crash-free numbers are those of what was done."""
import json
import pathlib
import subprocess
import sys
import time
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).parent

PYTHON = """
import sys, sentry_sdk
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
sentry_sdk.init(sys.argv[1], release="py@3.1.0", environment="sessions")
def app(environ, start):
    path = environ["PATH_INFO"]
    if path == "/crash":
        raise RuntimeError("nobody caught it")
    if path == "/error":
        sentry_sdk.capture_exception(ValueError("somebody did"))
    start("200 OK", [])
    return [b"here"]
app = SentryWsgiMiddleware(app)
for path in ["/"] * 7 + ["/error"] * 2 + ["/crash"]:
    try:
        list(app({"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "QUERY_STRING": ""}, lambda *a: None))
    except RuntimeError:
        pass
sentry_sdk.flush(10)
"""

# Requests of a server, which come as sums.
NODE = """
const Sentry = require('@sentry/node');
Sentry.init({ dsn: process.argv[1], release: 'node@3.1.0', environment: 'sessions',
  integrations: (list) => list.filter((one) => one.name !== 'ProcessSession') });
const http = require('node:http');
const server = http.createServer((request, response) => {
  if (request.url === '/crash') Sentry.captureException(new Error('nobody caught it'), { mechanism: { type: 'http', handled: false } });
  if (request.url === '/error') Sentry.captureException(new Error('somebody did'));
  response.end('here');
}).listen(0, '127.0.0.1', async () => {
  const get = (path) => new Promise((done) => http.get({ port: server.address().port, host: '127.0.0.1', path }, (answer) => answer.resume().on('end', done)));
  for (const path of [...Array(7).fill('/'), '/error', '/error', '/crash']) await get(path);
  await new Promise((done) => setTimeout(done, 200));
  await Sentry.close(10000);
  server.close();
  server.closeAllConnections();
});
"""

# A program that is one session: it ends well, or by what nobody caught.
NODE_PROGRAM = """
const Sentry = require('@sentry/node');
Sentry.init({ dsn: process.argv[1], release: 'job@3.1.0', environment: 'sessions' });
Sentry.setUser({ id: process.argv[2] });
if (process.argv[2] === 'unlucky') setTimeout(() => { throw new Error('nobody caught it'); }, 10);
else setTimeout(() => Sentry.flush(5000), 10);
"""


@pytest.fixture(scope="module")
def dsn(clew):
    return clew.cli("project", "dsn", "default").strip()


def health(clew, version, wanted):
    """As the page of the release shows it, once so many sessions are counted."""
    for _ in range(600):
        status, answer = clew.request("GET", f"/api/v1/releases/{urllib.parse.quote(version, safe='')}?project=default")
        found = json.loads(answer) if status == 200 else {}
        if found.get("sessions", 0) >= wanted:
            break
        time.sleep(0.1)
    return {key: found.get(key) for key in ("sessions", "sessions_errored", "sessions_crashed", "crash_free_sessions")}


def test_requests_of_a_python_service(clew, dsn):
    subprocess.run([sys.executable, "-c", PYTHON, dsn], check=True, timeout=60)
    assert health(clew, "py@3.1.0", 10) == {"sessions": 10, "sessions_errored": 3, "sessions_crashed": 1, "crash_free_sessions": pytest.approx(0.9)}


def test_requests_of_a_node_service(clew, dsn):
    subprocess.run(["node", "-e", NODE, dsn], check=True, timeout=60, cwd=HERE)
    assert health(clew, "node@3.1.0", 10) == {"sessions": 10, "sessions_errored": 3, "sessions_crashed": 1, "crash_free_sessions": pytest.approx(0.9)}


def stats(clew, expect=200, **asked):
    status, answer = clew.request("GET", "/api/0/organizations/clew/sessions/?" + urllib.parse.urlencode({"statsPeriod": "24h", "environment": "sessions", **asked}, doseq=True))
    assert status == expect, answer
    return json.loads(answer)


def test_scripts_read_them_as_from_sentry(clew, dsn):
    subprocess.run([sys.executable, "-c", PYTHON.replace("py@3.1.0", "py@3.2.0"), dsn], check=True, timeout=60)
    health(clew, "py@3.2.0", 10)
    answer = stats(clew, field=["sum(session)", "crash_free_rate(session)", "crash_rate(session)", "count_unique(user)"], groupBy="release", interval="6h")
    [group] = [one for one in answer["groups"] if one["by"] == {"release": "py@3.2.0"}]
    assert group["totals"] == {"sum(session)": 10, "crash_free_rate(session)": pytest.approx(0.9), "crash_rate(session)": pytest.approx(0.1), "count_unique(user)": 0}
    assert len(answer["intervals"]) == len(group["series"]["sum(session)"]) in (4, 5, 6) and sum(group["series"]["sum(session)"]) == 10
    answer = stats(clew, field="sum(session)", groupBy=["release", "session.status"], includeSeries=0)
    found = {one["by"]["session.status"]: one["totals"]["sum(session)"] for one in answer["groups"] if one["by"]["release"] == "py@3.2.0"}
    assert found == {"healthy": 7, "errored": 2, "unhandled": 0, "abnormal": 0, "crashed": 1} and all("series" not in one for one in answer["groups"])
    [whole] = stats(clew, field=["sum(session)", "crash_free_rate(session)"])["groups"]
    assert whole["by"] == {} and whole["totals"]["sum(session)"] >= 10
    stats(clew, 400, field="p50(session.duration)")
    stats(clew, 400, field="sum(session)", interval="5m")
    stats(clew, 400)


def test_runs_of_a_node_program(clew, dsn):
    for who in ("lucky", "happy", "unlucky"):
        ended = subprocess.run(["node", "-e", NODE_PROGRAM, dsn, who], timeout=60, cwd=HERE, capture_output=True)
        assert (ended.returncode != 0) == (who == "unlucky")
    assert health(clew, "job@3.1.0", 3) == {"sessions": 3, "sessions_errored": 1, "sessions_crashed": 1, "crash_free_sessions": pytest.approx(2 / 3)}
