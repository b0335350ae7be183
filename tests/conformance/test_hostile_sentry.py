"""What a public key opens is open to anybody: bombs, depths, lengths and names that are made to hurt are refused or taken as they
are, and memory does not grow with what strangers invent."""
import base64
import json
import os
import pathlib
import re
import time
import uuid
import zlib

import pytest

import harness

JSON = {"Content-Type": "application/json"}
SANITIZED = "/san/" in str(harness.binary().resolve())  # keeps freed memory: its size says nothing


@pytest.fixture(autouse=True)
def still_there(clew):
    yield
    assert clew.running(), clew.log()[-4000:]
    assert clew.request("GET", "/healthz", token=None)[0] == 200


@pytest.fixture(scope="module")
def key(clew):
    return clew.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]


def post(clew, body, path="/api/1/envelope/", key=None, **headers):
    return clew.request("POST", path + (f"?sentry_key={key}" if key else ""), body, headers, token=None)


def envelope(*items, header=b"{}"):
    return header + b"\n" + b"".join(json.dumps({"length": len(body), **head}).encode() + b"\n" + body + b"\n" for head, body in items)


def event(**more):
    return {"type": "event"}, json.dumps({"event_id": uuid.uuid4().hex, "message": "m", **more}).encode()


def rss(server, what="VmRSS"):
    return int(re.search(what + r":\s+(\d+)", open(f"/proc/{server.process.pid}/status").read()).group(1)) * 1024


