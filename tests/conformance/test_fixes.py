"""Commits that say they mend an issue: it is resolved in their release, once, and only where whoever sends them may write."""
import json
import subprocess
import time
import uuid

import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server(clew_new):
    made = clew_new()
    made.cli("project", "add", "shop")
    made.cli("project", "add", "web")
    made.cli("user", "add", "ann@example.com")
    made.build = made.token("ingest", project="shop")
    return made


def issue(server, project="shop", release="shop@1.1", kind=None):
    """An error of the release, and the short id of its issue."""
    kind = kind or f"E{uuid.uuid4().hex[:8]}"
    dsn = server.cli("project", "dsn", project).strip()
    event = {"event_id": uuid.uuid4().hex, "release": release, "exception": {"values": [{"type": kind, "value": "no"}]}}
    path = f"/api/{dsn.rsplit('/', 1)[1]}/envelope/?sentry_key={dsn.split('//')[1].split('@')[0]}"
    assert server.request("POST", path, b'{}\n{"type":"event"}\n' + json.dumps(event).encode() + b"\n", token=None)[0] == 200
    return kind


def shown(server, short):
    status, answer = server.request("GET", f"/api/v1/issues/{short}", token="read")
    assert status == 200, answer
    return json.loads(answer)


def of(server, kind, until=lambda row: True):
    rows = {}
    for _ in range(1000):
        status, answer = server.request("GET", "/api/v1/issues", token="read")
        rows = {row["type"]: row for row in json.loads(answer)["issues"]}
        if kind in rows and until(rows[kind]):
            return rows[kind]
        time.sleep(0.05)
    raise AssertionError((kind, rows.get(kind)))


def made(server, **more):
    return of(server, issue(server, **more))["short"]


def commit(message, id=None, **more):
    return {"id": id or uuid.uuid4().hex + "00000000", "repository": "shop", "message": message, "author_name": "Ann", "author_email": "ann@example.com", **more}


def release(server, version, commits, expect=(200, 201, 208), method="POST", token=None, projects=("shop",)):
    body = {"version": version, "projects": list(projects), "commits": commits}
    path = "/api/0/organizations/clew/releases/" + (f"{version}/" if method == "PUT" else "")
    status, answer = server.request(method, path, json.dumps(body), JSON, token=token or server.build)
    assert status in expect, (status, answer[:500])


def change(server, short, **what):
    status, answer = server.request("PATCH", "/api/v1/issues", json.dumps({"ids": [shown(server, short)["id"]], **what}), JSON, token=server.token("read,admin"))
    assert status == 200, answer


def test_a_commit_resolves_in_its_release(server):
    first, second, other = made(server), made(server), made(server)
    one = commit(f"pay: no more\n\nFixes {first}, {second.lower()}")
    release(server, "shop@1.2", [one, commit(f"see {other}")])
    for short in (first, second):
        now = shown(server, short)
        assert (now["state"], now["resolved_in"]) == ("resolved", {"kind": "release", "release": "shop@1.2", "commit": one["id"]}), now
        assert [a["text"] for a in now["activity"] if a["kind"] == "state"] == [f"resolved by commit {one['id'][:12]} of release shop@1.2, by ann@example.com"]
    assert shown(server, other)["state"] != "resolved"


def test_what_came_back_stays_open(server):
    kind = issue(server)
    short = of(server, kind)["short"]
    commits = [commit(f"fix: {short}", author_email="nobody@example.com")]
    release(server, "shop@1.2", commits)
    assert shown(server, short)["activity"][0]["text"] == f"resolved by commit {commits[0]['id'][:12]} of release shop@1.2"
    issue(server, kind=kind, release="shop@1.1")  # from before the fix
    of(server, kind, lambda row: row["total_events"] == 2 and row["state"] == "resolved")
    issue(server, kind=kind, release="shop@1.3")
    of(server, kind, lambda row: row["state"] == "regressed")
    release(server, "shop@1.2", commits)
    release(server, "shop@1.4", commits, method="POST")
    server.kill()
    server.start()
    release(server, "shop@1.2", commits, method="PUT")
    assert shown(server, short)["state"] == "regressed"
    release(server, "shop@1.4", commits + [commit(f"Resolves {short}")], method="PUT")  # a further one
    assert shown(server, short)["state"] == "resolved"
    change(server, short, state="ongoing")
    release(server, "shop@1.4", commits, method="PUT")
    assert shown(server, short)["state"] == "ongoing"


def test_a_commit_that_is_known_is_named_by_its_id(server):
    later = made(server)
    known = commit(f"closes {later}")
    release(server, "web@1", [known], token=server.token("ingest"), projects=("web",))
    assert shown(server, later)["state"] == "new"  # the release is not its project's
    body = {"refs": [{"repository": "shop", "commit": known["id"]}], "version": "shop@1.5", "projects": ["shop"]}
    assert server.request("POST", "/api/0/organizations/clew/releases/", json.dumps(body), JSON, token=server.build)[0] in (200, 201)
    assert shown(server, later)["state"] == "resolved"


def test_issues_of_other_projects_stay(server):
    web = made(server, project="web", release="web@1")
    shop = made(server)
    number = web.split("-")[1]
    release(server, "shop@2", [commit(f"fixes {web} SHOP-{number} {shop}")])
    assert shown(server, web)["state"] == "new" and shown(server, shop)["state"] == "resolved"
    release(server, "web@2", [commit(f"fixes {web}")], projects=("web",), expect=(400, 403, 404))  # the token is shop's
    assert shown(server, web)["state"] == "new"


def test_one_that_was_merged_is_the_one_that_took_it(server):
    first, second = made(server), made(server)
    fix = commit(f"fixes {second}")
    ids = [shown(server, short)["id"] for short in (first, second)]
    status, answer = server.request("POST", "/api/v1/issues/merge", json.dumps({"ids": ids}), JSON, token=server.token("read,admin"))
    assert status == 200, answer
    release(server, "shop@3", [fix])
    assert shown(server, first)["state"] == "resolved"


def test_a_repository_on_this_machine_says_what_a_commit_mends(server, tmp_path):
    short, web = made(server), made(server, project="web", release="web@1")

    def git(*words):
        return subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *words], check=True, capture_output=True, text=True).stdout.strip()
    git("init", "-q", ".")
    git("commit", "-q", "--allow-empty", "-m", f"pay: less\n\nResolves: {web}, {short}")
    head = git("rev-parse", "HEAD")
    server.cli("project", "repo", "add", "shop", str(tmp_path))
    body = {"refs": [{"repository": "org/shop", "commit": f"v1..{head}"}], "version": "shop@1.2", "projects": ["shop"]}
    status, answer = server.request("POST", "/api/0/organizations/clew/releases/", json.dumps(body), JSON, token=server.build)
    assert status in (200, 201), answer
    assert [a["text"] for a in shown(server, short)["activity"] if a["kind"] == "state"] == [f"resolved by commit {head[:12]} of release shop@1.2, by ann@example.com"]
    assert shown(server, web)["state"] == "new"
