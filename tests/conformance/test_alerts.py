"""Rules tell people once, by webhook, Slack's shape and mail; what cannot be delivered is tried again; nobody reaches into the network by an alert."""
import base64
import email
import email.policy
import functools
import hashlib
import hmac
import http.server
import json
import socketserver
import threading
import time
import uuid

import pytest

import harness
from harness import eventually

JSON = {"Content-Type": "application/json"}


class Hook:
    """A receiver of webhooks; answers with the statuses of `plan`, then 200."""

    def __init__(self):
        self.got, self.plan, hook = [], [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.plan.pop(0) if hook.plan else 200
                hook.got.append((self.path, self.headers, body, status))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{hook.port}/redirected")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?key=k1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        return [json.loads(body) for _, _, body, status in self.got if status == 200]

    def firings(self):
        return [firing for message in self.taken() for firing in message["firings"]]


class Mailbox:
    """A mail server that takes everything."""

    def __init__(self):
        self.mails, box = [], self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 box\r\n")
                rcpt, data = [], None
                for line in self.rfile:
                    if data is not None:
                        if line == b".\r\n":
                            box.mails.append((rcpt, b"".join(data)))
                            data = None
                            self.wfile.write(b"250 taken\r\n")
                        else:
                            data.append(line[1:] if line.startswith(b".") else line)
                        continue
                    word = line[:4].upper()
                    if word == b"RCPT":
                        rcpt.append(line.decode().split("<")[1].split(">")[0])
                    if word == b"DATA":
                        data = []
                    self.wfile.write({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
                    if word == b"QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def mailbox():
    return Mailbox()


@pytest.fixture(scope="module")
def server(tmp_path_factory, mailbox):
    made = harness.Server(tmp_path_factory.mktemp("alerts") / "data",
                          ["--private-targets", "--smtp", f"smtp+plain://127.0.0.1:{mailbox.port}", "--mail-from", "clew@example.org"])
    made.start()
    made.admin = made.token("admin", "read")
    yield made
    assert made.stop() == 0 and not made.complaints()


@pytest.fixture
def hook():
    made = Hook()
    yield made
    made.server.shutdown()


def ask(server, method, path, body=None, expect=200, token=None):
    status, answer = server.request(method, f"/api/v1/alerts/{path}", json.dumps(body) if body is not None else None, JSON, token=token or server.admin)
    assert status == expect, (method, path, status, answer[:500])
    return json.loads(answer) if answer else None


def channel(server, kind, target, **more):
    return ask(server, "POST", "channels", {"name": f"c{uuid.uuid4().hex[:8]}", "type": kind, "target": target, **more}, 201)


@pytest.fixture
def rules(server):
    """Makes rules; they are gone after the test, so that they do not hear of the next one's errors."""
    made = []

    def add(channels, **rule):
        body = {"name": "r", "channels": [c["channel"]["id"] for c in channels], "collect_s": 0, **rule}
        made.append(ask(server, "POST", "rules", body, 201))
        return made[-1]

    yield add
    for rule in made:
        ask(server, "DELETE", f"rules/{rule['id']}", expect=204)


@functools.cache
def keys_of(server, project):
    """Asked once: the windows of rules go on while a command starts."""
    dsn = server.cli("project", "dsn", project).strip()
    return dsn.split("//")[1].split("@")[0], dsn.rsplit("/", 1)[1]


def error(server, kind, message="x", project="default", **more):
    """An event as an SDK sends it; its type is what it is grouped by."""
    key, number = keys_of(server, project)
    event = {"event_id": uuid.uuid4().hex, "level": "error", "platform": "python", "exception": {"values": [{"type": kind, "value": message, "stacktrace": {
        "frames": [{"function": "f", "module": kind, "filename": "a.py", "lineno": 1, "in_app": True}]}}]}, **more}
    status, answer = server.request("POST", f"/api/{number}/store/?sentry_key={key}", json.dumps(event), JSON, token=None)
    assert status == 200, answer
    return event["event_id"]


def settled(check):
    """It came, and a moment later there is still no more."""
    eventually(check)
    time.sleep(1)
    check()


def unique(name):
    return f"{name}{uuid.uuid4().hex[:8]}"


def test_a_new_issue_is_told_once_and_signed(server, hook, rules):
    to, kind = channel(server, "webhook", hook.url), unique("NewError")
    rules([to], when=[{"kind": "new"}])
    for _ in range(3):
        error(server, kind)

    def once():
        mine = [f for f in hook.firings() if f["title"].startswith(kind)]
        assert len(mine) == 1 and mine[0]["kind"] == "new" and mine[0]["issue"]["short"].startswith("DEFAULT-")
        assert mine[0]["url"] == f"{server.url}/issues/{mine[0]['issue']['short']}"
    settled(once)
    path, headers, body, _ = hook.got[0]
    assert path == "/hook?key=k1"
    assert headers["X-Clew-Signature"] == "sha256=" + hmac.new(to["secret"].encode(), body, hashlib.sha256).hexdigest()
    assert int(headers["X-Clew-Delivery"]) == json.loads(body)["id"]


def test_what_had_happened_before_is_no_news(server, hook, rules):
    kind = unique("OldError")
    error(server, kind)
    eventually(lambda: found(server, kind))
    time.sleep(1)
    rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}])
    error(server, kind)
    time.sleep(2)
    assert [f for f in hook.firings() if f["title"].startswith(kind)] == []


