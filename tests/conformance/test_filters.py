"""What a project does not want of what Sentry SDKs send: left out, answered as if it were taken, and counted by why."""
import json
import time
import uuid

import pytest

from sentry_project import Project, ask, error

FILTERS = "/api/v1/projects/{slug}/filters"
OFF = {"health_checks": False, "web_crawlers": False, "localhost": False, "browser_extensions": False, "hydration_errors": False,
       "chunk_load_errors": False, "legacy_browsers": [], "errors": "", "releases": "", "addresses": "", "logs": ""}
IE9 = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


def agent(text):
    return {"request": {"url": "https://shop.example/cart", "headers": [["User-Agent", text]]}}


def transaction(name):
    now = time.time()
    return {"event_id": uuid.uuid4().hex, "type": "transaction", "transaction": name, "timestamp": now, "start_timestamp": now - 0.1,
            "contexts": {"trace": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16], "op": "http.server"}}, "spans": []}


class Filtered(Project):
    def set(self, **filters):
        return ask(self.server, "PUT", FILTERS, {**OFF, **filters}, 200, self.admin, slug=self.slug)

    def outcomes(self):
        rows, _ = self.server.query(f"metrics project={self.slug} name=sentry.outcome | stats sum(value) as n by outcome, reason, category")
        assert all(row["outcome"] == "filtered" for row in rows)
        return {(row["reason"], row["category"]): row["n"] for row in rows}


@pytest.fixture(scope="module")
def shop(clew):
    return Filtered(clew, "filtered")


