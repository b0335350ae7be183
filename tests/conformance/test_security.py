"""Who may do what, and what happens when they try more: each rule of the security page, broken on purpose."""
import http.client
import json
import pathlib
import re
import socket
import sqlite3
import ssl
import stat
import subprocess
import threading
import time

import grpc
import pytest

import harness

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
NOTHING = b""  # an empty OTLP request


class Browser:
    """What a browser would send: the page's Origin, its cookie, the header token."""

    def __init__(self, server):
        self.server = server
        self.origin = server.url
        self.cookie = self.csrf = None

    def request(self, method, path, body=None, **headers):
        sent = {"Origin": self.origin, "Cookie": self.cookie, "X-Clew-CSRF": self.csrf, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(body)
        return self.server.request(method, path, body, {k: v for k, v in sent.items() if v is not None}, token=None)

    def sign_in(self, link=None, password=None):
        """With a link; with a password too where it is one that sets it."""
        link = link or new_link(self.server)
        status, answer = self.request("POST", "/api/v1/session", {"link": link, **({"password": password} if password else {})})
        if status == 200:
            self.set_cookie = self.server.answer_headers["set-cookie"]
            self.cookie = self.set_cookie.split(";")[0]
            self.csrf = json.loads(answer)["csrf"]
        return status


def new_link(server, *words):
    return server.cli("login-link", *words).strip().rpartition("#")[2]


def code_of(answer):
    return json.loads(answer)["error"]["code"]


@pytest.fixture
def browser(clew):
    """Signed in."""
    made = Browser(clew)
    assert made.sign_in() == 200
    return made


# ---- sign-in

def test_the_link_has_its_token_in_the_fragment_and_works_once(clew):
    printed = clew.cli("login-link").strip()
    assert re.fullmatch(re.escape(clew.url) + r"/signin#[\w-]{43}", printed)
    link = printed.rpartition("#")[2]
    assert Browser(clew).sign_in(link) == 200
    assert Browser(clew).sign_in(link) == 403


def test_a_new_link_revokes_the_old(clew):
    old, new = new_link(clew), new_link(clew)
    assert Browser(clew).sign_in(old) == 403
    assert Browser(clew).sign_in(new) == 200


def test_links_and_tokens_are_neither_logged_nor_kept(clew, browser):
    link, token = new_link(clew), clew.token("read")
    Browser(clew).sign_in(link)
    clew.request("GET", "/api/v1/me", token=token)
    clew.request("GET", f"/signin?token={link}", headers={"Accept": "text/html"}, token=None)
    secrets = [link, token[5:], browser.cookie.split("=")[1], browser.csrf]
    for path in [clew.log_path, *clew.data.rglob("*")]:
        if path.is_file() and path.name != "run.json":
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, (path, secret)


def test_sign_in_needs_the_pages_own_origin(clew):
    link = new_link(clew)
    for origin in (None, "http://evil.example", f"http://localhost:{clew.port}", "null", clew.url + "0"):
        visitor = Browser(clew)
        visitor.origin = origin
        assert visitor.sign_in(link) == 403, origin
    assert Browser(clew).sign_in(link) == 200  # none of the attempts used it up


def test_sign_in_takes_json_only(clew):
    body = "link=" + new_link(clew)
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        assert clew.request("POST", "/api/v1/session", body, {"Origin": clew.url, "Content-Type": kind}, token=None)[0] == 415


def test_guessing_is_throttled(clew_new):
    server = clew_new()
    visitor = Browser(server)
    seen = [visitor.request("POST", "/api/v1/session", {"link": f"guess{i}"})[0] for i in range(12)]
    assert seen[0] == 403 and seen[-1] == 429
    assert int(server.answer_headers["retry-after"]) >= 1
    assert visitor.sign_in() == 429  # the right one waits, too


def test_passwords(clew_new):
    server = clew_new()
    browser, other = Browser(server), Browser(server)
    assert browser.sign_in() == 200 and other.sign_in() == 200
    assert browser.request("POST", "/api/v1/me/password", {"password": "short"})[0] == 400
    assert browser.request("POST", "/api/v1/me/password", {"password": "correct horse battery"})[0] == 204
    assert browser.request("GET", "/api/v1/me")[0] == 200
    assert other.request("GET", "/api/v1/me")[0] == 401  # other sessions end
    # A stolen session must not be enough to change it.
    assert browser.request("POST", "/api/v1/me/password", {"password": "another long password"})[0] == 403
    fresh = Browser(server)
    wrong = fresh.request("POST", "/api/v1/session", {"login": "admin", "password": "wrong horse battery"})
    nobody = fresh.request("POST", "/api/v1/session", {"login": "nobody", "password": "wrong horse battery"})
    assert wrong == nobody and wrong[0] == 403  # does not tell who exists
    assert fresh.request("POST", "/api/v1/session", {"login": "admin", "password": "correct horse battery"})[0] == 200


# ---- people

def invited(server, admin, login, *scopes):
    """The secret of an invitation."""
    status, answer = admin.request("POST", "/api/v1/users", {"login": login, "scopes": list(scopes)})
    assert status == 201, answer
    return json.loads(answer)["link"].rpartition("#invite=")[2]


def member(server, admin, login, *scopes):
    """A browser in which somebody has accepted an invitation."""
    visitor = Browser(server)
    assert visitor.sign_in(invited(server, admin, login, *scopes), "a long enough password") == 200
    return visitor


def test_an_invitation_works_once_and_only_with_a_password(clew, browser):
    link = invited(clew, browser, "once", "read")
    assert Browser(clew).sign_in(link) == 400
    assert Browser(clew).sign_in(link, "short") == 400
    visitor = Browser(clew)
    assert visitor.sign_in(link, "a long enough password") == 200
    assert Browser(clew).sign_in(link, "a long enough password") == 403
    assert json.loads(visitor.request("GET", "/api/v1/me")[1])["scopes"] == ["read"]
    status, _ = Browser(clew).request("POST", "/api/v1/session", {"login": "once", "password": "a long enough password"})
    assert status == 200


def test_invitations_expire_and_replace_each_other(clew_new):
    server = clew_new()
    admin = Browser(server)
    admin.sign_in()
    old = invited(server, admin, "late", "read")
    new = json.loads(admin.request("POST", "/api/v1/users/late/link", {})[1])["link"].rpartition("=")[2]
    assert Browser(server).sign_in(old, "a long enough password") == 403
    with sqlite3.connect(server.data / "meta.db") as db:
        db.execute("UPDATE login_links SET expires_ns = 1")
    assert Browser(server).sign_in(new, "a long enough password") == 403


def test_a_sign_in_link_is_no_way_to_set_a_password(clew):
    link = new_link(clew)
    assert Browser(clew).sign_in(link, "a long enough password") == 400
    assert Browser(clew).sign_in(link) == 200


def test_invitations_and_passwords_are_neither_logged_nor_kept(clew, browser):
    link = invited(clew, browser, "secretive", "read")
    assert Browser(clew).sign_in(link, "the password of secretive") == 200
    for path in [clew.log_path, *clew.data.rglob("*")]:
        if path.is_file() and path.name != "run.json":
            content = path.read_bytes()
            assert link.encode() not in content and b"the password of secretive" not in content, path


def test_a_member_reads_and_administers_nothing(clew, browser):
    visitor = member(clew, browser, "reader", "read")
    assert visitor.request("GET", "/api/v1/services")[0] == 200
    for method, path, body in (("GET", "/api/v1/users", None), ("POST", "/api/v1/users", {"login": "friend", "scopes": ["read"]}),
                               ("PATCH", "/api/v1/users/reader", {"scopes": ["read", "admin"]}), ("DELETE", "/api/v1/users/admin", None),
                               ("POST", "/api/v1/tokens", {"name": "n", "scopes": ["read"]}), ("GET", "/api/v1/audit", None)):
        status, answer = visitor.request(method, path, body)
        assert (status, code_of(answer)) == (403, "forbidden"), path


def test_who_administers_reaches_nobody_stronger(clew, browser):
    """Else a link for a stronger user would be a way to become that user."""
    visitor = member(clew, browser, "weaker", "read", "admin")
    for method, path, body in (("POST", "/api/v1/users/admin/link", {}), ("DELETE", "/api/v1/users/admin", None), ("DELETE", "/api/v1/users/admin/sessions", None),
                               ("PATCH", "/api/v1/users/admin", {"disabled": True}), ("PATCH", "/api/v1/users/weaker", {"scopes": ["read", "admin", "values"]}),
                               ("POST", "/api/v1/users", {"login": "stronger", "scopes": ["read", "patch"]})):
        status, answer = visitor.request(method, path, body)
        assert (status, code_of(answer)) == (403, "forbidden"), path
    assert visitor.request("POST", "/api/v1/users", {"login": "equal", "scopes": ["read"]})[0] == 201


def test_changing_people_needs_origin_and_header(clew, browser):
    for method, path, body in (("POST", "/api/v1/users", {"login": "forged", "scopes": ["read"]}), ("PATCH", "/api/v1/users/admin", {"disabled": True}),
                               ("DELETE", "/api/v1/users/admin", None), ("POST", "/api/v1/users/admin/link", {}), ("DELETE", "/api/v1/me/sessions", None)):
        for headers in ({"Origin": None}, {"Origin": "http://evil.example"}, {"X-Clew-CSRF": None}):
            status, answer = browser.request(method, path, body, **headers)
            assert (status, code_of(answer)) == (403, "forged"), (path, headers)


@pytest.mark.parametrize("end", [("DELETE", "/api/v1/users/{}", None), ("PATCH", "/api/v1/users/{}", {"disabled": True}), ("DELETE", "/api/v1/users/{}/sessions", None)],
                         ids=["removed", "disabled", "ended"])
def test_who_is_shut_out_is_out_at_once(clew, browser, end):
    method, path, body = end
    login = f"gone-{method.lower()}-{len(path)}"
    visitor = member(clew, browser, login, "read")
    connection = http.client.HTTPConnection("127.0.0.1", clew.port, timeout=20)
    connection.request("GET", "/api/v1/tail?query=logs", headers={"Cookie": visitor.cookie})
    tail = connection.getresponse()
    assert tail.status == 200
    assert browser.request(method, path.format(login), body)[0] == 204
    assert visitor.request("GET", "/api/v1/me")[0] == 401
    tail.read()  # ends, well before a read times out
    connection.close()
    status, _ = visitor.request("POST", "/api/v1/session", {"login": login, "password": "a long enough password"})
    assert status == (200 if path.endswith("sessions") else 403)


def test_scopes_that_are_taken_are_gone_at_once(clew, browser):
    visitor = member(clew, browser, "demoted", "read", "admin")
    assert visitor.request("GET", "/api/v1/users")[0] == 200
    assert browser.request("PATCH", "/api/v1/users/demoted", {"scopes": ["read"]})[0] == 204
    assert visitor.request("GET", "/api/v1/users")[0] == 403


def test_the_last_administrator_stays(clew_new):
    server = clew_new()
    admin = Browser(server)
    admin.sign_in()
    invited(server, admin, "not-here-yet", "read", "admin")
    for method, path, body in (("DELETE", "/api/v1/users/admin", None), ("PATCH", "/api/v1/users/admin", {"disabled": True}),
                               ("PATCH", "/api/v1/users/admin", {"scopes": ["read"]})):
        status, answer = admin.request(method, path, body)
        assert (status, code_of(answer)) == (422, "last_admin"), path
    assert server.cli("user", "rm", "admin", check=False) == "" and admin.request("GET", "/api/v1/me")[0] == 200


def test_everybody_ends_his_own_sessions_only(clew, browser):
    visitor = member(clew, browser, "several", "read")
    second = Browser(clew)
    assert second.request("POST", "/api/v1/session", {"login": "several", "password": "a long enough password"})[0] == 200
    mine = json.loads(browser.request("GET", "/api/v1/me/sessions")[1])["sessions"]
    theirs = json.loads(visitor.request("GET", "/api/v1/me/sessions")[1])["sessions"]
    assert len(theirs) == 2 and sum(s["current"] for s in theirs) == 1
    assert visitor.request("DELETE", f"/api/v1/me/sessions/{mine[0]['id']}")[0] == 404
    assert visitor.request("DELETE", "/api/v1/me/sessions")[0] == 204
    assert visitor.request("GET", "/api/v1/me")[0] == 200 and browser.request("GET", "/api/v1/me")[0] == 200
    assert len(json.loads(visitor.request("GET", "/api/v1/me/sessions")[1])["sessions"]) == 1


def test_people_are_in_the_trail(clew, browser):
    member(clew, browser, "trailed", "read")
    browser.request("PATCH", "/api/v1/users/trailed", {"scopes": ["read", "values"]})
    browser.request("DELETE", "/api/v1/users/trailed")
    entries = json.loads(browser.request("GET", "/api/v1/audit?limit=50")[1])["entries"]
    seen = [(e["action"], e["actor"]) for e in reversed(entries) if e["target"] == "trailed"]
    assert seen == [("user.add", "user:admin"), ("link.add", "user:admin"), ("user.password", "trailed"), ("session.start", "trailed"),
                    ("user.scopes", "user:admin"), ("user.remove", "user:admin")]


def reads_of(server, actor):
    entries = json.loads(server.request("GET", "/api/v1/audit?containing=values.read&limit=200", token=server.token("admin"))[1])["entries"]
    return [(e["target"], e["detail"]) for e in reversed(entries) if e["actor"] == f"token:{actor}"]


def test_who_reads_values_is_in_the_trail(clew):
    event_id = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    event = {"event_id": event_id, "exception": [{"type": "E", "stacktrace": {"frames": [{"function": "f", "in_app": True, "vars": {"price": "4711"}}]}}]}
    key = clew.cli("project", "dsn", "default").split("//")[1].split("@")[0]
    assert clew.request("POST", f"/api/1/store/?sentry_key={key}", json.dumps(event), token=None)[0] == 200
    plain = "1" * 32
    assert clew.request("POST", f"/api/1/store/?sentry_key={key}", json.dumps({"event_id": plain, "message": "m"}), token=None)[0] == 200
    curious, blind = clew.token("read", "values", name="curious"), clew.token("read", name="blind")

    def ask(text, token):
        return clew.request("POST", "/api/v1/query", json.dumps({"query": text, "from": "-1h"}), JSON, token=token)

    for token in (curious, blind):
        assert clew.request("GET", f"/api/v1/events/{event_id}", token=token)[0] == 200
        assert clew.request("GET", f"/api/v1/events/{plain}", token=token)[0] == 200
        assert ask("events", token)[0] == 200
    status, answer = ask("events vars.price=4711", curious)
    assert status == 200 and event_id.encode() in answer
    assert ask("events vars.price=4711", curious)[0] == 200  # the same within a minute
    assert ask("spans trace in {events | where vars.price:* | select trace}", curious)[0] == 200
    assert ask("events | stats count() by vars.price", curious)[0] == 200
    assert ask("events vars.price=4711", blind)[0] == 403
    assert clew.request("GET", "/api/v1/values?source=events&field=vars.price", token=curious)[0] == 200
    assert ask("events vars.price=4711", clew.token("read", "values", name="other"))[0] == 200
    seen = reads_of(clew, "curious")
    assert seen[:4] == [(f"event {event_id}", ""), ("query", "events vars.price=4711"),
                        ("query", "spans trace in {events | where vars.price:* | select trace}"), ("query", "events | stats count() by vars.price")]
    assert [target for target, _ in seen[4:]] == ["query"] and "price" in seen[4][1]
    assert reads_of(clew, "blind") == []
    assert reads_of(clew, "other") == [("query", "events vars.price=4711")]


def test_a_tail_of_values_is_in_the_trail(clew):
    token = clew.token("read", "values", name="follower")
    connection = http.client.HTTPConnection("127.0.0.1", clew.port)
    connection.request("GET", "/api/v1/tail?query=events%20vars.price:*", headers={"Authorization": f"Bearer {token}"})
    assert connection.getresponse().status == 200
    connection.close()
    assert reads_of(clew, "follower") == [("tail", "events vars.price:*")]


# ---- session

def test_the_cookie_is_out_of_reach(browser):
    parts = {part.strip().lower() for part in browser.set_cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts


def test_a_session_changes_nothing_without_origin_and_header(clew, browser):
    body = {"name": "x", "scopes": ["read"]}
    tries = [{"Origin": None}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"X-Clew-CSRF": None}, {"X-Clew-CSRF": "x" * 43},
             {"Origin": f"http://localhost:{clew.port}"}, {"Origin": None, "X-Clew-CSRF": None}]
    for headers in tries:
        status, answer = browser.request("POST", "/api/v1/tokens", body, **headers)
        assert (status, code_of(answer)) == (403, "forged"), headers
        assert browser.request("DELETE", "/api/v1/session", **headers)[0] == 403, headers
    assert browser.request("POST", "/api/v1/tokens", body)[0] == 201


def test_another_sites_stream_is_refused(browser):
    """EventSource sends cookies; the demo shop lives on localhost, and cookies do not know ports."""
    for path in ("/api/v1/tail?query=logs", "/api/v1/me"):
        assert browser.request("GET", path, Origin="http://localhost:8080")[0] == 403


def test_signing_out_ends_it_at_once(clew):
    browser = Browser(clew)
    browser.sign_in()
    assert browser.request("DELETE", "/api/v1/session")[0] == 204
    assert browser.request("GET", "/api/v1/me")[0] == 401


def test_cookies_of_others_are_nobody(clew):
    for cookie in ("", "x", "0" * 43, "a" * 5000, "%00", "'; DROP TABLE sessions; --"):
        browser = Browser(clew)
        browser.cookie = f"clew_session_{clew.port}={cookie}"
        assert browser.request("GET", "/api/v1/me")[0] in (401, 431), cookie


# ---- names

PATHS = ["/", "/healthz", "/metrics", "/v1/traces", "/api/v1/me", "/api/v1/session", "/jaeger/api/services", "/nowhere", "/signin"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "127.1", "0.0.0.0", "169.254.169.254", "[::2]"])
def test_foreign_names_are_not_answered_on_any_path(clew, host):
    for path in PATHS:
        for method in ("GET", "POST"):
            status, _ = clew.request(method, path, b"" if method == "POST" else None, {"Host": host, **PROTOBUF}, token=None)
            assert status == 421, (method, path)


