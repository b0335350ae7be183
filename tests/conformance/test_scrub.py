"""What a project removes from what Sentry SDKs send: by its rules, in every kind of item that people's data come in, and said."""
import json
import time
import uuid

import pytest

from sentry_project import Project, ask, error

SCRUB = "/api/v1/projects/{slug}/scrub"
MARK = "ada@example.com"
RULES = """# ours
mask @email
hash @anything from $user.id
replace /order-\\d+/ with "an order"
remove @anything from extra.note || attributes.'customer.note'
"""


class Scrubbed(Project):
    def set(self, **settings):
        return ask(self.server, "PUT", SCRUB, {"addresses": False, "rules": "", **settings}, 200, self.admin, slug=self.slug)

    def event_json(self, event_id):
        status, answer = self.server.request("GET", f"/api/v1/events/{event_id}", token=self.server.token("read,values"))
        assert status == 200, answer
        return json.loads(answer)


@pytest.fixture(scope="module")
def shop(clew):
    return Scrubbed(clew, "scrubbed")


def personal(**more):
    return error(f"no price for {MARK} in order-17", user={"id": "7", "email": MARK, "ip_address": "{{auto}}"},
                 extra={"note": {"of": MARK}, "other": "kept", "password": "hunter2"}, **more)


def test_what_rules_remove_is_never_stored_and_is_said(clew, shop):
    shop.set(rules=RULES)
    at = shop.event_json(shop.event(personal()))
    text = json.dumps(at)
    assert MARK not in text and "order-17" not in text
    assert at["exceptions"][0]["value"] == "no price for *************** in an order" == at["title"].split(": ", 1)[1]
    assert at["user"]["email"] == "*" * len(MARK) and at["extra"]["other"] == "kept"
    assert at["user"]["id"] != "7" and len(at["user"]["id"]) == 32
    assert at["user"]["ip_address"] == "{{auto}}" or at["user"]["ip_address"].startswith("127.")
    scrubbed = {(one["path"], one.get("rule")) for one in at["scrubbed"]}
    assert ("user.email", "mask @email") in scrubbed and ("user.id", "hash @anything from $user.id") in scrubbed
    assert ("extra.password", None) in scrubbed  # what is removed everywhere has no rule of the project's
    again = shop.event_json(shop.event(personal()))
    assert again["user"]["id"] == at["user"]["id"]  # the same person is the same hash
    rows, _ = clew.query('events project=scrubbed scrubbed.rule="mask @email" | stats count()')
    assert rows[0]["count()"] == 2


def test_transactions_spans_logs_and_the_rest_are_cleaned_too(clew, shop):
    shop.set(rules=RULES)
    now, trace = time.time(), uuid.uuid4().hex
    span = uuid.uuid4().hex[:16]
    attributes = {"customer": {"value": MARK, "type": "string"}, "customer.note": {"value": 5, "type": "integer"}}
    shop.send(("transaction", {"event_id": uuid.uuid4().hex, "type": "transaction", "transaction": "GET /cart", "timestamp": now, "start_timestamp": now - 1,
                               "contexts": {"trace": {"trace_id": trace, "span_id": span, "op": "http.server", "data": {"who": MARK}}},
                               "spans": [{"trace_id": trace, "span_id": uuid.uuid4().hex[:16], "parent_span_id": span, "op": "db", "description": f"select {MARK}",
                                          "timestamp": now, "start_timestamp": now - 0.5}]}))
    shop.send(("log", {"items": [{"timestamp": now, "trace_id": trace, "level": "info", "body": f"paid by {MARK}", "attributes": attributes}]}, {"item_count": 1, "content_type": "application/vnd.sentry.items.log+json"}))
    shop.send(("span", {"version": 2, "items": [{"trace_id": trace, "span_id": uuid.uuid4().hex[:16], "name": f"mail {MARK}", "status": "ok", "start_timestamp": now - 1, "end_timestamp": now, "attributes": attributes}]},
               {"item_count": 1, "content_type": "application/vnd.sentry.items.span.v2+json"}))
    shop.send(("trace_metric", {"items": [{"timestamp": now, "trace_id": trace, "name": "carts", "type": "counter", "value": 1, "attributes": attributes}]},
               {"item_count": 1, "content_type": "application/vnd.sentry.items.trace-metric+json"}))
    shop.send(("feedback", {**error(), "contexts": {"feedback": {"contact_email": MARK, "name": "Ada", "message": f"I am {MARK}"}}}))
    for source, least in (("spans", 3), ("logs", 1), ("metrics name=carts", 1)):
        rows, _ = clew.query(f"{source.split()[0]} project=scrubbed {' '.join(source.split()[1:])}")
        assert len(rows) >= least, source
        assert MARK not in json.dumps(rows), source
    rows, _ = clew.query("logs project=scrubbed")
    assert "paid by ***************" in json.dumps(rows)


