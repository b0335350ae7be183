"""A project that tests send Sentry's items to by hand."""
import json
import time
import uuid

from openapi import described, matches

JSON = {"Content-Type": "application/json"}


def ask(server, method, template, body=None, expect=200, token="read", **where):
    status, answer = server.request(method, template.format(**where), None if body is None else json.dumps(body), JSON if body is not None else None, token=token)
    assert status == expect, answer[:500]
    value = json.loads(answer)
    matches(described(method, template.split("?")[0], status), value)
    return value


def error(value="no price", kind="CartError", **more):
    return {"event_id": uuid.uuid4().hex, "timestamp": time.time(), "platform": "javascript",
            "exception": {"values": [{"type": kind, "value": value, "stacktrace": {"frames": [{"function": "total", "filename": "cart.js", "lineno": 4}]}}]}, **more}


class Project:
    def __init__(self, server, slug):
        server.cli("project", "add", slug)
        self.server, self.slug = server, slug
        self.dsn = server.cli("project", "dsn", slug).strip()
        self.key, self.id = self.dsn.split("//")[1].split("@")[0], self.dsn.rsplit("/", 1)[1]
        self.admin = server.token("admin,read")

    def send(self, *items, event_id=None):
        lines = [json.dumps({"event_id": event_id} if event_id else {})]
        for kind, payload, *more in items:
            data = payload if isinstance(payload, str) else json.dumps(payload)
            lines += [json.dumps({"type": kind, "length": len(data.encode()), **(more[0] if more else {})}), data]
        status, answer = self.server.request("POST", f"/api/{self.id}/envelope/?sentry_key={self.key}", "\n".join(lines) + "\n", token=None)
        assert status == 200, answer
        return json.loads(answer).get("id")

    def event(self, sent, kind="event"):
        assert self.send((kind, sent), event_id=sent["event_id"]) == sent["event_id"]
        return sent["event_id"]

    def stored(self, event_id):
        return bool(self.server.query(f'events event_id="{event_id}"')[0])
