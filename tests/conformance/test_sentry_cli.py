"""The unmodified sentry-cli, both majors: each command ends with status 0 and leaves the state that it says."""
import json
import os
import pathlib
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

    def __call__(self, *words, token=None, status=0, env=None):
        run = subprocess.run([str(BINARIES[self.major]), *words], cwd=self.directory, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                             env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "SENTRY_URL": self.server.url, "SENTRY_ORG": "clew", "SENTRY_PROJECT": "shop",
                                  "SENTRY_AUTH_TOKEN": token or self.build, "SENTRY_DSN": self.dsn, "SENTRY_LOG_LEVEL": "warn", "SENTRY_DISABLE_UPDATE_CHECK": "1", **(env or {})})
        assert run.returncode == status, (words, run.returncode, run.stdout[-2000:], run.stderr[-2000:])
        return run.stdout

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


def test_archive_and_restore(cli):
    cli("releases", "archive", "shop@1.0.1")
    assert cli.release("shop@1.0.1")["status"] == "archived" and "shop@1.0.1" not in [r["version"] for r in cli.releases()]
    cli("releases", "restore", "shop@1.0.1")
    assert cli.release("shop@1.0.1")["status"] == "open"


def test_deploys(cli):
    if cli.major == "3":
        cli("deploys", "new", "-r", "shop@1.0.0", "-e", "prod", "-n", "first", "-t", "60")
        assert "prod" in cli("deploys", "list", "-r", "shop@1.0.0")
    else:
        cli("releases", "deploys", "shop@1.0.0", "new", "-e", "prod", "-n", "first", "-t", "60")
        assert "prod" in cli("releases", "deploys", "shop@1.0.0", "list")
    assert [(d["environment"], d["name"]) for d in cli.release("shop@1.0.0")["deploys"]] == [("prod", "first")]


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
