"""Jobs that check in, late ones, missed ones, those that fail or never end: each is a monitor's check, and an issue when it is trouble."""
import json
import subprocess
import sys
import time
import uuid

import pytest

import harness
from harness import eventually

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = harness.Server(tmp_path_factory.mktemp("monitors") / "data")
    made.start()
    made.admin = made.token("admin", "read")
    made.dsn = made.cli("project", "dsn", "default").strip()
    yield made
    assert made.stop() == 0 and not made.complaints()


def key_of(server):
    return server.dsn.split("//")[1].split("@")[0]


def check_in(server, slug, status, id=None, config=None, **more):
    item = {"check_in_id": id or uuid.uuid4().hex, "monitor_slug": slug, "status": status, **more}
    if config:
        item["monitor_config"] = config
    body = "{}\n" + json.dumps({"type": "check_in"}) + "\n" + json.dumps(item) + "\n"
    status, answer = server.request("POST", f"/api/1/envelope/?sentry_key={key_of(server)}", body, token=None)
    assert status == 200, answer
    return item["check_in_id"]


def ask(server, method, path, body=None, expect=200, token=None):
    status, answer = server.request(method, f"/api/v1/monitors{path}", json.dumps(body) if body is not None else None, JSON, token=token or server.admin)
    assert status == expect, (method, path, status, answer[:500])
    return json.loads(answer) if answer else None


def monitor(server, slug):
    return [m for m in ask(server, "GET", "")["monitors"] if m["slug"] == slug][0]


def slug():
    return f"job-{uuid.uuid4().hex[:8]}"


HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "timezone": "Europe/Berlin", "checkin_margin": 2, "max_runtime": 10}


def test_a_job_makes_its_monitor(server):
    name = slug()
    id = check_in(server, name, "in_progress", config=HOURLY, environment="production")
    eventually(lambda: monitor(server, name))
    check_in(server, name, "ok", id=id, duration=1.5, environment="production")

    def ended():
        made = monitor(server, name)
        assert made["schedule"] == {"type": "crontab", "value": "0 * * * *", "timezone": "Europe/Berlin"}
        assert (made["margin_s"], made["max_runtime_s"]) == (120, 600)
        [where] = made["environments"]
        assert (where["environment"], where["status"], where["duration"], where["counts"]["ok"]) == ("production", "ok", 1500000000, 1)
        assert [(c["id"], c["status"]) for c in where["checks"]] == [(id, "ok")]
        assert where["next"].endswith(":00:00.000000000Z")
        return made
    made = eventually(ended)
    rows, _ = server.query(f"checks name={name}")
    assert sorted(row["status"] for row in rows) == ["ok", "running"]
    assert ask(server, "GET", f"/{made['id']}/checks")["checks"][0]["id"] == id


def test_a_job_that_fails_is_an_issue_until_it_does_not(server):
    name = slug()
    for _ in range(2):
        check_in(server, name, "error", config=HOURLY)

    def failing():
        [where] = monitor(server, name)["environments"]
        assert where["failing_since"] and where["failures"] == 2 and where["issue"]
        status, answer = server.request("GET", f"/api/v1/issues/{where['issue']}")
        issue = json.loads(answer)
        assert status == 200 and issue["events"] == 2 and issue["state"] == "new" and issue["title"] == f"Monitor failure: {name}"
        return where["issue"]
    number = eventually(failing)
    check_in(server, name, "ok", config=HOURLY)

    def resolved():
        [where] = monitor(server, name)["environments"]
        assert "failing_since" not in where
        assert json.loads(server.request("GET", f"/api/v1/issues/{number}")[1])["state"] == "resolved"
    eventually(resolved)
    check_in(server, name, "error", config=HOURLY)

    def back():
        assert json.loads(server.request("GET", f"/api/v1/issues/{number}")[1])["state"] == "regressed"
    eventually(back)


def test_thresholds(server):
    name, config = slug(), {**HOURLY, "failure_issue_threshold": 3}
    for _ in range(2):
        check_in(server, name, "error", config=config)

    def two():
        assert monitor(server, name)["environments"][0]["counts"]["error"] == 2
    eventually(two)
    assert "failing_since" not in monitor(server, name)["environments"][0]
    check_in(server, name, "error", config=config)
    eventually(lambda: monitor(server, name)["environments"][0]["failing_since"])


