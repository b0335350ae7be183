"""GET /api/v1/setup names what went wrong: each diagnosis by a real client that makes that mistake."""
import contextlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time

import grpc
import pytest

import harness
from openapi import described, matches

HERE = pathlib.Path(__file__).resolve().parent
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def setup(server):
    status, answer = server.request("GET", "/api/v1/setup")
    assert status == 200
    value = json.loads(answer)
    matches(described("GET", "/api/v1/setup", 200), value)
    return value


def problem(server, code, agent=None):
    """The newest one of that code; it tells what to do."""
    found = [p for p in setup(server)["problems"] if p["code"] == code and (agent is None or p.get("agent") == agent)]
    assert found, (code, [p["code"] for p in setup(server)["problems"]])
    assert len(found[0]["title"]) > 3 and len(found[0]["text"]) > 20 and len(found[0]["fix"]) > 10
    return found[0]


def run_sdk(server, protocol="http/protobuf", **environment):
    """The unmodified Python SDK, which need not succeed."""
    words = [sys.executable, str(HERE / "sdk_python.py"), "grpc" if protocol == "grpc" else "http"]
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_EXPORTER_OTLP_INSECURE": "true", "OTEL_EXPORTER_OTLP_TIMEOUT": "3", **environment}
    return subprocess.run(words, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def post(server, path, body=b"{}", **headers):
    return server.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()}, token=None)[0]


def log_record(at, service="setup-test"):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]} if service else {}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [{"timeUnixNano": str(at), "body": {"stringValue": "x"}}]}]}]})


def test_what_arrives_is_named(clew):
    for protocol in ("http/protobuf", "grpc"):
        assert run_sdk(clew, protocol).returncode == 0
    state = setup(clew)
    assert state["listening"][0]["address"].endswith(str(clew.port)) and state["endpoint"]["url"] == clew.url
    arrived = {(a["signal"], a["protocol"]): a for a in state["arrived"]}
    for protocol in ("grpc", "http/1.1"):
        for signal in ("traces", "logs", "metrics"):
            entry = arrived[signal, protocol]
            assert entry["services"] == ["sdk-python"] and entry["records"] > 0 and "Python" in entry["agent"], entry
            assert abs(entry["skew"]) < 60 * 10**9
    assert state["recent"][0]["code"] == "accepted"