def found(server, kind):
    status, answer = server.request("GET", f"/api/v1/issues?query=issues+type%3D{kind}")
    assert status == 200, answer
    issues = json.loads(answer)["issues"]
    assert len(issues) == 1
    return issues[0]


def test_an_issue_that_comes_back(server, hook, rules):
    kind = unique("BackError")
    error(server, kind)
    issue = eventually(lambda: found(server, kind))
    status, answer = server.request("PATCH", "/api/v1/issues", json.dumps({"ids": [issue["id"]], "state": "resolved"}), JSON, token=server.admin)
    assert status == 200, answer
    rules([channel(server, "webhook", hook.url)], when=[{"kind": "regressed"}])
    error(server, kind)

    def back():
        mine = [f for f in hook.firings() if f["title"].startswith(kind)]
        assert [f["kind"] for f in mine] == ["regressed"]
    settled(back)


def test_a_filter_chooses_the_issues(server, hook, rules):
    wanted, other = unique("WantedError"), unique("OtherError")
    rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}], filter=f"type={wanted} level>=error")
    error(server, other)
    error(server, wanted)

    def only():
        assert [f["title"].split(":")[0] for f in hook.firings()] == [wanted]
    settled(only)


def test_many_events_in_a_window(server, hook, rules):
    kind = unique("ManyError")
    rules([channel(server, "webhook", hook.url)], when=[{"kind": "events", "n": 5, "window_s": 60}], filter=f"type={kind}")
    for _ in range(6):
        error(server, kind)

    def told():
        assert [f["kind"] for f in hook.firings()] == ["events"] and hook.firings()[0]["value"] >= 5
    eventually(told)


def test_many_users_in_a_window(server, hook, rules):
    kind = unique("UsersError")
    rule = rules([channel(server, "webhook", hook.url)], when=[{"kind": "users", "n": 3, "window_s": 600}], filter=f"type={kind}")
    for _ in range(6):
        error(server, kind, user={"id": "one"})
    evaluated = eventually(lambda: ask(server, "GET", f"rules/{rule['id']}")["evaluated"])

    def again():
        assert ask(server, "GET", f"rules/{rule['id']}")["evaluated"] != evaluated
    eventually(again, 120)
    assert hook.firings() == []  # one person's six errors
    for person in ("two", "three", "four"):
        error(server, kind, user={"id": person})
    [told] = eventually(lambda: hook.firings() if hook.firings() else [][0], 120)
    n = told["value"]
    assert (told["kind"], told["text"]) == ("users", f"{n} users in 10 min") and 3 <= n <= told["issue"]["users"] <= 4  # the rule may be looked at before the last one


def test_an_issue_that_escalates(server, hook, rules):
    kind = unique("EscalatingError")
    error(server, kind)
    issue = eventually(lambda: found(server, kind))
    body = {"ids": [issue["id"]], "state": "archived", "until": {"kind": "escalating"}}
    assert server.request("PATCH", "/api/v1/issues", json.dumps(body), JSON, token=server.admin)[0] == 200
    rules([channel(server, "webhook", hook.url)], when=[{"kind": "escalating"}], filter=f"type={kind}")
    for _ in range(30):
        error(server, kind)

    def told():
        assert [(f["kind"], f["issue"]["state"]) for f in hook.firings()] == [("escalating", "escalating")]
        assert "usual" in hook.firings()[0]["text"]
    settled(told)


def test_that_it_is_over_is_told_too(server, hook, rules):
    service = unique("svc")
    record = {"timeUnixNano": str(time.time_ns() - 20 * 10**9), "severityNumber": 17, "body": {"stringValue": "no"}}  # soon out of the window
    logs = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}, "scopeLogs": [{"logRecords": [record] * 7}]}]}
    assert server.request("POST", "/v1/logs", json.dumps(logs), JSON, token=None)[0] == 200
    rule = rules([channel(server, "webhook", hook.url)], query=f"logs service={service} | stats count() as n", op=">", threshold=5, window_s=60, recovery=True)
    eventually(lambda: hook.firings()[0])

    def over():
        told = [(f["kind"], f["over"], f["value"], f.get("over_value")) for f in hook.firings()]
        assert told == [("query", False, 7, None), ("query", True, 7, 0)]
        assert [(f["open"], f["value"], f["over_value"]) for f in ask(server, "GET", f"firings?rule={rule['id']}")["firings"]] == [(False, 7, 0)]
    eventually(over, 180)