CASES = [
    ({"errors": "# ours\nCartError: no *\n*timeout*"}, "error-message", error("no price for 7"), error("a price")),
    ({"errors": "*TIMEOUT*"}, "error-message", {**error(), "exception": None, "message": "read timeout"}, {**error(), "exception": None, "message": "read"}),
    ({"releases": "shop@1.*"}, "release-version", error(release="shop@1.4.2"), error(release="shop@2.0.0")),
    ({"addresses": "203.0.113.0/24\n2001:db8::/32"}, "ip-address", error(user={"ip_address": "203.0.113.9"}), error(user={"ip_address": "198.51.100.9"})),
    ({"legacy_browsers": ["ie", "safari"]}, "legacy-browsers", error(**agent(IE9)), error(**agent(CHROME))),
    ({"web_crawlers": True}, "web-crawlers", error(**agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")), error(**agent(CHROME))),
    ({"localhost": True}, "localhost", error(request={"url": "http://localhost:3000/cart"}), error(request={"url": "https://localhost.example/cart"})),
    ({"browser_extensions": True}, "browser-extensions", error("Extension context invalidated."), error("context")),
    ({"hydration_errors": True}, "react-hydration-errors", error("Minified React error #418; visit https://react.dev/errors/418?invariant=418", "Error"), error("visit https://react.dev/errors/31", "Error")),
    ({"chunk_load_errors": True}, "chunk-load-error", error("Loading chunk 42 failed.", "ChunkLoadError"), error("Loading chunk 42 failed.", "Error")),
]


@pytest.mark.parametrize("filters, reason, unwanted, wanted", CASES, ids=[c[1] + str(i) for i, c in enumerate(CASES)])
def test_what_is_not_wanted_is_counted_and_not_stored(shop, filters, reason, unwanted, wanted):
    unwanted, wanted = ({**e, "event_id": uuid.uuid4().hex} for e in (unwanted, wanted))
    shop.set()
    before = shop.outcomes().get((reason, "error"), 0)
    off = shop.event({**unwanted, "event_id": uuid.uuid4().hex})
    assert shop.stored(off), "no filter, no loss"
    tried = ask(shop.server, "POST", FILTERS + "/preview?limit=1000", {**OFF, **filters}, slug=shop.slug)
    assert {r["reason"] for r in tried["reasons"]} == {reason} and off in [x["event"] for x in tried["examples"]]
    shop.set(**filters)
    gone, kept = shop.event(unwanted), shop.event(wanted)
    assert not shop.stored(gone) and shop.stored(kept)
    assert shop.outcomes()[(reason, "error")] == before + 1


def test_the_sender_is_an_address_too(shop):
    shop.set(addresses="127.0.0.1\n::1")
    assert not shop.stored(shop.event(error()))
    shop.set(addresses="192.0.2.1")
    assert shop.stored(shop.event(error()))


def test_health_checks_make_no_traces_and_are_off_only_by_will(clew):
    fresh = Filtered(clew, "fresh")
    now = ask(clew, "GET", FILTERS, slug="fresh")
    assert [n for n in OFF if now[n] is True] == ["health_checks", "hydration_errors", "chunk_load_errors"] and "changed" not in now
    for name in ("GET /healthz", "GET /api/cart"):
        fresh.event(transaction(name), "transaction")
    spans = lambda: [r["name"] for r in clew.query("spans project=fresh | select name | sort name")[0]]  # noqa: E731
    assert spans() == ["GET /api/cart"]
    span = lambda segment: {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16], "name": "SELECT", "status": "ok", "is_segment": False,  # noqa: E731
                            "start_timestamp": time.time(), "end_timestamp": time.time() + 0.1, "attributes": {"sentry.segment.name": {"type": "string", "value": segment}}}
    fresh.send(("span", {"items": [span("GET /ready"), span("GET /cart"), span("/ping")]}, {"item_count": 3, "content_type": "application/vnd.sentry.items.span.v2+json"}))
    assert spans() == ["GET /api/cart", "SELECT"]
    assert fresh.outcomes() == {("filtered-transaction", "transaction"): 1, ("filtered-transaction", "span"): 2}
    ask(clew, "PUT", FILTERS, {"health_checks": False}, 200, fresh.admin, slug="fresh")
    fresh.event(transaction("GET /healthz"), "transaction")
    assert "GET /healthz" in spans()


def test_logs_by_what_they_say(clew):
    logs = Filtered(clew, "logged")
    logs.set(logs="*health*", releases="old*")
    item = lambda body, release="new": {"timestamp": time.time(), "trace_id": uuid.uuid4().hex, "level": "info", "body": body,  # noqa: E731
                                        "attributes": {"sentry.release": {"type": "string", "value": release}}}
    logs.send(("log", {"items": [item("GET /health 200"), item("order placed"), item("order lost", "old-1")]}, {"item_count": 3, "content_type": "application/vnd.sentry.items.log+json"}))
    assert [r["body"] for r in clew.query("logs project=logged | select body")[0]] == ["order placed"]
    assert logs.outcomes() == {("log-message", "log_item"): 1, ("release-version", "log_item"): 1}


def test_what_comes_with_an_event_goes_with_it(clew):
    shop = Filtered(clew, "attached")
    shop.set(errors="CartError*", releases="old")
    for kind, there in (("CartError", []), ("Other", ["note.txt"])):
        sent = error(kind=kind)
        shop.send(("attachment", "some words", {"filename": "note.txt", "content_type": "text/plain"}), ("event", sent), event_id=sent["event_id"])
        status, answer = clew.request("GET", f"/api/v1/events/{sent['event_id']}/attachments")
        assert [a["name"] for a in (json.loads(answer)["attachments"] if status == 200 else [])] == there
    shop.send(("session", {"sid": str(uuid.uuid4()), "init": True, "status": "ok", "started": "2026-11-01T00:00:00Z", "attrs": {"release": "old"}}))
    assert shop.outcomes() == {("error-message", "error"): 1, ("error-message", "attachment"): 1, ("release-version", "session"): 1}


def test_the_same_body_again_is_counted_once(clew):
    twice = Filtered(clew, "twice")
    twice.set(errors="CartError*")
    sent = error()
    for _ in range(3):
        twice.event(sent)
    assert twice.outcomes() == {("error-message", "error"): 1}


def test_filters_are_a_project_s_own_and_survive(clew_new):
    server = clew_new()
    one, two = Filtered(server, "one"), Filtered(server, "two")
    one.set(errors="CartError*")
    assert not one.stored(one.event(error())) and two.stored(two.event(error()))
    before = ask(server, "GET", FILTERS, slug="one")
    server.stop()
    server.start()
    assert ask(server, "GET", FILTERS, slug="one") == before
    assert not one.stored(one.event(error()))
    admin = server.token("admin,read")
    entries = json.loads(server.request("GET", "/api/v1/audit", token=admin)[1])["entries"]
    assert [(e["target"], e["detail"]) for e in entries if e["action"] == "project.filters"] == [("one", "errors (10 bytes)")]


def test_what_is_wrong_is_said_with_its_place(shop):
    for body, place, line, column in (({"addresses": "10.0.0.0/8\n  10.0.0/8"}, "addresses", 2, 3), ({"errors": "# x\n\n{a"}, "errors", 3, 1),
                                      ({"addresses": "10.0.0.0/33"}, "addresses", 1, 1)):
        for method, path, token in (("PUT", FILTERS, shop.admin), ("POST", FILTERS + "/preview", "read")):
            said = ask(shop.server, method, path, body, 400, token, slug=shop.slug)["error"]
            assert (said["place"], said["line"], said["column"]) == (place, line, column) and said["message"], said
    ask(shop.server, "PUT", FILTERS, {"errors": "a\n" * 201}, 422, shop.admin, slug=shop.slug)
    ask(shop.server, "PUT", FILTERS, {"errors": "#" * (17 << 10)}, 422, shop.admin, slug=shop.slug)
    for body in ({"nonsense": True}, {"localhost": "yes"}, {"legacy_browsers": ["netscape"]}):
        ask(shop.server, "PUT", FILTERS, body, 400, shop.admin, slug=shop.slug)
    ask(shop.server, "PUT", FILTERS, {}, 404, shop.admin, slug="nowhere")
    ask(shop.server, "PUT", FILTERS, {}, 403, "read", slug=shop.slug)
