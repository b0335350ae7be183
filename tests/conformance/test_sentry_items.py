"""Everything else that Sentry SDKs send: files, sessions, check-ins, feedback, profiles, replays, reports of browsers, crashes."""
import gzip
import json
import subprocess
import sys
import time
import uuid
import zlib

import pytest

import harness
from minidumps import WINDOWS, minidump

TRACE = "0af7651916cd43dd8448eb211c803177"


@pytest.fixture(scope="module")
def key(clew):
    return clew.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]


def envelope(*items, event_id=None, **header):
    lines = [json.dumps({**({"event_id": event_id} if event_id else {}), **header}).encode()]
    for head, payload in items:
        payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        lines += [json.dumps({**head, "length": len(payload)}).encode(), payload]
    return b"\n".join(lines) + b"\n"


def send(server, key, *items, expect=200, **header):
    body = envelope(*items, **header)
    status, answer = server.request("POST", f"/api/1/envelope/?sentry_key={key}", body, {}, token=None)
    assert status == expect, answer
    return json.loads(answer)


def form(*parts):
    boundary = uuid.uuid4().hex
    lines = []
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def api(server, path, expect=200, token="read"):
    status, answer = server.request("GET", path, token=token)
    assert status == expect, answer
    return json.loads(answer) if expect == 200 else answer


def new_id():
    return uuid.uuid4().hex


def test_files_come_with_their_event_and_are_only_downloaded(clew, key):
    event, page = new_id(), b"<script>alert(1)</script>" * 3000
    send(clew, key, ({"type": "event"}, {"message": "with files"}),
         ({"type": "attachment", "filename": "../pa ge.html", "content_type": "text/html", "attachment_type": "event.attachment"}, page),
         ({"type": "attachment", "filename": "empty"}, b""), event_id=event)
    files = api(clew, f"/api/v1/events/{event}/attachments")["attachments"]
    assert [(f["name"], f["size"], f["kind"]) for f in files] == [("../pa ge.html", len(page), "attachment"), ("empty", 0, "attachment")]
    status, answer = clew.request("GET", files[0]["url"])
    headers = clew.answer_headers
    assert status == 200 and answer == page
    assert headers["content-type"] == "application/octet-stream" and headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == 'attachment; filename="pa_ge.html"' and "sandbox" in headers["content-security-policy"]
    assert api(clew, f"/api/v1/events/{event}")["attachments"][0]["size"] == len(page)
    # Of another project, and without any right.
    clew.cli("project", "add", "elsewhere")
    other = clew.token("read", project="elsewhere")
    api(clew, files[0]["url"], 404, token=other)
    assert api(clew, f"/api/v1/events/{event}/attachments", token=other)["attachments"] == []
    assert clew.request("GET", files[0]["url"], token=None)[0] == 401
    assert clew.request("GET", files[0]["url"], token=clew.token("ingest"))[0] == 403
    api(clew, "/api/v1/artifacts/999999", 404)


def test_a_large_file_in_a_stream(clew, key):
    event = new_id()
    content = bytes(range(256)) * 20000
    send(clew, key, ({"type": "attachment", "filename": "large.bin"}, content), event_id=event)
    url = api(clew, f"/api/v1/events/{event}/attachments")["attachments"][0]["url"]
    assert clew.request("GET", url)[1] == content


def test_sent_again_it_is_there_once(clew, key):
    event = new_id()
    for _ in range(2):
        send(clew, key, ({"type": "attachment", "filename": "a"}, b"again"), event_id=event)
    assert len(api(clew, f"/api/v1/events/{event}/attachments")["attachments"]) == 1


