"""The figures of the store: generates OTLP load against the release build and prints what it cost.

    make bench                                        every scenario, a million records each
    make bench ARGS="--scenario traces-http,logs"     some of them
    make bench ARGS="--records 5000000 --repeat 3"    more, and the median of three runs
    make bench ARGS="--scenario traces-http --seconds 300"    at full rate for five minutes

CPU is the server's, user and system, from before the first request until everything that was written
is sealed and merged. Memory is anonymous memory, sampled at its peak. Bytes on disk are those of the parts; the
log is recycled and of fixed size. The generator's own CPU is reported apart.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

import server as clew

ROOT = pathlib.Path(__file__).resolve().parents[1]
OUT = ROOT / "build/bench"
QUERY_RUNS = 21

# name: options of the generator; what to look at afterwards
SCENARIOS = {
    "traces-http": (["--batch", "512"], "traces"),
    "traces-http-collector": (["--batch", "8192"], None),
    "traces-gzip": (["--batch", "8192", "--encoding", "gzip"], None),
    "traces-grpc": (["--batch", "512", "--transport", "grpc", "--connections", "4"], None),
    "traces-grpc-one": (["--batch", "8192", "--transport", "grpc", "--connections", "1", "--streams", "16"], None),
    "logs": (["--signal", "logs", "--batch", "512"], "logs"),
    "logs-no-trace": (["--signal", "logs", "--batch", "512", "--no-trace-ids"], None),
    "metrics": (["--signal", "metrics", "--batch", "2048"], None),
    "recovery": (["--batch", "512"], "recovery"),
    # Sentry's, one event a request; fewer of them, each is as large as dozens of spans.
    "events": (["--signal", "events", "--connections", "16", "--prebuilt", "20000", "--issues", "1000"], "events"),
    "events-large": (["--signal", "events", "--connections", "16", "--prebuilt", "2000", "--size", "51000", "--issues", "1000"], "events"),
}
SHARE = {"events": 10, "events-large": 50}  # of --records


def build():
    subprocess.run(["ninja", "-C", ROOT / "build/release", "bench/otlpgen"], check=True, stdout=subprocess.DEVNULL)
    return ROOT / "build/release/bench/otlpgen"


def timed_ms(action, runs=QUERY_RUNS):
    """Median and slowest of some runs, the first one (cold) apart."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1000)
    return {"first": taken[0], "p50": statistics.median(taken[1:]), "max": max(taken[1:])}


def look_at_traces(server, sent):
    start, end = sent["first_ns"] - 10**9, sent["last_ns"] + 60 * 10**9
    rows, _ = server.query("spans | stats count() as n", start, end)
    found = int(rows[0]["n"])
    samples = iter(sent["sample_traces"] * 2)
    wrong = []

    def one_trace():
        sample = next(samples)
        rows, _ = server.query(f"spans trace={sample['id']}", start, end)
        if len(rows) != sample["spans"]:
            wrong.append(f"{sample['id']}: {len(rows)} of {sample['spans']} spans")

    figures = {
        "trace_by_id_ms": timed_ms(one_trace, len(sent["sample_traces"])),
        "search_20_traces_ms": timed_ms(lambda: server.query("spans service=checkout | traces | limit 20", start, end)),
        "search_errors_ms": timed_ms(lambda: server.query("spans service=checkout status=error | traces | limit 20", start, end)),
        "p99_by_service_ms": timed_ms(lambda: server.query("spans | stats p99(duration) as p99 by service", start, end)),
        "count_ms": timed_ms(lambda: server.query("spans | stats count()", start, end)),
    }
    if found != sent["records"]:
        wrong.append(f"{found} spans found, {sent['records']} acknowledged")
    return figures, wrong


