"""Who and why: owners by rule and CODEOWNERS, assigned when an issue appears; the commit that is suspected of it."""
import hashlib
import json
import shutil
import subprocess
import time
import urllib.parse
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
    schema = described(method, template.partition("?")[0], status)
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
    for _ in range(1000):
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


class Repository:
    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words, **more):
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8", **more}
        return subprocess.run(["git", *words], cwd=self.path, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message, author, when, files):
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            self.git("add", "--", ":(literal)" + name)
        who = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_NAME": author, "GIT_COMMITTER_EMAIL": "a@b.c", "GIT_COMMITTER_DATE": when}
        self.git("commit", "-q", "-m", message, **who)
        return self.git("rev-parse", "HEAD")


def frames_of(server, event):
    return ask(server, "GET", "/api/v1/events/{id}", id=event)["exceptions"][0]["frames"]


def seen_event(server, kind, event):
    issue_of(server, kind)
    return frames_of(server, event)


def total(n, body="    return sum(items)"):
    return "".join(f"# {i}\n" for i in range(1, n)) + "def total(items):\n" + body + "\n# end\n"


@pytest.mark.skipif(not shutil.which("git", path="/usr/bin:/usr/local/bin:/bin"), reason="no git")
def test_a_repository_gives_source_lines_and_who_wrote_them(server, tmp_path):
    shop = Repository(tmp_path / "shop")
    first = shop.commit("Add carts", "Ada", "2026-01-01T10:00:00Z", {"src/cart/total.py": total(10), "src/web/view.py": "a\nb\nc\n"})
    shop.git("tag", "v1.0.0")
    second = shop.commit("Round totals\n\nas the bank does", "Bob", "2026-01-02T10:00:00Z", {"src/cart/total.py": total(10, "    return round(sum(items))")})
    shop.git("tag", "1.1.0")
    shop.commit("Move", "Eve", "2026-01-03T10:00:00Z", {"src/cart/total.py": total(20, "    return 0")})
    server.cli("project", "repo", "add", "default", str(shop.path), "--prefix", "src")
    assert json.loads(server.cli("project", "repo", "ls", "--json"))["prefix"] == "src/"
    commits(server, "shop@1.1.0", ("f" * 40, "What the tool says", "Tool", "2026-01-02T11:00:00Z", ["src/cart/total.py"]))

    stack = [frame("web/view.py", 2), frame("cart/total.py", 11), frame("cart/none.py", 11), frame("/usr/lib/python3/decimal.py", 11, in_app=False)]
    event = send(server, "CartError", stack, "shop@1.1.0")
    outer, none, inner, view = seen_event(server, "CartError", event)
    assert inner["symbolicated"] == "repository" and len(inner["context"]) == 7
    assert [11, "    return round(sum(items))"] in inner["context"] and inner["context"][0] == [6, "# 6"]
    assert view["context"] == [[1, "a"], [2, "b"], [3, "c"]]
    assert "context" not in none and "context" not in outer and "symbolicated" not in none
    suspect = issue_of(server, "CartError", lambda row: "suspect" in row)["suspect"]
    assert suspect == {"id": second, "message": "Round totals", "author": "Bob", "time": "2026-01-02T10:00:00.000000000Z", "file": "src/cart/total.py", "line": 11, "by": "blame"}

    # As it was at the release of the event; what came with the event stays.
    old = send(server, "OldError", [frame("cart/total.py", 11)], "shop@1.0.0")
    assert [11, "    return sum(items)"] in seen_event(server, "OldError", old)[0]["context"]
    assert issue_of(server, "OldError", lambda row: "suspect" in row)["suspect"]["id"] == first
    own = send(server, "OwnError", [frame("cart/total.py", 11, context_line="mine")], "shop@1.0.0")
    assert seen_event(server, "OwnError", own)[0]["context"] == [[11, "mine"]]
    # Of no release: HEAD. A line that is not there has no source.
    head = send(server, "HeadError", [frame("cart/total.py", 21), frame("cart/total.py", 9999)], None)
    far, near = seen_event(server, "HeadError", head)
    assert [21, "    return 0"] in near["context"] and "context" not in far

    # Without the repository commits are what there is.
    server.cli("project", "repo", "rm", "default", str(shop.path))
    assert server.cli("project", "repo", "ls") == ""
    assert "context" not in frames_of(server, event)[2]
    send(server, "LaterError", [frame("cart/total.py", 11)], "shop@1.1.0")
    assert issue_of(server, "LaterError", lambda row: "suspect" in row)["suspect"]["by"] == "commit"


def source(server, path, release="", expect=200, **more):
    query = urllib.parse.urlencode({"path": path, "release": release})
    return ask(server, "GET", "/api/v1/projects/{slug}/source?" + query, expect=expect, slug="default", **more)


