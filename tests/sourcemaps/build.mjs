// build.mjs DIRECTORY: shop/program.ts as somebody would ship it: one minified file and its map.
import path from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
esbuild.buildSync({
  entryPoints: [path.join(here, "shop/program.ts")], outfile: path.join(process.argv[2], "app.js"), bundle: true, minify: true,
  sourcemap: true, platform: "node", absWorkingDir: here,
});
