"""Error events as the API shows them: one shape, whatever the SDK sent."""
import json
import time

import pytest

import harness
from openapi import described, matches

ID = "0f3b5c1a6b7d4c0e9a8f112233445566"
NOW = time.time()
SENT = {
    "event_id": ID, "timestamp": NOW, "level": "fatal", "platform": "python", "release": "web@5.12.0", "environment": "prod", "transaction": "checkout",
    "sdk": {"name": "sentry.python", "version": "2.1"}, "logger": "shop.cart", "dist": "7",
    "exception": {"values": [
        {"type": "KeyError", "value": "'sku'", "stacktrace": {"frames": [{"function": "get", "filename": "db.py", "lineno": 3, "in_app": False}]}},
        {"type": "CartError", "value": "no price\nsecond line", "module": "shop", "mechanism": {"type": "wsgi", "handled": False}, "stacktrace": {"frames": [
            {"function": "main", "filename": "app.py", "lineno": 2, "in_app": True},
            {"function": "total", "filename": "cart.py", "abs_path": "/srv/cart.py", "module": "shop.cart", "lineno": 42, "colno": 7, "in_app": True,
             "pre_context": ["a", "b"], "context_line": "  raise CartError", "post_context": ["c"], "vars": {"price": 129.5, "big": 12345678901234567890, "name": "x\u0000\u2028"}},
        ]}},
    ]},
    "breadcrumbs": {"values": [{"timestamp": NOW - 1, "category": "late", "message": "second"}, {"timestamp": NOW - 5, "category": "early", "data": {"url": "/a"}}]},
    "tags": [["a", "1"], ["b", "two"], ["broken"]], "contexts": {"os": {"name": "Linux"}}, "extra": {"order": 7}, "user": {"id": "u1", "ip_address": "{{auto}}"},
    "request": {"url": "http://shop/cart", "method": "POST", "headers": [["Accept", "*/*"], ["X", "y"]], "query_string": "a=1", "cookies": [["sid", "1"]]}, "modules": {"flask": "3.0"},
}


def send(server, dsn, event):
    key, project = dsn.split("//")[1].split("@")[0], dsn.rsplit("/", 1)[1]
    status, answer = server.request("POST", f"/api/{project}/store/?sentry_key={key}", json.dumps(event), token=None)
    assert status == 200, answer


def get(server, path, expect=200, token="read", template="/api/v1/events/{id}"):
    status, answer = server.request("GET", path, token=token)
    assert status == expect, answer[:500]
    value = json.loads(answer)
    matches(described("GET", template, status), value)
    return value


@pytest.fixture(scope="module")
def sent(clew):
    send(clew, clew.cli("project", "dsn", "default").strip(), SENT)
    return clew


def test_an_event_in_one_shape(sent):
    event = get(sent, f"/api/v1/events/{ID}", token=sent.token("read", "values"))
    assert (event["event_id"], event["project"], event["title"], event["level"], event["handled"]) == (ID, "default", "CartError: no price", "fatal", False)
    assert (event["release"], event["environment"], event["logger"], event["dist"], event["culprit"]) == ("web@5.12.0", "prod", "shop.cart", "7", "checkout")
    assert [x["type"] for x in event["exceptions"]] == ["CartError", "KeyError"], "outermost first"
    outer = event["exceptions"][0]
    assert outer["mechanism"] == {"type": "wsgi", "handled": False} and [f["function"] for f in outer["frames"]] == ["total", "main"], "innermost first"
    frame = outer["frames"][0]
    assert (frame["file"], frame["abs_path"], frame["module"], frame["line"], frame["column"], frame["in_app"]) == ("cart.py", "/srv/cart.py", "shop.cart", 42, 7, True)
    assert frame["context"] == [[40, "a"], [41, "b"], [42, "  raise CartError"], [43, "c"]]
    assert frame["vars"] == {"price": 129.5, "big": "12345678901234567890", "name": "x\u0000\u2028"}
    assert [b["category"] for b in event["breadcrumbs"]] == ["early", "late"] and event["breadcrumbs"][0]["data"] == {"url": "/a"}
    assert event["breadcrumbs"][0]["time"] < event["breadcrumbs"][1]["time"] < event["time"]
    assert event["tags"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "two"}]
    assert event["contexts"] == {"os": {"name": "Linux"}} and event["extra"] == {"order": 7} and event["modules"] == {"flask": "3.0"}
    assert event["user"] == {"id": "u1", "ip_address": "127.0.0.1"}
    assert event["request"]["headers"] == {"Accept": "*/*", "X": "y"} and event["request"]["query_string"] == "a=1"
    assert event["sdk"] == {"name": "sentry.python", "version": "2.1"}
    assert {"path": "request.cookies"} in event["scrubbed"]


def test_an_event_says_why_it_is_grouped_so(sent):
    why = get(sent, f"/api/v1/events/{ID}")["grouping"]
    group = sent.query(f"events event_id={ID} | select group")[0][0]["group"]
    assert why["algorithm"].startswith("newstyle") and group in [v.get("hash") for v in why["variants"] if v["contributes"]]