def test_sessions(clew, key):
    sid, now = new_id(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    attrs = {"release": "shop@3.1.0", "environment": "items"}
    send(clew, key, ({"type": "session"}, {"sid": sid, "did": "user@example.com", "init": True, "started": now, "status": "crashed", "errors": 2, "duration": 1.5, "attrs": attrs}))
    send(clew, key, ({"type": "sessions"}, {"aggregates": [{"started": now, "exited": 90, "errored": 7, "crashed": 3}, {"started": now, "did": "x", "exited": 1}], "attrs": attrs}))
    row = clew.query(f"sessions sid={sid}")[0][0]
    assert (row["status"], row["init"], row["errors"], row["quantity"], row["duration"]) == ("crashed", True, 2, 1, 1500000000)
    assert (row["release"], row["version"], row["environment"]) == ("shop@3.1.0", "3.1.0", "items") and row["did"] != "user@example.com"
    rows, _ = clew.query("sessions environment=items | stats sum(quantity) as n by status")
    assert {r["status"]: r["n"] for r in rows} == {"exited": 91, "errored": 7, "crashed": 4}


def test_check_ins(clew, key):
    check = new_id()
    config = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "timezone": "Europe/Berlin"}
    send(clew, key, ({"type": "check_in"}, {"check_in_id": check, "monitor_slug": "nightly", "status": "in_progress", "monitor_config": config, "environment": "items"}))
    send(clew, key, ({"type": "check_in"}, {"check_in_id": check, "monitor_slug": "nightly", "status": "ok", "duration": 12.5, "contexts": {"trace": {"trace_id": TRACE}}}))
    rows, _ = clew.query("checks name=nightly")
    assert {r["status"] for r in rows} == {"running", "ok"} and all(r["attr"]["check_in_id"] == check for r in rows)
    done = next(r for r in rows if r["status"] == "ok")
    assert done["duration"] == 12500000000 and done["trace"] == TRACE
    assert next(r for r in rows if r["status"] == "running")["attr"]["monitor_config"] == config


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_cron_job_checks_in_with_curl(clew, key, method):
    name = f"curl-{method.lower()}"
    for _ in range(2):  # the same again is another one
        status, answer = clew.request(method, f"/api/1/cron/{name}/{key}/?status=ok&environment=items&duration=2", None, {}, token=None)
        assert status == 202 and len(json.loads(answer)["id"]) == 32
    rows, _ = clew.query(f"checks name={name}")
    assert len(rows) == 2 and rows[0]["status"] == "ok" and rows[0]["duration"] == 2000000000 and rows[0]["environment"] == "items"
    assert clew.request(method, f"/api/1/cron/{name}/{'0' * 32}/?status=ok", None, {}, token=None)[0] == 403
    assert clew.request(method, f"/api/1/cron/{name}/{key}/?status=fine", None, {}, token=None)[0] == 400


def test_a_cron_jobs_body_may_hold_its_schedule(clew, key):
    body = json.dumps({"status": "in_progress", "monitor_config": {"schedule": {"type": "interval", "value": 5, "unit": "minute"}}})
    status, _ = clew.request("POST", f"/api/1/cron/body/?sentry_key={key}", body, {"Content-Type": "application/json"}, token=None)
    assert status == 202 and clew.query("checks name=body")[0][0]["attr"]["monitor_config"]["schedule"]["value"] == 5


def test_feedback_and_reports_of_users(clew, key):
    event = new_id()
    send(clew, key, ({"type": "event"}, {"message": "with words"}), event_id=event)
    send(clew, key, ({"type": "user_report"}, {"event_id": event, "name": "Jane", "email": "jane@example.com", "comments": "It broke."}))
    send(clew, key, ({"type": "feedback"}, {"event_id": new_id(), "timestamp": time.time(), "contexts": {"feedback": {"message": "Again!", "contact_email": "joe@example.com", "name": "Joe", "url": "http://shop/", "associated_event_id": event}}}))
    said = api(clew, f"/api/v1/events/{event}")["feedback"]
    assert {(f["name"], f["email"], f["comments"]) for f in said} == {("Jane", "jane@example.com", "It broke."), ("Joe", "joe@example.com", "Again!")}