def look_at_logs(server, sent):
    start, end = sent["first_ns"] - 10**9, sent["last_ns"] + 60 * 10**9
    rows, _ = server.query("logs | stats count() as n", start, end)
    found = int(rows[0]["n"])
    figures = {
        "newest_20_ms": timed_ms(lambda: server.query("logs service=checkout | limit 20", start, end)),
        "phrase_20_ms": timed_ms(lambda: server.query('logs "slow query" | limit 20', start, end)),
        "rare_word_ms": timed_ms(lambda: server.query('logs "user-9999" | limit 20', start, end), 5),
        "errors_by_service_ms": timed_ms(lambda: server.query("logs level>=error | stats count() by service", start, end)),
    }
    wrong = [] if found == sent["records"] else [f"{found} logs found, {sent['records']} acknowledged"]
    return figures, wrong


class Inbox(threading.Thread):
    """Asks for the list of issues as the page does, while events come in."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.taken, self.over = server, [], threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            began = time.perf_counter()
            status, _ = self.server.request("GET", "/api/v1/issues?limit=50")
            if status == 200:
                self.taken.append((time.perf_counter() - began) * 1000)

    def figures(self):
        self.over.set()
        self.join()
        taken = sorted(self.taken) or [0]
        return {"p50": statistics.median(taken), "p95": taken[int(len(taken) * 0.95)], "max": taken[-1], "n": len(self.taken)}


def look_at_events(server, sent):
    """After a kill -9: what was acknowledged is there, and counted."""
    server.kill()
    server.start()
    end = time.time_ns() + 60 * 10**9
    found = int(server.query("events | stats count() as n", 0, end)[0][0]["n"])
    listed = json.loads(server.request("GET", "/api/v1/issues?limit=1&from=-2d")[1])
    wrong = []
    if found < sent["records"] or listed["events"] != found:
        wrong.append(f"{sent['records']} events acknowledged, {found} found, {listed['events']} counted in {listed['total']} issues")
    issue = json.loads(server.request("GET", "/api/v1/issues?limit=1&from=-2d&sort=events")[1])["issues"][0]
    return {
        "inbox_ms": timed_ms(lambda: server.request("GET", "/api/v1/issues?limit=50&from=-2d")),
        "inbox_query_ms": timed_ms(lambda: server.request("GET", "/api/v1/issues?limit=50&from=-2d&query=issues+level%3E%3Derror+state%3Dnew")),
        "issue_ms": timed_ms(lambda: server.request("GET", f"/api/v1/issues/{issue['short']}?from=-2d")),
        "latest_event_ms": timed_ms(lambda: server.request("GET", f"/api/v1/issues/{issue['short']}/events/latest?from=-2d")),
    }, wrong


def run_generator(generator, server, options, args, share=1):
    amount = ["--records", str(args.records // share)]
    if "events" in options:
        dsn = server.cli("project", "dsn", "default").strip()
        amount += ["--token", dsn.split("//")[1].split("@")[0], "--project", dsn.rsplit("/", 1)[1], *args.event_option]
    if args.seconds and "--encoding" not in options:  # compressed requests cannot repeat with new ids
        amount = ["--records", "1000000000000", "--seconds", str(args.seconds)]
    command = [generator, "--to", f"127.0.0.1:{server.port}", *amount, *options]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if not run.stdout:
        raise RuntimeError(f"otlpgen: {run.stderr}")
    sent = json.loads(run.stdout)
    if sent["failures"]:
        raise RuntimeError(f"{sent['failures']} requests failed, the first with: {sent['first_failure']}")
    return sent


def run_scenario(name, args, generator):
    options, look = SCENARIOS[name]
    place = OUT / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    server = clew.Server(place / "data", args.server_option, args.binary)
    started_s = server.start()
    try:
        time.sleep(0.5)
        cpu, disk = server.cpu_s(), server.disk()
        inbox = Inbox(server) if look == "events" else None
        if inbox:
            server.token("read")
            inbox.start()
        sent = run_generator(generator, server, options, args, SHARE.get(name, 1))
        millions = sent["records"] / 1e6
        result = {"records": sent["records"], "rate": sent["rate"], "ack_ms": sent["ack_ms"], "retries": sent["retries"],
                  "cpu_s_per_million_while_sending": (server.cpu_s() - cpu) / millions,
                  "generator_cpu_s_per_million": sent["generator_cpu_s_per_million"], "otlp_bytes_per_record": sent["set"]["bytes_per_record"],
                  "start_s": started_s}
        wrong = []
        if inbox:
            result["inbox_under_load_ms"] = inbox.figures()
        if look == "recovery":
            server.kill()
            result["recovery_s"] = server.start()
            wrong = look_at_traces(server, sent)[1]
            result["wrong"] = wrong
            return result
        result["settle_s"] = server.settle()
        result["cpu_s_per_million"] = (server.cpu_s() - cpu) / millions
        now = server.disk()
        result["disk_bytes_per_record"] = (now["parts"] - disk["parts"]) / sent["records"]
        result["log_bytes"] = now["log"]
        if look:
            result["queries"], wrong = {"traces": look_at_traces, "logs": look_at_logs, "events": look_at_events}[look](server, sent)
        result["rss_anon_peak"] = server.rss_peak
        result["wrong"] = wrong
        return result
    finally:
        status = server.stop()
        if status:
            print(f"{name}: the server ended with status {status}", file=sys.stderr)
        if not args.keep:
            shutil.rmtree(place / "data", ignore_errors=True)


def median_of(results):
    """The run with the median CPU: its figures belong together."""
    results.sort(key=lambda r: r.get("cpu_s_per_million", r.get("recovery_s", 0)))
    chosen = results[len(results) // 2]
    chosen["runs"] = len(results)
    return chosen


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": os.uname().release, "commit": commit,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def show(name, r):
    if "recovery_s" in r:
        print(f"{name:22} {r['records'] / 1e6:5.1f} M unsealed at kill -9; ready again in {r['recovery_s']:.2f} s")
    else:
        print(f"{name:22} {r['cpu_s_per_million']:5.2f} CPU-s/M ({r['cpu_s_per_million_while_sending']:.2f} while sending) "
              f"{r['rate'] / 1e3:6.0f} k/s {r['disk_bytes_per_record']:6.1f} B/record {r['rss_anon_peak'] / 1e6:5.0f} MB "
              f"ack p50 {r['ack_ms']['p50']:.1f} p99 {r['ack_ms']['p99']:.1f} ms, generator {r['generator_cpu_s_per_million']:.2f}")
    if "inbox_under_load_ms" in r:
        ms = r["inbox_under_load_ms"]
        print(f"{'':22} inbox while they come    p50 {ms['p50']:8.2f} ms   p95   {ms['p95']:8.2f}   max {ms['max']:8.2f}")
    for query, ms in r.get("queries", {}).items():
        print(f"{'':22} {query:24} p50 {ms['p50']:8.2f} ms   first {ms['first']:8.2f}   max {ms['max']:8.2f}")
    for text in r["wrong"]:
        print(f"{'':22} WRONG: {text}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default=",".join(SCENARIOS), help="some of: " + " ".join(SCENARIOS))
    parser.add_argument("--records", "--spans", type=int, default=1_000_000, help="records of each scenario (1000000)")
    parser.add_argument("--seconds", type=int, default=0, help="send at full rate for so long instead")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each scenario; the one with the median CPU is reported")
    parser.add_argument("--binary", default=ROOT / "build/clew", help="the server (build/clew)")
    parser.add_argument("--server-option", action="append", default=[], help="further option of the server, as --durability=os")
    parser.add_argument("--event-option", action="append", default=[], help="further option of the generator for events, as --issues=10000")
    parser.add_argument("--keep", action="store_true", help="leave the data in build/bench/SCENARIO/data")
    args = parser.parse_args()
    names = args.scenario.split(",")
    for name in names:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name}")
    generator = build()
    results = {}
    for name in names:
        results[name] = median_of([run_scenario(name, args, generator) for _ in range(args.repeat)])
        show(name, results[name])
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "RESULT.json").write_text(json.dumps({"machine": machine(), "options": args.server_option, "scenarios": results}, indent=1) + "\n")
    return 1 if any(r["wrong"] for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