def bomb(bits, head=b""):
    """A gigabyte of spaces behind a head that is good."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return packer.compress(head) + b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1024)) + packer.flush()


HEAD = b'{}\n{"type":"event"}\n{"message":"'


@pytest.mark.parametrize("encoding,bits", [("gzip", 31), ("deflate", 15)])
def test_a_bomb_is_413_with_a_key_and_costs_nothing_without(clew, key, encoding, bits):
    before = rss(clew)
    body = bomb(bits, HEAD)
    assert clew.request("POST", f"/api/1/envelope/?sentry_key={key}", body, {"Content-Encoding": encoding}, token=None)[0] == 413
    for wrong in ("0" * 32, "x", ""):
        assert clew.request("POST", f"/api/1/envelope/?sentry_key={wrong}", body, {"Content-Encoding": encoding}, token=None)[0] == 403
    assert clew.request("POST", "/tunnel", body, {"Content-Encoding": encoding}, token=None)[0] == 403
    assert SANITIZED or rss(clew) - before < 400 << 20


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps freed memory: its size says nothing")
@pytest.mark.parametrize("encoding,bits", [("gzip", 31), ("deflate", 15)])
def test_strangers_have_no_more_inflated_than_the_head(clew, encoding, bits):
    """Not even as much as is allowed to who shows a key; a line without end is a head that is too long."""
    fits = zlib.compressobj(9, zlib.DEFLATED, bits)
    fits = fits.compress(HEAD + b" " * (14 << 20)) + fits.flush()
    endless = bomb(bits, b'{"dsn":"')
    before = rss(clew)
    pathlib.Path(f"/proc/{clew.process.pid}/clear_refs").write_text("5")  # the peak begins anew
    for _ in range(3):
        assert post(clew, fits, **{"Content-Encoding": encoding})[0] == 403
        assert post(clew, fits, "/tunnel", **{"Content-Encoding": encoding})[0] == 403
        assert post(clew, fits, "/tunnel", key="0" * 32, **{"Content-Encoding": encoding})[0] == 403
        assert post(clew, endless, **{"Content-Encoding": encoding})[0] == 400
    assert rss(clew, "VmHWM") - before < 10 << 20


@pytest.mark.parametrize("encoding,bits", [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_coded_envelope_shows_its_key_itself(clew, encoding, bits):
    dsn = clew.cli("project", "dsn", "default").strip()
    for path in ("/api/1/envelope/", "/tunnel"):
        for dsn_sent, status in ((dsn, 200), (dsn.replace("//", "//0"), 403), (dsn[:-1] + "9", 403)):
            packer = zlib.compressobj(9, zlib.DEFLATED, bits)
            body = envelope(event(tags={"long": "x" * 100_000}), header=json.dumps({"dsn": dsn_sent}).encode())
            assert post(clew, packer.compress(body) + packer.flush(), path, **{"Content-Encoding": encoding})[0] == status


def test_the_old_endpoints_base64_of_a_bomb(clew, key):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(256)) + packer.flush()
    assert post(clew, base64.b64encode(packed), "/api/1/store/", key)[0] == 413


@pytest.mark.parametrize("body", [
    b"[" * 100_000, b'{"a":' * 100_000, b'{"exception":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"contexts":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    b'{"message":"' + b"\\ud800" * 1000 + b'"}', b'{"message":"' + b"\xff" * 1000 + b'"}', b'{"timestamp":1e999,"level":[]}', b'{"timestamp":-9223372036854775808,"exception":7,"tags":3,"user":[]}',
    b'{"exception":{"values":[' + b'{"type":"E","stacktrace":{"frames":[{}]}},' * 5000 + b"{}]}}", b'{"tags":{' + b",".join(b'"%d":"%d"' % (i, i) for i in range(20_000)) + b"}}",
    b'{"fingerprint":[' + b'"a",' * 50_000 + b'"a"]}', b'{"breadcrumbs":[' + b"{}," * 50_000 + b"{}]}"], ids=lambda body: body[:12].decode() + str(len(body)))
def test_events_that_are_made_to_hurt(clew, key, body):
    assert post(clew, body, "/api/1/store/", key)[0] in (200, 400, 413)
    # In an envelope the others are as good as ever.
    good = uuid.uuid4().hex
    status, _ = post(clew, envelope(({"type": "event"}, body), ({"type": "attachment", "filename": "a"}, b"x"), header=json.dumps({"event_id": good}).encode()), key=key)
    assert status in (200, 413)


@pytest.mark.parametrize("length", [-1, 0, 1, 10**6, 2**31, 2**63, 2**64, 1e30, "7", None, [], 1.5])
def test_lengths_that_lie(clew, key, length):
    body = b'{}\n{"type":"event","length":' + json.dumps(length).encode() + b'}\n{"message":"m"}\n{"type":"attachment","length":3}\nabc\n'
    assert post(clew, body, key=key)[0] in (200, 400)


def test_names_that_lead_elsewhere(clew, key):
    names = ["../../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\r\nSet-Cookie: x=1", 'a"; filename="b.html', "\u202egnp.exe", "a" * 5000, "", "..", "\x00", "con", "%2e%2e%2f"]
    head, body = event()
    found = json.loads(body)["event_id"]
    items = [(head, body)] + [({"type": "attachment", "filename": name, "content_type": "text/html\r\nX-Bad: 1"}, b"<script>alert(1)</script>") for name in names]
    assert post(clew, envelope(*items), key=key)[0] == 200
    listed = json.loads(clew.request("GET", f"/api/v1/events/{found}/attachments")[1])["attachments"]
    assert len(listed) == len(names)
    for one in listed:
        status, got = clew.request("GET", one["url"])
        heads = {name.lower(): value for name, value in clew.answer_headers.items()}
        assert status == 200 and got == b"<script>alert(1)</script>"
        assert heads["content-type"] == "application/octet-stream" and heads["x-content-type-options"] == "nosniff" and "sandbox" in heads["content-security-policy"]
        assert re.fullmatch(r'attachment; filename="[^"/\\\r\n]+"', heads["content-disposition"]) and "set-cookie" not in heads and "x-bad" not in heads
    for root, _, files in os.walk(clew.data):
        assert not any("passwd" in name for name in files), root


def test_monitors_that_are_made_to_hurt(clew, key):
    configs = [{"schedule": {"type": "interval", "value": n, "unit": unit}} for n in (-1, 0, 1, 100_000, 2**63, 1e300) for unit in ("day", "week", "year")]
    configs += [{"schedule": {"type": "crontab", "value": text}} for text in ("0 0 30 2 *", "* " * 1000, "*/0 * * * *", "99999999999 * * * *", "")]
    configs += [{"schedule": {"type": "interval", "value": 1, "unit": "day"}, "checkin_margin": n, "max_runtime": n, "failure_issue_threshold": n, "timezone": "../../etc/passwd"} for n in (-1, 2**63 - 1, 1e300)]
    for i, config in enumerate(configs):
        check = {"check_in_id": uuid.uuid4().hex, "monitor_slug": f"hurt-{i}", "status": "ok", "monitor_config": config, "environment": "e" * 3000}
        assert post(clew, envelope(({"type": "check_in"}, json.dumps(check).encode())), key=key)[0] == 200
    for _ in range(1000):
        monitors = json.loads(clew.request("GET", "/api/v1/monitors")[1])["monitors"]
        if len(monitors) >= len(configs):
            break
        time.sleep(0.05)
    # Each is there, whatever it said; and what comes after them is heard.
    assert len(monitors) == len(configs)
    assert not any(word in clew.log() for word in ("monitors: cannot go on", "issues: ", "alerts: cannot go on"))
    assert all(len(env["environment"]) <= 255 for monitor in monitors for env in monitor["environments"])


def test_an_event_that_is_repeated_is_one(clew, key):
    body = envelope(event(message="repeated"))
    for _ in range(50):
        assert post(clew, body, key=key)[0] == 200
    assert len(clew.query("events repeated")[0]) == 1


@pytest.mark.skipif(SANITIZED, reason="the sanitizers keep freed memory")
def test_memory_is_flat_over_what_is_invented(clew_new):
    """Each event with tags, a user, a release, an environment and a group of its own."""
    server = clew_new()
    key = server.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]
    sizes = []
    for part in range(4):
        for i in range(60):
            items = [event(tags={f"t{part}-{i}-{n}": f"{n}"}, user={"id": f"u{part}-{i}-{n}"}, release=f"r{part}-{i}-{n}", environment=f"e{part}-{i}-{n}", fingerprint=[f"g{part}-{i}-{n}"], message="m" * 200) for n in range(50)]
            assert post(server, envelope(*items), key=key)[0] == 200
        for _ in range(600):
            if json.loads(server.request("GET", "/api/v1/issues?limit=1")[1])["total"] >= 3000 * (part + 1):
                break
            time.sleep(0.05)
        sizes.append(rss(server))
    # 3,000 groups are some megabytes at most; what one part costs, the next one does not cost more.
    assert sizes[3] - sizes[2] < 40 << 20, [size >> 20 for size in sizes]