def test_addresses(clew, shop):
    shop.set(addresses=True)
    event = shop.event(personal(request={"env": {"REMOTE_ADDR": "203.0.113.9"}, "headers": [["X-Forwarded-For", "203.0.113.9"]]}))
    at = shop.event_json(event)
    assert "203.0.113.9" not in json.dumps(at) and "127.0.0.1" not in json.dumps(at["user"])
    assert {"path": "user.ip_address", "rule": "addresses"} in at["scrubbed"]
    rows, _ = clew.query(f'events event_id="{event}" user.ip_address=*')
    assert not rows


def test_a_preview_changes_nothing_and_shows_no_variables_to_whom_may_not_read_them(clew, shop):
    shop.set()
    sent = personal()
    sent["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"] = {"who": MARK}
    event = shop.event(sent)
    preview = SCRUB + "/preview?limit=1"
    body = {"rules": "mask @email\nmask /nowhere/"}
    read = ask(clew, "POST", preview, body, slug="scrubbed")
    assert read["events"] == 1 and read["changed"] == 1 and read["values"] is False
    assert not [one for one in read["examples"] if ".vars." in one["path"]]
    assert [one["rule"] for one in read["rules"]] == ["mask @email"] and read["rules"][0]["events"] == 1
    one = next(one for one in read["examples"] if one["path"] == "user.email")
    assert (one["event"], one["before"], one["after"]) == (event, MARK, "*" * len(MARK))
    # asking whether a variable matches is reading it
    assert ask(clew, "POST", preview, {"rules": "mask /^ada/ from $frame.vars"}, slug="scrubbed")["changed"] == 0
    values = ask(clew, "POST", preview, {"rules": "mask /^ada/ from $frame.vars"}, token=clew.token("read,values"), slug="scrubbed")
    assert values["values"] and values["examples"][0]["path"].endswith("vars.who")
    status, answer = clew.request("GET", "/api/v1/audit?limit=100", token=shop.admin)
    assert any(entry["action"] == "values.read" and entry["target"] == "scrub preview scrubbed" for entry in json.loads(answer)["entries"]), answer
    assert MARK in json.dumps(shop.event_json(event))  # it was only tried


def test_a_rule_that_is_none_is_refused_with_its_place(clew, shop):
    before = ask(clew, "GET", SCRUB, None, slug="scrubbed")
    assert set(before) <= {"addresses", "rules", "changed", "changed_by"}  # never the key of hashes
    refused = ask(clew, "PUT", SCRUB, {"rules": "mask @ip\nmask email"}, 400, shop.admin, slug="scrubbed")["error"]
    assert (refused["place"], refused["line"], refused["column"]) == ("rules", 2, 6)
    ask(clew, "PUT", SCRUB, {"secret": "x"}, 400, shop.admin, slug="scrubbed")
    assert ask(clew, "GET", SCRUB, None, slug="scrubbed") == before
