"""Every path of the API's description: closed without a key, and blind to other projects for a caller of one."""
import json
import time
import urllib.parse
import uuid

import pytest

import harness
from live_agent import Agent, enrol, process

JSON = {"Content-Type": "application/json"}
METHODS = ("get", "post", "put", "patch", "delete")
MARK = "zebrafinch"  # in everything that the other project holds
EVENT, TRACE = "c0ffee00" * 4, "0af7651916cd43dd8448eb211c80319c"
VERSION = f"{MARK}@1.0.0"
LIVE = {"probes": "p1", "agents": "a1", "snapshots": "0" * 32}  # the snapshot's is known when it is there


def operations():
    described = json.loads((harness.ROOT / "docs/openapi.json").read_text())
    for path, methods in described["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def builds(path):
    """What a build's token, which may only send, needs of the API of sentry-cli: names and releases; never what was sent."""
    return path.startswith("/api/0/") and not any(part in path for part in ("/events/", "/issues/", "/keys/", "/monitors/", "/sessions/"))


CLOSED = [(method, path) for method, path, op in operations() if {} not in op["security"]]


def fill(path, project="theirs", issue="1", number="1"):
    """The path with what is theirs in its braces."""
    values = {"slug": project, "project": project, "organization": "clew", "issue": issue, "event": EVENT, "version": VERSION, "file": number, "login": "admin", "comment": number, "service": MARK, "build": number, "snapshot": number, "ticket": number,
              "scope": "org=1;project=1", "key_organization": "1", "key_project": "1", "hash": "a" * 64}
    live = next((i for prefix, i in LIVE.items() if f"/{prefix}/{{id}}" in path), None)
    if live:
        values["id"] = live
    elif "/events/{id}" in path:
        values["id"] = EVENT
    elif "/traces/{id}" in path:
        values["id"] = TRACE
    elif "/issues/{id}" in path:
        values["id"] = issue
    else:
        values["id"] = number
    for name, value in values.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
    assert "{" not in path, path
    return path


def test_no_path_is_open(clew):
    ingest = clew.token("ingest")
    for method, path in CLOSED:
        for token, wanted in ((None, (401,)), ("nonsense", (401,)), (ingest, (401, 403))):
            status, answer = clew.request(method, fill(path), None if method == "GET" else "{}", JSON, token=token)
            # A link that is its own key: a wrong one is forbidden, whoever follows it.
            assert status in wanted or (path.endswith("/{ticket}/") and status == 403) or (path.startswith(("/api/v1/me", "/api/v1/session")) and token == ingest) or (builds(path) and token == ingest and status < 500), (method, path, token, status, answer[:200])


def test_a_token_that_reads_changes_nothing(clew):
    reader = clew.token("read")
    for method, path in CLOSED:
        if method == "GET" or path in ("/api/v1/query", "/api/v1/probes/check") or path.endswith("/preview") or path.startswith(("/api/v1/me", "/api/v1/session")):
            continue
        status, answer = clew.request(method, fill(path, project="default"), "{}", JSON, token=reader)
        assert status in (401, 403), (method, path, status, answer[:200])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The project `theirs` has one of everything, `mine` nothing."""
    made = harness.Server(tmp_path_factory.mktemp("fenced") / "data")
    made.start()
    for slug in ("mine", "theirs"):
        made.cli("project", "add", slug)
    dsn = made.cli("project", "dsn", "theirs").strip()
    key, number = dsn.split("//")[1].split("@")[0], dsn.rpartition("/")[2]
    made.admin = made.token("admin", "read", "values")
    made.mine = made.token("admin", "read", "values", "probe", "probe_prod", project="mine")
    frames = [{"function": MARK, "module": MARK, "filename": MARK + ".py", "lineno": 3, "in_app": True, "vars": {"a": MARK}}]
    event = {"event_id": EVENT, "platform": "python", "release": VERSION, "environment": MARK, "server_name": MARK, "user": {"id": MARK}, "tags": {MARK: MARK}, "contexts": {"trace": {"trace_id": TRACE, "span_id": "00000000000000a1"}},
             "exception": {"values": [{"type": MARK + "Error", "value": MARK, "stacktrace": {"frames": frames}}]}}
    transaction = {"type": "transaction", "transaction": MARK, "release": VERSION, "contexts": {"trace": {"trace_id": TRACE, "span_id": "00000000000000a1", "op": MARK}}, "start_timestamp": time.time() - 1, "timestamp": time.time(), "spans": []}
    check = {"check_in_id": uuid.uuid4().hex, "monitor_slug": MARK, "status": "error", "monitor_config": {"schedule": {"type": "interval", "value": 1, "unit": "day"}}}
    items = [({"type": "event"}, json.dumps(event)), ({"type": "attachment", "filename": MARK + ".txt"}, MARK), ({"type": "check_in"}, json.dumps(check)),
             ({"type": "user_report"}, json.dumps({"event_id": EVENT, "name": MARK, "email": MARK + "@example.org", "comments": MARK}))]
    for wanted in (items, [({"type": "transaction"}, json.dumps(transaction))]):
        body = "{}\n" + "".join(json.dumps({**head, "length": len(data)}) + "\n" + data + "\n" for head, data in wanted)
        status, answer = made.request("POST", f"/api/{number}/envelope/?sentry_key={key}", body, token=None)
        assert status == 200, answer
    rule = {"name": MARK, "project": "theirs", "when": [{"kind": "new"}], "channels": []}
    assert made.request("POST", "/api/v1/alerts/rules", json.dumps(rule), JSON, token=made.admin)[0] == 201
    made.probes = made.token("read", "values", "probe")
    place = {"project": "theirs", "service": MARK, "where": {"file": MARK + ".py", "line": 3}}
    status, answer = made.request("POST", "/api/v1/probes", json.dumps(place), JSON, token=made.probes)
    assert status == 201, answer
    agent = Agent(made, enrol(made, MARK, made.admin)[1]["secret"], MARK, processes=[process(service=MARK)])
    agent.desired(json.loads(answer)["id"])
    agent.send(agent.capture(json.loads(answer)["id"], trace=TRACE, span="00000000000000a1"))
    agent.wait("ack")
    LIVE["snapshots"] = json.loads(made.request("GET", "/api/v1/snapshots", token=made.admin)[1])["snapshots"][0]["id"]
    release = {"version": VERSION, "projects": ["theirs"], "commits": [{"id": "a" * 40, "message": MARK, "author_name": MARK, "author_email": MARK + "@example.org"}]}
    assert made.request("POST", "/api/0/organizations/clew/releases/", json.dumps(release), JSON, token=made.admin)[0] in (200, 201)
    for _ in range(1000):
        if snapshot(made)["monitors"] and len(snapshot(made)["issues"]) == 2:
            break
        time.sleep(0.05)
    made.request("POST", "/api/v1/issues/1/comments", json.dumps({"text": MARK}), JSON, token=made.admin)
    yield made
    agent.close()
    assert made.stop() == 0
    assert not made.complaints(), made.log()[-4000:]


def snapshot(server):
    """What others could have changed."""
    get = lambda path: json.loads(server.request("GET", path, token=server.admin)[1])  # noqa: E731
    issues = get("/api/v1/issues")["issues"]
    return {"probes": [(p["id"], p["revision"], p["state"]) for p in get("/api/v1/probes")["probes"]], "agents": [a["id"] for a in get("/api/v1/agents")["agents"]], "issues": sorted((i["id"], i["state"], i.get("priority"), i.get("assignee", {}).get("name"), i["hashes"]) for i in issues), "monitors": [(m["slug"], m["muted"], m["margin_s"]) for m in get("/api/v1/monitors")["monitors"]],
            "rules": [(r["id"], r["name"], r["enabled"], r.get("snoozed_until")) for r in get("/api/v1/alerts/rules")["rules"]], "releases": [(r["version"], r["commits"], len(r["deploys"])) for r in get("/api/v1/releases")["releases"]],
            "comments": [a["text"] for a in get("/api/v1/issues/1")["activity"] if a["kind"] == "comment"], "projects": sorted(p["slug"] for p in get("/api/v1/projects")["projects"])}


def test_what_there_is_can_be_seen_by_who_may(server):
    """Or the other tests would find nothing because there is nothing."""
    for path in ("/api/v1/issues", "/api/v1/issues/1", f"/api/v1/events/{EVENT}", "/api/v1/monitors", "/api/v1/alerts/rules", "/api/v1/releases", f"/api/v1/events/{EVENT}/attachments", "/api/v1/artifacts/1", f"/api/v1/traces/{TRACE}", "/api/0/organizations/clew/releases/", "/api/0/issues/1/", "/api/v1/probes", "/api/v1/probes/p1", "/api/v1/snapshots", f"/api/v1/snapshots/{LIVE['snapshots']}"):
        status, answer = server.request("GET", path, token=server.admin)
        assert status == 200 and MARK.encode() in answer, (path, status, answer[:300])


def test_nothing_of_another_project_is_seen(server):
    for method, path in CLOSED:
        if method != "GET" or path == "/api/v1/tail":
            continue
        for project, issue, number in (("theirs", "1", "1"), ("theirs", "THEIRS-1", "1"), ("mine", "THEIRS-2", "2"), ("mine", "MINE-1", "1")):
            for more in ("", "?project=theirs", "?field=release&source=events"):
                filled = fill(path, project, issue, number)
                status, answer = server.request("GET", filled + more, token=server.mine)
                named = answer.decode(errors="replace").replace(VERSION, "").replace("filled", "") if status >= 400 else answer.decode(errors="replace")
                assert MARK not in named and status < 500, (filled + more, status, answer[:300])
    for text in ("events", "issues", "checks", "spans", "logs", "snapshots", f"snapshots probe=p1", f"events {MARK}", "events project=theirs", f"events issue=THEIRS-1", "issues id=1"):
        status, answer = server.request("POST", "/api/v1/query", json.dumps({"query": text}), JSON, token=server.mine)
        # The query itself is said back.
        assert (MARK.encode() not in answer.replace(text.encode(), b"") or status >= 400) and status < 500, (text, answer[:300])


def test_nothing_of_another_project_is_changed(server):
    before = snapshot(server)
    assert before["comments"] == [MARK] and len(before["probes"]) == len(before["agents"]) == 1 and before["rules"] and before["releases"] and before["monitors"]
    bodies = [{}, {"ids": [1, "THEIRS-2"], "state": "resolved", "priority": "high", "status": "resolved", "text": "x", "hashes": ["a" * 32], "for_s": 60, "muted": True, "margin_s": 5, "slug": "taken", "name": "taken", "version": VERSION, "projects": ["theirs"],
                   "project": "theirs", "environment": "prod", "when": [{"kind": "new"}], "channels": [], "commits": [{"id": "b" * 40}], "dateReleased": "2026-01-01T00:00:00Z", "checksum": "a" * 40, "chunks": []}]
    for method, path in CLOSED:
        if method == "GET" or path.startswith(("/api/v1/session", "/api/v1/me", "/api/v1/query")):
            continue
        for body in bodies:
            for issue in ("1", "THEIRS-1"):
                query = "?id=1&id=2" if path.endswith("/issues/") else ""
                status, answer = server.request(method, fill(path, issue=issue) + query, json.dumps(body), JSON, token=server.mine)
                assert status < 500 and MARK.encode() not in answer.replace(VERSION.encode(), b""), (method, path, body, status, answer[:300])
    assert snapshot(server) == before
