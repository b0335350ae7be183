"""Issues over HTTP: what SDKs send is counted once, over kills too; states, merges, comments and who may do them."""
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

import pytest

import harness
from harness import eventually
from openapi import described, matches


def ask(server, method, template, body=None, expect=200, token="read", **where):
    """Asks, and checks status and answer against the document."""
    path = template
    for name in list(where):
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", str(where.pop(name)))
    if where:
        path += "?" + urllib.parse.urlencode(where)
    status, answer = server.request(method, path, None if body is None else json.dumps(body), None if body is None else {"Content-Type": "application/json"}, token=token)
    assert status == expect, (path, status, answer[:500])
    schema = described(method, template, status)
    value = json.loads(answer) if answer else None
    if schema is not None:
        matches(schema, value)
    return value


def project_key(server, name="default"):
    return server.cli("project", "dsn", name).strip().split("//")[1].split("@")[0]


def send(server, key, kind, release="shop@1.0.0", user="1", project=1):
    event = {"event_id": uuid.uuid4().hex, "platform": "python", "release": release, "environment": "prod", "user": {"id": user}, "exception": {"values": [{"type": kind, "value": "no", "stacktrace": {"frames": [{"function": f"run_{kind}", "module": "shop.cart", "filename": "cart.py", "lineno": 3, "in_app": True}]}}]}}
    body = json.dumps(event).encode()
    status, _ = server.request("POST", f"/api/{project}/envelope/?sentry_key={key}", b'{}\n{"type":"event"}\n' + body + b"\n", token=None)
    return status == 200


def issues(server, wanted=None, **where):
    """By type; waits until as many events are counted."""
    def counted():
        answer = ask(server, "GET", "/api/v1/issues", **where)
        assert wanted is None or answer["events"] >= wanted, answer
        return {issue["type"]: issue for issue in answer["issues"]}
    return eventually(counted)


def change(server, token="admin", **body):
    answer = ask(server, "PATCH", "/api/v1/issues", body, token=server.token("read", token) if token else None)
    assert not answer["failed"], answer
    return answer["issues"]


def state_after(server, issue, events):
    issues(server, events)
    return ask(server, "GET", "/api/v1/issues/{id}", id=issue["short"])["state"]


@pytest.fixture
def server(clew_new):
    return clew_new()


def test_events_become_issues_and_stay_counted_over_kills(server):
    key = project_key(server)
    for i in range(30):
        assert send(server, key, "TypeError" if i % 3 else "KeyError", user=str(i))
    before = issues(server, 30)
    assert {kind: (row["events"], row["users"], row["state"]) for kind, row in before.items()} == {"TypeError": (20, 20, "new"), "KeyError": (10, 10, "new")}
    for _ in range(2):
        server.kill()
        server.start()
        after = issues(server, 30)
        assert {kind: (row["id"], row["events"], row["users"]) for kind, row in after.items()} == {kind: (row["id"], row["events"], row["users"]) for kind, row in before.items()}
    assert issues(server, query="issues KeyError").keys() == {"KeyError"}
    assert issues(server, query="issues state=resolved") == {}
    one = ask(server, "GET", "/api/v1/issues/{id}", id=before["KeyError"]["id"])
    assert [a["kind"] for a in one["activity"]] == ["first_seen"] and sum(one["series"]["events"]) == 10 and one["releases"][0]["release"] == "shop@1.0.0"


def test_a_fix_holds_until_its_release_fails(server):
    key = project_key(server)
    send(server, key, "TypeError")
    issue = issues(server, 1)["TypeError"]
    assert change(server, ids=[issue["short"]], state="resolved", resolved_in={"kind": "release", "release": "shop@1.2.0"})[0]["state"] == "resolved"
    server.kill()
    server.start()
    send(server, key, "TypeError", "shop@1.1.9")
    assert state_after(server, issue, 2) == "resolved"
    send(server, key, "TypeError", "shop@1.2.0")
    assert state_after(server, issue, 3) == "regressed"
    server.kill()
    server.start()
    kinds = [a["kind"] for a in ask(server, "GET", "/api/v1/issues/{id}", id=issue["id"])["activity"]]
    assert kinds == ["regressed", "state", "first_seen"]  # once


