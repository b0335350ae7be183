"""Our WebSocket against another implementation (Python's websockets), both ways round."""
import pathlib
import socket
import subprocess
import threading

import harness
import pytest
import websockets
from websockets.sync.client import connect
from websockets.sync.server import serve


def program():
    return pathlib.Path(harness.binary()).resolve().parents[2] / "tests/net/ws_peer"


@pytest.fixture
def echo():
    if not program().exists():
        pytest.skip("this build has no test programs")
    p = subprocess.Popen([program(), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    p.port = int(p.stdout.readline())
    p.url = f"ws://127.0.0.1:{p.port}/echo"
    yield p
    p.stdin.close()
    assert p.wait(20) == 0


def test_messages_of_every_length_come_back(echo):
    with connect(echo.url, compression=None, max_size=None) as ws:
        for n in (0, 1, 125, 126, 127, 65535, 65536, 300000, 1 << 20):
            ws.send("ö" * (n // 2) + "x" * (n % 2))
            assert ws.recv() == "ö" * (n // 2) + "x" * (n % 2)
            ws.send(bytes(n))
            assert ws.recv() == bytes(n)
        ws.send(iter(["frag", "men", "", "ted"]))
        assert ws.recv() == "fragmented"
        assert ws.ping().wait(10)
        for i in range(2000):  # many at once: answers in order
            ws.send(str(i))
        assert [ws.recv() for _ in range(2000)] == [str(i) for i in range(2000)]
    assert echo.stdout.readline() == "closed 1000\n"


def test_the_server_says_goodbye(echo):
    with connect(echo.url, compression=None) as ws:
        ws.send("goodbye")
        with pytest.raises(websockets.ConnectionClosed) as e:
            ws.recv()
        assert (e.value.rcvd.code, e.value.rcvd.reason) == (4001, "as you wish")
    assert echo.stdout.readline() == "closed 4001\n"


def test_a_message_over_the_limit_closes(echo):
    with connect(echo.url, compression=None) as ws:
        with pytest.raises(websockets.ConnectionClosed) as e:
            ws.send(bytes((1 << 20) + 1))
            ws.recv()
        assert e.value.rcvd.code == 1009
    assert echo.stdout.readline() == "closed 1009\n"


@pytest.mark.parametrize("origin,allowed", [(None, True), ("http://127.0.0.1:PORT", True), ("http://evil.example", False),
                                            ("https://127.0.0.1:PORT", False), ("null", False)])
def test_another_sites_page_may_not_connect(echo, origin, allowed):
    origin = origin and origin.replace("PORT", str(echo.port))
    if allowed:
        with connect(echo.url, origin=origin) as ws:
            ws.send("a")
            assert ws.recv() == "a"
    else:
        with pytest.raises(websockets.InvalidStatus) as e:
            connect(echo.url, origin=origin)
        assert e.value.response.status_code == 403


HANDSHAKE = ("GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()


def talk(echo, data):
    """All that the server says to these bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", echo.port), timeout=20) as s:
        s.sendall(data)
        got = b""
        while piece := s.recv(65536):
            got += piece
        return got


@pytest.mark.parametrize("frame,code", [
    (b"\x81\x01a", 1002),  # not masked
    (b"\x91\x81\0\0\0\0a", 1002),  # a reserved bit
    (b"\x83\x80\0\0\0\0", 1002),  # an opcode that is none
    (b"\x80\x80\0\0\0\0", 1002),  # a continuation of nothing
    (b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 1002),  # a message within a message
    (b"\x09\x80\0\0\0\0", 1002),  # a ping in pieces
    (b"\x89\xfe\0\x7e\0\0\0\0", 1002),  # a ping that is too long
    (b"\x81\xfe\0\x05\0\0\0\0hello", 1002),  # not the shortest length
    (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # a negative length
    (b"\x81\xff\0\0\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),  # a huge one
    (b"\x81\x81\0\0\0\0\xff", 1007),  # no UTF-8
    (b"\x88\x81\0\0\0\0\x03", 1002),  # half a code
    (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # 1005 is never sent
    (b"\x88\x83\0\0\0\0\x03\xe8\xff", 1007),
])
def test_what_breaks_the_protocol_closes_with_its_code(echo, frame, code):
    head, _, rest = talk(echo, HANDSHAKE + frame).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ") and b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert rest == b"\x88\x02" + code.to_bytes(2, "big")
    assert echo.stdout.readline() == f"closed {code}\n"


@pytest.mark.parametrize("change,status", [
    ((b"Version: 13", b"Version: 8"), 426), ((b"Upgrade: websocket\r\n", b""), 426),
    ((b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), 400), ((b"GET", b"POST"), 426),
])
def test_a_bad_handshake_is_refused(echo, change, status):
    with socket.create_connection(("127.0.0.1", echo.port), timeout=20) as s:
        s.sendall(HANDSHAKE.replace(*change))
        assert s.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_client_that_vanishes_is_noticed(echo):
    with socket.create_connection(("127.0.0.1", echo.port)) as s:
        s.sendall(HANDSHAKE)
        s.recv(65536)
    assert echo.stdout.readline() == "closed 1006\n"


def test_our_client_against_their_server():
    seen = []

    def handler(ws):
        for m in ws:
            seen.append(m)
            if m == "big":
                ws.send("x" * 300000)
            elif m == "pieces":
                ws.send(iter(["pie", "ces"]))
                assert ws.ping().wait(10)
            elif m == "end":
                ws.close(4321, "tschüss")
                return
            else:
                ws.send(m)

    with serve(handler, "127.0.0.1", 0, compression=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        text = "z" * 200000
        r = subprocess.run([program(), "connect", url], input=f"hällo\nbig\n{text}\npieces\nend\n", capture_output=True,
                           text=True, timeout=60)
        server.shutdown()
    assert r.stdout.splitlines() == ["text 6 hällo", "text 300000 " + "x" * 60, "text 200000 " + "z" * 60,
                                     "text 6 pieces", "close 4321 tschüss"]
    assert seen == ["hällo", "big", text, "pieces", "end"]


def test_our_client_says_why_it_was_refused():
    with serve(lambda ws: None, "127.0.0.1", 0, process_request=lambda ws, q: ws.respond(403, "no\n")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        r = subprocess.run([program(), "connect", f"http://127.0.0.1:{server.socket.getsockname()[1]}"], input="",
                           capture_output=True, text=True, timeout=60)
        server.shutdown()
    assert r.stdout == "error status_403: the server refuses the connection: 403 Forbidden\n"