def test_profiles_are_found_by_their_trace(clew, key):
    profile, profiler = new_id(), new_id()
    v1 = {"event_id": profile, "version": "1", "platform": "python", "release": "shop@1", "timestamp": time.time(), "transaction": {"id": new_id(), "name": "GET /cart", "trace_id": TRACE},
          "profile": {"samples": [{"elapsed_since_start_ns": "0", "stack_id": 0, "thread_id": "1"}, {"elapsed_since_start_ns": "10000000", "stack_id": 0, "thread_id": "1"}], "stacks": [[0]], "frames": [{"function": "f"}]}}
    now = time.time()
    v2 = {"chunk_id": new_id(), "profiler_id": profiler, "version": "2", "platform": "node", "profile": {"samples": [{"timestamp": now - 3, "stack_id": 0}, {"timestamp": now - 1, "stack_id": 0}], "stacks": [[0]], "frames": [{}]}}
    send(clew, key, ({"type": "profile"}, v1))
    send(clew, key, ({"type": "profile_chunk"}, v2))
    row = clew.query(f"profiles profile={profile}")[0][0]
    assert (row["trace"], row["duration"], row["value"], row["transaction"], row["name"]) == (TRACE, 10000000, 2, "GET /cart", "profile")
    chunk = clew.query(f"profiles profile={profiler}")[0][0]
    assert chunk["chunk"] == v2["chunk_id"] and abs(chunk["duration"] - 2e9) < 1e6
    send(clew, key, ({"type": "log"}, {"items": [{"timestamp": time.time(), "trace_id": TRACE, "level": "info", "body": "x"}]}))
    found = api(clew, f"/api/v1/traces/{TRACE}")["artifacts"]
    assert [a["profile"] for a in found] == [profile]
    assert json.loads(clew.request("GET", found[0]["url"])[1]) == v1


def test_replays_are_found_by_their_trace(clew, key):
    replay, trace = new_id(), new_id()
    recording = b'{"segment_id":0}\n' + zlib.compress(b'[{"type":4}]')
    send(clew, key, ({"type": "replay_event"}, {"type": "replay_event", "replay_id": replay, "segment_id": 0, "trace_ids": [trace], "timestamp": time.time(), "user": {"password": "hunter2"}}),
         ({"type": "replay_recording"}, recording), event_id=replay)
    send(clew, key, ({"type": "replay_video"}, b"\x83msgpack"), event_id=replay)
    send(clew, key, ({"type": "log"}, {"items": [{"timestamp": time.time(), "trace_id": trace, "level": "info", "body": "x"}]}))
    found = api(clew, f"/api/v1/traces/{trace}")["artifacts"]
    assert {a["kind"] for a in found} == {"replay_event", "replay"} and {a["replay"] for a in found} == {replay}
    assert clew.request("GET", next(a["url"] for a in found if a["kind"] == "replay"))[1] == recording
    assert b"hunter2" not in clew.request("GET", next(a["url"] for a in found if a["kind"] == "replay_event"))[1]


def test_what_an_sdk_lost_is_shown(clew, key):
    report = {"timestamp": time.time(), "discarded_events": [{"reason": "sample_rate", "category": "transaction", "quantity": 12}], "rate_limited_events": [{"reason": "backoff", "category": "error", "quantity": 3}]}
    send(clew, key, ({"type": "client_report"}, report))
    rows, _ = clew.query("metrics name=sentry.client_report | stats sum(value) as n by outcome, reason, category")
    assert {(r["outcome"], r["reason"], r["category"], r["n"]) for r in rows} >= {("client_discard", "sample_rate", "transaction", 12), ("rate_limited", "backoff", "error", 3)}
    lost = api(clew, "/api/v1/ingest")["lost"]
    assert any((x["reason"], x["category"], x["quantity"]) == ("sample_rate", "transaction", 12) for x in lost)