def source_files(server, path="", release="", expect=200):
    return ask(server, "GET", "/api/v1/projects/{slug}/source/files?" + urllib.parse.urlencode({"path": path, "release": release}), expect=expect, slug="default")


@pytest.mark.skipif(not shutil.which("git", path="/usr/bin:/usr/local/bin:/bin"), reason="no git")
def test_files_are_read_as_a_release_had_them(server, tmp_path):
    assert source_files(server) == {"entries": [], "more": False}  # no repository: nothing to offer, and no fault
    assert source(server, "cart/total.py", expect=404)["error"]["code"] == source_files(server, "cart", expect=404)["error"]["code"] == "no_repository"
    shop, tools = Repository(tmp_path / "shop"), Repository(tmp_path / "tools")
    first = shop.commit("One", "Ada", "2026-01-01T10:00:00Z", {"src/cart/total.py": total(10), "src/main.py": "a\r\nb\n", "other/secret.py": "x\n"})
    shop.git("tag", "v1.0.0")
    second = shop.commit("Two", "Ada", "2026-01-02T10:00:00Z", {"src/cart/total.py": total(20), "src/big.txt": "x" * (1 << 20), "src/bigger.txt": "x" * ((1 << 20) + 1), "src/empty.py": ""})
    tools.commit("Tools", "Ada", "2026-01-01T10:00:00Z", {"tool/run.py": "t\n", "main.py": "of the second\n"})
    server.cli("project", "repo", "add", "default", str(shop.path), "--prefix", "src")
    server.cli("project", "repo", "add", "default", str(tools.path))

    # At the release's commit, however it is called; of another one HEAD, and that is said.
    for release in ("shop@1.0.0", "1.0.0", "v1.0.0", first, f"shop@{first}"):
        got = source(server, "cart/total.py", release)
        assert got == {"commit": first, "exact": True, "path": "src/cart/total.py", "text": total(10), "hash": hashlib.sha256(total(10).encode()).hexdigest()}
    for release in ("shop@9.9", "", "--all", "HEAD~1", ":/One"):
        got = source(server, "cart/total.py", release)
        assert (got["commit"], got["exact"], got["text"]) == (second, False, total(20))
    # The second name of a release counts, too.
    commits(server, "7.0", (first, "One", "Ada", "2026-01-01T10:00:00Z", ["src/main.py"]))
    assert source(server, "main.py", "shop@7.0")["commit"] == first

    # As processes name files; the text is what stands there.
    for path in ("main.py", "./main.py", "src/../main.py", "../../main.py"):
        assert source(server, path)["text"] == "a\r\nb\n", path
    assert source(server, "/srv/app/cart/total.py")["path"] == "src/cart/total.py" and source(server, "/srv/tool/run.py")["text"] == "t\n"
    source(server, "/srv/app/main.py", expect=404)  # a name alone is many a file's
    assert source(server, "empty.py")["text"] == "" and len(source(server, "big.txt")["text"]) == 1 << 20
    for path in ("bigger.txt", "other/secret.py", "cart", "none.py", "..", ".", "/", "\xff"):
        assert source(server, path, expect=404)["error"]["code"] == "no_source", path
    source(server, "", expect=400)
    for path in ("x" * 1025, "a\0b"):
        source(server, path, expect=400)
        source_files(server, path, expect=400)
    source(server, "main.py", "x" * 513, expect=400)

    # What stands where, below the prefix and no higher.
    got = source_files(server)
    assert (got["commit"], got["exact"], got["more"]) == (second, False, False)
    assert got["entries"] == [{"name": name, "path": name, "dir": name == "cart"} for name in ("big.txt", "cart", "empty.py", "main.py")]
    assert source_files(server, "cart", "1.0.0") == {"commit": first, "exact": True, "entries": [{"name": "total.py", "path": "cart/total.py", "dir": False}], "more": False}
    assert source_files(server, "tool")["entries"] == [{"name": "run.py", "path": "tool/run.py", "dir": False}]
    for path in ("..", "../other", "cart/..", "cart/../../other", "other", "/", "cart/", "./cart", "main.py", "none", ":(top)other", "*"):
        assert source_files(server, path, expect=404)["error"]["code"] == "no_source", path
    many = Repository(tmp_path / "many")
    many.commit("Many", "Ada", "2026-01-01T10:00:00Z", {"a": ""})
    blob, tree = many.git("rev-parse", "HEAD:a"), many.path / "tree"
    tree.write_text("".join(f"100644 blob {blob}\t{i:04}.py\n" for i in range(2001)))
    made = subprocess.run(["git", "mktree"], cwd=many.path, stdin=tree.open(), capture_output=True, check=True, text=True).stdout.strip()
    many.git("update-ref", "HEAD", many.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit-tree", "-m", "m", made))
    for old in (shop, tools):
        server.cli("project", "repo", "rm", "default", str(old.path))
    server.cli("project", "repo", "add", "default", str(many.path))
    got = source_files(server)
    assert len(got["entries"]) == 2000 and got["more"] and got["entries"][-1]["name"] == "1999.py"


@pytest.mark.skipif(not shutil.which("git", path="/usr/bin:/usr/local/bin:/bin"), reason="no git")
def test_a_hostile_repository_runs_nothing_and_shows_nothing_else(server, tmp_path):
    mark = tmp_path / "ran"
    evil = Repository(tmp_path / "evil")
    run = tmp_path / "run.sh"
    run.write_text(f"#!/bin/sh\necho \"$0 $@\" >> {mark}\ncat\n")
    run.chmod(0o755)
    secret = tmp_path / "secret.py"
    secret.write_text("one\nsecret\nthree\n")
    names = ["-n.py", "--output=x.py", "a b.py", ":(top)x.py", "ümlaut.py", "$(id).py", "gone.py", "x*.py", "xy.py"]
    evil.commit("odd names", "Ada\u202e", "2026-01-01T10:00:00Z", {name: f"1\n{name}\n3\n" for name in names})
    (evil.path / "link.py").symlink_to(secret)
    (evil.path / "dir.py").mkdir()
    (evil.path / "binary.py").write_bytes(b"a\nb\0c\nd\n")
    evil.commit("more", "Ada", "2026-01-02T10:00:00Z", {"link.py.txt": "", "dir.py/a.py": "x\ny\n", "huge.py": "x\n" * 1_500_000, ".gitattributes": "*.py diff=evil filter=evil\n", ".mailmap": "Eve <e@e> <a@b.c>\n"})
    evil.git("add", "link.py", "binary.py")
    evil.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "links")
    gone = evil.git("rev-parse", "HEAD:gone.py")
    (evil.path / ".git/objects" / gone[:2] / gone[2:]).unlink()
    (evil.path / ".git/info/attributes").write_text("*.py diff=evil filter=evil\n")
    for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (evil.path / ".git/hooks").mkdir(exist_ok=True)
        (evil.path / ".git/hooks" / hook).symlink_to(run)
    with (evil.path / ".git/config").open("a") as config:
        config.write(f"""[core]
\tfsmonitor = {run}
\tpager = {run}
\tsshCommand = {run}
\thooksPath = {evil.path}/.git/hooks
\talternateRefsCommand = {run}
\trepositoryformatversion = 1
[extensions]
\tpartialClone = origin
[remote "origin"]
\turl = ext::{run} %S
\tuploadpack = {run}
\tpromisor = true
[protocol "ext"]
\tallow = always
[diff "evil"]
\ttextconv = {run}
\tcommand = {run}
[filter "evil"]
\tclean = {run}
\tsmudge = {run}
\tprocess = {run}
[pager]
\tblame = {run}
\tcat-file = {run}
[alias]
\tblame = !{run}
\tls-tree = !{run}
[blame]
\tignoreRevsFile = {secret}
[credential]
\thelper = {run}
""")
    server.cli("project", "repo", "add", "default", str(evil.path))
    wanted = names + ["link.py", "dir.py", "binary.py", "huge.py", "../secret.py", "../../../../../../etc/passwd", str(secret), ".git/config", "a\nb.py", "x" * 5000, "HEAD:a b.py"]
    event = send(server, "EvilError", [frame(name, 2) for name in reversed(wanted)], "--output=/tmp/x")
    frames = seen_event(server, "EvilError", event)
    shown = {f["file"]: f["context"] for f in frames if "context" in f}
    assert {name: lines[1] for name, lines in shown.items()} == {name: [2, name] for name in names if name != "gone.py"}
    assert "secret" not in json.dumps([f.get("context") for f in frames])
    # Whole files neither: of links, directories, what is no text or too large, what is not there.
    for name in (name for name in wanted if len(name) < 1000):
        got = source(server, name, expect=200 if name in names and name != "gone.py" else 404)
        assert got.get("text") in (None, f"1\n{name}\n3\n"), name
    assert source(server, "link.py.txt")["text"] == ""
    listed = {entry["name"]: entry["dir"] for entry in source_files(server)["entries"]}
    assert listed == {**{name: False for name in names if name != "gone.py"}, ".gitattributes": False, ".mailmap": False, "binary.py": False, "dir.py": True, "link.py.txt": False}
    suspect = issue_of(server, "EvilError", lambda row: "suspect" in row)["suspect"]
    assert suspect["by"] == "blame" and suspect["message"] == "odd names" and suspect["file"] == "-n.py"
    for release in ("v1 --all", "HEAD@{1}", "HEAD..", ":/odd", "a" * 300, "refs/heads/main"):
        event = send(server, "NameError", [frame("a b.py", 2)], release)
    assert [2, "a b.py"] in seen_event(server, "NameError", event)[0]["context"]
    assert not mark.exists(), mark.read_text()
    assert evil.git("status", "--porcelain", "-uno", GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.fsmonitor", GIT_CONFIG_VALUE_0="false") is not None


@pytest.mark.skipif(not shutil.which("git", path="/usr/bin:/usr/local/bin:/bin"), reason="no git")
def test_code_mappings_find_the_file_that_is_meant(server, tmp_path):
    shop = Repository(tmp_path / "shop")
    shop.commit("Two modules", "Ada", "2026-01-01T10:00:00Z", {"lib/total.py": "wrong\nwrong\n", "modules/pay/total.py": "a\nright\n", "modules/cart/other.py": "b\n"})
    server.cli("project", "repo", "add", "default", str(shop.path))
    mappings = [{"stackRoot": "/opt/venv/lib", "sourceRoot": "modules/cart"}, {"stackRoot": "/opt/venv/lib", "sourceRoot": "modules/pay"}]
    bulk = lambda: server.request("POST", "/api/0/organizations/clew/code-mappings/bulk/", json.dumps({"project": "default", "repository": "acme/shop", "defaultBranch": "main", "mappings": mappings}), JSON, token=server.token("ingest"))[0]  # noqa: E731
    event = send(server, "PayError", [frame("/srv/lib/total.py", 2), frame("/opt/venv/lib/total.py", 2)], None)
    assert [f["context"][1][1] for f in seen_event(server, "PayError", event)] == ["wrong", "wrong"]  # found by their ends
    assert bulk() == 200
    mapped, other = seen_event(server, "PayError", event)
    assert mapped["context"] == [[1, "a"], [2, "right"]] and mapped["code"] == {"repository": "acme/shop", "branch": "main", "path": "modules/pay/total.py"}  # of the two, the one that is there
    assert other["context"][1] == [2, "wrong"] and "code" not in other


def test_a_code_mapping_by_hand(server):
    path = "/api/v1/projects/{slug}/code-mappings"
    one = {"stack_root": " /app/ ", "source_root": "services/shop", "repository": "acme/shop", "branch": "main"}
    made = ask(server, "POST", path, one, 201, scope=True, slug="default")
    assert (made["stack_root"], made["source_root"], made["changed_by"].partition(":")[0]) == ("/app/", "services/shop", "token")
    assert ask(server, "POST", path, one, 409, scope=True, slug="default")["error"]["code"] == "mapping_exists"
    event = send(server, "PayError", [frame("/app/total.py", 2)], None)
    assert seen_event(server, "PayError", event)[0]["code"]["path"] == "services/shop/total.py"
    changed = ask(server, "PUT", path + "/{id}", {**one, "source_root": "", "branch": "trunk"}, 200, scope=True, slug="default", id=made["id"])
    assert (changed["id"], changed["source_root"], changed["branch"]) == (made["id"], "", "trunk")
    assert ask(server, "GET", path, slug="default")["mappings"] == [changed]
    for wrong, place in (({"stack_root": ""}, "stack_root"), ({"stack_root": "a" * 513}, "stack_root"), ({"source_root": "a" * 513}, "source_root"), ({"source_root": "a\nb"}, "source_root"), ({"repository": " "}, "repository"), ({"branch": "a" * 256}, "branch")):
        error = ask(server, "PUT", path + "/{id}", {**one, **wrong}, 400, scope=True, slug="default", id=made["id"])["error"]
        assert error["place"] == place and error["message"], (wrong, error)
    ask(server, "PUT", path + "/{id}", one, 404, scope=True, slug="default", id=made["id"] + 1)
    ask(server, "POST", path, {**one, "color": "red"}, 400, scope=True, slug="default")
    entries = json.loads(server.request("GET", "/api/v1/audit", token=server.token("admin"))[1])["entries"]
    assert [e["action"] for e in entries if e["action"].startswith("project.mapping")] == ["project.mapping.change", "project.mapping.add"]


@pytest.mark.skipif(not shutil.which("git", path="/usr/bin:/usr/local/bin:/bin"), reason="no git")
def test_what_is_no_repository_is_refused(server, tmp_path):
    for words, why in ((("add", "default", str(tmp_path)), "no git repository"), (("add", "default", "/none"), "not found"), (("add", "no-project", str(tmp_path)), "no-project"), (("rm", "default", "/none"), "no repository")):
        with pytest.raises(RuntimeError, match=why):
            server.cli("project", "repo", *words)
    empty = Repository(tmp_path / "empty")
    with pytest.raises(RuntimeError, match="no commit"):
        server.cli("project", "repo", "add", "default", str(empty.path))
    with pytest.raises(RuntimeError, match="status 2"):
        server.cli("project", "repo", "list")
