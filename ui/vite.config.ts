import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/**
 * The theme that the reader chose has to stand before the first paint, and the page may have no inline script: a small
 * script of its own in the head, blocking.
 */
function earlyTheme(): Plugin {
  const source = 'src/state/early-theme.ts';
  return {
    name: 'clew-early-theme',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: source, name: 'theme' });
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((file) => file.type === 'chunk' && file.facadeModuleId?.endsWith(source));
        if (chunk?.type !== 'chunk' || chunk.imports.length > 0 || chunk.exports.length > 0) throw new Error(`${source} must stand alone`);
        return [{ tag: 'script', attrs: { src: `/${chunk.fileName}` }, injectTo: 'head-prepend' }];
      },
    },
  };
}

/** Beside each file that brotli makes smaller, NAME.br: compressed once, at its best, for tools/embed.py to take along. */
function brotli(): Plugin {
  return {
    name: 'clew-brotli',
    apply: 'build',
    // From the files as they were written: other plugins still change the bundle after generateBundle.
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        const file = path.join(dir ?? 'dist', name);
        const plain = readFileSync(file);
        const packed = brotliCompressSync(plain, {
          params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
        });
        if (packed.length < plain.length * 0.9) writeFileSync(`${file}.br`, packed);
      }
    },
  };
}

export default defineConfig({
  plugins: [earlyTheme(), brotli()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Everything as a file: the policy of the pages allows no data: scripts, fonts or styles.
    assetsInlineLimit: 0,
    // What is bundled travels with the words of its authors.
    license: { fileName: 'licenses.txt' },
  },
  server: { proxy: { '/api': process.env['CLEW_URL'] ?? 'http://127.0.0.1:2539' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