def test_metrics_of_old_sdks(clew, key):
    lines = b"hits@none:1:2|c|#page:/cart|T%d\nload@millisecond:10.5:20|d\nusers:7:8:9|s\nmem@byte:5:1:9:30:6|g\nbroken\n" % int(time.time())
    send(clew, key, ({"type": "statsd"}, lines))
    rows = {}
    for row in clew.query("metrics name=(hits, load, users, mem)")[0]:
        rows.setdefault(row["name"], []).append(row)
    assert [r["value"] for r in rows["hits"]] == [3] and rows["hits"][0]["type"] == "sum" and rows["hits"][0]["attr"]["page"] == "/cart"
    assert sorted(r["value"] for r in rows["load"]) == [10.5, 20] and rows["load"][0]["unit"] == "millisecond"
    assert rows["users"][0]["value"] == 3 and rows["mem"][0]["value"] == 5


CSP = {"csp-report": {"document-uri": "https://shop/", "referrer": "", "violated-directive": "script-src 'self'", "effective-directive": "script-src", "original-policy": "script-src 'self'", "blocked-uri": "https://evil.example/x.js"}}


def test_reports_of_browsers_are_events(clew, key):
    path = f"/api/1/security/?sentry_key={key}&sentry_release=shop%401&sentry_environment=items"
    assert clew.request("POST", path, json.dumps(CSP), {"Content-Type": "application/csp-report"}, token=None)[0] == 200
    modern = [{"type": "csp-violation", "age": 1, "url": "https://shop/", "body": {"documentURL": "https://shop/", "blockedURL": "https://evil.example/y.js", "effectiveDirective": "script-src", "disposition": "enforce"}}]
    assert clew.request("POST", path, json.dumps(modern), {"Content-Type": "application/reports+json"}, token=None)[0] == 200
    rows, _ = clew.query("events environment=items message:blocked")
    assert len(rows) == 2 and {r["message"] for r in rows} == {"Blocked 'script' from 'evil.example'"}
    assert len({r["group"] for r in rows}) == 1, "both blocked the same host by the same directive"
    assert rows[0]["release"] == "shop@1" and rows[0]["attr"]["blocked-uri"].startswith("https://evil.example")
    for report in ({"expect-ct-report": {"hostname": "a.example"}}, {"hostname": "b.example", "known-pins": ["x"]}, {"expect-staple-report": {"hostname": "c.example"}}):
        assert clew.request("POST", path, json.dumps(report), {}, token=None)[0] == 200
    assert len(clew.query("events environment=items message:failed")[0]) == 3
    assert clew.request("POST", path, '{"nothing":1}', {}, token=None)[0] == 400
    assert clew.request("POST", "/api/1/security/", json.dumps(CSP), {}, token=None)[0] == 403
    nel = [{"type": "network-error", "age": 10, "url": "https://shop/api", "body": {"type": "tcp.refused", "method": "GET", "phase": "connection", "status_code": 0}}]
    assert clew.request("POST", f"/api/1/nel/?sentry_key={key}", json.dumps(nel), {}, token=None)[0] == 200
    assert clew.query("logs nel.phase=connection")[0][0]["body"] == "tcp.refused: GET https://shop/api"


