import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** While developing, everything that is not the app itself comes from a running `polder serve`. */
const server = process.env.POLDER_URL ?? 'http://127.0.0.1:8080';
const fromServer = ['/api', '/tiles', '/3dtiles', '/ogc', '/ngsi-ld'];

/**
 * SvelteKit hides its route announcer with a style attribute, which a policy without `unsafe-inline` forbids. Our own
 * class does the same.
 */
const announcerWithoutInlineStyle: Plugin = {
  name: 'announcer-without-inline-style',
  enforce: 'pre',
  transform(code, id) {
    if (id.endsWith('generated/root.svelte'))
      return code.replace(/(id="svelte-announcer"[^>]*?)\sstyle="[^"]*"/, '$1 class="sr-only"');
  },
};

export default defineConfig({
  plugins: [announcerWithoutInlineStyle, sveltekit()],
  resolve: { alias: { 'meshoptimizer/decoder': new URL('src/lib/map/no-meshopt.ts', import.meta.url).pathname } },
  server: { port: 8241, proxy: Object.fromEntries(fromServer.map((path) => [path, server])) },
  // The map and deck.gl are large by nature and load only when they are needed; `scripts/finish.mjs` guards the first load.
  build: { chunkSizeWarningLimit: 2000 },
  test: { include: ['src/**/*.test.ts'] },
});
