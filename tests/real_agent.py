"""`clew agent` as tests of live debugging start it, and what they ask a server of its probes."""
import subprocess

import harness
from harness import eventually
from live_calls import ask

SLOW_S = 60  # what is waited for at most, on a machine that does other things, too


class Agent:
    """`clew agent`, both of its processes."""

    def __init__(self, server, state, token=None, url=None):
        words = [harness.binary(), "agent", "--state", state, *(["--server", url or server.url, "--token", token] if token else [])]
        self.state = state
        self.log = open(state.parent / (state.name + ".log"), "w+")
        self.process = subprocess.Popen([str(w) for w in words], stderr=self.log)

    def words(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        self.process.terminate()
        assert self.process.wait(SLOW_S) == 0, self.words()


def enrolment(server):
    return ask(server, "POST", "/api/v1/agents/tokens", {"name": "host"}, 201)["token"]


def states(server, id):
    return {i["state"] for i in ask(server, "GET", f"/api/v1/probes/{id}")["instances"]}


def installed(server, id):
    def check():
        assert "installed" in states(server, id), ask(server, "GET", f"/api/v1/probes/{id}")

    eventually(check, SLOW_S)


def snapshots(server, n, **of):
    def check():
        found = ask(server, "GET", "/api/v1/snapshots?" + "&".join(f"{k}={v}" for k, v in of.items()))["snapshots"]
        assert len(found) == n, found
        return found

    return eventually(check, SLOW_S)
