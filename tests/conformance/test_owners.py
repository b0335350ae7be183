"""Who and why: owners by rule and CODEOWNERS, assigned when an issue appears; the commit that is suspected of it."""
import json
import time
import uuid

import pytest

from openapi import described, matches

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server(clew_new):
    return clew_new()


def ask(server, method, template, body=None, expect=200, scope=False, **where):
    path = template
    for name, value in where.items():
        path = path.replace("{" + name + "}", str(value))
    token = server.token("read,admin") if scope else "read"
    status, answer = server.request(method, path, None if body is None else json.dumps(body), JSON if body is not None else None, token=token)
    assert status == expect, (path, status, answer[:500])
    value = json.loads(answer) if answer else None
    schema = described(method, template, status)
    if schema is not None:
        matches(schema, value)
    return value


def rules(server, expect=200, **body):
    return ask(server, "PUT", "/api/v1/projects/{slug}/owners", body, expect, scope=True, slug="default")


def send(server, kind, frames, release="shop@1.0.0", **more):
    key = server.cli("project", "dsn", "default").strip().split("//")[1].split("@")[0]
    event = {"event_id": uuid.uuid4().hex, "platform": "python", "exception": {"values": [{"type": kind, "value": "no", "stacktrace": {"frames": frames}}]}, **more}
    if release:
        event["release"] = release
    status, answer = server.request("POST", f"/api/1/envelope/?sentry_key={key}", b'{}\n{"type":"event"}\n' + json.dumps(event).encode() + b"\n", token=None)
    assert status == 200, answer
    return event["event_id"]


def frame(file, line=3, in_app=True, **more):
    return {"function": "run", "filename": file, "lineno": line, "in_app": in_app, **more}


def issue_of(server, kind, until=lambda issue: True):
    """The issue as its page shows it, once it is so."""
    for _ in range(100):
        rows = {row["type"]: row for row in ask(server, "GET", "/api/v1/issues")["issues"]}
        if kind in rows and until(rows[kind]):
            return ask(server, "GET", "/api/v1/issues/{id}", id=rows[kind]["short"])
        time.sleep(0.05)
    raise AssertionError((kind, rows.get(kind)))


def test_owners_by_rule_are_assigned(server):
    assert ask(server, "GET", "/api/v1/projects/{slug}/owners", slug="default") == {"rules": "", "codeowners": "", "auto_assign": True}
    server.cli("user", "add", "ada@shop.example")
    rules(server, rules="path:src/* #web\npath:src/cart/*.py nobody@shop.example ADA@shop.example\n", codeowners="* @org/rest\n/src/cart/ @org/pay\n")
    send(server, "CartError", [frame("src/web/views.py"), frame("src/cart/total.py"), frame("/usr/lib/python3/decimal.py", in_app=False)])
    issue = issue_of(server, "CartError", lambda row: "assignee" in row)
    assert [(o["kind"], o["name"], o["rule"]) for o in issue["owners"]] == [
        ("user", "nobody@shop.example", "path:src/cart/*.py"), ("user", "ada@shop.example", "path:src/cart/*.py"), ("team", "web", "path:src/*"), ("team", "org/pay", "codeowners:/src/cart/")]
    assert issue["assignee"] == {"kind": "user", "name": "ada@shop.example"}
    assert [a["text"] for a in issue["activity"] if a["kind"] == "assigned"] == ["assigned to ada@shop.example: owner rule path:src/cart/*.py"]

    # A person's word stands: over restarts too.
    ask(server, "PATCH", "/api/v1/issues", {"ids": [issue["id"]], "assignee": None}, scope=True)
    server.kill()
    server.start()
    send(server, "CartError", [frame("src/web/views.py"), frame("src/cart/total.py")])
    issue = issue_of(server, "CartError", lambda row: row["total_events"] == 2)
    assert "assignee" not in issue and len(issue["owners"]) == 4

    # Other rules are seen at once; new issues are left alone when the project says so.
    rules(server, rules="url:*/pay/* #money\ntags.tier:gold #gold", codeowners="", auto_assign=False)
    assert "owners" not in issue_of(server, "CartError")
    send(server, "PayError", [frame("x.py")], request={"url": "https://shop.example/pay/card"}, tags={"tier": "gold"})
    issue = issue_of(server, "PayError", lambda row: "owners" in row)
    assert [o["name"] for o in issue["owners"]] == ["gold", "money"] and "assignee" not in issue


def test_rules_are_refused_with_their_line(server):
    error = rules(server, 400, rules="path:a #b\nfile:x #y")["error"]
    assert error["place"] == "rules" and error["line"] == 2 and error["hint"]
    error = rules(server, 400, codeowners="\n*.py <x>")["error"]
    assert error["place"] == "codeowners" and error["line"] == 2
    rules(server, 400, what="x")
    assert ask(server, "GET", "/api/v1/projects/{slug}/owners", slug="default")["rules"] == ""


def commits(server, version, *list_of):
    body = {"version": version, "projects": ["default"], "commits": [
        {"id": commit, "message": message, "author_name": author, "author_email": author.lower() + "@shop.example", "repository": "shop", "timestamp": when,
         "patch_set": [{"path": path, "type": "M"} for path in paths]} for commit, message, author, when, paths in list_of]}
    status, answer = server.request("POST", "/api/0/organizations/clew/releases/", json.dumps(body), JSON, token=server.token("read,admin"))
    assert status in (200, 201), answer


def test_the_newest_commit_that_touched_the_innermost_frame_is_suspected(server):
    old, new, web, later = "a" * 40, "b" * 40, "c" * 40, "d" * 40
    commits(server, "shop@1.0.0", (old, "Add carts", "Ada", "2026-01-01T10:00:00Z", ["src/cart/total.py"]))
    commits(server, "shop@1.1.0", (new, "Round totals\n\nas the bank does", "Bob", "2026-01-02T10:00:00Z", ["src/cart/total.py"]), (web, "New view", "Ada", "2026-01-03T10:00:00Z", ["src/web/views.py"]))
    commits(server, "shop@1.2.0", (later, "Not yet there", "Eve", "2026-01-04T10:00:00Z", ["src/cart/total.py"]))
    send(server, "CartError", [frame("src/web/views.py", 8), frame("/srv/shop/src/cart/total.py", 41), frame("/usr/lib/x.py", in_app=False)], "shop@1.1.0")
    issue = issue_of(server, "CartError", lambda row: "suspect" in row)
    assert issue["suspect"] == {"id": new, "message": "Round totals", "author": "Bob", "time": "2026-01-02T10:00:00.000000000Z", "release": "shop@1.1.0", "file": "src/cart/total.py", "line": 41, "by": "commit"}

    # When no commit touched the innermost file, the next frame's counts; files of that name elsewhere do not.
    send(server, "ViewError", [frame("src/web/views.py", 8), frame("src/other/total.py", 2)], "shop@1.1.0")
    assert issue_of(server, "ViewError", lambda row: "suspect" in row)["suspect"]["id"] == web
    send(server, "FarError", [frame("lib/unknown.py")], "shop@1.1.0")
    assert "suspect" not in issue_of(server, "FarError")
