// Real bundles of real tools: each {name, code, map}.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import esbuild from "esbuild";
import { rollup } from "rollup";
import { minify } from "terser";
import ts from "typescript";

const here = path.dirname(fileURLToPath(import.meta.url));
const entry = path.join(here, "shop/main.ts");
const modules = path.join(here, "node_modules");

async function byEsbuild(options) {
  const result = await esbuild.build({
    entryPoints: [entry], bundle: true, write: false, sourcemap: "external", outfile: path.join(here, "out/app.js"), absWorkingDir: here,
    ...options,
  });
  const of = (end) => result.outputFiles.find((f) => f.path.endsWith(end)).text;
  return { code: of(".js"), map: JSON.parse(of(".map")) };
}

function byTypescript(file) {
  const source = readFileSync(file, "utf8");
  const out = ts.transpileModule(source, {
    fileName: path.basename(file),
    compilerOptions: { sourceMap: true, inlineSources: true, target: "ES5", module: "CommonJS" },
  });
  return { code: out.outputText, map: JSON.parse(out.sourceMapText) };
}

async function byRollup(file) {
  const bundle = await rollup({ input: file, onwarn() {} });
  const { output } = await bundle.generate({ format: "iife", name: "lib", sourcemap: true });
  return { code: output[0].code, map: JSON.parse(output[0].map.toString()) };
}

async function byTerser(file, content) {
  const out = await minify({ [path.basename(file)]: readFileSync(file, "utf8") }, {
    sourceMap: { filename: "out.js", includeSources: true, content }, mangle: { toplevel: true }, compress: { passes: 2 },
  });
  return { code: out.code, map: JSON.parse(out.map) };
}

// One file of several scripts, as a server that concatenates would make it.
const renamed = (map, by) => map.sections
  ? { ...map, sections: map.sections.map((s) => ({ ...s, map: renamed(s.map, by) })) }
  : { ...map, sources: map.sources.map((s) => `${by}/${s.replaceAll("../", "up/")}`) };

function concatenated(parts) {
  const sections = [];
  let code = "", line = 0, column = 0;
  parts.forEach((part, i) => {
    sections.push({ offset: { line, column }, map: renamed(part.map, i) });
    const text = i % 2 ? part.code : `${part.code}\n/* ${"x".repeat(i)} */`;
    code += text;
    const lines = text.split("\n");
    line += lines.length - 1;
    column = lines.length > 1 ? lines.at(-1).length : column + lines[0].length;
  });
  return { code, map: { version: 3, file: "all.js", sections } };
}

export async function bundles() {
  const preact = path.join(modules, "preact/dist/preact.module.js");
  const all = {
    "esbuild": await byEsbuild({}),
    "esbuild, minified": await byEsbuild({ minify: true }),
    "esbuild, minified, names kept": await byEsbuild({ minify: true, keepNames: true, sourceRoot: "https://shop.example/src" }),
    "esbuild, ES5-like": await byEsbuild({ minify: true, target: "es2015", sourcesContent: false }),
    "tsc": byTypescript(entry),
    "tsc, cart": byTypescript(path.join(here, "shop/cart.ts")),
    "rollup": await byRollup(preact),
    "terser": await byTerser(preact),
    "terser, a class": await byTerser(path.join(modules, "source-map/lib/source-map-consumer.js")),
    "esbuild, source-map": await byEsbuild({
      entryPoints: [path.join(modules, "source-map/source-map.js")], minify: true, platform: "node",
    }),
  };
  all["index map"] = concatenated([all.terser, all.esbuild, all["esbuild, minified"], all.tsc, all.rollup]);
  all["index map of index maps"] = concatenated([all["index map"], all["tsc, cart"], all["index map"]]);
  return all;
}