def test_a_fix_by_its_commit_holds_until_the_release_that_has_it_fails(server):
    key, admin = project_key(server), server.token("read", "admin")
    send(server, key, "TypeError")
    issue = issues(server, 1)["TypeError"]
    change(server, ids=[issue["id"]], state="resolved", resolved_in={"kind": "commit", "commit": "b4b4b4b"})  # as `git log --oneline` shows it
    send(server, key, "TypeError")
    assert state_after(server, issue, 2) == "resolved"
    release = {"version": "shop@1.1.0", "projects": ["default"], "commits": [{"id": "b4" * 20, "message": "Round totals", "repository": "shop", "timestamp": "2026-01-02T10:00:00Z"}]}
    status, answer = server.request("POST", "/api/0/organizations/clew/releases/", json.dumps(release), {"Content-Type": "application/json"}, token=admin)
    assert status == 201, answer
    send(server, key, "TypeError")
    assert state_after(server, issue, 3) == "resolved"  # the release before
    send(server, key, "TypeError", "shop@1.1.0")  # a moment after it was made
    assert state_after(server, issue, 4) == "regressed"


def test_the_next_release_is_one_that_is_not_out_yet(server):
    key, admin = project_key(server), server.token("read", "admin")
    send(server, key, "TypeError")
    issue = issues(server, 1)["TypeError"]
    for version in ("shop@1.1.0", "search@9.0.0"):  # out, and nobody has met the error in it
        status, answer = server.request("POST", "/api/0/organizations/clew/releases/", json.dumps({"version": version, "projects": ["default"]}), {"Content-Type": "application/json"}, token=admin)
        assert status == 201, answer
    changed = change(server, ids=[issue["id"]], state="resolved", resolved_in={"kind": "next_release"})[0]
    assert changed["resolved_in"] == {"kind": "next_release", "release": "shop@1.1.0"}
    send(server, key, "TypeError", "shop@1.1.0")
    assert state_after(server, issue, 2) == "resolved"
    send(server, key, "TypeError", "shop@1.1.1")
    assert state_after(server, issue, 3) == "regressed"


def test_archived_until_so_many_users_more_within_a_time(server):
    key = project_key(server)
    for kind in ("TypeError", "KeyError"):
        send(server, key, kind, user="0")
        issue = issues(server, query=f"issues {kind}", wanted=1)[kind]
        change(server, ids=[issue["id"]], state="archived", until={"kind": "users", "n": 3, "window_s": 1 if kind == "KeyError" else 3600})
    for n in range(1, 4):
        for kind in ("TypeError", "KeyError"):
            send(server, key, kind, user=str(n))
        time.sleep(1.1)
    states = {kind: row["state"] for kind, row in issues(server, 8).items()}
    assert states == {"TypeError": "ongoing", "KeyError": "archived"}


def test_merged_and_taken_apart_for_good(server):
    key = project_key(server)
    for kind in ("TypeError", "KeyError", "KeyError"):
        send(server, key, kind)
    a, b = sorted(row["id"] for row in issues(server, 3).values())
    admin = server.token("read", "admin")
    ask(server, "POST", "/api/v1/issues/{id}/comments", {"text": "seen in the morning, too"}, 201, admin, id=b)
    assert ask(server, "POST", "/api/v1/issues/merge", {"ids": [b, a]}, token=admin)["id"] == a
    comments = [entry for entry in ask(server, "GET", "/api/v1/issues/{id}", id=a)["activity"] if entry["kind"] == "comment"]
    assert [entry["text"] for entry in comments] == ["seen in the morning, too"]
    send(server, key, "KeyError")
    issues(server, 4)
    whole = ask(server, "GET", "/api/v1/issues/{id}", id=b)  # its number leads to the one that took it
    assert (whole["id"], whole["events"], whole["hashes"], whole["users"]) == (a, 4, 2, 1)
    keys = next(group["hash"] for group in whole["groups"] if group["events"] == 3)
    parted = ask(server, "POST", "/api/v1/issues/{id}/unmerge", {"hashes": [keys]}, expect=201, token=admin, id=a)
    assert parted["events"] == 3 and parted["id"] not in (a, b)
    server.kill()
    server.start()
    send(server, key, "KeyError")
    assert {row["id"]: row["events"] for row in issues(server, 5).values()} == {a: 1, parted["id"]: 4}
    ask(server, "POST", "/api/v1/issues/{id}/unmerge", {"hashes": [keys]}, expect=400, token=admin, id=parted["id"])
    assert {"issue.merge", "issue.unmerge"} <= {entry["action"] for entry in json.loads(server.request("GET", "/api/v1/audit", token=admin)[1])["entries"]}


def raise_in(server, key, kind, message, functions):
    frames = [{"function": name, "module": "shop.cart", "filename": "cart.py", "lineno": 3, "in_app": True} for name in functions]
    event = {"event_id": uuid.uuid4().hex, "platform": "python", "exception": {"values": [{"type": kind, "value": message, "stacktrace": {"frames": frames}}]}}
    status, _ = server.request("POST", f"/api/1/envelope/?sentry_key={key}", b'{}\n{"type":"event"}\n' + json.dumps(event).encode() + b"\n", token=None)
    assert status == 200


