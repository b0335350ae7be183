"""Source maps of real bundlers (esbuild, rollup, terser, tsc; index maps too): every segment and random places are looked up as npm's
source-map and trace-mapping look them up."""
import json
import subprocess

import harness


def test_look_ups_agree_with_other_implementations():
    program = harness.binary().resolve().parents[2] / "tests/symbols/sourcemap_answers"
    assert program.exists(), f"{program} is not built"
    run = subprocess.run(["node", "compare.mjs", str(program)], cwd=harness.ROOT / "tests/sourcemaps",
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    counts = json.loads(run.stdout)
    assert len(counts) == 12 and sum(counts.values()) > 100_000, counts
