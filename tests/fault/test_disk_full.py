"""A full disk: ingest is refused so that clients try again, reads go on, and it recovers by itself."""
import os
import subprocess
import time

import pytest

import harness
from spans import SPANS, request_of

DISK_MIB = 320
PATIENCE_S = 60


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own for the data directory."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", str(place)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"cannot mount a small file system here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place):
    """Takes what is left, whatever it takes to be refused."""
    with open(place / "ballast", "ab") as ballast:
        try:
            while True:
                ballast.write(os.urandom(1 << 20))
                ballast.flush()
        except OSError:
            pass


def send(server):
    trace = os.urandom(16)
    status, body = server.otlp("traces", request_of(trace, time.time_ns()))
    return trace.hex(), status


def spans_of(server, trace):
    return len(server.query(f"spans trace={trace}")[0])


def test_full_disk_is_said_and_passes(small_disk, tmp_path):
    server = harness.Server(small_disk / "data")
    server.log_path = tmp_path / "server.log"
    server.start()
    server.read_token = server.token("read")  # while it can be written
    acknowledged = []
    for _ in range(50):
        trace, status = send(server)
        assert status == 200
        acknowledged.append(trace)
    fill(small_disk)
    until = time.monotonic() + PATIENCE_S
    while True:
        trace, status = send(server)
        if status != 200:
            break
        acknowledged.append(trace)
        assert time.monotonic() < until, "the disk is full and everything is still acknowledged"
    assert status == 503
    assert int(server.answer_headers["Retry-After"]) > 0
    # Reading goes on, the process stays.
    for trace in acknowledged[:3] + acknowledged[-3:]:
        assert spans_of(server, trace) == SPANS
    (small_disk / "ballast").unlink()
    until = time.monotonic() + PATIENCE_S
    while True:
        trace, status = send(server)
        if status == 200:
            break
        assert time.monotonic() < until, "space is there again and ingest does not come back"
        time.sleep(0.2)
    acknowledged.append(trace)
    for trace in acknowledged:
        assert spans_of(server, trace) == SPANS
    # And again from what is on the disk.
    assert server.stop() == 0
    server.start()
    for trace in acknowledged:
        assert spans_of(server, trace) == SPANS
    assert server.stop() == 0
    assert not server.complaints()