def test_a_wrong_key(clew_new):
    server = clew_new()
    run_sdk(server, OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20clew_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA9e01")
    found = problem(server, "unknown_key")
    assert "9e01" in found["text"] and found["status"] == 401 and "Python" in found["agent"] and found["current"]
    assert run_sdk(server).returncode == 0
    assert not problem(server, "unknown_key")["current"]  # the same client has been let in since


def test_a_wrong_key_over_grpc(clew_new):
    server = clew_new()
    run_sdk(server, "grpc", OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20clew_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA77ab")
    assert "77ab" in problem(server, "unknown_key")["text"]


def test_a_revoked_key_is_named_for_who_may_see_tokens(clew_new):
    server = clew_new()
    key = server.token("ingest", name="old-one")
    server.cli("token", "rm", "old-one")
    deadline = time.monotonic() + 10
    while post(server, "/v1/logs", Authorization="Bearer " + key, **JSON) != 401:
        assert time.monotonic() < deadline
    assert "old-one" not in problem(server, "unknown_key")["text"]
    server.read_token = server.token("read,admin")
    assert "old-one" in problem(server, "unknown_key")["text"] and "revoked" in problem(server, "unknown_key")["text"]


def test_no_secret_is_shown(clew_new):
    server = clew_new()
    key = server.token("read")
    for value in ("Bearer " + key, "Bearer short-one", key, "Basic " + key, "Token " + key):
        post(server, "/v1/logs?token=" + key, Authorization=value, **JSON)
    shown = json.dumps(setup(server))
    assert key not in shown and key[5:20] not in shown and "short-one" not in shown


def test_other_trouble_with_keys(clew):
    post(clew, "/v1/logs", Authorization="Basic YTpi", User_Agent="basic", **JSON)
    assert "Basic" not in problem(clew, "bad_authorization", "basic").get("paste", "") and "basic" in problem(clew, "bad_authorization", "basic")["text"].lower()
    post(clew, "/v1/logs", Authorization="Bearer " + clew.token("read"), User_Agent="reader", **JSON)
    assert problem(clew, "no_scope", "reader")["status"] == 403
    post(clew, "/v1/logs", X_Forwarded_For="192.0.2.1", User_Agent="proxied", **JSON)
    assert "proxy" in problem(clew, "no_key", "proxied")["text"]


@pytest.mark.parametrize("method,path,headers,body,code", [
    ("POST", "/v1/trace", JSON, "{}", "path"),
    ("POST", "/", PROTOBUF, "", "path"),
    ("POST", "/v1/traces/", JSON, "{}", "path"),
    ("GET", "/v1/traces", {}, None, "method"),
    ("POST", "/api/2/unreal/", {}, "{}", "sentry"),
    ("POST", "/api/2/envelope/", {}, "{}", "no_key"),
    ("POST", "/api/2/store/", {"X-Sentry-Auth": "Sentry sentry_key=0123456789abcdef"}, "{}", "unknown_key"),
    ("POST", "/api/v2/spans", JSON, "[]", "foreign"),
    ("POST", "/loki/api/v1/push", JSON, "{}", "foreign"),
    ("OPTIONS", "/v1/traces", {"Origin": "http://localhost:8080"}, None, "preflight"),
    ("POST", "/v1/logs", {"Content-Type": "text/plain"}, "{}", "content_type"),
    ("POST", "/v1/logs", {**JSON, "Content-Encoding": "lzma"}, "{}", "encoding"),
    ("POST", "/v1/logs", PROTOBUF, log_record(1), "json_as_protobuf"),
    ("POST", "/v1/logs", JSON, b"\n\x05\x12\x03\n\x01x", "protobuf_as_json"),
    ("POST", "/v1/logs", JSON, '{"resourceLogs": [', "malformed"),
    ("POST", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", {"Content-Type": "application/grpc"}, "", "grpc_on_http1"),
    ("POST", "/v1/logs", {**JSON, "Host": "host.docker.internal:4318"}, "{}", "host"),
], ids=lambda value: value if isinstance(value, str) and value.islower() else "")
def test_mistakes(clew, method, path, headers, body, code):
    agent = f"mistake {method} {path} {code}"
    status, _ = clew.request(method, path, body, {**headers, "User-Agent": agent}, token=None)
    assert status >= 400
    found = problem(clew, code, agent)
    assert found["method"] == method and found["path"] == path and found["status"] == status and found["current"]


def test_what_a_stranger_sends_is_not_for_pasting(clew):
    post(clew, "/v1/logs", Host="~reboot%0a", User_Agent="hostile", **JSON)
    assert "paste" not in problem(clew, "host", "hostile")
    clew.request("OPTIONS", "/v1/logs", headers={"Origin": "http://x$(reboot)", "User-Agent": "hostile\tpage"}, token=None)
    assert all("reboot" not in p.get("paste", "") for p in setup(clew)["problems"])


def test_an_unknown_grpc_service(clew):
    with grpc.insecure_channel(f"127.0.0.1:{clew.port}") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export")(b"", timeout=20)
    assert "ProfilesService" in problem(clew, "grpc_service")["text"]


def test_too_large(clew_new):
    server = clew_new("--body-max", "10kb", "--inflated-max", "10kb")
    post(server, "/v1/logs", b" " * 20_000, User_Agent="large", **JSON)
    assert problem(server, "too_large", "large")["status"] == 413
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(b"x" * 20_000, timeout=20)
    assert problem(server, "too_large")["protocol"] == "grpc"


def test_over_the_quota(clew_new):
    server = clew_new("--ingest-rate", "1kb")
    seen = [post(server, "/v1/logs", log_record(time.time_ns()).ljust(4000), User_Agent="greedy", **JSON) for _ in range(4)]
    assert 429 in seen
    assert problem(server, "quota", "greedy")["status"] == 429


def test_clocks_and_names(clew):
    now = time.time_ns()
    for agent, at, service, code in (("ahead", now + 300 * 10**9, "s", "clock_ahead"), ("behind", now - 7200 * 10**9, "s", "clock_behind"),
                                     ("nameless", now, None, "no_service_name"), ("default", now, "unknown_service:node", "no_service_name")):
        assert post(clew, "/v1/logs", log_record(at, service), User_Agent=agent, **JSON) == 200
        problem(clew, code, agent)
    assert "5 min" in problem(clew, "clock_ahead", "ahead")["text"] and "2 h" in problem(clew, "clock_behind", "behind")["text"]
    assert post(clew, "/v1/logs", log_record(now), User_Agent="right", **JSON) == 200
    assert not [p for p in setup(clew)["problems"] if p.get("agent") == "right"]


def test_tls_on_a_plain_port(clew):
    context = ssl._create_unverified_context()
    began = time.monotonic()
    with pytest.raises(OSError):
        http.client.HTTPSConnection("127.0.0.1", clew.port, timeout=20, context=context).request("GET", "/")
    assert time.monotonic() - began < 10  # at once, not when a time-out is over
    assert problem(clew, "tls_on_plain")["port"] == clew.port


def test_grpc_with_tls_on_a_plain_port(clew_new):
    """What a gRPC exporter does whose address has no scheme."""
    server = clew_new()
    with grpc.secure_channel(f"127.0.0.1:{server.port}", grpc.ssl_channel_credentials()) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(b"", timeout=5)
    assert "OTEL_EXPORTER_OTLP_INSECURE" in problem(server, "tls_on_plain")["fix"]


def test_tls_ports(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-days", "2",
                    "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
    server = harness.Server(tmp_path / "data", ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")])
    command = [str(server.program), "serve", "--data", str(server.data), "--listen", f"127.0.0.1:{server.port}", "--no-otlp-ports", *server.options]
    with open(server.log_path, "ab") as log:
        server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not (server.data / "run.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        run = json.loads((server.data / "run.json").read_text())
        plain = harness.Server(tmp_path / "unused")
        plain.port = int(run["local"].rpartition(":")[2])
        plain.read_token = run["token"]
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                connection.recv(1000)
        assert problem(plain, "plain_on_tls")["port"] == server.port
        with pytest.raises(ssl.SSLError):
            http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20).request("GET", "/")
        deadline = time.monotonic() + 60
        while not any(p["code"] == "certificate" for p in setup(plain)["problems"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not server.complaints()
    finally:
        assert server.stop() == 0


def test_a_flood_pushes_out_nothing_but_itself(clew_new):
    server = clew_new()
    assert run_sdk(server).returncode == 0
    post(server, "/api/1/unreal/", User_Agent="sentry", **JSON)
    for i in range(300):
        post(server, f"/v1/nothing{i}", User_Agent=f"flood {i}", **JSON)
    state = setup(server)
    assert len(state["problems"]) < 30 and len(state["recent"]) < 30 and state["requests"] >= 300
    problem(server, "sentry", "sentry")
    assert {a["signal"] for a in state["arrived"]} == {"traces", "logs", "metrics"}
