"""What the tests of live debugging ask a server."""
import json

JSON = {"Content-Type": "application/json"}


def prepare(made):
    made.start()
    made.admin = made.token("admin", "read", "values", "probe", "probe_prod")
    return made


def ask(server, method, path, body=None, expect=200, token=None):
    status, answer = server.request(method, path, json.dumps(body) if body is not None else None, JSON, token=token or server.admin)
    assert status == expect, (method, path, status, answer[:600])
    return json.loads(answer) if answer else None


def query(server, text, token=None, expect=200):
    body = json.dumps({"query": text, "from": "-1h", "to": "now"})
    status, answer = server.request("POST", "/api/v1/query", body, JSON, token=token or server.admin)
    assert status == expect, answer
    return [r for r in map(json.loads, answer.splitlines()) if "_stats" not in r] if status == 200 else json.loads(answer)["error"]
