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

export default defineConfig({
  plugins: [earlyTheme()],
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