def test_local_variables_need_a_permission(sent):
    for path, frames in ((f"/api/v1/events/{ID}", lambda e: e["exceptions"][0]["frames"]), (f"/api/v1/events/{ID}/json", lambda e: e["exception"]["values"][1]["stacktrace"]["frames"][::-1])):
        status, answer = sent.request("GET", path)
        assert status == 200 and b"129.5" not in answer
        frame = frames(json.loads(answer))[0]
        assert frame["vars_hidden"] is True and "vars" not in frame
        status, answer = sent.request("GET", path, token=sent.token("read", "values"))
        assert status == 200 and frames(json.loads(answer))[0]["vars"]["price"] == 129.5


def test_ids_are_taken_as_people_have_them(sent):
    dashed = f"{ID[:8]}-{ID[8:12]}-{ID[12:16]}-{ID[16:20]}-{ID[20:]}".upper()
    assert get(sent, f"/api/v1/events/{dashed}?time=-1h")["event_id"] == ID
    assert get(sent, f"/api/v1/events/{'0' * 32}", 404)["error"]["code"] == "no_event"
    get(sent, "/api/v1/events/12345", 400)
    get(sent, f"/api/v1/events/{ID}?time=yesterday", 400)


def test_events_of_other_projects_do_not_exist(sent):
    sent.cli("project", "add", "elsewhere")
    get(sent, f"/api/v1/events/{ID}", 404, token=sent.token("read", project="elsewhere"))
    get(sent, f"/api/v1/events/{ID}", token=sent.token("read", project="default"))


def test_an_event_in_the_terminal(sent):
    printed = sent.cli("event", ID)
    order = [printed.index(text) for text in ("CartError: no price", "fatal", f"event {ID}", "total  cart.py:42:7", "raise CartError", "caused by KeyError", "  late  ", "b=two")]
    assert order == sorted(order) and "\x1b" not in printed
    assert json.loads(sent.cli("event", "--json", ID))["event_id"] == ID
    for bad in ("0" * 32, "SHOP-42", "../me"):
        assert sent.cli("event", bad, check=False) == ""


def test_odd_shapes(sent):
    dsn = sent.cli("project", "dsn", "default").strip()
    odd = [
        {"message": {"message": "hello %s", "params": ["x"], "formatted": "hello x"}, "breadcrumbs": [{"message": "m"}, 7, None], "tags": {"a": 1, "b": None, "c": True}},
        {"exception": {"type": "E", "value": "single"}, "threads": {"values": [{"id": 1, "name": "main", "crashed": True, "stacktrace": {"frames": [{"function": "f"}]}}]}},
        {"exception": [], "contexts": [], "user": "me", "request": [], "extra": {"deep": [[[1]]]}, "modules": None},
        {"exception": [{"type": "Deep", "stacktrace": {"frames": [{"function": f"f{i}", "in_app": True, "lineno": i} for i in range(900)]}}]},
        {"breadcrumbs": [{"timestamp": NOW + i, "message": str(i)} for i in range(300)]},
    ]
    events = []
    for n, event in enumerate(odd):
        event["event_id"] = f"{0xe000 + n:032x}"
        send(sent, dsn, event)
        events.append(get(sent, f"/api/v1/events/{event['event_id']}"))
    assert events[0]["title"] == "hello x" and events[0]["breadcrumbs"] == [{"message": "m"}]
    assert events[0]["tags"] == [{"key": "a", "value": "1"}, {"key": "c", "value": "true"}]
    assert events[1]["threads"] == [{"id": "1", "name": "main", "crashed": True, "frames": [{"function": "f", "in_app": False}]}]
    assert events[1]["stack"] == [{"function": "f", "in_app": False}]
    assert events[2]["extra"] == {"deep": [[[1]]]} and "user" not in events[2] and "exceptions" not in events[2]
    deep = events[3]["exceptions"][0]
    assert len(deep["frames"]) + deep["frames_cut"] == 900 and deep["frames"][0]["function"] == "f899" and deep["frames"][-1]["function"] == "f0"
    assert len(events[4]["breadcrumbs"]) == 200 and events[4]["breadcrumbs_cut"] == 100 and events[4]["breadcrumbs"][-1]["message"] == "299"


@pytest.mark.parametrize("source", ["issues", "checks"])
def test_sources_that_may_be_empty_are_sources(sent, source):
    rows, stats = sent.query(f"{source} | sort time desc")
    assert stats["partial"] is None and isinstance(rows, list)
    assert sent.query(f"spans trace in {{{source} | select trace}}")[0] == []
    for path in (f"/api/v1/fields?source={source}", f"/api/v1/values?source={source}&field=name"):
        assert sent.request("GET", path)[0] == 200
    assert sent.request("GET", "/api/v1/issues/4711/events")[0] == sent.request("GET", "/api/v1/issues/SHOP-4711/events/latest")[0] == 404


def test_an_event_is_found_in_parts_too(clew_new):
    server = clew_new()
    dsn = server.cli("project", "dsn", "default").strip()
    for n in range(50):
        send(server, dsn, {"event_id": f"{n:032x}", "message": f"number {n}"})
    assert server.stop() == 0  # seals
    server.start()
    for n in range(0, 50, 7):
        assert get(server, f"/api/v1/events/{n:032x}")["title"] == f"number {n}"
    get(server, f"/api/v1/events/{99:032x}", 404)