def test_an_absolute_target_does_not_hide_a_foreign_host(clew):
    with socket.create_connection(("127.0.0.1", clew.port), timeout=20) as connection:
        connection.sendall(f"GET {clew.url}/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        status = int(connection.recv(1000).split()[1])
    assert status in (400, 421)


def test_public_urls_are_answered(clew_new):
    server = clew_new("--public-url", "https://clew.example.com")
    assert server.request("GET", "/healthz", headers={"Host": "clew.example.com"}, token=None)[0] == 200
    assert server.request("GET", "/healthz", headers={"Host": "example.com"}, token=None)[0] == 421
    # A name that the world can reach is not the local program's: no keyless ingest under it.
    assert server.request("POST", "/v1/traces", NOTHING, {"Host": "clew.example.com", **PROTOBUF}, token=None)[0] == 401


# ---- ingest

def test_a_local_program_needs_no_key(clew):
    for host in (f"127.0.0.1:{clew.port}", "127.0.0.1", "localhost", f"localhost:{clew.port}", "[::1]"):
        assert clew.request("POST", "/v1/traces", NOTHING, {"Host": host, **PROTOBUF}, token=None)[0] == 200, host


@pytest.mark.parametrize("header", ["Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Anything"])
def test_a_browser_or_proxy_needs_one(clew, header):
    for signal in ("traces", "logs", "metrics"):
        assert clew.request("POST", f"/v1/{signal}", NOTHING, {header: "http://127.0.0.1", **PROTOBUF}, token=None)[0] == 401
    token = clew.token("ingest")
    assert clew.request("POST", "/v1/traces", NOTHING, {header: "http://127.0.0.1", **PROTOBUF}, token=token)[0] == 200


def test_keys_open_what_they_say(clew):
    dsn_key = re.match(r"http://(\w{32})@", clew.cli("project", "dsn", "default")).group(1)
    for token, ingest, read in ((clew.token("ingest"), 200, 403), (clew.token("read"), 403, 200), (clew.token("admin"), 403, 403),
                                (dsn_key, 401, 401), ("clew_" + "A" * 43, 401, 401), ("", 401, 401)):
        bearer = {"Authorization": "Bearer " + token}
        assert clew.request("POST", "/v1/traces", NOTHING, {**PROTOBUF, **bearer}, token=None)[0] == ingest
        assert clew.request("GET", "/api/v1/services", headers=bearer, token=None)[0] == read
    for scheme in ("Basic", "Token", "bearer-"):
        headers = {**PROTOBUF, "Authorization": f"{scheme} {clew.token('ingest')}"}
        assert clew.request("POST", "/v1/traces", NOTHING, headers, token=None)[0] == 401


def grpc_status(server, metadata=(), authority=None, path="/opentelemetry.proto.collector.trace.v1.TraceService/Export"):
    options = [("grpc.default_authority", authority)] if authority else []
    with grpc.insecure_channel(f"127.0.0.1:{server.port}", options=options) as channel:
        try:
            channel.unary_unary(path)(NOTHING, metadata=metadata, timeout=20)
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            return error.code()


def test_grpc_has_the_same_rules(clew):
    bearer = lambda token: [("authorization", "Bearer " + token)]  # noqa: E731
    assert grpc_status(clew) is grpc.StatusCode.OK
    assert grpc_status(clew, [("x-forwarded-for", "192.0.2.1")]) is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_status(clew, [("origin", "http://evil.example")]) is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_status(clew, bearer("nonsense")) is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_status(clew, bearer(clew.token("read"))) is grpc.StatusCode.PERMISSION_DENIED
    assert grpc_status(clew, bearer(clew.token("ingest"))) is grpc.StatusCode.OK
    assert grpc_status(clew, authority="evil.example") is not grpc.StatusCode.OK
    assert grpc_status(clew, path="/no.such.Service/Export") is grpc.StatusCode.UNIMPLEMENTED


# ---- tokens

def test_tokens_die_at_once(clew, browser):
    status, answer = browser.request("POST", "/api/v1/tokens", {"name": "ci", "scopes": ["read"]})
    made = json.loads(answer)
    assert status == 201
    assert clew.request("GET", "/api/v1/me", token=made["token"])[0] == 200
    assert browser.request("DELETE", f"/api/v1/tokens/{made['id']}")[0] == 204
    assert clew.request("GET", "/api/v1/me", token=made["token"])[0] == 401


def test_a_tail_dies_with_its_token(clew, browser):
    made = json.loads(browser.request("POST", "/api/v1/tokens", {"name": "watcher", "scopes": ["read"]})[1])
    connection = http.client.HTTPConnection("127.0.0.1", clew.port, timeout=20)
    connection.request("GET", "/api/v1/tail?query=logs", headers={"Authorization": f"Bearer {made['token']}"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert browser.request("DELETE", f"/api/v1/tokens/{made['id']}")[0] == 204
    answer.read()  # ends, well before a read times out
    connection.close()


def test_the_command_line_reaches_a_running_server(clew):
    token = clew.token("read", name="made-beside")
    assert clew.request("GET", "/api/v1/me", token=token)[0] == 200  # at once
    clew.cli("token", "rm", "made-beside")
    deadline = time.monotonic() + 60
    while clew.request("GET", "/api/v1/me", token=token)[0] != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_lists_never_show_the_secret_again(clew, browser):
    token = clew.token("read", name="listed")
    clew.request("GET", "/api/v1/me", token=token)
    status, answer = browser.request("GET", "/api/v1/tokens")
    assert status == 200 and token not in answer.decode()
    entry = next(t for t in json.loads(answer)["tokens"] if t["name"] == "listed")
    assert entry["ends_in"] == token[-4:] and "token" not in entry


def test_administration_needs_admin(clew):
    reader = clew.token("read,values,ingest,probe,patch")
    for method, path, body in (("GET", "/api/v1/tokens", None), ("POST", "/api/v1/tokens", "{}"), ("DELETE", "/api/v1/tokens/1", None),
                               ("POST", "/api/v1/projects", '{"slug":"x"}'), ("GET", "/api/v1/audit", None), ("GET", "/api/v1/audit/verify", None),
                               ("PATCH", "/api/v1/projects/default", '{"slug":"x"}'), ("POST", "/api/v1/projects/default/keys", "{}"),
                               ("DELETE", "/api/v1/projects/default/keys/1", None), ("PUT", "/api/v1/projects/default/grouping", "{}"), ("PUT", "/api/v1/projects/default/owners", "{}"),
                               ("PUT", "/api/v1/projects/default/filters", "{}"), ("PUT", "/api/v1/projects/default/scrub", "{}"),
                               ("POST", "/api/v1/projects/default/code-mappings", "{}"), ("PUT", "/api/v1/projects/default/code-mappings/1", "{}"), ("DELETE", "/api/v1/projects/default/code-mappings/1", None), ("DELETE", "/api/v1/projects/default/builds/1", None), ("DELETE", "/api/v1/projects/default/image-snapshots/1", None),
                               ("GET", "/api/v1/users", None),
                               ("POST", "/api/v1/users", '{"login":"x","scopes":["read"]}'), ("PATCH", "/api/v1/users/admin", '{"disabled":true}'),
                               ("DELETE", "/api/v1/users/admin", None), ("POST", "/api/v1/users/admin/link", "{}"),
                               ("DELETE", "/api/v1/users/admin/sessions", None), ("GET", "/api/v1/storage", None), ("GET", "/api/v1/server", None)):
        status, answer = clew.request(method, path, body, JSON, token=reader)
        assert (status, code_of(answer)) == (403, "forbidden"), path
        assert clew.request(method, path, body, JSON, token=None)[0] == 401, path


def test_nobody_hands_out_more_than_he_has(clew):
    admin = clew.token("admin,read")
    ask = lambda scopes: clew.request("POST", "/api/v1/tokens", json.dumps({"name": "n", "scopes": scopes}), JSON, token=admin)[0]  # noqa: E731
    assert ask(["read"]) == 201
    for scopes in (["values"], ["read", "patch"], ["ingest"]):
        assert ask(scopes) == 403
    assert ask([]) == 400 and ask(["root"]) == 400


def test_a_token_of_one_project_stays_in_it(clew):
    clew.cli("project", "add", "fenced")
    token = clew.token("admin,read", project="fenced")
    status, answer = clew.request("GET", "/api/v1/projects", token=token)
    assert status == 200 and [p["slug"] for p in json.loads(answer)["projects"]] == ["fenced"]
    assert clew.request("GET", "/api/v1/tokens", token=token)[0] == 403
    for path in ("/api/v1/audit", "/api/v1/users", "/api/v1/storage", "/api/v1/server", "/api/v1/setup", "/api/v1/ingest"):
        assert clew.request("GET", path, token=token)[0] == 403, path
    assert clew.request("GET", "/api/v1/projects/default/keys", token=token)[0] == 404
    assert clew.request("POST", "/api/v1/projects/default/keys", "{}", JSON, token=token)[0] == 404
    assert clew.request("GET", "/api/v1/projects/fenced/keys", token=token)[0] == 200
    for method, path in (("GET", "grouping"), ("PUT", "grouping"), ("POST", "grouping/preview"), ("GET", "owners"), ("PUT", "owners"),
                         ("GET", "filters"), ("PUT", "filters"), ("POST", "filters/preview")):
        assert clew.request(method, "/api/v1/projects/default/" + path, "{}", JSON, token=token)[0] == 404
        assert clew.request(method, "/api/v1/projects/fenced/" + path, "{}", JSON, token=token)[0] == 200
    assert clew.request("GET", "/api/v1/projects/default/builds", token=token)[0] == 404 and clew.request("DELETE", "/api/v1/projects/default/builds/1", token=token)[0] == 404
    assert [clew.request(method, f"/api/v1/projects/default/{path}", token=token)[0] for method, path in (("GET", "image-snapshots"), ("GET", "image-snapshots/1"), ("DELETE", "image-snapshots/1"), ("GET", f"images/{'a' * 64}"))] == [404] * 4
    assert clew.request("GET", "/api/v1/projects/default/code-mappings", token=token)[0] == 404 and clew.request("DELETE", "/api/v1/projects/default/code-mappings/1", token=token)[0] == 404
    assert [clew.request(method, f"/api/v1/projects/default/code-mappings{one}", "{}", JSON, token=token)[0] for method, one in (("POST", ""), ("PUT", "/1"))] == [404, 404]
    assert clew.request("GET", "/api/v1/projects/fenced/code-mappings", token=token)[0] == 200
    assert [clew.request("GET", f"/api/v1/projects/{slug}/source/files", token=token)[0] for slug in ("default", "fenced")] == [404, 200]
    assert code_of(clew.request("GET", "/api/v1/projects/default/source?path=a.py", token=token)[1]) != code_of(clew.request("GET", "/api/v1/projects/fenced/source?path=a.py", token=token)[1]) == "no_repository"
    for path in ("source?path=a.py", "source/files"):  # what is read in issues, no more
        assert clew.request("GET", "/api/v1/projects/default/" + path, token=clew.token("ingest,probe"))[0] == 403 and clew.request("GET", "/api/v1/projects/default/" + path, token=None)[0] == 401
    assert clew.request("POST", "/api/v1/tokens", '{"name":"n","scopes":["read"]}', JSON, token=token)[0] == 403


def test_rows_of_other_projects_do_not_exist(clew_new):
    server = clew_new()
    server.cli("project", "add", "one")
    server.cli("project", "add", "two")
    body = lambda name, span: json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [  # noqa: E731
        {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": span, "name": name, "startTimeUnixNano": str(time.time_ns()),
         "endTimeUnixNano": str(time.time_ns())}]}]}]})
    for project, span in (("one", "00000000000000a1"), ("two", "00000000000000a2")):
        token = server.token("ingest", project=project)
        assert server.request("POST", "/v1/traces", body(project, span), JSON, token=token)[0] == 200
    foreign = "1af7651916cd43dd8448eb211c80319c"
    of_two = body("one", "00000000000000b1").replace("0af7651916cd43dd8448eb211c80319c", foreign)
    assert server.request("POST", "/v1/traces", of_two, JSON, token=server.token("ingest", project="two"))[0] == 200
    server.read_token = server.token("read", project="one")
    # A trace of another project is none, on either side and among the others of a root.
    for a, b in ((foreign, "0af7651916cd43dd8448eb211c80319c"), ("0af7651916cd43dd8448eb211c80319c", foreign)):
        assert server.request("GET", f"/api/v1/compare?a={a}&b={b}")[0] == 404
    status, answer = server.request("GET", "/api/v1/compare?with=population&a=0af7651916cd43dd8448eb211c80319c")
    assert status == 200 and json.loads(answer)["population"]["found"] == 0
    rows, _ = server.query("spans")
    assert [row["name"] for row in rows] == ["one"]
    rows, _ = server.query("spans name=two or project=two")
    assert rows == []
    status, answer = server.request("GET", "/api/v1/traces/0af7651916cd43dd8448eb211c80319c")
    trace = json.loads(answer)
    assert status == 200 and [s["name"] for s in trace["spans"]] == ["one"] and trace["hidden"] == 1
    path = json.loads(server.request("GET", "/api/v1/traces/0af7651916cd43dd8448eb211c80319c/path")[1])
    assert path["root"] == "00000000000000a1" and path["hidden"] == 1 and [s["spans"] for s in path["services"]] == [1]
    for other in ("b=0af7651916cd43dd8448eb211c80319c", "with=population"):
        status, answer = server.request("GET", "/api/v1/compare?a=0af7651916cd43dd8448eb211c80319c&" + other)
        assert status == 200 and [row["name"] for row in json.loads(answer)["rows"]] == ["one"] and b"two" not in answer
    status, answer = server.request("GET", "/jaeger/api/traces/0af7651916cd43dd8448eb211c80319c")
    assert [s["operationName"] for s in json.loads(answer)["data"][0]["spans"]] == ["one"]
    for path in ("/api/v1/values?field=name&source=spans", "/api/v1/services", "/jaeger/api/services"):
        assert b"two" not in server.request("GET", path)[1], path