def test_a_crash_of_a_native_process(clew, key):
    dump = b"MDMP" + bytes(4000)
    event = new_id()
    body, headers = form(("sentry", None, json.dumps({"event_id": event, "release": "game@2", "tags": {"gpu": "x"}}).encode()), ("upload_file_minidump", "c.dmp", dump), ("log", "game.log", b"last words"))
    status, answer = clew.request("POST", f"/api/1/minidump/?sentry_key={key}", gzip.compress(body), {**headers, "Content-Encoding": "gzip"}, token=None)
    assert status == 200 and json.loads(answer)["id"] == event
    row = clew.query(f"events event_id={event}")[0][0]
    assert (row["level"], row["type"], row["handled"], row["platform"], row["release"]) == ("fatal", "Minidump", False, "native", "game@2")
    files = api(clew, f"/api/v1/events/{event}/attachments")["attachments"]
    assert {(f["kind"], f["size"]) for f in files} == {("minidump", 4004), ("attachment", 10)}
    body, headers = form(("upload_file_minidump", "c.dmp", dump), ("sentry[release]", None, b"game@3"), ("sentry[tags][os]", None, b"mac"), ("prod", None, b"Crashpad"))
    status, answer = clew.request("POST", f"/api/1/minidump/?sentry_key={key}", body, headers, token=None)
    row = clew.query(f"events event_id={json.loads(answer)['id']}")[0][0]
    assert row["release"] == "game@3" and row["attr"]["os"] == "mac" and row["attr"]["extra.prod"] == "Crashpad"
    # In an envelope, without an event of its own.
    event = new_id()
    send(clew, key, ({"type": "attachment", "filename": "m.dmp", "attachment_type": "event.minidump"}, dump), event_id=event)
    assert clew.query(f"events event_id={event}")[0][0]["level"] == "fatal"
    for bad, head in ((b"no form", {"Content-Type": "multipart/form-data; boundary=x"}), (b"", {}), form(("other", "f", b"x"))):
        assert clew.request("POST", f"/api/1/minidump/?sentry_key={key}", bad, head, token=None)[0] == 400


def crash(server, key, dump, **said):
    event = new_id()
    body, headers = form(("sentry", None, json.dumps({"event_id": event, **said}).encode()), ("upload_file_minidump", "c.dmp", dump))
    assert server.request("POST", f"/api/1/minidump/?sentry_key={key}", body, headers, token=None)[0] == 200
    return server.query(f"events event_id={event}")[0][0], api(server, f"/api/v1/events/{event}")


def test_crashes_are_grouped_by_signal_and_place(clew, key):
    row, event = crash(clew, key, minidump(), release="game@1")
    assert (row["title"], row["level"], row["handled"]) == ("SIGSEGV: at game+0x1234", "fatal", False)
    frame, = event["exceptions"][0]["frames"]
    assert (frame["function"], frame["module"], frame["in_app"]) == ("game+0x1234", "/srv/game/bin/game", True)
    libc = minidump(code=6, modules=(("/usr/lib/x86_64-linux-gnu/libc.so.6", 0x400000, 0x10000, bytes(20)),))
    assert crash(clew, key, libc)[1]["exceptions"][0]["frames"][0]["in_app"] is False
    # Loaded elsewhere, it is the same crash; at another place, or for another reason, it is not.
    moved = minidump(pc=0x7F0000001234, modules=(("/srv/game/bin/game", 0x7F0000000000, 0x10000, bytes(20)),))
    assert crash(clew, key, moved)[0]["group"] == row["group"]
    others = [minidump(pc=0x401238), minidump(code=6), minidump(modules=(("/srv/game/bin/editor", 0x400000, 0x10000, bytes(20)),)),
              minidump(code=0xC0000005, platform=WINDOWS, modules=(("C:\\game\\game.exe", 0x400000, 0x10000, bytes(20)),))]
    rows = [crash(clew, key, dump)[0] for dump in others]
    assert len({row["group"], *(one["group"] for one in rows)}) == 5
    assert rows[3]["title"] == "EXCEPTION_ACCESS_VIOLATION: at game.exe+0x1234"
    # In an envelope, as sentry-native sends it: what the event says stays, what crashed is read from the dump.
    ids = new_id()
    send(clew, key, ({"type": "event"}, {"event_id": ids, "release": "game@9", "tags": {"gpu": "y"}}),
         ({"type": "attachment", "filename": "m.dmp", "attachment_type": "event.minidump"}, moved), event_id=ids)
    row2, = clew.query(f"events event_id={ids}")[0]
    assert row2["group"] == row["group"] and row2["release"] == "game@9" and row2["attr"]["gpu"] == "y"


