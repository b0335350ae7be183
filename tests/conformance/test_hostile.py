"""Malformed and oversized input of every kind is refused with the right status, and the server goes on."""
import gzip
import json
import random
import socket
import time
import zlib

import pytest

from spans import request_of

TRACE = bytes(range(1, 17))
GOOD = request_of(TRACE, 1_700_000_000_000_000_000)
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def still_there(clew):
    yield
    assert clew.running(), clew.log()[-4000:]
    assert clew.request("GET", "/healthz", token=None)[0] == 200


def post(clew, body, headers, path="/v1/traces"):
    return clew.request("POST", path, body, headers, token=None)


def field(number, content):
    """One length-delimited field of protobuf."""
    length = len(content)
    digits = bytearray()
    while length >= 128:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes(digits) + bytes([length]) + content


def raw(clew, data, wait_s=20):
    """Sends bytes as they are, half-closes, and returns everything that comes back."""
    with socket.create_connection(("127.0.0.1", clew.port), timeout=wait_s) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                some = connection.recv(65536)
                if not some:
                    return answer
                answer += some
        except ConnectionError:
            return b""


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x05abc", GOOD[:-7], b"\x0b" * 100, b"\x0a" + b"\xff" * 9 + b"\x01"],
                         ids=["garbage", "short", "cut", "group", "huge-length"])
def test_broken_protobuf_is_400(clew, body):
    status, answer = post(clew, body, PROTOBUF)
    assert status == 400, answer


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": 1}', b"\xff", b"[" * 100_000, b'{"resourceSpans":' + b'[{"scopeSpans":' * 50_000],
                         ids=["open", "list", "type", "utf8", "deep", "deep-known"])
def test_broken_json_is_400_and_says_why(clew, body):
    status, answer = post(clew, body, JSON)
    assert status == 400
    assert json.loads(answer)["message"]


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_empty_requests_are_fine(clew, signal):
    assert post(clew, b"", PROTOBUF, f"/v1/{signal}")[0] == 200
    assert post(clew, b"{}", JSON, f"/v1/{signal}") [0] == 200


def test_unknown_content_type_is_415(clew):
    assert post(clew, b"x=1", {"Content-Type": "application/x-www-form-urlencoded"})[0] == 415


def test_unknown_encoding_is_415(clew):
    assert post(clew, b"abc", {**PROTOBUF, "Content-Encoding": "compress"})[0] == 415


def test_broken_gzip_is_400(clew):
    packed = gzip.compress(GOOD)
    for body in (packed[:-9], b"\x1f\x8b" + b"\x00" * 40, GOOD, packed[:20] + b"\xff" * 20 + packed[40:]):
        assert post(clew, body, {**PROTOBUF, "Content-Encoding": "gzip"})[0] == 400


def test_wrong_method_is_405_and_unknown_path_404(clew):
    assert clew.request("GET", "/v1/traces")[0] == 405
    assert clew.request("GET", "/no/such/path")[0] == 404


def test_a_bomb_is_413_before_it_is_inflated(clew):
    """A gigabyte of zeros in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    assert post(clew, body, {**PROTOBUF, "Content-Encoding": "gzip"})[0] == 413


def test_a_request_of_countless_records_is_413_and_harms_nobody(clew):
    """A record may be two bytes, and compresses to nothing: what it costs is counted in records."""
    spans = b"\x12\x00" * 2_000_000
    body = gzip.compress(field(1, field(2, spans)))
    assert len(body) < 10_000
    for _ in range(3):
        assert post(clew, body, {**PROTOBUF, "Content-Encoding": "gzip"})[0] == 413
    assert post(clew, GOOD, PROTOBUF)[0] == 200


def test_an_announced_giant_is_413_at_once(clew):
    head = b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 99999999999\r\n\r\n"
    assert raw(clew, head).startswith(b"HTTP/1.1 413")


def test_expect_continue_of_a_giant_is_413(clew):
    head = (b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 99999999999\r\n"
            b"Expect: 100-continue\r\n\r\n")
    assert raw(clew, head).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("data,status", [
    (b"\x00\x01\x02\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nbad header\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 431),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
    (b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
    (b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    (b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
], ids=["bytes", "no-host", "version", "header", "long-header", "many-headers", "long-target", "smuggle", "lengths", "negative", "chunk"])
def test_broken_http_is_refused_with_its_status(clew, data, status):
    answer = raw(clew, data)
    # A refusal may be cut off by a reset when much was sent after it was written.
    assert answer == b"" and len(data) > 50_000 or answer.split(b" ", 2)[1] == str(status).encode(), answer[:200]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254"])
def test_foreign_host_is_421(clew, host):
    for path in ("/healthz", "/v1/traces", "/metrics"):
        answer = raw(clew, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 421"), (path, answer[:100])


def test_keyless_ingest_is_only_for_programs_on_this_machine(clew):
    for header in ({"Origin": "http://evil.example"}, {"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}):
        assert post(clew, b"", {**PROTOBUF, **header})[0] in (401, 403), header
    assert clew.request("POST", "/v1/traces", b"", PROTOBUF, token="nonsense")[0] in (401, 403)


def test_reading_needs_a_token(clew):
    for path in ("/api/v1/query", "/jaeger/api/services"):
        assert clew.request("GET" if "jaeger" in path else "POST", path, None if "jaeger" in path else b"{}", JSON, token=None)[0] == 401, path


def test_random_bytes_on_the_port(clew):
    chance = random.Random(7)
    for _ in range(200):
        raw(clew, chance.randbytes(chance.randrange(1, 3000)))
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for _ in range(100):
        raw(clew, preface + chance.randbytes(chance.randrange(1, 3000)))


def test_mutated_requests_never_break_it(clew):
    """Whatever is made of a good request, the answer is a status of the protocol."""
    chance = random.Random(11)
    for _ in range(400):
        body = bytearray(GOOD)
        for _ in range(chance.randrange(1, 8)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        assert post(clew, bytes(body), PROTOBUF)[0] in (200, 400)


def test_one_bad_record_does_not_lose_the_batch(clew):
    """A span id of the wrong length: the rest is kept, the answer counts and says why."""
    now = time.time_ns()
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "good", "startTimeUnixNano": str(now), "endTimeUnixNano": str(now)},
        {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad", "name": "bad", "startTimeUnixNano": str(now), "endTimeUnixNano": str(now)},
    ]}]}]}
    status, answer = post(clew, json.dumps(body).encode(), JSON)
    assert status == 200
    partial = json.loads(answer)["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 1 and partial["errorMessage"]
    rows, _ = clew.query("spans trace=0af7651916cd43dd8448eb211c80319c")
    assert [row["name"] for row in rows] == ["good"]