# ---- the server itself

def own_address():
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return None


def test_off_loopback_nothing_is_open(tmp_path):
    address = own_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    server = harness.Server(tmp_path / "data")
    server.options = ["--listen", f"0.0.0.0:{server.port}", "--public-url", f"http://{address}:{server.port}"]

    def ask(method, path, **headers):
        connection = http.client.HTTPConnection(address, server.port, timeout=20)
        try:
            connection.request(method, path, body=b"" if method == "POST" else None, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    server.start()
    try:
        assert ask("GET", "/healthz") == 200
        for path in ("/metrics", "/api/v1/openapi.json", "/api/v1/me"):
            assert ask("GET", path) == 401, path
            assert ask("GET", path, Authorization="Bearer " + server.token("read")) == 200, path
        assert ask("POST", "/v1/traces", **PROTOBUF) == 401
        assert ask("POST", "/v1/traces", Host="127.0.0.1", **PROTOBUF) == 401  # a lie about the name does not help
        assert ask("POST", "/v1/traces", Authorization="Bearer " + server.token("ingest"), **PROTOBUF) == 200
    finally:
        assert server.stop() == 0


def test_what_is_on_disk_is_closed_to_others(clew):
    assert stat.S_IMODE(clew.data.stat().st_mode) == 0o700
    for path in clew.data.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, (path, oct(mode))


def test_the_run_file_goes_with_the_server(clew_new):
    server = clew_new()
    run = json.loads((server.data / "run.json").read_text())
    assert server.request("GET", "/api/v1/me", token=run["token"])[0] == 200
    assert server.request("GET", "/api/v1/tokens", token=run["token"])[0] == 403  # reads and places probes, administers nothing
    assert set(json.loads(server.request("GET", "/api/v1/me", token=run["token"])[1])["scopes"]) == {"read", "values", "probe", "probe_prod"}
    assert server.stop() == 0
    assert not (server.data / "run.json").exists()
    server.start()
    assert server.request("GET", "/api/v1/me", token=run["token"])[0] == 401


def test_pages_allow_no_script_but_ours(clew):
    status, _ = clew.request("GET", "/", token=None)
    headers = {name.lower(): value for name, value in clew.answer_headers.items()}
    policy = headers["content-security-policy"]
    assert status == 200 and "script-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    clew.request("GET", "/api/v1/me", token=None)
    headers = {name.lower(): value for name, value in clew.answer_headers.items()}
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"


def test_paths_do_not_leave_the_pages(clew):
    for path in ("/../meta.db", "/%2e%2e/meta.db", "/assets/../../meta.db", "//etc/passwd", "/index.html%00.js", "/.git/config"):
        status, answer = clew.request("GET", path, token=None)
        assert status in (400, 404) or b"<!doctype html" in answer[:200].lower(), path


def test_limits_come_before_memory(clew_new):
    server = clew_new("--body-max", "10kb", "--inflated-max", "20kb", "--queries", "1")
    assert server.request("POST", "/v1/traces", b"x" * 10_001, PROTOBUF, token=None)[0] == 413
    assert server.request("POST", "/api/v1/query", b" " * 300_000, JSON)[0] == 413
    assert server.request("POST", "/api/v1/query", json.dumps({"query": "spans " + "a " * 10_000}), JSON)[0] == 400


def test_a_quota_is_429_and_passes(clew_new):
    server = clew_new("--ingest-rate", "1kb")
    log = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x" * 4000}, "timeUnixNano": "1"}]}]}]})
    answers = []
    while 429 not in answers:
        answers.append(server.request("POST", "/v1/logs", log + " " * len(answers), JSON, token=None)[0])
        assert len(answers) < 10
    assert answers[0] == 200 and int(server.answer_headers["retry-after"]) >= 1
    other = server.cli("project", "add", "other") and server.token("ingest", project="other")
    assert server.request("POST", "/v1/logs", log, JSON, token=other)[0] == 200  # quotas are a project's own


# ---- audit

def test_the_trail_tells_and_breaks_when_touched(clew_new):
    server = clew_new()
    browser = Browser(server)
    browser.sign_in()
    status, answer = browser.request("POST", "/api/v1/tokens", {"name": "ci", "scopes": ["read"]})
    browser.request("DELETE", f"/api/v1/tokens/{json.loads(answer)['id']}")
    browser.request("POST", "/api/v1/projects", {"slug": "shop"})
    browser.request("DELETE", "/api/v1/session")
    Browser(server).sign_in()
    entries = json.loads(server.request("GET", "/api/v1/audit?limit=1000", token=server.token("admin"))[1])["entries"]
    actions = [entry["action"] for entry in reversed(entries)]
    for action in ("workspace.create", "link.add", "session.start", "token.add", "token.remove", "project.add", "session.end"):
        assert action in actions, action
    head = server.cli("audit", "verify").strip()
    assert re.fullmatch(r"[0-9a-f]{64}", head)
    server.cli("project", "add", "later")
    server.cli("audit", "verify", "--head", head)
    server.stop()
    with sqlite3.connect(server.data / "meta.db") as db:
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("UPDATE audit SET actor = 'somebody' WHERE action = 'token.add'")
    with pytest.raises(RuntimeError, match="status 1"):
        server.cli("audit", "verify")


# ---- at the same time

def test_one_link_gives_one_session(clew_new):
    """Two clicks at once."""
    server = clew_new()
    for _ in range(5):
        link, results = new_link(server), []
        click_on = lambda: results.append(Browser(server).request("POST", "/api/v1/session", {"link": link})[0])  # noqa: E731, B023
        clicks = [threading.Thread(target=click_on) for _ in range(4)]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        assert sorted(results) == [200, 403, 403, 403]
        Browser(server).sign_in()  # forgets the failures


def test_a_second_server_does_not_take_the_directory(clew, tmp_path):
    second = harness.Server(clew.data)
    second.log_path = tmp_path / "second.log"
    with pytest.raises(RuntimeError, match="did not start"):
        second.start()
    assert clew.running() and pathlib.Path(clew.data / "run.json").exists()


# ---- TLS

def test_tls(clew_new, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out",
                    certificate, "-subj", "/CN=clew.example.com", "-addext", "subjectAltName=DNS:clew.example.com"], check=True, capture_output=True)
    server = harness.Server(tmp_path / "tls", ["--tls-cert", certificate, "--tls-key", key, "--public-url", "https://clew.example.com"])
    plain, context = server.request, ssl.create_default_context(cafile=certificate)

    def request(method, path, body=None, headers=None, token=None, **_):
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="clew.example.com")
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body=body, headers={"Host": "clew.example.com", **(headers or {}), **bearer})
        answer = connection.getresponse()
        server.answer_headers = {k.lower(): v for k, v in answer.getheaders()}
        return answer.status, answer.read()

    server.request = request
    server.start()
    try:
        assert json.loads(server.cli("query", "--json", "spans").splitlines()[-1])["_stats"]["rows"] == 0  # of this machine, without trusting the certificate
        assert server.cli("login-link").startswith("https://clew.example.com/signin#")
        browser = Browser(server)
        browser.origin = "https://clew.example.com"
        assert browser.sign_in() == 200 and "; Secure" in browser.set_cookie
        assert browser.request("POST", "/api/v1/projects", {"slug": "x"})[0] == 201
        assert browser.request("POST", "/api/v1/projects", {"slug": "y"}, Origin="http://clew.example.com")[0] == 403
        assert request("POST", "/v1/traces", NOTHING, PROTOBUF)[0] == 401
        with pytest.raises((OSError, http.client.HTTPException)):
            plain("GET", "/healthz", token=None, timeout=5)
    finally:
        assert server.stop() == 0
    assert not server.complaints()
