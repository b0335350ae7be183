"""The unmodified sentry-cli, both majors: each command ends with status 0 and leaves the state that it says."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from openapi import described, matches

HERE = pathlib.Path(__file__).resolve().parent
BINARIES = {
    "3": HERE / "node_modules/@sentry/cli-linux-x64/bin/sentry-cli",
    "2": HERE / "node_modules/sentry-cli-2/node_modules/@sentry/cli-linux-x64/bin/sentry-cli",
}


class Cli:
    """One sentry-cli against one server, in a git repository of three commits."""

    def __init__(self, major, server, directory):
        self.major, self.server, self.directory = major, server, directory
        self.admin, self.build = server.token("admin", "read"), server.token("ingest")
        self.dsn = server.cli("project", "dsn", "shop").strip()
        self.ran = {}

    def __call__(self, *words, token=None, status=0, env=None):
        run = subprocess.run([str(BINARIES[self.major]), *words], cwd=self.directory, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                             env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "SENTRY_URL": self.server.url, "SENTRY_ORG": "clew", "SENTRY_PROJECT": "shop",
                                  "SENTRY_AUTH_TOKEN": token or self.build, "SENTRY_DSN": self.dsn, "SENTRY_LOG_LEVEL": "warn", "SENTRY_DISABLE_UPDATE_CHECK": "1", **(env or {})})
        assert run.returncode == status, (words, run.returncode, run.stdout[-2000:], run.stderr[-2000:])
        self.last_errors = run.stderr
        self.ran.setdefault(words, set()).add(run.returncode)
        return run.stdout

    def errors(self, *words):
        """What a command says that fails."""
        self(*words, status=1)
        return self.last_errors

    def get(self, path, token=None):
        status, answer = self.server.request("GET", path, token=token or self.admin)
        assert status == 200, (path, status, answer[:500])
        return json.loads(answer)

    def releases(self, **where):
        answer = self.get("/api/v1/releases?" + "&".join(f"{k}={v}" for k, v in where.items()))
        matches(described("GET", "/api/v1/releases", 200), answer)
        return answer["releases"]

    def release(self, version, project="shop"):
        answer = self.get(f"/api/v1/releases/{version}?project={project}")
        matches(described("GET", "/api/v1/releases/{version}", 200), answer)
        return answer


def git(directory, *words):
    return subprocess.run(["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *words], cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module", params=["3", "2"])
def cli(request, tmp_path_factory):
    import harness
    from conftest import check_ended
    if not BINARIES[request.param].exists():
        pytest.skip("sentry-cli is missing (tools/setup test)")
    directory = tmp_path_factory.mktemp("cli")
    server = harness.Server(directory / "data")
    server.start()
    server.cli("project", "add", "shop")
    server.cli("project", "add", "web")
    repository = directory / "repository"
    (repository / "src").mkdir(parents=True)
    git(repository, "init", "-q", ".")
    for name in ("cart", "pay", "cart"):
        with open(repository / f"src/{name}.js", "a") as file:
            file.write("// more\n")
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", f"{name}: more")
    git(repository, "remote", "add", "origin", "https://example.com/acme/shop.git")
    yield Cli(request.param, server, repository)
    check_ended(server)


# ---- who and where

def test_info(cli):
    shown = cli("info")
    assert "Method: Auth Token" in shown and "project:releases" in shown
    cli("info", token="clew_" + "x" * 43, status=1)


def test_organizations_list(cli):
    assert "clew" in cli("organizations", "list")


def test_projects_list(cli):
    shown = cli("projects", "list")
    assert "shop" in shown and "web" in shown
    confined = cli.server.token("ingest", project="web")
    assert "shop" not in cli("projects", "list", token=confined)


# ---- releases

def test_releases_propose_version(cli):
    assert cli("releases", "propose-version").strip() == git(cli.directory, "rev-parse", "HEAD")


def test_releases_new_and_finalize(cli):
    cli("releases", "new", "shop@1.0.0", "-p", "shop", "-p", "web", "--url", "https://example.com/1")
    release = cli.release("shop@1.0.0")
    assert release["url"] == "https://example.com/1" and "released" not in release and cli.release("shop@1.0.0", "web")["project"] == "web"
    cli("releases", "new", "shop@1.0.0")  # again: nothing happens
    cli("releases", "finalize", "shop@1.0.0")
    assert "released" in cli.release("shop@1.0.0")
    cli("releases", "new", "shop@1.0.1", "--finalize")
    assert "released" in cli.release("shop@1.0.1")


def test_releases_list_and_info(cli):
    shown = cli("releases", "list")
    assert shown.index("shop@1.0.1") < shown.index("shop@1.0.0")
    assert "shop@1.0.0" in cli("releases", "info", "shop@1.0.0", "--show-projects", "--show-commits")
    cli("releases", "info", "shop@0.0.0", status=1)


def test_set_commits_local(cli):
    cli("releases", "set-commits", "shop@1.0.0", "--local")
    release = cli.release("shop@1.0.0")
    assert [c["message"].strip() for c in release["commit_list"]] == ["cart: more", "pay: more", "cart: more"] and release["authors"] == ["Ann"]
    assert sorted((c["files"][0]["path"], c["files"][0]["change"]) for c in release["commit_list"]) == [("src/cart.js", "A"), ("src/cart.js", "M"), ("src/pay.js", "A")]


def test_set_commits_auto_goes_on_from_the_release_before(cli):
    (cli.directory / "src/list.js").write_text("1\n")
    git(cli.directory, "add", "-A")
    git(cli.directory, "commit", "-qm", "list: made")
    for again in range(2):  # what is listed of repositories must not make the second one poorer
        cli("releases", "new", f"shop@1.1.{again}")
        cli("releases", "set-commits", f"shop@1.1.{again}", "--auto")
    assert [c["message"].strip() for c in cli.release("shop@1.1.0")["commit_list"]] == ["list: made"]
    assert all(c["files"] for c in cli.release("shop@1.1.0")["commit_list"])


def test_set_commits_commit_and_clear(cli):
    repository = cli.get("/api/0/organizations/clew/repos/")[0]["name"]
    head = git(cli.directory, "rev-parse", "HEAD~1")
    cli("releases", "new", "shop@1.2.0")
    cli("releases", "set-commits", "shop@1.2.0", "--commit", f"{repository}@{head}")
    commits = cli.release("shop@1.2.0")["commit_list"]
    assert [c["id"] for c in commits] == [head] and commits[0]["files"]  # known from before
    cli("releases", "set-commits", "shop@1.2.0", "--clear")
    assert cli.release("shop@1.2.0")["commits"] == 0


def test_repos_list(cli):
    assert "origin" in cli("repos", "list")


def test_code_mappings_upload(cli):
    if cli.major == "2":
        pytest.skip("sentry-cli 2 has no code-mappings")
    (cli.directory / "mappings.json").write_text(json.dumps([{"stackRoot": "app:///", "sourceRoot": "."}, {"stackRoot": "com/acme/pay", "sourceRoot": "modules/pay/src/com/acme/pay"}]))
    shown = cli("code-mappings", "upload", "mappings.json")
    assert "Created: 2, Updated: 0, Errors: 0" in shown
    assert "Created: 0, Updated: 2, Errors: 0" in cli("code-mappings", "upload", "mappings.json", "--default-branch", "trunk")
    listed = cli.get("/api/0/organizations/clew/code-mappings/?project=shop")
    assert [(m["stackRoot"], m["sourceRoot"], m["repoName"], m["defaultBranch"], m["projectSlug"]) for m in listed] == [
        ("com/acme/pay", "modules/pay/src/com/acme/pay", "acme/shop", "trunk", "shop"), ("app:///", ".", "acme/shop", "trunk", "shop")]
    assert cli.get("/api/0/organizations/clew/code-mappings/?project=web") == []
    mappings = cli.get("/api/v1/projects/shop/code-mappings")
    matches(described("GET", "/api/v1/projects/{slug}/code-mappings", 200), mappings)

    # The frame of an event says where its file stands, and commits of that file are suspected.
    frames = [{"function": "pay", "filename": "Till.java", "module": "com.acme.pay.Till", "lineno": 3, "in_app": True}]
    cli.server.request("PUT", "/api/v1/projects/shop/owners", json.dumps({"codeowners": "/modules/pay/ @acme/pay\n"}), {"Content-Type": "application/json"}, token=cli.admin)
    commit = {"id": "e" * 40, "message": "till: new", "author_name": "Eve", "repository": "acme/shop", "timestamp": "2026-01-01T10:00:00Z", "patch_set": [
        {"path": "modules/pay/src/com/acme/pay/Till.java", "type": "M"}]}
    body = {"version": "till@1", "projects": ["shop"], "commits": [commit]}
    assert cli.server.request("POST", "/api/0/organizations/clew/releases/", json.dumps(body), {"Content-Type": "application/json"}, token=cli.build)[0] == 201
    event_id, project, key = "7ec79c33ec9942ab8353589fcb2e04dc", cli.dsn.rpartition("/")[2], cli.dsn.split("//")[1].split("@")[0]
    event = {"platform": "java", "release": "till@1", "exception": {"values": [{"type": "TillError", "value": "no", "stacktrace": {"frames": frames}}]}}
    envelope = "\n".join((json.dumps({"event_id": event_id}), '{"type":"event"}', json.dumps(event), ""))
    assert cli.server.request("POST", f"/api/{project}/envelope/?sentry_key={key}", envelope, token=None)[0] == 200
    issue = wait_for(lambda: [i for i in cli.get("/api/v1/issues?project=shop")["issues"] if i["type"] == "TillError" and "suspect" in i])[0]
    assert issue["suspect"]["id"] == commit["id"] and issue["suspect"]["file"] == commit["patch_set"][0]["path"] and [o["name"] for o in issue["owners"]] == ["acme/pay"]
    answer = cli.get(f"/api/v1/events/{event_id}")
    matches(described("GET", "/api/v1/events/{id}", 200), answer)
    assert answer["exceptions"][0]["frames"][0]["code"] == {"repository": "acme/shop", "branch": "trunk", "path": "modules/pay/src/com/acme/pay/Till.java"}

    # What is too long is refused by name, the others are kept; a build's token removes none.
    (cli.directory / "long.json").write_text(json.dumps([{"stackRoot": "a" * 600, "sourceRoot": "b"}, {"stackRoot": "lib/", "sourceRoot": "b"}]))
    cli("code-mappings", "upload", "long.json", status=1)
    assert [m["stack_root"] for m in cli.get("/api/v1/projects/shop/code-mappings")["mappings"]] == ["com/acme/pay", "app:///", "lib/"]
    remove = lambda token: cli.server.request("DELETE", f"/api/v1/projects/shop/code-mappings/{mappings['mappings'][0]['id']}", token=token)[0]  # noqa: E731
    assert [remove(cli.build), remove(cli.admin), remove(cli.admin)] == [403, 204, 404]


@pytest.mark.parametrize("body", ["[]", '{"project":"nowhere","repository":"a/b","defaultBranch":"main","mappings":[{"stackRoot":"a","sourceRoot":"b"}]}', '{"project":"shop","defaultBranch":"main","mappings":[{"stackRoot":"a","sourceRoot":"b"}]}',
                                  '{"project":"shop","repository":"a/b","mappings":[{"stackRoot":"a","sourceRoot":"b"}]}', '{"project":"shop","repository":"a/b","defaultBranch":"main","mappings":[]}',
                                  '{"project":"shop","repository":"a/b","defaultBranch":"main","mappings":[{"stackRoot":"a"}]}', '{"project":"shop","repository":"a/b","defaultBranch":"main","mappings":[' + ",".join(['{"stackRoot":"a","sourceRoot":"b"}'] * 301) + "]}"])
def test_code_mappings_that_are_refused(cli, body):
    before = cli.get("/api/v1/projects/shop/code-mappings")
    status, answer = cli.server.request("POST", "/api/0/organizations/clew/code-mappings/bulk/", body, {"Content-Type": "application/json"}, token=cli.build)
    assert status in (400, 404, 422) and json.loads(answer)["detail"] and cli.get("/api/v1/projects/shop/code-mappings") == before


def test_archive_and_restore(cli):
    cli("releases", "archive", "shop@1.0.1")
    assert cli.release("shop@1.0.1")["status"] == "archived" and "shop@1.0.1" not in [r["version"] for r in cli.releases()]
    cli("releases", "restore", "shop@1.0.1")
    assert cli.release("shop@1.0.1")["status"] == "open"


def test_deploys(cli):
    cli("deploys", "new", "-r", "shop@1.0.0", "-e", "prod", "-n", "first", "-t", "60")
    assert "prod" in cli("deploys", "list", "-r", "shop@1.0.0")
    assert [(d["environment"], d["name"]) for d in cli.release("shop@1.0.0")["deploys"]] == [("prod", "first")]
    if cli.major == "2":  # the older form
        cli("releases", "deploys", "shop@1.0.1", "new", "-e", "prod", "-n", "second", "-t", "60")
        assert "prod" in cli("releases", "deploys", "shop@1.0.1", "list")
        assert [(d["environment"], d["name"]) for d in cli.release("shop@1.0.1")["deploys"]] == [("prod", "second")]


def test_releases_delete_needs_admin(cli):
    cli("releases", "new", "gone@1")
    cli("releases", "delete", "gone@1", status=1)
    cli("releases", "delete", "gone@1", token=cli.admin)
    assert "gone@1" not in [r["version"] for r in cli.releases(query="gone")]
    assert "does not exist" in cli("releases", "delete", "gone@1", token=cli.admin)


def test_clew_releases_shows_them(cli):
    rows = [json.loads(line) for line in cli.server.cli("releases", "1.0.0", "--json").splitlines()]
    assert {(r["version"], r["project"]) for r in rows} == {("shop@1.0.0", "shop"), ("shop@1.0.0", "web")}


# ---- what scripts do without the tool

def test_pages_of_a_list(cli):
    for n in range(5):
        cli("releases", "new", f"page@{n}")
    seen, path = [], "/api/0/organizations/clew/releases/?query=page@&per_page=2"
    while path:
        seen += [r["version"] for r in cli.get(path)]
        links = [dict(p.strip().split("=", 1) for p in link.split(";")[1:]) | {"url": link.split(">")[0].strip(" <")} for link in cli.server.answer_headers["link"].split(", ")]
        following = next(x for x in links if x["rel"] == '"next"')
        path = following["url"].removeprefix(cli.server.url) if following["results"] == '"true"' else None
    assert seen == [f"page@{n}" for n in (4, 3, 2, 1, 0)]


def test_permissions(cli):
    ask = lambda method, path, token, body=None: cli.server.request(method, path, body, {"Content-Type": "application/json"}, token=token)  # noqa: E731
    read, confined, values = cli.server.token("read"), cli.server.token("ingest", project="web"), cli.server.token("values")
    new = json.dumps({"version": "x@1", "projects": ["shop"]})
    assert ask("POST", "/api/0/organizations/clew/releases/", read, new)[0] == 403
    assert ask("POST", "/api/0/organizations/clew/releases/", confined, new)[0] == 404
    assert ask("GET", "/api/0/organizations/clew/releases/", values)[0] == 403
    assert ask("GET", "/api/0/organizations/clew/releases/", None)[0] == 401
    assert ask("GET", "/api/0/organizations/other/releases/", read)[0] == 404
    assert {p["slug"] for r in json.loads(ask("GET", "/api/0/organizations/clew/releases/", confined)[1]) for p in r["projects"]} == {"web"}
    assert ask("GET", "/api/0/projects/clew/shop/releases/", confined)[0] == 404
    status, answer = ask("PUT", "/api/0/organizations/clew/releases/shop@1.1.0/", confined, '{"ref":"stolen"}')
    assert status == 404 and list(json.loads(answer)) == ["detail"]
    number = next(p["id"] for p in cli.get("/api/0/projects/") if p["slug"] == "shop")
    assert ask("GET", f"/api/0/projects/1/{number}/releases/", read)[0] == 200  # by numbers too
    assert ask("PATCH", "/api/0/organizations/clew/releases/", read)[0] == 405


@pytest.mark.parametrize("body", ["", "[]", "{", '{"version":7}', '{"projects":"shop"}', '{"version":"a/b","projects":["shop"]}', '{"version":"v","projects":["shop"],"dateReleased":"soon"}',
                                  '{"version":"v","projects":["shop"],"commits":[{}]}', '{"version":"v","projects":["shop"],"commits":[{"id":"' + "a" * 65 + '"}]}',
                                  '{"version":"v","projects":["shop"],"commits":[{"id":"a","patch_set":[1]}]}', '{"version":"v","projects":["shop"],"status":"gone"}', '{"version":"v","projects":[{}]}',
                                  '{"version":"v","projects":["shop"],"refs":[{"repository":"r"}]}', '{"version":"v","projects":["shop"],"x":' + "[" * 100 + "]" * 100 + "}"])
def test_bad_bodies_are_refused_in_words(cli, body):
    status, answer = cli.server.request("POST", "/api/0/organizations/clew/releases/", body, {"Content-Type": "application/json"}, token=cli.build)
    assert status == 400 and json.loads(answer)["detail"]


# ---- uploads

JS = "function add(a,b){throw new Error('no')}\nadd(1,2);\n//# sourceMappingURL=app.js.map\n"
MAP = {"version": 3, "file": "app.js", "sources": ["../src/app.ts"], "sourcesContent": ["function add(a: number, b: number) { throw new Error('no') }\n"], "names": [], "mappings": "AAAA"}


@pytest.fixture(scope="module")
def built(cli):
    """What a bundler leaves behind."""
    (cli.directory / "dist").mkdir()
    (cli.directory / "dist/app.js").write_text(JS)
    (cli.directory / "dist/app.js.map").write_text(json.dumps(MAP))
    cli("sourcemaps", "inject", "dist")
    return "dist"


def uploads(cli, kind):
    """Rows of what was uploaded, as they stand on the disk."""
    import sqlite3
    with sqlite3.connect(f"file:{cli.server.data}/releases.db?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT u.*, r.version FROM uploads u LEFT JOIN releases r ON r.id = u.release_id WHERE kind = ? ORDER BY u.id", (kind,))]


def test_sourcemaps_upload_by_debug_id(cli, built):
    assert "File processing complete" in cli("sourcemaps", "upload", built)
    bundle = uploads(cli, 1)[-1]
    assert bundle["version"] is None and bundle["size"] > 300
    assert "Nothing to upload" in cli("sourcemaps", "upload", built)
    assert len(uploads(cli, 1)) == 1


def test_sourcemaps_upload_for_a_release_and_dist(cli, built):
    cli("sourcemaps", "upload", built, "--release", "shop@3.0", "--dist", "7", "--validate")
    bundle = uploads(cli, 1)[-1]
    assert (bundle["version"], bundle["dist"]) == ("shop@3.0", "7") and cli.release("shop@3.0")["version"] == "shop@3.0"


def test_a_large_bundle_comes_in_chunks(cli, built):
    large = cli.directory / "large"
    large.mkdir()
    (large / "big.js").write_text("var x='" + os.urandom(9 << 20).hex() + "';\n")
    cli("sourcemaps", "upload", str(large), "--release", "shop@3.1")
    assert uploads(cli, 1)[-1]["size"] > 9 << 20


def test_debug_files_upload(cli):
    program = cli.directory / "program"
    program.write_bytes(pathlib.Path("/bin/true").read_bytes())
    assert "missing debug information file" in cli("debug-files", "upload", "program")
    assert "Nothing to upload" in cli("debug-files", "upload", "program")
    assert [(f["objectName"], f["cpuName"]) for f in cli.get("/api/0/projects/clew/shop/files/dsyms/?query=program")] == [("program", os.uname().machine)]
    if cli.major == "2":
        cli("upload-dif", "program")


def test_debug_files_of_java(cli):
    (cli.directory / "java").mkdir()
    (cli.directory / "java/A.java").write_text("class A {}\n")
    debug_id = "3f3e1a2b-0000-4000-8000-000000000001"
    cli("debug-files", "bundle-jvm", "--output", "bundles", "--debug-id", debug_id, "java")
    cli("debug-files", "upload", "--type", "jvm", "bundles")
    assert [f["debugId"] for f in cli.get(f"/api/0/projects/clew/shop/files/dsyms/?debug_id={debug_id}")] == [debug_id]


def test_upload_proguard(cli):
    (cli.directory / "mapping.txt").write_text("com.example.Cart -> a.a:\n    1:3:void add(int):10:12 -> a\n")
    cli("upload-proguard", "mapping.txt")
    files = [f for f in cli.get("/api/0/projects/clew/shop/files/dsyms/") if "proguard" in f["objectName"]]
    assert len(files) == 1 and files[0]["debugId"] in files[0]["objectName"]
    if cli.major == "3":
        cli("proguard", "upload", "mapping.txt")
        assert cli("proguard", "uuid", "mapping.txt").strip() == files[0]["debugId"]


def test_dart_symbol_map_upload(cli):
    program = cli.directory / "dart-program"
    program.write_bytes(pathlib.Path("/bin/true").read_bytes())
    (cli.directory / "dartsymbolmap.json").write_text(json.dumps(["CartError", "a0", "TillError", "b1"]))
    found = lambda: [f for f in cli.get("/api/0/projects/clew/shop/files/dsyms/") if f["objectName"] == "dartsymbolmap.json"]  # noqa: E731
    cli("dart-symbol-map", "upload", "dartsymbolmap.json", "dart-program")
    first, = found()
    assert first["size"] == len((cli.directory / "dartsymbolmap.json").read_bytes()) and first["debugId"][:36] in cli("debug-files", "check", "dart-program")
    cli("dart-symbol-map", "upload", "dartsymbolmap.json", "dart-program")  # again: nothing changes
    assert found() == [first]


def apk(path, size=1000):
    import zipfile
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("AndroidManifest.xml", b"\x03\x00\x08\x00" + os.urandom(size))
        archive.writestr("classes.dex", b"dex\n035\0")
        archive.writestr("resources.arsc", b"\x02\x00")
    return path.read_bytes()


@pytest.mark.parametrize("size", [1000, 9 << 20])
def test_build_upload_and_download(cli, size):
    name = f"shop-{size}.apk"
    content = apk(cli.directory / name, size)
    shown = cli("build", "upload", name, "--head-sha", "a" * 40, "--head-ref", "main", "--head-repo-name", "acme/shop", "--pr-number", "7", "--build-configuration", "Release", "--release-notes", "new till")
    assert f"{cli.server.url}/settings/projects/shop" in shown
    builds = cli.get("/api/v1/projects/shop/builds")
    matches(described("GET", "/api/v1/projects/{slug}/builds", 200), builds)
    build = next(b for b in builds["builds"] if b["name"] == name)
    assert {k: build[k] for k in ("commit", "branch", "repository", "pull_request", "configuration", "notes")} == {
        "commit": "a" * 40, "branch": "main", "repository": "acme/shop", "pull_request": 7, "configuration": "Release", "notes": "new till"}
    cli("build", "upload", name)  # the same bytes again: nothing changes
    assert cli.get("/api/v1/projects/shop/builds") == builds and cli.get("/api/v1/projects/web/builds") == {"builds": []}
    status, answer = cli.server.request("GET", build["url"].removeprefix(cli.server.url), token=cli.admin)
    assert (status, answer) == (200, content) and name in cli.server.answer_headers["content-disposition"]
    if cli.major == "3":
        cli("build", "download", "--build-id", str(build["id"]), "--output", "back.apk")
        assert (cli.directory / "back.apk").read_bytes() == content
        cli("build", "download", "--build-id", "99999", status=1)
    link = cli.get(f"/api/0/organizations/clew/preprodartifacts/{build['id']}/install-details/", cli.build)["installUrl"].removeprefix(cli.server.url)
    assert cli.server.request("GET", link, token=None) == (200, content)
    ticket = link.split("/file/")[1].split("/")[0]
    for wrong in (ticket[:-1] + ("1" if ticket[-1] == "0" else "0"), "f" + ticket, ticket[1:], "x", "0-" + "0" * 32, "-", ticket + "0"):
        assert cli.server.request("GET", link.replace(ticket, wrong), token=None)[0] == 403, wrong
    assert cli.server.request("GET", link.replace(f"/{build['id']}/", f"/{build['id'] + 1}/"), token=None)[0] == 403  # of this build alone
    assert cli.server.request("GET", link.split(ticket)[0], token=None)[0] == 401
    confined = cli.server.token("ingest", project="web")
    assert cli.server.request("GET", f"/api/0/organizations/clew/preprodartifacts/{build['id']}/install-details/", token=confined)[0] == 404
    assert cli.server.request("GET", build["url"].removeprefix(cli.server.url), token=confined)[0] == 404
    remove = lambda token: cli.server.request("DELETE", f"/api/v1/projects/shop/builds/{build['id']}", token=token)[0]  # noqa: E731
    assert [remove(cli.build), remove(cli.admin), remove(cli.admin)] == [403, 204, 404]
    assert cli.server.request("GET", build["url"].removeprefix(cli.server.url), token=cli.admin)[0] == 404


def test_builds_that_are_refused(cli):
    def assemble_build(content, **more):
        cli.server.request("POST", "/api/0/organizations/clew/chunk-upload/", *form(("file", sha1(content), content)), token=cli.build)
        body = {"checksum": sha1(content), "chunks": [sha1(content)], **more}
        status, answer = cli.server.request("POST", "/api/0/projects/clew/shop/files/preprodartifacts/assemble/", json.dumps(body), {"Content-Type": "application/json"}, token=cli.build)
        return status, json.loads(answer)
    header = lambda name, n=None: b"PK\3\4" + bytes(22) + (len(name) if n is None else n).to_bytes(2, "little") + bytes(2) + name  # noqa: E731
    for content in (b"no archive", b"PK\3\4", header(b""), header(b"a" * 20, 60000), header(b"a\nb.apk"), header(b"x" * 300)):
        status, answer = assemble_build(content)
        assert (status, answer["state"], answer["artifactUrl"]) == (200, "error", None) and answer["detail"], content
    assert assemble_build(b"x", checksum="y")[0] == 400
    assert cli.get("/api/v1/projects/shop/builds") == {"builds": []}
    # What says that it goes beyond its end is given back as it came.
    content = header(b"far.apk")
    content = content[:18] + b"\xff" * 8 + content[26:]
    assert assemble_build(content)[1]["state"] == "created"
    build, = cli.get("/api/v1/projects/shop/builds")["builds"]
    assert cli.server.request("GET", build["url"].removeprefix(cli.server.url), token=cli.admin)[1] == content
    assert cli.server.request("DELETE", f"/api/v1/projects/shop/builds/{build['id']}", token=cli.admin)[0] == 204


def png(shade, size=(40, 30)):
    """An image; shade None: of noise, so that it stays long."""
    import struct
    import zlib
    row = lambda: b"\0" + (os.urandom(size[0] * 3) if shade is None else bytes([shade]) * (size[0] * 3))  # noqa: E731
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"".join(row() for _ in range(size[1])))) + chunk(b"IEND", b"")


def files_of(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_snapshots_upload_and_download(cli):
    if cli.major == "2":
        pytest.skip("sentry-cli 2 has no snapshots")
    screens = cli.directory / "screens"
    (screens / "cart").mkdir(parents=True)
    (screens / "home.png").write_bytes(png(200))
    (screens / "copy of home.png").write_bytes(png(200))  # one content, two names
    (screens / "cart/é.png").write_bytes(png(90))
    (screens / "large.png").write_bytes(png(None, (800, 800)))  # too long for a batch
    (screens / "home.json").write_text('{"display_name": "Home", "group": "start"}')
    base, head = "a" * 40, "b" * 40
    contents = cli.get("/api/v1/storage")["artifacts"]["contents"]
    before = files_of(screens)
    del before["home.json"]
    at = "/api/v1/projects/shop/image-snapshots"
    cli("snapshots", "download", "--app-id", "till", status=1)
    shown = cli("snapshots", "upload", "--app-id", "till", "--head-sha", base, "--head-ref", "main", "screens")
    assert "Uploaded 4 new image files" in shown and "with 4 images" in shown and f"{cli.server.url}/settings/projects/shop" in shown
    listed = cli.get(at)
    matches(described("GET", "/api/v1/projects/{slug}/image-snapshots", 200), listed)
    main, = listed["snapshots"]
    assert (main["app"], main["commit"], main["branch"], main["count"], main["size"], main["selective"]) == ("till", base, "main", 4, sum(map(len, before.values())), False)
    assert cli.get("/api/v1/projects/web/image-snapshots") == {"total": 0, "snapshots": []} and cli.get("/api/v1/projects/shop/builds") == {"builds": []}

    # What is here is not sent again.
    assert "4 of 4 images already uploaded, uploading 0 new" in cli("build", "snapshots", "--app-id", "till", "--head-sha", base, "--head-ref", "main", "screens")
    assert len(cli.get(at)["snapshots"]) == 2

    # Of a pull request: it is compared with its base by what the images hold.
    (screens / "home.png").write_bytes(png(201))
    (screens / "cart/é.png").unlink()
    (screens / "cart/new.png").write_bytes(png(1))
    shown = cli("snapshots", "upload", "--app-id", "till", "--head-sha", head, "--base-sha", base, "--head-ref", "fix", "--base-ref", "main", "--pr-number", "7", "screens")
    assert "2 of 4 images already uploaded, uploading 2 new" in shown
    newest = cli.get(at)["snapshots"][0]
    assert (newest["commit"], newest["base_commit"], newest["pull_request"], newest["branch"], newest["base_branch"]) == (head, base, 7, "fix", "main")
    answer = cli.get(f"{at}/{newest['id']}")
    matches(described("GET", "/api/v1/projects/{slug}/image-snapshots/{id}", 200), answer)
    assert [(i["name"], i.get("change")) for i in answer["images"]] == [("cart/new.png", "added"), ("copy of home.png", None), ("home.png", "changed"), ("large.png", None)]
    assert [i["name"] for i in answer["removed"]] == ["cart/é.png"] and answer["base"]["commit"] == base
    home = answer["images"][2]
    assert (home["title"], home["group"], home["width"], home["height"], home["type"], home["size"]) == ("Home", "start", 40, 30, "image/png", len(png(201)))
    for digest, content in ((home["hash"], png(201)), (home["base_hash"], png(200)), (answer["images"][3]["hash"], before["large.png"])):
        status, image = cli.server.request("GET", f"/api/v1/projects/shop/images/{digest}", token=cli.admin)
        headers = cli.server.answer_headers
        assert status == 200 and image == content and headers["content-type"] == "image/png" and headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"] and headers["cache-control"] == "private, max-age=86400, immutable"

    # A part of the suite: what was not sent is not gone, unless the whole suite's names say so; and it is no base.
    (cli.directory / "part").mkdir()
    (cli.directory / "part/home.png").write_bytes(png(201))
    names = "home.png,large.png,copy of home.png"
    cli("snapshots", "upload", "--app-id", "till", "--head-sha", "c" * 40, "--base-sha", base, "--head-ref", "main", "--all-image-file-names", names, "part")
    part = cli.get(at)["snapshots"][0]
    answer = cli.get(f"{at}/{part['id']}")
    assert part["selective"] and [(i["name"], i.get("change")) for i in answer["images"]] == [("home.png", "changed")] and [i["name"] for i in answer["removed"]] == ["cart/é.png"]
    cli("snapshots", "upload", "--app-id", "till", "--head-sha", "d" * 40, "--base-sha", base, "--head-ref", "fix", "--selective", "part")
    assert cli.get(f"{at}/{cli.get(at)['snapshots'][0]['id']}")["removed"] == []

    # Back: the newest of no pull request, the newest of a branch, one by its number.
    after = {k: v for k, v in files_of(screens).items() if k != "home.json"}
    for words, wanted in (((), before), (("--branch", "fix"), after)):
        cli("snapshots", "download", "--app-id", "till", "--output", f"out{len(words)}", *words)
        assert files_of(cli.directory / f"out{len(words)}") == wanted, words
    cli("snapshots", "download", "--snapshot-id", str(newest["id"]), "--output", "number")
    assert files_of(cli.directory / "number") == after
    cli("snapshots", "download", "--app-id", "till", "--branch", "none", status=1)
    cli("snapshots", "download", "--snapshot-id", "999", status=1)

    # What a build's token may not; what goes with a snapshot, and what does not.
    remove = lambda token, number=main["id"]: cli.server.request("DELETE", f"{at}/{number}", token=token)[0]  # noqa: E731
    assert cli.server.request("GET", at, token=cli.build)[0] == 403 and remove(cli.build) == 403
    assert [remove(cli.admin), remove(cli.admin)] == [204, 404]
    assert cli.get(f"{at}/{newest['id']}")["base"]["commit"] == base  # uploaded again
    cli("snapshots", "download", "--app-id", "till", "--output", "again")
    assert files_of(cli.directory / "again") == before
    for one in cli.get(at)["snapshots"]:
        assert remove(cli.admin, one["id"]) == 204
    assert cli.get(at) == {"total": 0, "snapshots": []}
    assert cli.get("/api/v1/storage")["artifacts"]["contents"] == contents  # and the images with them


def test_releases_files(cli, built):
    if cli.major != "2":
        pytest.skip("sentry-cli 3 has no releases files")
    cli("releases", "new", "shop@4.0")
    cli("releases", "files", "shop@4.0", "upload", "dist/app.js", "~/app.js", "--file-header", "Sourcemap: app.js.map")
    cli("releases", "files", "shop@4.0", "upload", "dist/app.js.map", "~/app.js.map")
    assert "~/app.js" in cli("releases", "files", "shop@4.0", "list")
    listed = cli.get("/api/0/projects/clew/shop/releases/shop@4.0/files/")
    assert [(f["name"], f["headers"]) for f in listed] == [("~/app.js", {"Sourcemap": "app.js.map"}), ("~/app.js.map", {})]
    cli("releases", "files", "shop@4.0", "upload", "dist/app.js", "~/app.js")  # takes the place of the other
    assert len(cli.get("/api/0/projects/clew/shop/releases/shop@4.0/files/")) == 2
    cli("releases", "files", "shop@4.0", "upload-sourcemaps", "dist")
    cli("releases", "files", "shop@4.0", "delete", "~/app.js", status=1)
    cli("releases", "files", "shop@4.0", "delete", "~/app.js", token=cli.admin)
    assert [f["name"] for f in cli.get("/api/0/projects/clew/shop/releases/shop@4.0/files/")] == ["~/app.js.map"]
    cli("releases", "delete", "shop@4.0", token=cli.admin)
    assert not [u for u in uploads(cli, 0) + uploads(cli, 1) if u["version"] == "shop@4.0"]


def form(*parts, boundary="b"):
    body = b"".join(b"--%b\r\nContent-Disposition: form-data; name=\"%b\"; filename=\"%b\"\r\n\r\n%b\r\n" % (boundary.encode(), name.encode(), file.encode(), content) for name, file, content in parts)
    return body + b"--" + boundary.encode() + b"--\r\n", {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def sha1(content):
    import hashlib
    return hashlib.sha1(content).hexdigest()


def test_chunks_that_are_refused(cli):
    import gzip
    path = "/api/0/organizations/clew/chunk-upload/"
    post = lambda *parts, token=cli.build: cli.server.request("POST", path, *form(*parts), token=token)[0]  # noqa: E731
    good, big = b"good", b"\0" * ((8 << 20) + 1)
    assert post(("file", sha1(good), good)) == 200
    assert post(("file_gzip", sha1(good), gzip.compress(good))) == 200
    assert post(("file", sha1(b"other"), good)) == 400
    assert post(("other", sha1(good), good)) == 400
    assert post(("file_gzip", sha1(good), b"no gzip")) == 400
    assert post(("file_gzip", sha1(big), gzip.compress(big))) == 413
    bomb = b"\0" * (8 << 20)
    assert post(*[("file_gzip", sha1(bomb), gzip.compress(bomb))] * 20) == 413
    assert post(*[("file", sha1(good), good)] * 65) == 400
    assert post(("file", sha1(good), good), token=cli.server.token("read")) == 403
    assert cli.server.request("POST", path, b"nothing", {"Content-Type": "text/plain"}, token=cli.build)[0] == 400


def assemble(cli, chunks, content=None, token=None, **more):
    body = {"checksum": sha1(content if content is not None else b"".join(chunks)), "chunks": [sha1(c) for c in chunks], "projects": ["shop"], **more}
    status, answer = cli.server.request("POST", "/api/0/organizations/clew/artifactbundle/assemble/", json.dumps(body), {"Content-Type": "application/json"}, token=token or cli.build)
    return status, json.loads(answer)


def test_bundles_that_are_refused(cli):
    send = lambda content, token=cli.build: cli.server.request("POST", "/api/0/organizations/clew/chunk-upload/", *form(("file", sha1(content), content)), token=token)  # noqa: E731
    before = len(uploads(cli, 1))
    send(b"no bundle")
    assert assemble(cli, [b"never sent"]) == (200, {"state": "not_found", "missingChunks": [sha1(b"never sent")], "detail": None})
    status, answer = assemble(cli, [b"no bundle"], b"another")
    assert (status, answer["state"], answer["detail"]) == (200, "error", "Reported checksum mismatch")
    status, answer = assemble(cli, [b"no bundle"])
    assert (status, answer["state"]) == (200, "error") and answer["detail"]
    assert assemble(cli, [])[0] == 400 and assemble(cli, [b"x"] * 200)[0] == 400 and assemble(cli, [b"x"], projects=[])[0] == 400
    assert assemble(cli, [b"x"], projects=["nowhere"])[0] == 404
    # Who is confined to a project finds no chunks of others, and reaches no other project.
    confined = cli.server.token("ingest", project="web")
    assert assemble(cli, [b"no bundle"], token=confined)[0] == 404
    assert assemble(cli, [b"no bundle"], token=confined, projects=["web"])[1]["state"] == "not_found"
    assert len(uploads(cli, 1)) == before


# ---- events and logs

def wait_for(what, seconds=60):
    import time
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_send_event_and_events_list(cli):
    cli("send-event", "-m", "the cart is gone", "-r", "shop@1.0.0", "-E", "prod", "-u", "id:42", "-u", "email:ann@example.com", "-l", "warning")
    event = wait_for(lambda: [e for e in cli.get("/api/0/projects/clew/shop/events/") if e["title"] == "the cart is gone"])[0]
    assert event["user"]["id"] == "42" and {"key": "release", "value": "shop@1.0.0"} in event["tags"] and {"key": "level", "value": "warning"} in event["tags"]
    shown = cli("events", "list", "--show-user", "--show-tags", token=cli.admin)
    assert "the cart is gone" in shown and "ID: 42" in shown
    cli("events", "list", status=1)  # a build's token reads nothing
    assert [e["title"] for e in cli.get("/api/0/projects/clew/shop/events/?query=release:shop@1.0.0")] == ["the cart is gone"]
    assert {**cli.get(f"/api/0/projects/clew/shop/events/{event['eventID']}/"), "groupID": event["groupID"]} == event  # its issue is known a moment later
    assert cli.get(f"/api/0/projects/clew/shop/events/{event['eventID']}/json/")["release"] == "shop@1.0.0"
    for path in (f"web/events/{event['eventID']}/", f"web/events/{event['eventID']}/json/", "shop/events/" + "0" * 32 + "/", "shop/events/" + "0" * 32 + "/json/", "shop/events/x/"):
        assert cli.server.request("GET", "/api/0/projects/clew/" + path, token=cli.admin)[0] == 404, path


def test_an_event_makes_its_release(cli):
    cli("send-event", "-m", "first of its release", "-r", "shop@77.0", "--no-environ")
    release = wait_for(lambda: cli.releases(query="shop@77"))[0]
    assert release["first_event"] == release["last_event"] and release["project"] == "shop"
    assert "shop@77.0" in cli("releases", "list")


def test_an_event_is_read_with_the_uploaded_source_map(cli, built):
    cli("sourcemaps", "upload", built)
    written = json.loads((cli.directory / built / "app.js.map").read_text())
    debug_id = written.get("debug_id") or written["debugId"]
    frame = {"function": "a", "filename": "~/app.js", "abs_path": "https://example.com/app.js", "lineno": 3, "colno": 1}  # the first two lines are what inject wrote
    event = {"platform": "javascript", "exception": {"values": [{"type": "Error", "value": "no", "stacktrace": {"frames": [frame]}}]},
             "debug_meta": {"images": [{"type": "sourcemap", "code_file": frame["abs_path"], "debug_id": debug_id}]}}
    event_id = "5ec79c33ec9942ab8353589fcb2e04dc"
    key, project = cli.dsn.split("//")[1].split("@")[0], cli.dsn.rpartition("/")[2]
    envelope = "\n".join((json.dumps({"event_id": event_id}), json.dumps({"type": "event"}), json.dumps(event), ""))
    assert cli.server.request("POST", f"/api/{project}/envelope/?sentry_key={key}", envelope, token=None)[0] == 200
    wait_for(lambda: [e for e in cli.get("/api/0/projects/clew/shop/events/") if e["eventID"] == event_id])
    read = cli.get(f"/api/v1/events/{event_id}")["exceptions"][0]["frames"][0]
    assert (read["symbolicated"], read["line"], read["context"][0][1]) == ("sourcemap", 1, MAP["sourcesContent"][0].rstrip("\n")) and read["file"].endswith("src/app.ts"), read


def test_send_envelope(cli):
    (cli.directory / "one.envelope").write_text('{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}\n{"type":"event"}\n{"message":"enveloped"}\n')
    cli("send-envelope", "one.envelope")
    assert wait_for(lambda: cli.get("/api/0/projects/clew/shop/events/?query=enveloped"))[0]["eventID"] == "9ec79c33ec9942ab8353589fcb2e04dc"


def issue(cli, title, query=""):
    return wait_for(lambda: [i for i in cli.get(f"/api/0/projects/clew/shop/issues/?query={query}") if i["title"] == title])[0]


def test_issues_list_and_changes(cli):
    for n in range(2):
        cli("send-event", "-m", "the till is stuck", "-l", "error", "--no-environ", "-r", "shop@1.0.0")
    wait_for(lambda: issue(cli, "the till is stuck")["count"] == "2")
    one = issue(cli, "the till is stuck", "is:unresolved")
    assert one["shortId"] == f"SHOP-{one['id']}" and (one["status"], one["level"], one["project"]["slug"]) == ("unresolved", "error", "shop")
    shown = cli("issues", "list", token=cli.admin)
    assert "the till is stuck" in shown and one["shortId"] in shown
    assert "the till is stuck" in cli("issues", "list", "--query", "is:unresolved level:error till", token=cli.admin)
    assert "the till is stuck" not in cli("issues", "list", "--query", "level:fatal", token=cli.admin)
    assert {e["title"] for e in cli.get(f"/api/0/issues/{one['id']}/events/")} == {"the till is stuck"}
    status = lambda: cli.get(f"/api/0/organizations/clew/issues/{one['shortId']}/")["status"]  # noqa: E731
    cli("issues", "resolve", "-i", one["id"], status=1)  # a build's token changes none
    assert status() == "unresolved"
    cli("issues", "resolve", "-i", one["id"], token=cli.admin)
    assert status() == "resolved" and "the till is stuck" not in [i["title"] for i in cli.get("/api/0/projects/clew/shop/issues/")]
    cli("issues", "unresolve", "-i", one["id"], token=cli.admin)
    assert status() == "unresolved"
    cli("issues", "mute", "-i", one["id"], token=cli.admin)
    assert status() == "ignored"
    cli("issues", "unresolve", "--status", "muted", token=cli.admin)
    assert status() == "unresolved"
    cli("issues", "resolve", "--all", token=cli.admin)
    assert status() == "resolved" and cli.get("/api/0/projects/clew/shop/issues/") == []


def test_a_release_knows_its_new_issues(cli):
    for title in ("new one", "new two"):
        cli("send-event", "-m", title, "-r", "shop@55.0", "--no-environ")
    wait_for(lambda: cli.releases(query="shop@55") and cli.releases(query="shop@55")[0]["new_issues"] == 2)
    assert cli.release("shop@55.0")["new_issues"] == 2 and cli.release("shop@1.1.0")["new_issues"] == 0


def test_issue_changes_of_scripts(cli):
    put = lambda path, body, token=cli.admin: cli.server.request("PUT", path, json.dumps(body), {"Content-Type": "application/json"}, token=token)  # noqa: E731
    one = issue(cli, "the till is stuck")
    path = f"/api/0/issues/{one['id']}/"
    status, answer = put(path, {"status": "resolved", "statusDetails": {"inRelease": "shop@9.0"}})
    assert status == 200 and json.loads(answer)["statusDetails"] == {"inRelease": "shop@9.0"}
    status, answer = put(path, {"status": "ignored", "statusDetails": {"ignoreCount": 10, "ignoreWindow": 60}})
    assert (status, json.loads(answer)["substatus"], json.loads(answer)["statusDetails"]) == (200, "archived_until_condition_met", {"ignoreCount": 10, "ignoreWindow": 60})
    status, answer = put(path, {"status": "unresolved", "assignedTo": "user:admin", "priority": "high", "hasSeen": True})
    assert (status, json.loads(answer)["assignedTo"]["name"], json.loads(answer)["priority"]) == (200, "admin", "high")
    for bad in ({"status": "gone"}, {"priority": "huge"}, {"assignedTo": 5}, {"status": "ignored", "ignoreDuration": "soon"}, []):
        assert put(path, bad)[0] == 400, bad
    assert put(path, {"status": "resolved"}, cli.server.token("read"))[0] == 403
    web = cli.server.token("admin", project="web")
    assert put(path, {"status": "resolved"}, web)[0] == 404 and put("/api/0/organizations/clew/issues/?id=" + one["id"], {"status": "resolved"}, web)[0] == 204
    assert cli.get(path)["status"] == "unresolved" and put("/api/0/issues/WEB-" + one["id"] + "/", {"status": "resolved"})[0] == 404
    assert cli.server.request("GET", "/api/0/projects/clew/shop/issues/?query=nonsense:1", token=cli.admin)[0] == 400


def test_logs_list(cli):
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    import time
    message = logs_service_pb2.ExportLogsServiceRequest()
    for i, (text, severity) in enumerate([("paid", 9), ("declined", 17)]):
        record = message.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns() + i, severity_number=severity, trace_id=bytes(range(16)))
        record.body.string_value = text
    token = cli.server.token("ingest", project="shop")
    status, _ = cli.server.request("POST", "/v1/logs", message.SerializeToString(), {"Content-Type": "application/x-protobuf"}, token=token)
    assert status == 200
    rows = cli.get("/api/0/organizations/clew/events/?dataset=logs&field=sentry.item_id&field=severity&field=message&field=trace&query=project:shop&sort=-timestamp")["data"]
    assert [(r["message"], r["severity"], r["trace"]) for r in rows] == [("declined", "error", bytes(range(16)).hex()), ("paid", "info", bytes(range(16)).hex())]
    assert cli.get("/api/0/organizations/clew/events/?dataset=logs&field=message&query=severity:error")["data"] == [{"message": "declined"}]
    shown = cli("logs", "list", "--query", "level:error", token=cli.admin)
    assert "declined" in shown and "paid" not in shown


def test_monitors(cli):
    cli("monitors", "run", "nightly", "--", "true")
    cli("monitors", "run", "nightly", "--", "false", status=1)  # the program's own status
    wait_for(lambda: [(m["slug"], m["lastStatus"]) for m in cli.get("/api/0/organizations/clew/monitors/")] == [("nightly", "error")])
    assert "nightly" in cli("monitors", "list", token=cli.admin)
    cli("monitors", "list", status=1)


@pytest.mark.parametrize("search", ["project:nowhere", "x'y:1", "a:b" * 3 + " | limit 1", "has:", "| delete", "level:'x' or 1=1", "x " * 40])
def test_searches_of_others_cannot_become_queries(cli, search):
    import urllib.parse
    status, answer = cli.server.request("GET", "/api/0/projects/clew/shop/events/?query=" + urllib.parse.quote(search), token=cli.admin)
    assert status in (200, 400, 404) and (status != 200 or json.loads(answer) == []), (status, answer[:300])


# ---- commands that ask the server little or nothing

def test_login(cli):
    home = cli.directory / "home"
    home.mkdir()
    cli("login", "--auth-token", cli.build, env={"HOME": str(home)})
    assert cli.build in (home / ".sentryclirc").read_text()
    cli("login", "--auth-token", "clew_" + "x" * 43, status=1, env={"HOME": str(home)})


def test_react_native_gradle(cli, built):
    before = len(uploads(cli, 1))
    cli("react-native", "gradle", "--bundle", "dist/app.js", "--sourcemap", "dist/app.js.map", "--release", "shop@native", "--dist", "12")
    bundles = uploads(cli, 1)
    assert len(bundles) == before + 1 and (bundles[-1]["version"], bundles[-1]["dist"]) == ("shop@native", "12")


def test_commands_that_ask_no_server(cli, built):
    program = cli.directory / "local-program"
    program.write_bytes(pathlib.Path("/bin/true").read_bytes())
    assert "sentry-cli" in cli("completions", "bash")
    debug_id = cli("debug-files", "check", "local-program").split("Debug ID:")[1].split()[0].strip("\x1b[m")
    cli("debug-files", "find", "--path", str(cli.directory), "--no-cwd", "--no-well-known", debug_id)
    cli("debug-files", "print-sources", "local-program")
    cli("debug-files", "bundle-sources", "local-program")
    cli("sourcemaps", "resolve", "dist/app.js.map", "--line", "1", "--column", "1")


def commands_of(binary, *words):
    """Each command that the tool's help lists, without those that only have others below them."""
    told = subprocess.run([str(binary), *words, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20).stdout
    below = re.findall(r"^  ([a-z][a-z-]*)(?= )", told.partition("\nCommands:\n")[2].partition("\n\n")[0], re.M)
    if not below:
        return [" ".join(words)]
    return [command for name in below if name != "help" for command in commands_of(binary, *words, name)]


def test_the_table_of_commands_is_true(cli, request):
    """docs/sentry-cli.md names what the tool's help names; of what it says to end with a status, some test of this file saw it do so."""
    text = (HERE.parents[1] / "docs/sentry-cli.md").read_text()
    assert subprocess.run([str(BINARIES[cli.major]), "--version"], capture_output=True, text=True, timeout=20).stdout.split()[1] in text
    rows = re.findall(r"^\| `([a-z -]+)` \| (\S+) \| (\S+) \|", text, re.M)
    told = {command: three if cli.major == "3" else two for command, three, two in rows}
    assert sorted(command for command, status in told.items() if status != "-") == sorted(commands_of(BINARIES[cli.major]))
    if request.config.getoption("keyword") or any("::" in word for word in request.config.args):
        return  # only some of the tests ran
    for command, status in told.items():
        words = tuple(command.split())
        seen = {code for ran, codes in cli.ran.items() if ran[:len(words)] == words for code in codes}
        assert status in ("-", "local") or int(status) in seen and (status == "0" or 0 not in seen), (command, status, seen)
