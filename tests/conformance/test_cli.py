"""The command line: names, exit status, and what goes to standard output are a promise to scripts."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

import harness
import shop

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("CLEW_")}


def run(*words, env=None, **more):
    return subprocess.run([str(harness.binary()), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                          env={**CLEAN, **(env or {})}, **more)


def on_terminal(*words, columns=100):
    """What somebody at a terminal sees."""
    def child():
        import fcntl, struct, termios  # noqa: E401
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    main, other = pty.openpty()
    process = subprocess.Popen([str(harness.binary()), *map(str, words)], stdin=subprocess.DEVNULL, stdout=other, stderr=subprocess.PIPE, text=False,
                               env={**CLEAN, "TERM": "xterm", "TZ": "UTC"}, preexec_fn=child)
    os.close(other)
    seen = b""
    while True:
        try:
            some = os.read(main, 65536) if select.select([main], [], [], 60)[0] else b""
        except OSError:
            some = b""
        if not some:
            break
        seen += some
    process.communicate()
    os.close(main)
    return seen.decode()


@pytest.fixture(scope="module")
def filled(clew):
    clew.began = shop.send(clew)
    return clew


def commands():
    return re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?) ", run("help").stdout, re.M)


# ---- help and usage

def test_every_command_has_help():
    assert {"serve", "query", "tail", "trace", "token add", "project dsn", "login-link", "audit verify", "config explain", "doctor", "version"} <= set(commands())
    for command in commands():
        for form in ([*command.split(), "--help"], ["help", *command.split()]):
            answer = run(*form)
            assert answer.returncode == 0 and answer.stdout.startswith(f"usage: clew {command}") and not answer.stderr, form
            assert all(len(line) < 200 for line in answer.stdout.splitlines())


def test_help_of_a_group_lists_its_commands():
    for form in (["probe", "--help"], ["help", "probe"]):
        listed = re.findall(r"^  (probe \w+) ", run(*form).stdout, re.M)
        assert listed == [name for name in commands() if name.startswith("probe ")]


@pytest.mark.parametrize("words,hint", [
    ([], "COMMAND"), (["serv"], "clew serve"), (["token"], "token add"), (["token", "ad"], "token add"), (["serve", "--lisen", "x"], "--listen"),
    (["serve", "extra"], "too many"), (["query"], "missing"), (["query", "a", "b"], "too many"), (["serve", "--listen"], "needs a value"),
    (["serve", "--retention", "14"], "time"), (["serve", "--disk-cap", "much"], "size"), (["serve", "--durability", "none"], "fsync"), (["serve", "-d"], "two dashes"),
    (["query", "--retention", "1d", "spans"], "no option"), (["serve", "--no-listen"], "no option"), (["config", "explain", "retension"], "retention"),
    (["completion", "tcsh"], "fish"), (["audit", "verify", "--head", "xyz"], "64"), (["query", "--limit", "many", "spans"], "number"),
    (["token", "add", "x", "--scope", "root"], "ingest"), (["token", "add", "x", "--ttl", "long"], "time"), (["serve", "--public-url", "nowhere"], "address"),
    (["serve", "--listen", "example.com:80"], ""), (["serve", "--config", "/no/such/file"], "No such file"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_misuse_is_status_2_and_says_how(words, hint, tmp_path):
    answer = run(*words, env={"XDG_DATA_HOME": str(tmp_path)})
    assert answer.returncode == 2 and hint in (answer.stderr + (answer.stdout if not words else "")), answer
    assert words == [] or not answer.stdout


def test_completion_is_sound():
    for shell in ("bash", "zsh"):
        script = run("completion", shell).stdout
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    tried = subprocess.run(["bash", "-c", f"source <({harness.binary()} completion bash); "
                            "complete_at() { COMP_WORDS=(clew \"$@\"); COMP_CWORD=$#; COMPREPLY=(); _clew; echo \"${COMPREPLY[@]}\"; }; "
                            "complete_at to; complete_at token a; complete_at serve --ret; complete_at token add --sc"],
                           capture_output=True, text=True, check=True)
    assert tried.stdout.split("\n")[:4] == ["token", "add", "--retention", "--scope"]
    fish = run("completion", "fish").stdout
    assert "complete -c clew" in fish and "-l retention" in fish


# ---- settings

def test_settings_come_from_file_environment_and_flags(tmp_path):
    file = tmp_path / "clew.conf"
    file.write_text("# what this host does\nretention = 3d\nworkers = 3\n")
    explain = lambda key, *flags, **env: run("config", "explain", key, "--config", file, *flags, env=env).stdout  # noqa: E731
    assert "now: 3d (file)" in explain("retention")
    assert "now: 4d (environment)" in explain("retention", CLEW_RETENTION="4d")
    assert "now: 5d (flag)" in explain("retention", "--retention", "5d", CLEW_RETENTION="4d")
    assert "now: 3 (file)" in run("config", "explain", "workers", env={"CLEW_CONFIG": str(file)}).stdout
    file.write_text("retention = 3d\nworker = 3\n")
    answer = run("config", "explain", "--config", file)
    assert answer.returncode == 2 and f"{file}:2" in answer.stderr and "workers" in answer.stderr
    assert "did you mean CLEW_RETENTION" in run("config", "explain", env={"CLEW_RETENSION": "3d"}).stderr
    assert "secret" not in run("config", "explain", env={"CLEW_TOKEN": "secret"}).stdout


# ---- what scripts read

def test_what_a_script_needs_stands_alone(clew):
    assert re.fullmatch(r"clew_[\w-]{43}\n", clew.cli("token", "add", "script"))
    assert re.fullmatch(r"http://[0-9a-f]{32}@127\.0\.0\.1:\d+/1\n", clew.cli("project", "dsn", "default"))
    assert clew.cli("project", "dsn", "default") == clew.cli("project", "dsn", "default")
    assert re.fullmatch(r"\d+\n", clew.cli("project", "add", "from-script"))
    tokens = [json.loads(line) for line in clew.cli("token", "ls", "--json").splitlines()]
    assert {"id", "name", "scopes", "project", "created"} <= set(tokens[0])
    assert {"id": 1, "slug": "default"} in [json.loads(line) for line in clew.cli("project", "ls", "--json").splitlines()]
    clew.cli("token", "rm", "script")
    failed = run("token", "rm", "script", "--data", clew.data)
    assert failed.returncode == 1 and "no token" in failed.stderr


def test_administration_without_a_server(clew_new):
    server = clew_new()
    server.stop()
    token = server.token("read")
    server.cli("project", "add", "offline")
    server.start()
    assert server.request("GET", "/api/v1/me", token=token)[0] == 200


def test_a_server_is_found_by_flag_environment_or_directory(filled):
    token = filled.token("read")
    for words, env in ((["--data", filled.data], {}), (["--server", filled.url, "--token", token], {}), ([], {"CLEW_URL": filled.url, "CLEW_TOKEN": token}),
                       (["--server", filled.url], {"CLEW_TOKEN": token})):
        answer = run("query", "spans | stats count() as n", *words, env=env)
        assert answer.returncode == 0 and json.loads(answer.stdout.splitlines()[0]) == {"n": 5}, (words, answer)
    # The directory's own token never goes to a server named otherwise.
    assert run("query", "spans", "--data", filled.data, "--server", filled.url).returncode == 1
    nowhere = run("query", "spans", "--server", "http://127.0.0.1:9", "--token", "x")
    assert nowhere.returncode == 1 and "127.0.0.1" in nowhere.stderr
    nobody = run("query", "spans", "--data", "/no/such/place")
    assert nobody.returncode == 1 and "clew serve" in nobody.stderr


# ---- query, trace, tail

def test_rows_for_machines_are_the_stream_itself(filled):
    lines = [json.loads(line) for line in filled.cli("query", "--json", "spans | sort duration desc | select name, duration").splitlines()]
    assert lines[0] == {"name": "GET /cart", "duration": 900_000_000} and "_stats" in lines[-1]
    assert [json.loads(line) for line in filled.cli("query", "spans | limit 1").splitlines()][-1]["_stats"]["rows"] == 1


def test_a_table_for_people(filled):
    seen = on_terminal("query", "spans | stats count(), p99(duration) as p99 by service", "--data", filled.data)
    assert re.sub(r"\r\n", "\n", seen) == "service   count()    p99\ncheckout        1  700ms\ndb              2  400ms\nweb             2  900ms\n"
    seen = on_terminal("query", "logs", "--data", filled.data, columns=140)
    assert "Connection refused: \\x1b[31m" in seen and "\x1b[31m" not in seen
    seen = on_terminal("query", "logs", "--data", filled.data, columns=90)
    assert "\u2026" in seen and all(len(line) <= 90 for line in seen.splitlines())


def test_a_broken_query_is_underlined(filled):
    answer = run("query", "spans duration>200", "--data", filled.data)
    assert answer.returncode == 1 and not answer.stdout
    assert "  spans duration>200\n                 ^^^\n" in answer.stderr


def test_a_trace_is_drawn(filled):
    drawn = filled.cli("trace", shop.TRACE, env={**CLEAN, "TZ": "UTC"})
    lines = drawn.splitlines()
    assert lines[0].startswith("trace " + shop.TRACE) and "900ms" in lines[0] and "4 spans, 3 services, 1 error, 2 logs" in lines[1]
    order = [next(i for i, line in enumerate(lines) if text in line) for text in ("GET /cart", "POST /order", "db timeout", "order 1001", "SELECT orders", "lost")]
    assert order == sorted(order) and "\x1b" not in drawn
    assert "\x1b[31m" in on_terminal("trace", shop.TRACE, "--data", filled.data)
    assert json.loads(filled.cli("trace", "--json", shop.TRACE))["trace"] == shop.TRACE
    marked = filled.cli("trace", "--critical", shop.TRACE).splitlines()
    table = next(i for i, line in enumerate(marked) if line.startswith("service"))
    assert [line.split()[0] for line in marked[table + 1:table + 4]] == ["db", "checkout", "web"] and "44%" in marked[table + 1]
    assert "\u2588" in next(line for line in marked if "GET /cart" in line) and "\u2591" in next(line for line in marked if "GET /cart" in line)
    assert json.loads(filled.cli("trace", "--critical", "--json", shop.TRACE))["duration"] == 900 * 10**6
    for bad, why in (("0" * 31 + "1", "no span"), ("nonsense", "hex digits"), ("../me", "")):
        answer = run("trace", bad, "--data", filled.data)
        assert answer.returncode == 1 and why in answer.stderr


def test_a_tail_follows(filled):
    process = subprocess.Popen([str(harness.binary()), "tail", "--json", "logs service=followed", "--data", str(filled.data)], stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, text=True, env=CLEAN)
    try:
        deadline = time.monotonic() + 30
        while filled.metrics()["clew_tails_open"] < 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for number in range(3):
            record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": f"line {number}"}}
            body = json.dumps({"resourceLogs": [shop.resource("followed", "logRecords", [record])]})
            assert filled.request("POST", "/v1/logs", body, {"Content-Type": "application/json"}, token=None)[0] == 200
        assert [json.loads(process.stdout.readline())["body"] for _ in range(3)] == ["line 0", "line 1", "line 2"]
    finally:
        process.terminate()
        process.wait(30)
    assert run("tail", "spans | stats count()", "--data", filled.data).returncode == 1


# ---- serve

def test_serve_says_what_is_needed_and_ends_well(clew_new):
    server = clew_new()
    assert server.stop() == 0
    said = server.log()
    assert re.search(re.escape(server.url) + r"/signin#[\w-]{43}", said)
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={server.url}" in said and re.search(r"http://[0-9a-f]{32}@127\.0\.0\.1:\d+/1", said)


def test_a_port_in_use_is_named(clew, tmp_path):
    answer = run("serve", "--data", tmp_path / "d", "--listen", f"127.0.0.1:{clew.port}", "--no-otlp-ports")
    assert answer.returncode == 1 and str(clew.port) in answer.stderr


def test_users(clew):
    link = clew.cli("user", "add", "jonas@example.com", "--scope", "read,values").strip()
    assert link.startswith(clew.url + "/signin#invite=")
    users = {row["login"]: row for row in map(json.loads, clew.cli("user", "ls", "--json").splitlines())}
    assert users["jonas@example.com"]["state"] == "invited" and users["jonas@example.com"]["scopes"] == "read,values"
    assert "jonas@example.com" in clew.cli("user", "ls")
    again = clew.cli("user", "link", "jonas@example.com").strip()
    assert again.startswith(clew.url + "/signin#invite=") and again != link
    assert run("user", "add", "jonas@example.com", "--data", clew.data).returncode == 1
    assert run("user", "add", "x", "--scope", "root", "--data", clew.data).returncode == 2
    assert run("user", "rm", "admin", "--data", clew.data).returncode == 1
    clew.cli("user", "rm", "jonas@example.com")
    assert run("user", "link", "jonas@example.com", "--data", clew.data).returncode == 1


def test_doctor(clew, tmp_path):
    answer = run("doctor", "--data", clew.data)
    assert answer.returncode == 0 and clew.url in answer.stdout
    assert clew.request("POST", "/v1/trace", "{}", {"User-Agent": "typo/1"}, token=None)[0] == 404
    answer = run("doctor", "--data", clew.data)
    assert answer.returncode == 0 and "note   Wrong path: 127.0.0.1, typo/1, 1 time" in answer.stdout and "OTEL_EXPORTER_OTLP_ENDPOINT" in answer.stdout
    assert "ok     main port: in use by the server that runs" in answer.stdout
    assert "ok     OTLP port for gRPC: the server that runs does without" in answer.stdout, answer.stdout  # as it was started: with --no-otlp-ports
    answer = run("doctor", "--data", tmp_path / "new", "--listen", f"127.0.0.1:{clew.port}", "--no-otlp-ports")
    assert answer.returncode == 1 and "fails  main port" in answer.stdout and "--listen" in answer.stdout