def test_an_issue_of_which_it_is_over_has_both_numbers(server, rules):
    kind = unique("CalmingError")
    rule = rules([], when=[{"kind": "events", "n": 5, "window_s": 60}], filter=f"type={kind} state!=resolved")
    for _ in range(6):
        error(server, kind)
    [first] = eventually(lambda: [f for f in ask(server, "GET", f"firings?rule={rule['id']}")["firings"]] or [][0], 120)
    assert first["open"] and "over_value" not in first
    body = {"ids": [found(server, kind)["id"]], "state": "resolved"}  # the filter wants it no longer
    assert server.request("PATCH", "/api/v1/issues", json.dumps(body), JSON, token=server.admin)[0] == 200

    def over():
        last = ask(server, "GET", f"firings?rule={rule['id']}")["firings"][0]
        assert not last["open"] and last["value"] == first["value"] >= 5 and 0 <= last["over_value"] <= 6
    eventually(over, 180)


def test_a_query_crosses_its_threshold(server, hook, rules):
    service = unique("svc")
    now = time.time_ns()
    record = {"timeUnixNano": str(now), "severityNumber": 17, "body": {"stringValue": "no"}}
    logs = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}, "scopeLogs": [{"logRecords": [record] * 7}]}]}
    assert server.request("POST", "/v1/logs", json.dumps(logs), JSON, token=None)[0] == 200
    rule = rules([channel(server, "webhook", hook.url)], query="logs level>=error | stats count() as n by service", op=">", threshold=5, window_s=60, recovery=True)

    def fired():
        mine = [f for f in hook.firings() if f.get("subject") == f"service={service}"]
        assert len(mine) == 1 and mine[0]["value"] == 7 and not mine[0]["over"]
    eventually(fired)
    listed = ask(server, "GET", f"firings?rule={rule['id']}")["firings"]
    assert [(f["subject"], f["open"], f["value"]) for f in listed] == [(f"service={service}", True, 7)]


def test_slack_and_mail(server, hook, rules, mailbox):
    kind = unique("MailError")
    rules([channel(server, "slack", hook.url), channel(server, "mail", "ops@example.org, dev@example.org")], when=[{"kind": "new"}], filter=f"type={kind}")
    error(server, kind, message="<!channel> naïve\r\nBcc: x@y.example")
    text = eventually(lambda: [json.loads(body) for _, _, body, _ in hook.got][0]["blocks"][0]["text"]["text"])
    assert "&lt;!channel&gt;" in text and "<!channel>" not in text
    recipients, raw = eventually(lambda: [mail for mail in mailbox.mails if base64.b64encode(kind.encode())[:8] in mail[1] or kind.encode() in mail[1]][0])
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert recipients == ["ops@example.org", "dev@example.org"]
    assert mail["Bcc"] is None and kind in mail["Subject"] and mail["From"] == "Clew <clew@example.org>"
    assert kind in mail.get_content() and "/issues/DEFAULT-" in mail.get_content()


def test_a_failed_delivery_is_tried_again_and_one_that_was_refused_is_not(server, hook, rules):
    kind, hook.plan = unique("RetryError"), [503]
    rule = rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}], filter=f"type={kind}")
    error(server, kind)
    eventually(lambda: hook.got[0])
    waiting = ask(server, "GET", f"deliveries?rule={rule['id']}")["deliveries"]
    assert waiting[0]["state"] in ("waiting", "sent")
    eventually(lambda: hook.taken()[0])
    assert len(hook.got) == 2 and len({json.loads(body)["id"] for _, _, body, _ in hook.got}) == 1
    other, hook.plan = unique("GoneError"), [410]
    gone = rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}], filter=f"type={other}")
    error(server, other)

    def failed():
        listed = ask(server, "GET", f"deliveries?rule={gone['id']}")["deliveries"]
        assert listed[0]["state"] == "failed" and "410" in listed[0]["answer"]
    eventually(failed)


def test_redirects_are_not_followed(server, hook):
    hook.plan = [302]
    made = channel(server, "webhook", hook.url)
    status, answer = server.request("POST", f"/api/v1/alerts/channels/{made['channel']['id']}/test", "", JSON, token=server.admin)
    assert status >= 400 and b"302" in answer
    assert [path for path, *_ in hook.got] == ["/hook?key=k1"]


