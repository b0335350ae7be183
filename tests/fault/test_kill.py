"""kill -9 under load, again and again: what was acknowledged is there, whole, and nothing is there twice."""
import http.client
import random
import threading
import time

import pytest

from spans import SPANS, request_of

ROUNDS = 6
SENDERS = 4
LOAD_S = (0.3, 1.5)


class Load:
    """Senders that keep on until the connection breaks; they know what was acknowledged and what was only sent."""

    def __init__(self, server, seed):
        self.port, self.seed = server.port, seed
        self.acknowledged, self.sent = set(), set()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        chance = random.Random(f"{self.seed}-{number}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                trace = chance.randbytes(16)
                self.sent.add(trace)
                connection.request("POST", "/v1/traces", request_of(trace, time.time_ns()), {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.add(trace)
                else:
                    assert answer.status in (429, 503), answer.status
        except (OSError, http.client.HTTPException):
            pass

    def join(self):
        for thread in self.threads:
            thread.join()


def spans_by_trace(server, start_ns):
    rows, _ = server.query("spans service=kill | stats count() as n, uniq(id) as ids by trace", start_ns - 10**9)
    return {bytes.fromhex(row["trace"]): (int(row["n"]), int(row["ids"])) for row in rows}


@pytest.mark.parametrize("options", [(), ("--workers=1",)], ids=["default", "one-worker"])
def test_nothing_acknowledged_is_lost(clew_new, options):
    server = clew_new(*options)
    began = time.time_ns()
    chance = random.Random(1)
    acknowledged, sent = set(), set()
    for number in range(ROUNDS):
        load = Load(server, number)
        time.sleep(chance.uniform(*LOAD_S))
        server.kill()
        load.join()
        acknowledged |= load.acknowledged
        sent |= load.sent
        assert load.acknowledged, "the load never got through: this proves nothing"
        server.start()
        found = spans_by_trace(server, began)
        lost = [trace.hex() for trace in acknowledged if trace not in found]
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged requests are gone after kill {number + 1}: {lost[:3]}"
        for trace, (spans, ids) in found.items():
            assert trace in sent, f"{trace.hex()} was never sent"
            assert (spans, ids) == (SPANS, SPANS), f"{trace.hex()}: {spans} spans, {ids} distinct, of {SPANS}"
    assert server.stop() == 0
    server.start()
    assert len(spans_by_trace(server, began)) >= len(acknowledged)
