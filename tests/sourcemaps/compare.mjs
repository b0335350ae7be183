// compare.mjs PROGRAM: what PROGRAM (tests/symbols/sourcemap_answers) says of real maps against npm's source-map and
// trace-mapping, at each segment, beside it, and at random places. Prints a JSON object of what was compared; ends with 1 at
// the first difference.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SourceMapConsumer } from "source-map";
import { AnyMap, decodedMappings, originalPositionFor, eachMapping } from "@jridgewell/trace-mapping";
import { bundles } from "./bundles.mjs";

const [program] = process.argv.slice(2);
const RANDOM = 3000;
let seed = Number(process.env.SEED ?? Date.now() % 1e9);
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed % n;
};

function places(trace, code) {
  const all = [];
  eachMapping(trace, (m) => {
    const line = m.generatedLine - 1;
    for (const column of [m.generatedColumn - 1, m.generatedColumn, m.generatedColumn + 1])
      if (column >= 0) all.push([line, column]);
  });
  const lines = code.split("\n");
  for (let i = 0; i < RANDOM; i++) {
    const line = random(lines.length + 2);
    all.push([line, random((lines[line]?.length ?? 0) + 20)]);
  }
  return all;
}

function answers(file, js, at) {
  const run = spawnSync(program, js ? [file, js] : [file], {
    input: at.map((p) => p.join(" ")).join("\n"), encoding: "utf8", maxBuffer: 1 << 30,
  });
  if (run.status !== 0) throw new Error(`${program}: ${run.status} ${run.signal} ${run.stderr}`);
  return run.stdout.split("\n").slice(0, -1).map((line) => line === "-" ? null : line.split("\t"));
}

// Of several segments that begin at one place source-map takes any, the others (and we) the first.
function isTwin(trace, line, column, theirs) {
  const segments = decodedMappings(trace)[line] ?? [];
  const at = segments.findLast((s) => s[0] <= column)?.[0];
  const twins = segments.filter((s) => s[0] === at && s.length > 1);
  return twins.length > 1 && twins.some((s) => s[2] + 1 === theirs.line && s[3] === theirs.column);
}

const sourcesOf = (map) => map.sections ? map.sections.flatMap((s) => sourcesOf(s.map)) : map.sources;

const dir = mkdtempSync(path.join(tmpdir(), "clew-maps-"));
const counts = {};
let bad = 0;
for (const [name, { code, map }] of Object.entries(await bundles())) {
  const file = path.join(dir, "map"), js = path.join(dir, "js");
  writeFileSync(file, JSON.stringify(map));
  writeFileSync(js, code);
  const trace = new AnyMap(map);
  const at = places(trace, code);
  const ours = answers(file, js, at);
  if (ours.length !== at.length) throw new Error(`${name}: ${ours.length} answers to ${at.length} questions`);
  const sources = sourcesOf(map);
  await SourceMapConsumer.with(map, null, (consumer) => {
    at.forEach(([line, column], i) => {
      const theirs = consumer.originalPositionFor({ line: line + 1, column });
      const other = originalPositionFor(trace, { line: line + 1, column });
      const got = ours[i] && { source: sources[Number(ours[i][0])], line: Number(ours[i][1]) + 1, column: Number(ours[i][2]),
        name: ours[i][3] || null };
      const same = (want, root) => want.source === null
        ? got === null
        : got !== null && want.line === got.line && want.column === got.column && (want.name ?? null) === got.name &&
          want.source.endsWith(got.source.replace(/^(\.\.?\/)+/, ""));
      // Nested sections: trace-mapping adds the outer column to all lines of the inner ones, not to the first alone.
      const otherKnows = name !== "index map of index maps";
      if ((!same(theirs) && !isTwin(trace, line, column, theirs)) || (otherKnows && !same(other)))
        if (bad++ < 20) console.error(name, { line, column, got, theirs, other });
    });
  });
  counts[name] = at.length;
}
rmSync(dir, { recursive: true });
console.log(JSON.stringify(counts));
process.exit(bad ? 1 : 0);
