"""Source maps. Those of real bundlers (esbuild, rollup, terser, tsc; index maps too): every segment and random places are looked up as
npm's source-map and trace-mapping look them up. And a minified program's error, made readable by what sentry-cli uploads."""
import json
import os
import pathlib
import subprocess
import time

import pytest

import harness
from conftest import check_ended
from openapi import described, matches

HERE = pathlib.Path(__file__).resolve().parent


def test_look_ups_agree_with_other_implementations():
    program = harness.binary().resolve().parents[2] / "tests/symbols/sourcemap_answers"
    assert program.exists(), f"{program} is not built"
    run = subprocess.run(["node", "compare.mjs", str(program)], cwd=harness.ROOT / "tests/sourcemaps",
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    counts = json.loads(run.stdout)
    assert len(counts) == 12 and sum(counts.values()) > 100_000, counts


# ---- a minified program on an unmodified SDK, its map by an unmodified sentry-cli

SDKS = ["@sentry/node", "sentry-node-8"]
CLI = HERE / "node_modules/@sentry/cli-linux-x64/bin/sentry-cli"
CLI_2 = HERE / "node_modules/sentry-cli-2/node_modules/@sentry/cli-linux-x64/bin/sentry-cli"  # the last one that uploads release files


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    directory = tmp_path_factory.mktemp("maps")
    server = harness.Server(directory / "data")
    server.start()
    server.cli("project", "add", "shop")
    yield server, directory
    check_ended(server)


def sentry_cli(server, directory, *words, program=CLI):
    run = subprocess.run([str(program), *words], cwd=directory, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                         env={"PATH": os.environ["PATH"], "HOME": str(directory), "SENTRY_URL": server.url, "SENTRY_ORG": "clew", "SENTRY_PROJECT": "shop",
                              "SENTRY_AUTH_TOKEN": server.token("ingest"), "SENTRY_DISABLE_UPDATE_CHECK": "1"})
    assert run.returncode == 0, run.stdout + run.stderr


def build(directory):
    subprocess.run(["node", str(harness.ROOT / "tests/sourcemaps/build.mjs"), str(directory)], check=True, capture_output=True, timeout=60)


def crash(server, directory, sdk):
    """Runs the program; the id of the event."""
    dsn = server.cli("project", "dsn", "shop").strip()
    run = subprocess.run(["node", str(directory / "app.js"), str(HERE / "node_modules" / sdk), dsn], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()[-1]


def frames(server, event):
    status, answer = server.request("GET", f"/api/v1/events/{event}")
    assert status == 200, answer
    value = json.loads(answer)
    matches(described("GET", "/api/v1/events/{id}", 200), value)
    return [f for f in value["exceptions"][0]["frames"] if "app.js" in f.get("raw", f).get("file", "")]


def stored(server, event):
    return server.query(f"events event_id={event} | select group, stack.function, culprit")[0][0]


def issue_of(server, event):
    return json.loads(server.request("GET", f"/api/v1/events/{event}")[1]).get("issue")


def check_readable(found):
    top = found[0]
    assert top["function"] == "priceOf", found
    assert top["symbolicated"] == "sourcemap" and top["file"].endswith("shop/cart.ts") and top["in_app"], top
    assert [40, "  if (item.price === undefined) throw new PriceError(item.name);"] in top["context"] and top["line"] == 40, top
    assert "Cart.total" in [f["function"] for f in found], found
    assert top["raw"]["line"] > 0 and top["raw"]["column"] > 40 and top["raw"]["function"] != "priceOf", top["raw"]


@pytest.mark.parametrize("sdk", SDKS)
def test_by_debug_id_also_before_the_upload(shop, sdk):
    server, root = shop
    directory = root / sdk.replace("/", "-")
    build(directory)
    with open(directory / "app.js", "a") as file:
        file.write(f"\n// {sdk}")  # another debug id
    sentry_cli(server, directory, "sourcemaps", "inject", ".")
    before = crash(server, directory, sdk)
    for frame in frames(server, before):
        assert "no source map for debug id" in frame.get("missing", "") and "symbolicated" not in frame, frame
    sentry_cli(server, directory, "sourcemaps", "upload", ".")
    check_readable(frames(server, before))
    deadline = time.monotonic() + 60  # the map is parsed behind the upload
    while "priceOf" not in str(stored(server, after := crash(server, directory, sdk))):
        assert time.monotonic() < deadline, "no event was symbolicated as it came"
    check_readable(frames(server, after))
    assert stored(server, after)["group"] != stored(server, before)["group"]
    # what came before the map is of one issue with what comes after it, and with nothing else
    deadline = time.monotonic() + 60
    while len({issue_of(server, event) for event in (before, after)} | {None}) != 2:
        assert time.monotonic() < deadline, [issue_of(server, event) for event in (before, after)]
        time.sleep(0.2)


def test_by_release_and_url(shop):
    server, root = shop
    directory = root / "legacy"
    build(directory)
    event = crash(server, directory, "@sentry/node")
    assert "symbolicated" not in frames(server, event)[0]
    sentry_cli(server, directory, "releases", "new", "shop@3.1.4")
    sentry_cli(server, directory, "releases", "files", "shop@3.1.4", "upload-sourcemaps", ".", "--url-prefix", f"~{directory}", program=CLI_2)
    check_readable(frames(server, event))
