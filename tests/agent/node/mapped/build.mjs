// build.mjs: the victims of tests/agent/node that are made of TypeScript, as the usual tools make them. What they make is kept beside the sources, because
// a build has none of these tools; run it again (npm ci in tests/sourcemaps first) when src/ changes.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const tools = path.join(here, '../../../sourcemaps');
const require = createRequire(path.join(tools, 'build.mjs'));
const esbuild = require('esbuild');
const file = (name) => path.join(here, name);
const tsc = (out, ...more) =>
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), ...['orders.ts', 'rates.ts', 'main.ts'].map((name) => file(`src/${name}`)), '--outDir', file(out),
    '--rootDir', file('src'), '--target', 'es2022', '--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '5.0', '--typeRoots', file('none'), '--lib', 'es2022,dom', ...more], { stdio: 'inherit' });

for (const out of ['tsc', 'inline', 'bundle']) rmSync(file(out), { recursive: true, force: true });
tsc('tsc', '--sourceMap'); // a map beside each, which names its source and does not hold it
tsc('inline', '--inlineSourceMap', '--inlineSources');
const bundle = (outfile, more) =>
  esbuild.buildSync({ entryPoints: [file('src/main.ts')], outfile: file(outfile), bundle: true, platform: 'node', target: 'es2022', absWorkingDir: here, ...more });
bundle('bundle/plain.js', { sourcemap: true });
bundle('bundle/minified.js', { sourcemap: true, minifyIdentifiers: true, minifyWhitespace: true, lineLimit: 60 });
bundle('bundle/line.js', { sourcemap: true, minify: true });
// Longer than what V8 compares: behind everything, so that the map stays true.
writeFileSync(file('bundle/line.js'), readFileSync(file('bundle/line.js'), 'utf8').replace('console.log("ready");', `console.log("ready");/*${'-'.repeat(400)}*/`));
// As webpack names its sources, and as an index map.
const plain = JSON.parse(readFileSync(file('bundle/plain.js.map'), 'utf8'));
const text = readFileSync(file('bundle/plain.js'), 'utf8');
writeFileSync(file('bundle/webpack.js'), text.replace('plain.js.map', 'webpack.js.map'));
writeFileSync(file('bundle/webpack.js.map'), JSON.stringify({ ...plain, sources: plain.sources.map((name) => name.replace('../', 'webpack://shop/./')) }));
writeFileSync(file('bundle/index.js'), `// of two parts\n${text.replace('plain.js.map', 'index.js.map')}`);
writeFileSync(file('bundle/index.js.map'), JSON.stringify({ version: 3, file: 'index.js', sections: [{ offset: { line: 1, column: 0 }, map: plain }] }));
