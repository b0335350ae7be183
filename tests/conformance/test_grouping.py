"""Which events become one issue: as they arrive, by rules of the project, and what other rules would make of them."""
import json
import time
import uuid

import pytest

from openapi import described, matches

JSON = {"Content-Type": "application/json"}
RULES = "/api/v1/projects/{slug}/grouping"


def ask(server, method, template, body=None, expect=200, token="read", **where):
    status, answer = server.request(method, template.format(**where), None if body is None else json.dumps(body), JSON if body is not None else None, token=token)
    assert status == expect, answer[:500]
    value = json.loads(answer)
    matches(described(method, template, status), value)
    return value


def event(value, function="total", **more):
    frames = [{"function": "main", "module": "shop.app", "filename": "app.py", "lineno": 2, "in_app": True},
              {"function": function, "module": "shop.cart", "filename": "cart.py", "lineno": 42, "in_app": True}]
    return {"event_id": uuid.uuid4().hex, "timestamp": time.time(), "platform": "python",
            "exception": {"values": [{"type": "CartError", "value": value, "stacktrace": {"frames": frames}}]}, **more}


def send(server, dsn, sent):
    key, project = dsn.split("//")[1].split("@")[0], dsn.rsplit("/", 1)[1]
    status, answer = server.request("POST", f"/api/{project}/store/?sentry_key={key}", json.dumps(sent), token=None)
    assert status == 200, answer
    return sent["event_id"]


@pytest.fixture(scope="module")
def shop(clew):
    clew.cli("project", "add", "grouped")
    return clew


def stored(server, event_id):
    rows, _ = server.query(f'events event_id="{event_id}" | select group, groups, title')
    return rows[0]


def test_numbers_make_no_groups_and_frames_do(shop):
    dsn = shop.cli("project", "dsn", "grouped").strip()
    one, two = (stored(shop, send(shop, dsn, event(f"no price for item {n}"))) for n in (7, 12345))
    other = stored(shop, send(shop, dsn, event("no price for item 7", function="discount")))
    assert one["group"] == two["group"] and len(one["group"]) == 32
    assert other["group"] != one["group"]
    without = [stored(shop, send(shop, dsn, {"event_id": uuid.uuid4().hex, "timestamp": time.time(), "message": m})) for m in ("took 5ms", "took 1200ms", "gave up")]
    assert without[0]["group"] == without[1]["group"] != without[2]["group"]


def test_the_sdk_and_the_explanation_agree(shop):
    dsn = shop.cli("project", "dsn", "grouped").strip()
    sent = send(shop, dsn, event("x", fingerprint=["{{ default }}", "checkout"]))
    shown = ask(shop, "GET", "/api/v1/events/{id}", id=sent)
    assert shown["grouping"]["algorithm"] == "newstyle:2026-01-20"
    assert stored(shop, sent)["group"] in [v["hash"] for v in shown["grouping"]["variants"] if v["contributes"]]


def test_rules_are_previewed_and_then_hold(shop):
    admin, dsn = shop.token("admin,read"), shop.cli("project", "dsn", "grouped").strip()
    before = ask(shop, "GET", RULES, slug="grouped")
    assert before["fingerprint"] == before["stack"] == "" and "changed" not in before
    for function in ("left", "right"):
        for n in range(3):
            send(shop, dsn, event(f"sum {n}", function=function))
    rules = {"fingerprint": 'type:CartError value:"sum *" -> cart title="Cart: {{ error.value }}"'}
    seen = ask(shop, "POST", RULES + "/preview", rules, slug="grouped")
    assert seen["events"] >= 11 and seen["changed"] == 6 and not seen["partial"] and seen["unreadable"] == 0
    assert seen["groups_before"] == seen["groups_after"] + 1 and seen["split"] == []
    (merged,) = seen["merged"]
    assert merged["events"] == 6 and sorted(part["events"] for part in merged["from"]) == [3, 3] and merged["title"].startswith("Cart: sum")
    assert len(seen["examples"]) == 6 and all(x["after"] == merged["group"] for x in seen["examples"])
    assert ask(shop, "GET", RULES, slug="grouped") == before, "a preview changes nothing"

    set_ = ask(shop, "PUT", RULES, rules, 200, admin, slug="grouped")
    assert set_["fingerprint"] == rules["fingerprint"] and set_["changed_by"].startswith("token:")
    row = stored(shop, send(shop, dsn, event("sum 9", function="left")))
    assert row["group"] == merged["group"] and row["title"] == "Cart: sum 9"
    other = stored(shop, send(shop, shop.cli("project", "dsn", "default").strip(), event("sum 9", function="left")))
    assert other["group"] != row["group"], "another project has other rules"

    # The other way round: without the rule the group falls apart again; the text that is left out stays.
    seen = ask(shop, "POST", RULES + "/preview", {"fingerprint": ""}, slug="grouped")
    (split,) = seen["split"]
    assert split["group"] == merged["group"] and sorted(part["events"] for part in split["into"]) == [3, 4]
    both = ask(shop, "PUT", RULES, {"stack": "function:main -app"}, 200, admin, slug="grouped")
    assert both["fingerprint"] == rules["fingerprint"] and both["stack"] == "function:main -app"
    shown = ask(shop, "GET", "/api/v1/events/{id}", id=send(shop, dsn, event("sum 9")))
    assert [f["in_app"] for f in shown["exceptions"][0]["frames"]] == [True, False], "a rule says which frames are the application's"
    entries = json.loads(shop.request("GET", "/api/v1/audit", token=admin)[1])["entries"]
    assert [e["target"] for e in entries if e["action"] == "project.grouping"] == ["grouped", "grouped"]
    ask(shop, "PUT", RULES, {"fingerprint": "", "stack": ""}, 200, admin, slug="grouped")


def test_what_is_wrong_is_said_with_its_place(shop):
    admin = shop.token("admin,read")
    for body, place, line in (({"fingerprint": "# fine\ntype:A -> a\ntype:B b"}, "fingerprint", 3), ({"stack": "\nnonsense"}, "stack", 2), ({"stack": "function:f +nothing"}, "stack", 1)):
        for method, path, token in (("PUT", RULES, admin), ("POST", RULES + "/preview", "read")):
            error = ask(shop, method, path, body, 400, token, slug="grouped")["error"]
            assert error["place"] == place and error["line"] == line and error["column"] >= 1 and error["message"], error
    ask(shop, "PUT", RULES, {"stack": "#" * (64 << 10) + "#"}, 422, admin, slug="grouped")
    ask(shop, "PUT", RULES, {"rules": ""}, 400, admin, slug="grouped")
    ask(shop, "PUT", RULES, {}, 404, admin, slug="nowhere")
    ask(shop, "PUT", RULES, {}, 403, "read", slug="grouped")
