"""Thousands of idle connections and of slow ones: everybody else is served, and memory stays flat."""
import pathlib
import re
import resource
import socket
import time

import pytest

IDLE = 10_000
SLOW = 1_000
KIB_PER_IDLE_MAX = 16
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture(autouse=True)
def descriptors():
    """The server inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + SLOW + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} file descriptors, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def anonymous_kib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1))


def connect(server, count):
    return [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(count)]


def close(connections):
    for connection in connections:
        connection.close()


def assert_served(server):
    for _ in range(20):
        assert server.request("GET", "/healthz", token=None)[0] == 200
        assert server.otlp("traces", b"")[0] == 200


def test_idle_connections_cost_little(clew_new):
    server = clew_new()
    assert_served(server)
    before = anonymous_kib(server)
    connections = connect(server, IDLE)
    assert_served(server)
    grown = anonymous_kib(server) - before
    assert grown < IDLE * KIB_PER_IDLE_MAX, f"{grown} KiB for {IDLE} idle connections"
    # They are all still good: the last one and the first one can be used.
    for connection in (connections[-1], connections[0]):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    close(connections)
    assert_served(server)


def test_slow_senders_hold_nobody_up(clew_new):
    server = clew_new()
    assert_served(server)
    heads, bodies = connect(server, SLOW // 2), connect(server, SLOW // 2)
    for connection in bodies:
        connection.sendall(HEAD)
    before = anonymous_kib(server)
    for at in range(6):
        for connection in heads:
            connection.sendall(HEAD[at : at + 1])
        for connection in bodies:
            connection.sendall(b"\x00")
        assert_served(server)
        time.sleep(0.2)
    grown = anonymous_kib(server) - before
    assert grown < SLOW * KIB_PER_IDLE_MAX, f"{grown} KiB for {SLOW} slow connections"
    close(heads + bodies)


def test_reset_in_the_middle(clew_new):
    """Clients that vanish at every point of a request leave nothing behind."""
    server = clew_new()
    assert_served(server)
    before = None
    for round_number in range(5):
        connections = connect(server, 200)
        for number, connection in enumerate(connections):
            connection.sendall((HEAD + b"\x00" * 900)[: number * 5 + 1])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # RST
        close(connections)
        assert_served(server)
        if round_number == 1:
            before = anonymous_kib(server)
    assert anonymous_kib(server) - before < 8 * 1024