def test_environments_are_apart(server):
    name = slug()
    check_in(server, name, "ok", config=HOURLY, environment="production")
    check_in(server, name, "error", environment="staging")

    def apart():
        assert {e["environment"]: e["status"] for e in monitor(server, name)["environments"]} == {"production": "ok", "staging": "error"}
    eventually(apart)


def test_issues_of_two_monitors_are_never_similar(server):
    """Their words are the same; what failed is not."""
    names = [slug(), slug()]
    for name in names:
        check_in(server, name, "error", config=HOURLY)

    def both():
        return [monitor(server, name)["environments"][0]["issue"] for name in names]
    for number in eventually(both):
        status, answer = server.request("GET", f"/api/v1/issues/{number}/similar")
        assert (status, json.loads(answer)["similar"]) == (200, [])


def test_a_missed_job_and_one_that_never_ends(server):
    """The shortest that can be missed: due every minute, no margin."""
    missed, endless = slug(), slug()
    check_in(server, missed, "ok", config={"schedule": {"type": "interval", "value": 1, "unit": "minute"}, "checkin_margin": 0})
    check_in(server, endless, "in_progress", config={"schedule": {"type": "interval", "value": 1, "unit": "day"}, "max_runtime": 1})

    def told():
        late, hung = (monitor(server, name)["environments"][0] for name in (missed, endless))
        assert (late["status"], hung["status"]) == ("missed", "timeout")
        assert late["issue"] and hung["issue"]
    eventually(told, 180)
    rows, _ = server.query(f"checks name={missed} status=missed")
    assert rows and all(row["expected"] == row["time"] for row in rows)
    assert len({row["expected"] for row in rows}) == len(rows)  # once a minute


def test_a_monitor_by_hand(server):
    name = slug()
    made = ask(server, "POST", "", {"project": "default", "slug": name, "name": "Nightly", "schedule": {"type": "interval", "every": 1, "unit": "day"}}, 201)
    assert [(one["environment"], one["status"], "next" in one) for one in made["environments"]] == [("production", "waiting", True)] and made["margin_s"] == 60
    changed = ask(server, "PATCH", f"/{made['id']}", {"schedule": {"type": "crontab", "value": "@daily", "timezone": "UTC"}, "muted": True})
    assert changed["schedule"]["value"] == "@daily" and changed["muted"] and changed["name"] == "Nightly"
    check_in(server, name, "error")

    def failed():
        assert monitor(server, name)["environments"][0]["status"] == "error"
    eventually(failed)
    time.sleep(1)
    assert "issue" not in monitor(server, name)["environments"][0]  # muted
    ask(server, "DELETE", f"/{made['id']}", expect=204)
    ask(server, "GET", f"/{made['id']}", expect=404)


def test_a_job_that_never_begins_is_missed(server):
    """Described by hand, and nobody checks in; the first to do so says where it runs."""
    name, other = slug(), slug()
    every = {"type": "interval", "every": 1, "unit": "minute"}
    ask(server, "POST", "", {"project": "default", "slug": name, "schedule": every, "margin_s": 0}, 201)
    ask(server, "POST", "", {"project": "default", "slug": other, "schedule": {**every, "unit": "day"}}, 201)
    check_in(server, other, "ok", environment="staging")

    def renamed():
        environments = monitor(server, other)["environments"]
        assert [(one["environment"], one["status"]) for one in environments] == [("staging", "ok")]
    eventually(renamed)

    def missed():
        late = monitor(server, name)["environments"][0]
        assert (late["environment"], late["status"]) == ("production", "missed") and late["issue"]
    eventually(missed, 180)
    check_in(server, name, "ok", environment="staging")

    def over():
        (now,) = monitor(server, name)["environments"]
        assert (now["environment"], now["status"]) == ("staging", "ok") and "failing_since" not in now
    eventually(over)