def test_a_snoozed_rule_is_silent_and_says_so(server, hook, rules):
    kind = unique("SleepError")
    rule = rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}], filter=f"type={kind}")
    ask(server, "POST", f"rules/{rule['id']}/snooze", {"for_s": 3600})
    error(server, kind)

    def silent():
        assert [f["suppressed"] for f in ask(server, "GET", f"firings?rule={rule['id']}")["firings"]] == ["snoozed"]
        assert hook.got == []
    settled(silent)


def test_what_comes_together_is_told_together(server, hook, rules):
    rule = rules([channel(server, "webhook", hook.url)], when=[{"kind": "new"}], collect_s=20)
    first, more = unique("FirstError"), [unique("MoreError") for _ in range(3)]
    error(server, first)
    eventually(lambda: hook.taken()[0])
    for kind in more:
        error(server, kind)

    def together():
        assert [len(m["firings"]) for m in hook.taken()] == [1, 3]
    eventually(lambda: hook.taken()[1], 120)
    together()
    assert {f["title"].split(":")[0] for f in hook.taken()[1]["firings"]} == set(more)

    def sent():  # what has arrived is entered a moment later
        assert all(d["state"] == "sent" for d in ask(server, "GET", f"deliveries?rule={rule['id']}")["deliveries"])
    eventually(sent)


def test_nothing_is_told_twice_or_lost_over_a_kill(tmp_path, hook):
    killed = harness.Server(tmp_path / "data", ["--private-targets"])
    killed.start()
    killed.admin = killed.token("admin", "read")
    to = channel(killed, "webhook", hook.url)
    ask(killed, "POST", "rules", {"name": "r", "when": [{"kind": "new"}], "channels": [to["channel"]["id"]], "collect_s": 0}, 201)
    kinds = [unique("KillError") for _ in range(6)]
    for kind in kinds:
        error(killed, kind)
        killed.kill()
        killed.start()

    def all_once():
        told = sorted({(m["id"], f["title"].split(":")[0]) for m in hook.taken() for f in m["firings"]})
        assert sorted(title for _, title in told) == sorted(kinds)
    settled(all_once)
    assert killed.stop() == 0 and not killed.complaints()


def test_private_addresses_are_refused_unless_allowed(tmp_path, hook):
    careful = harness.Server(tmp_path / "data")
    careful.start()
    careful.admin = careful.token("admin", "read")
    for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"):
        made = channel(careful, "webhook", f"http://{host}:{hook.port}/")
        status, answer = careful.request("POST", f"/api/v1/alerts/channels/{made['channel']['id']}/test", "", JSON, token=careful.admin)
        assert status == 403 and b"address_refused" in answer, (host, answer)
    assert hook.got == []
    assert careful.stop() == 0


def test_secrets_are_not_shown_again(server, hook):
    made = channel(server, "webhook", hook.url)
    listed = server.request("GET", "/api/v1/alerts/channels", token=server.admin)[1]
    assert made["secret"].encode() not in listed and b"key=k1" not in listed and f"127.0.0.1:{hook.port}".encode() in listed


def test_what_is_wrong_with_a_rule_is_said(server):
    def refused(body, place):
        status, answer = server.request("POST", "/api/v1/alerts/rules", json.dumps({"name": "r", "channels": [], **body}), JSON, token=server.admin)
        assert status == 400, answer
        assert place in json.loads(answer)["error"].get("place", ""), answer
    refused({"query": "logs | stats cuont()", "op": ">", "threshold": 1, "window_s": 60}, "query")
    refused({"when": [{"kind": "new"}], "filter": "level>="}, "filter")
    refused({"when": []}, "when")
    assert server.request("POST", "/api/v1/alerts/rules", json.dumps({"name": "r", "when": [{"kind": "new"}], "channels": [999]}), JSON, token=server.admin)[0] == 404


def test_who_may_do_what(server, hook):
    reader = server.token("read")
    body = json.dumps({"name": "r", "when": [{"kind": "new"}], "channels": []})
    assert server.request("GET", "/api/v1/alerts/rules", token=reader)[0] == 200
    assert server.request("POST", "/api/v1/alerts/rules", body, JSON, token=reader)[0] == 403
    assert server.request("POST", "/api/v1/alerts/channels", json.dumps({"name": "x", "type": "webhook", "target": hook.url}), JSON, token=reader)[0] == 403
    server.cli("project", "add", "other")
    confined = server.token("read", project="other")
    assert server.request("GET", "/api/v1/alerts/channels", token=confined)[0] == 403
    rule = ask(server, "POST", "rules", {"name": "default's", "project": "default", "when": [{"kind": "new"}], "channels": []}, 201)
    assert server.request("GET", f"/api/v1/alerts/rules/{rule['id']}", token=confined)[0] == 404
    ask(server, "DELETE", f"rules/{rule['id']}", expect=204)