def test_files_are_added_to_an_event_later(clew, key):
    event = new_id()
    body, headers = form(("a", "a.txt", b"one"), ("b", "b.txt", b"two"))
    assert clew.request("POST", f"/api/1/events/{event}/attachments/?sentry_key={key}", body, headers, token=None)[0] == 200
    assert {f["name"] for f in api(clew, f"/api/v1/events/{event}/attachments")["attachments"]} == {"a.txt", "b.txt"}
    assert clew.request("POST", f"/api/1/events/{event}/attachments/", body, headers, token=None)[0] == 403
    assert clew.request("POST", f"/api/1/events/nope/attachments/?sentry_key={key}", body, headers, token=None)[0] == 400


def test_a_tunnel_takes_the_envelope_at_its_word(clew, key):
    event = new_id()
    body = envelope(({"type": "event"}, {"message": "tunnelled"}), event_id=event, dsn=f"http://{key}@localhost/1")
    assert clew.request("POST", "/tunnel", body, {"Origin": "https://shop.example", "Content-Type": "text/plain"}, token=None)[0] == 200
    assert len(clew.query(f"events event_id={event}")[0]) == 1
    for dsn in (f"http://{key}@localhost/2", "http://00000000000000000000000000000000@localhost/1", None):
        body = envelope(({"type": "event"}, {"message": "no"}), **({"dsn": dsn} if dsn else {}))
        assert clew.request("POST", "/tunnel", body, {}, token=None)[0] == 403
    # Behind a prefix.
    body = envelope(({"type": "event"}, {"message": "prefixed"}), event_id=new_id())
    assert clew.request("POST", f"/some/where/api/1/envelope/?sentry_key={key}", body, {}, token=None)[0] == 200


def test_otlp_with_the_key_of_a_dsn(clew, key):
    trace = new_id()
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": trace, "spanId": "0123456789abcdef", "name": "otlp", "startTimeUnixNano": str(time.time_ns()), "endTimeUnixNano": str(time.time_ns())}]}]}]})
    path, headers = "/api/1/integration/otlp/v1/traces", {"Content-Type": "application/json", "X-Sentry-Auth": f"sentry sentry_key={key}"}
    assert clew.request("POST", path, body, headers, token=None)[0] == 200
    assert len(clew.query(f"spans trace={trace}")[0]) == 1
    assert clew.request("POST", path, body, {**headers, "X-Sentry-Auth": "sentry sentry_key=" + "0" * 32}, token=None)[0] == 401
    assert clew.request("POST", path, body, {"Content-Type": "application/json"}, token=None)[0] == 401
    assert clew.request("POST", path.replace("/1/", "/2/"), body, headers, token=None)[0] == 401


def test_items_are_counted_by_type(clew, key):
    send(clew, key, ({"type": "from_the_future"}, b"?"), ({"type": "check_in"}, {"status": "ok"}), ({"type": "replay_recording"}, b"no header"), ({"type": 'odd"} 1\n'}, b""))
    status, answer = clew.request("GET", "/metrics")
    text = answer.decode()
    for line in ('{type="from_the_future",what="skipped"} 1', '{type="check_in",what="malformed"} 1', '{type="replay_recording",what="malformed"} 1', '{type="odd___1_",what="skipped"} 1'):
        assert "clew_ingest_sentry_items_total" + line in text, text


def test_limits(tmp_path):
    server = harness.Server(tmp_path / "data", ["--attachment-max", "4kb", "--envelope-max", "64kb", "--item-max", "2kb", "--event-max", "2kb", "--artifact-cap", "20kb"])
    server.start()
    try:
        key = server.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]
        import os
        for item in (({"type": "attachment"}, bytes(5000)), ({"type": "session"}, {"x": "y" * 3000}), ({"type": "event"}, {"message": "x" * 3000}), ({"type": "statsd"}, b"x" * 3000)):
            send(server, key, item, expect=413)
        send(server, key, ({"type": "attachment"}, bytes(70000)), expect=413)
        # No room: the oldest file goes, and what is larger than all the room is refused without the event.
        events = [new_id() for _ in range(8)]
        for event in events:
            send(server, key, ({"type": "event"}, {"message": "m"}), ({"type": "attachment", "filename": "f"}, os.urandom(3900)), event_id=event)
        assert api(server, f"/api/v1/events/{events[0]}/attachments")["attachments"] == []
        assert len(api(server, f"/api/v1/events/{events[-1]}/attachments")["attachments"]) == 1
        many = [({"type": "attachment", "filename": f"{n}"}, os.urandom(3900)) for n in range(7)]
        event = new_id()
        send(server, key, ({"type": "event"}, {"message": "kept"}), *many, event_id=event)
        seconds, categories, scope, reason = server.answer_headers["x-sentry-rate-limits"].split(":")
        assert (categories, scope, reason) == ("attachment", "organization", "no_space") and int(seconds) > 0
        assert len(server.query(f"events event_id={event}")[0]) == 1
        send(server, key, *many, event_id=new_id(), expect=429)
        assert "retry-after" in server.answer_headers and "attachment" in server.answer_headers["x-sentry-rate-limits"]
    finally:
        server.stop()


