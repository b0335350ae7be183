"""Fixtures of the tests that talk to a running server (tests/conformance, tests/fault)."""
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402


def check_ended(server):
    """Every server ends with status 0 when asked to, and no sanitizer has complained."""
    status = server.stop() if server.running() else server.process.returncode
    assert not server.complaints(), "\n".join(server.complaints()) + "\n" + server.log()[-6000:]
    # Negative: a test killed it on purpose.
    assert status <= 0 and status in (0, -9), f"clew serve ended with status {status}:\n{server.log()[-4000:]}"


@pytest.fixture(scope="module")
def clew(tmp_path_factory):
    """A running server with nothing in it, shared by the tests of a file."""
    server = harness.Server(tmp_path_factory.mktemp("clew") / "data")
    server.start()
    yield server
    check_ended(server)


@pytest.fixture
def clew_new(tmp_path):
    """clew_new(*options) starts a further server in a directory of its own."""
    servers, numbers = [], itertools.count()

    def start(*options):
        server = harness.Server(tmp_path / f"data{next(numbers)}", options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        check_ended(server)