def test_what_is_wrong_is_said(server):
    for body, place in (({"slug": "Not A Slug"}, "slug"), ({"slug": "x", "schedule": {"type": "crontab", "value": "61 * * * *"}}, "schedule"),
                        ({"slug": "x", "schedule": {"type": "interval", "every": 0, "unit": "day"}}, "schedule"),
                        ({"slug": "x", "schedule": {"type": "crontab", "value": "0 0 30 2 *"}}, "schedule"),
                        ({"slug": "x", "schedule": {"type": "crontab", "value": "@daily", "timezone": "Mars/Olympus"}}, "schedule"),
                        ({"slug": "x", "max_runtime_s": 0}, "max_runtime_s")):
        answer = ask(server, "POST", "", {"project": "default", **body}, 400)
        assert answer["error"]["place"] == place, answer
    reader = server.token("read")
    ask(server, "POST", "", {"project": "default", "slug": "x"}, 403, token=reader)


@pytest.mark.parametrize("config, said", [
    ({**HOURLY, "timezone": "Mars/Olympus"}, ["there is no time zone", "Mars/Olympus", "Europe/Berlin"]),
    ({"schedule": {"type": "crontab", "value": "61 * * * *"}}, ["61 * * * *", "is no schedule", "five fields"]),
    ({"schedule": {"type": "interval", "value": 0, "unit": "hour"}}, ["interval"]),
    ({"schedule": "hourly"}, ["schedule"]),
    ({**HOURLY, "timezone": "\u05d0" * 200}, ["schedule is too long"]),
])
def test_a_configuration_that_cannot_be_is_said(server, config, said):
    name = slug()
    id = check_in(server, name, "ok", config=config)

    def seen():
        made = monitor(server, name)
        assert "schedule" not in made and all(word in made["trouble"] for word in said), made
        assert [check["id"] for check in made["environments"][0]["checks"]] == [id]
        return made
    made = eventually(seen)
    status, answer = server.request("GET", "/api/0/organizations/clew/monitors/", token=server.admin)
    assert status == 200 and [one["trouble"] for one in json.loads(answer) if one["slug"] == name] == [made["trouble"]]

    check_in(server, name, "ok")  # says nothing about it
    ask(server, "PATCH", f"/{made['id']}", {"muted": True})

    def both():
        assert len(monitor(server, name)["environments"][0]["checks"]) == 2
    eventually(both)
    assert monitor(server, name)["trouble"] == made["trouble"]

    check_in(server, name, "ok", config=HOURLY)

    def good():
        mended = monitor(server, name)
        assert "trouble" not in mended and mended["schedule"]["value"] == "0 * * * *" and mended["muted"]
    eventually(good)

    check_in(server, name, "ok", config=config)

    def kept():  # the schedule from before stays
        broken = monitor(server, name)
        assert broken["trouble"] == made["trouble"] and broken["schedule"]["value"] == "0 * * * *"
    eventually(kept)
    check_in(server, name, "ok", config=HOURLY)  # the same as before
    eventually(good)
    check_in(server, name, "ok", config=config)
    eventually(kept)
    by_hand = {"type": "interval", "every": 2, "unit": "hour"}
    assert "trouble" not in ask(server, "PATCH", f"/{made['id']}", {"schedule": by_hand})


def test_nothing_is_counted_twice_over_a_kill(server):
    name = slug()
    for n in range(3):
        check_in(server, name, "error", config=HOURLY)
        server.kill()
        server.start()

    def once():
        [where] = monitor(server, name)["environments"]
        assert where["failures"] == 3 and where["counts"]["error"] == 3
        assert json.loads(server.request("GET", f"/api/v1/issues/{where['issue']}")[1])["total_events"] == 3
    eventually(once)
    time.sleep(1)
    once()


def test_the_sdk_s_decorator(server):
    name = slug()
    program = f"""
import sentry_sdk
from sentry_sdk.crons import monitor
sentry_sdk.init({server.dsn!r}, environment="production")
@monitor(monitor_slug={name!r}, monitor_config={HOURLY!r})
def work(fail):
    if fail:
        raise ValueError("no")
work(False)
try:
    work(True)
except ValueError:
    pass
sentry_sdk.flush()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    def both():
        [where] = monitor(server, name)["environments"]
        assert [c["status"] for c in where["checks"]] == ["error", "ok"] and where["failing_since"]
    eventually(both)


def test_curl(server):
    name = slug()
    status, answer = server.request("GET", f"/api/1/cron/{name}/{key_of(server)}/?status=ok", token=None)
    assert status in (200, 202), answer

    def came():
        assert monitor(server, name)["environments"][0]["status"] == "ok"
    eventually(came)
    assert "schedule" not in monitor(server, name)