def test_over_the_rate_an_sdk_may_still_say_what_it_lost(tmp_path):
    server = harness.Server(tmp_path / "data", ["--ingest-rate", "1kb"])
    server.start()
    try:
        key = server.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]
        send(server, key, ({"type": "event"}, {"message": "x" * 20000}))
        send(server, key, ({"type": "event"}, {"message": "y"}), expect=429)
        send(server, key, ({"type": "client_report"}, {"discarded_events": [{"reason": "ratelimit_backoff", "category": "error", "quantity": 5}]}))
        assert api(server, "/api/v1/ingest")["lost"][0]["quantity"] == 5
    finally:
        server.stop()


def test_what_is_acknowledged_survives_a_kill(tmp_path):
    server = harness.Server(tmp_path / "data")
    server.start()
    key = server.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]
    events = [new_id() for _ in range(20)]
    for event in events:
        send(server, key, ({"type": "event"}, {"message": "m"}), ({"type": "attachment", "filename": "f"}, event.encode() * 100), event_id=event)
    server.kill()
    server.start()
    try:
        for event in events:
            files = api(server, f"/api/v1/events/{event}/attachments")["attachments"]
            assert server.request("GET", files[0]["url"])[1] == event.encode() * 100
            assert len(server.query(f"events event_id={event}")[0]) == 1
    finally:
        server.stop()


SDK = """
import sys, sentry_sdk
from sentry_sdk.crons import capture_checkin, MonitorStatus
sentry_sdk.init(dsn=sys.argv[1], release="sdk@1", environment="sdk-items", auto_session_tracking=True, traces_sample_rate=1.0, profiles_sample_rate=1.0)
with sentry_sdk.new_scope() as scope:
    scope.add_attachment(bytes=b"from the SDK", filename="sdk.txt")
    print(sentry_sdk.capture_message("with a file"))
check = capture_checkin(monitor_slug="sdk-nightly", status=MonitorStatus.IN_PROGRESS)
capture_checkin(monitor_slug="sdk-nightly", check_in_id=check, status=MonitorStatus.OK, duration=3)
sentry_sdk.get_isolation_scope().start_session()
sentry_sdk.get_isolation_scope().end_session()
sentry_sdk.flush(10)
sentry_sdk.get_client().close()
"""


def test_the_python_sdk_sends_them_too(clew):
    dsn = clew.cli("project", "dsn", "default").strip()
    run = subprocess.run([sys.executable, "-c", SDK, dsn], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert run.returncode == 0, run.stderr
    files = api(clew, f"/api/v1/events/{run.stdout.split()[0]}/attachments")["attachments"]
    assert [f["name"] for f in files] == ["sdk.txt"] and clew.request("GET", files[0]["url"])[1] == b"from the SDK"
    assert {r["status"] for r in clew.query("checks name=sdk-nightly")[0]} == {"running", "ok"}
    rows, _ = clew.query("sessions environment=sdk-items")
    assert rows and sum(r["quantity"] for r in rows) >= 1 and rows[0]["release"] == "sdk@1"
