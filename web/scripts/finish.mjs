/**
 * Runs after `vite build`, on `build/200.html`:
 * 1. moves SvelteKit's inline start script into a file of its own, so that `script-src 'self'` is enough and the
 *    server needs no hashes in its Content-Security-Policy;
 * 2. adds up what the browser fetches before the map (scripts, styles and fonts named in the page) and fails above the budget.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

const seen = new Set();
let bytes = 0;
/** Counts one file and, for a script, the files it imports statically. */
function count(url) {
  if (seen.has(url) || !existsSync(`build${url}`)) return;
  seen.add(url);
  const content = readFileSync(`build${url}`);
  bytes += /\.woff2$/.test(url) ? content.length : gzipSync(content).length;
  if (!url.endsWith('.js')) return;
  for (const [, path] of content.toString().matchAll(/(?:from|import)\s*"(\.{1,2}\/[^"]+\.js)"/g)) {
    count(new URL(path, `http://x${url}`).pathname);
  }
}
for (const [, url] of html.matchAll(/(?:href|src)="(\/[^"]+\.(?:js|css|woff2))"/g)) count(url);
const kb = Math.round(bytes / 1024);
console.log(`first load: ${kb} kB gzip of ${BUDGET_KB} kB (${seen.size} files)`);
if (kb > BUDGET_KB) throw new Error(`the first load is ${kb} kB; the budget is ${BUDGET_KB} kB. Load something later.`);