def test_similar_issues_are_found_and_merged(server):
    key = project_key(server)
    way = ["main", "handle", "checkout", "total"]
    raise_in(server, key, "TypeError", "cart 17 has no total", way + ["price"])
    raise_in(server, key, "ValueError", "cart 4711 has no total", way)  # the same way there, another error at its end
    raise_in(server, key, "TypeError", "cart 17 has no total", ["login", "session"])  # says the same, and is of other code
    raise_in(server, key, "KeyError", "unheard of", ["search", "index"])

    def all_four():
        rows = ask(server, "GET", "/api/v1/issues")["issues"]
        assert len(rows) == 4
        return rows
    rows = eventually(all_four)
    near = next(row["id"] for row in rows if row["type"] == "ValueError")
    first = next(row["id"] for row in rows if row["culprit"].endswith("price"))
    answer = ask(server, "GET", "/api/v1/issues/{id}/similar", id=first)
    assert answer["compared"] == 3 and [one["issue"]["id"] for one in answer["similar"]] == [near]
    assert (answer["similar"][0]["frames"], answer["similar"][0]["frames_of"]) == (4, 5) and answer["similar"][0]["why"] == "4 of 5 frames and 100 % of the words"
    server.kill()
    server.start()
    assert ask(server, "GET", "/api/v1/issues/{id}/similar", id=near)["similar"][0]["issue"]["id"] == first
    ask(server, "POST", "/api/v1/issues/merge", {"ids": [first, near]}, token=server.token("read", "admin"))
    assert ask(server, "GET", "/api/v1/issues/{id}/similar", id=first)["similar"] == []
    ask(server, "GET", "/api/v1/issues/{id}/similar", expect=404, id=99)
    ask(server, "GET", "/api/v1/issues/{id}/similar", expect=400, id=first, limit=21)


def test_triage_and_comments(server):
    key = project_key(server)
    send(server, key, "TypeError")
    issue = issues(server, 1)["TypeError"]
    assert not issue["seen"]
    token = server.token("read", "admin")
    ask(server, "PATCH", "/api/v1/issues", {"ids": [issue["id"], 999], "priority": "low"}, expect=404, token=token)  # all are known, or none is changed
    assert issues(server)["TypeError"]["priority"] == "medium"
    row = ask(server, "PATCH", "/api/v1/issues", {"ids": [issue["id"]], "assignee": {"kind": "user", "name": "ada"}, "priority": "low", "seen": True, "state": "archived", "until": {"kind": "events", "n": 2}}, token=token)
    assert row["failed"] == []
    row = row["issues"][0]
    assert (row["assignee"]["name"], row["priority"], row["seen"], row["state"], row["until"]["n"]) == ("ada", "low", True, "archived", 2)
    for n in (2, 3):
        assert state_after(server, issue, n - 1) == "archived"
        send(server, key, "TypeError")
    assert state_after(server, issue, 3) == "ongoing"
    ask(server, "POST", "/api/v1/issues/{id}/comments", {"text": "look at the cart"}, expect=201, token=token, id=issue["id"])
    comment = next(a for a in ask(server, "GET", "/api/v1/issues/{id}", id=issue["id"])["activity"] if a["kind"] == "comment")
    assert comment["text"] == "look at the cart"
    ask(server, "DELETE", "/api/v1/issues/{id}/comments/{comment}", expect=204, token=token, id=issue["id"], comment=comment["id"])
    ask(server, "DELETE", "/api/v1/issues/{id}/comments/{comment}", expect=404, token=token, id=issue["id"], comment=comment["id"])


def test_who_may(server):
    key = project_key(server)
    send(server, key, "TypeError")
    issue = issues(server, 1)["TypeError"]["id"]
    read = server.token("read")
    ask(server, "PATCH", "/api/v1/issues", {"ids": [issue], "state": "resolved"}, expect=403, token=read)
    ask(server, "POST", "/api/v1/issues/merge", {"ids": [issue, issue]}, expect=403, token=read)
    ask(server, "POST", "/api/v1/issues/{id}/comments", {"text": "x"}, expect=403, token=read, id=issue)
    server.cli("project", "add", "other")
    foreign = server.cli("token", "add", "foreign", "--scope", "read,admin", "--project", "other").split()[0]
    ask(server, "GET", "/api/v1/issues/{id}", expect=404, token=foreign, id=issue)
    assert ask(server, "GET", "/api/v1/issues", token=foreign)["total"] == 0
    ask(server, "PATCH", "/api/v1/issues", {"ids": [issue], "state": "resolved"}, expect=404, token=foreign)
    ask(server, "POST", "/api/v1/issues/{id}/comments", {"text": "x"}, expect=404, token=foreign, id=issue)
    ask(server, "GET", "/api/v1/issues", expect=401, token=None)
    for bad in ({"sort": "best"}, {"query": "issues nothing=="}, {"limit": 0}):
        ask(server, "GET", "/api/v1/issues", expect=400, **bad)
    for unfinished in ("issues state=", "issues state=(new,"):
        error = ask(server, "GET", "/api/v1/issues", expect=400, query=unfinished)["error"]
        assert "|" not in json.dumps(error) and error.get("offset", 0) <= len(unfinished), error
    error = ask(server, "GET", "/api/v1/issues", expect=400, query="is:unresolved")["error"]
    assert error["suggest"] == ["issues"] and "spans" not in error["hint"], error


