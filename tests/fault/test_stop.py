"""SIGTERM under load: what was accepted is finished and answered, nothing acknowledged is lost, status 0."""
import http.client
import os
import signal
import threading
import time

import pytest

from spans import SPANS, request_of

SENDERS = 6


class Sender(threading.Thread):
    """Keeps one connection busy until the server goes; remembers what was acknowledged."""

    def __init__(self, port):
        super().__init__()
        self.port, self.acknowledged, self.refused = port, [], []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while True:
            trace = os.urandom(16)
            try:
                connection.request("POST", "/v1/traces", request_of(trace, time.time_ns()), {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged.append(trace.hex())
            else:
                self.refused.append((answer.status, answer.headers.get("retry-after")))


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_stop_under_load_loses_nothing(clew_new, sent):
    server = clew_new()
    server.read_token = server.token("read")
    for _ in range(3):
        senders = [Sender(server.port) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(0.7)
        server.process.send_signal(sent)
        assert server.process.wait(60) == 0, server.log()[-3000:]
        for sender in senders:
            sender.join(60)
        # What came too late was told to come again.
        assert all(status == 503 and retry for sender in senders for status, retry in sender.refused)
        server.start()
        acknowledged = [trace for sender in senders for trace in sender.acknowledged]
        assert len(acknowledged) > SENDERS
        for trace in acknowledged[-20:] + acknowledged[:20]:
            assert len(server.query(f"spans trace={trace}")[0]) == SPANS
        total, _ = server.query("spans | stats uniq(trace) as traces")
        assert total[0]["traces"] >= len(acknowledged) * 0.97  # an estimate beyond 4,096
