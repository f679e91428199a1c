/**
 * Runs after `vite build`, on `build/200.html`:
 * 1. moves SvelteKit's inline start script into a file of its own, so that `script-src 'self'` is enough and the
 *    server needs no hashes in its Content-Security-Policy;
 * 2. adds up what the browser fetches before the map (scripts, styles and fonts named in the page) and fails above the budget.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 300;
const page = 'build/200.html';
let html = readFileSync(page, 'utf8');

html = html.replace(/<script>([\s\S]*?)<\/script>/, (_, code) => {
  const name = `/_app/immutable/start.${createHash('sha256').update(code).digest('hex').slice(0, 8)}.js`;
  writeFileSync(`build${name}`, code);
  return `<script src="${name}"></script>`;
});
if (/<script>/.test(html) || /\sstyle="/.test(html)) {
  throw new Error(`${page} still holds an inline script or style: the Content-Security-Policy would block it`);
}
writeFileSync(page, html);

/**
 * Everything that is imported statically, directly or not, by the start of the app and by any of its pages: more than one
 * page ever needs. What is imported dynamically (the map, deck.gl) is not part of the first load.
 */
const manifest = JSON.parse(readFileSync('.svelte-kit/output/client/.vite/manifest.json', 'utf8'));
const files = new Set();
function visit(key) {
  const chunk = manifest[key];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const imported of chunk.imports ?? []) visit(imported);
}
for (const key of Object.keys(manifest)) {
  if (/client(-optimized)?\/(app|nodes\/\d+)\.js$/.test(key) || key.endsWith('runtime/client/entry.js')) visit(key);
}
const size = (file) => gzipSync(readFileSync(`.svelte-kit/output/client/${file}`)).length;
const latin = readdirSync('build/_app/immutable/assets').filter((name) => /latin-wght-normal.*woff2$/.test(name));
const fonts = latin.map((name) => statSync(`build/_app/immutable/assets/${name}`).size);
const bytes = [...files]
  .map(size)
  .concat(fonts)
  .reduce((sum, one) => sum + one, 0);
const kb = Math.round(bytes / 1024);
console.log(`first load of all pages without the map: ${kb} kB gzip of ${BUDGET_KB} kB (${files.size} files)`);
if (files.size < 5) throw new Error('the manifest of the build was not understood');
if (kb > BUDGET_KB) throw new Error(`the first load is ${kb} kB; the budget is ${BUDGET_KB} kB. Load something later.`);