def test_killed_under_load_the_counters_are_the_acknowledged_events(server):
    key, sent, acknowledged = project_key(server), [0] * 4, [0] * 4

    def load(n):
        try:
            while True:
                sent[n] += 1
                acknowledged[n] += send(server, key, f"Error{n}", user=str(sent[n]))
        except Exception:
            pass

    for _ in range(3):
        threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.7)
        server.kill()
        for thread in threads:
            thread.join()
        server.start()

    def counted():
        rows = issues(server, sum(acknowledged))
        for n in range(4):
            stored, _ = server.query(f"events type=Error{n} | stats count() as n")
            assert acknowledged[n] <= rows[f"Error{n}"]["events"] == int(stored[0]["n"]) <= sent[n]
    eventually(counted)  # those that nobody was told of, too


def test_from_a_terminal(server):
    key = project_key(server)
    for kind in ("TypeError", "KeyError", "KeyError"):
        send(server, key, kind)
    rows = issues(server, 3)
    a, b = rows["TypeError"]["short"], rows["KeyError"]["short"]
    lines = [json.loads(line) for line in server.cli("issues", "issues KeyError", "--json").splitlines()]
    assert [(line["short"], line["events"]) for line in lines] == [(b, 2)]
    assert a in (table := server.cli("issues", "--sort", "events")) and table.index(b) < table.index(a)
    shown = server.cli("issue", b)
    assert "KeyError: no" in shown and "run_KeyError" in shown and "first seen: shop@1.0.0" in shown
    refused = subprocess.run([str(harness.binary()), "issue", "resolve", a, "--data", str(server.data)], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "--scope read,admin" in refused.stderr  # its own token only reads
    token = f"--token={server.token('read', 'admin')}"
    assert "resolved in shop@2.0.0" in server.cli("issue", "resolve", a, "--release", "shop@2.0.0", token)
    assert "until 5 more events" in server.cli("issue", "archive", b, "--events", "5", token)
    assert "assigned to ada" in server.cli("issue", "assign", a, "--user", "ada", token)
    assert "ongoing" in server.cli("issue", "reopen", a, token)
    assert min(a, b) in server.cli("issue", "merge", a, b, token)
    assert issues(server)["KeyError"]["events"] == 3


def test_a_title_neither_moves_the_cursor_nor_turns_the_order(server):
    title = "photo\u202egpj.exe \x1b[2J\x9b31m"
    raise_in(server, project_key(server), "SpoofError", title, ["open"])
    short = issues(server, 1)["SpoofError"]["short"]
    status, answer = server.request("GET", f"/api/v1/issues/{short}")
    assert status == 200 and title in json.loads(answer)["title"]
    shown = [server.cli("issues"), server.cli("issue", short), server.cli("issues", "issues SpoofError", "--json"), server.cli("query", "events SpoofError"), answer.decode()]
    for text in shown:
        assert "gpj.exe" in text and not set("\u202e\x1b\x9b") & set(text), text


def test_an_sdk_s_error_comes_back(server):
    dsn = server.cli("project", "dsn", "default").strip()
    program = "import sentry_sdk, sys\nsentry_sdk.init(sys.argv[1], release=sys.argv[2])\ntry:\n  1/0\nexcept ZeroDivisionError as e:\n  sentry_sdk.capture_exception(e)\nsentry_sdk.flush()\n"

    def run(release):
        subprocess.run([sys.executable, "-c", program, dsn, release], check=True, timeout=60)

    run("calc@1.0.0")
    issue = issues(server, 1)["ZeroDivisionError"]
    assert issue["state"] == "new" and issue["title"] == "ZeroDivisionError: division by zero"
    change(server, ids=[issue["id"]], state="resolved", resolved_in={"kind": "next_release"})
    run("calc@1.0.0")
    assert state_after(server, issue, 2) == "resolved"
    run("calc@1.1.0")
    assert state_after(server, issue, 3) == "regressed"
