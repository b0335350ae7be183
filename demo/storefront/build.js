'use strict';
// The page's script: bundled and minified, with a source map that is uploaded and not served.
const fs = require('node:fs');
const path = require('node:path');
const { SentryCli } = require('@sentry/cli');

/** Into `out`; the script's name. `launch` runs a program to its end. */
async function buildPage(out, launch) {
  const esbuild = require('esbuild');
  await esbuild.build({
    entryPoints: { shop: path.join(__dirname, 'page', 'main.ts') },
    outdir: out,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    sourcemap: true,
    target: 'es2022',
    define: { __SENTRY_DEBUG__: 'false' },
    logLevel: 'silent',
  });
  await esbuild.stop();
  // Script and map get one debug id: by it the one is found for the other, whatever the release is called.
  await launch('inject', SentryCli.getPath(), ['sourcemaps', 'inject', out], { finishes: true });
  return fs.readdirSync(out).find((name) => name.endsWith('.js'));
}

/** As a pipeline does it before a release goes out; whether all of it went well. */
async function uploadMaps(out, release, launch) {
  const steps = [
    ['release', 'releases', 'new', release],
    ['upload', 'sourcemaps', 'upload', '--release', release, '--url-prefix', '~/assets', out],
    ['finalize', 'releases', 'finalize', release],
    ['deploy', 'deploys', 'new', '--release', release, '--env', 'demo'],
  ];
  for (const [name, ...words] of steps) if (!(await launch(name, SentryCli.getPath(), words, { mayFail: true }))) return false;
  return true;
}

module.exports = { buildPage, uploadMaps };
