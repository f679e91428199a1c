/**
 * A real browser on a running server. The address comes from POLDER_URL; POLDER_USER and POLDER_PASSWORD name an account
 * for the tests of signing in. Nothing here waits for a fixed time: the page says when it is ready.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const base = process.env.POLDER_URL ?? 'http://127.0.0.1:8080';
export const account = { name: process.env.POLDER_USER, password: process.env.POLDER_PASSWORD };
export const PATIENCE_MS = Number(process.env.POLDER_PATIENCE_MS ?? 120_000);

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
// Software drawing, and none of the browser's own traffic.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });

const contexts = new Set();

/** After each test: a page that a failed test left behind would slow down the next ones. */
export async function closeAll() {
  for (const context of contexts) await context.close();
  contexts.clear();
}

/** Opens a page that remembers everything that went wrong in it. */
export async function open(browser, path = '/', options = {}) {
  const baseURL = options.base ?? base;
  const context = await browser.newContext({
    baseURL,
    viewport: options.phone ? { width: 390, height: 844 } : { width: 1120, height: 700 },
    locale: options.locale ?? 'nl-NL',
    colorScheme: options.dark ? 'dark' : 'light',
    hasTouch: options.phone ?? false,
    isMobile: options.phone ?? false,
    reducedMotion: 'reduce',
    acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  contexts.add(context);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    // What the server refuses on purpose is tested where it matters; the browser also logs it.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) page.wrong.push(text);
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(baseURL).host) page.wrong.push(`asked ${host} for something`);
  });
  if (options.before) await options.before(page);
  await page.goto(path);
  return page;
}

// The cookies of who signed in before: a browser keeps them too, and the server counts attempts to sign in.
const cookies = new Map();

/** Opens a page as somebody who is signed in. */
export async function openAs({ name, password }, browser, path, options = {}) {
  const who = `${name} ${password}`;
  return open(browser, path, {
    ...options,
    before: async (page) => {
      const context = page.context();
      await context.addCookies(cookies.get(who) ?? []);
      const { csrf, signedIn } = await (await context.request.get('/api/v1/session')).json();
      if (signedIn) return;
      const answer = await context.request.post('/api/v1/session', {
        data: { name, password },
        headers: { 'X-CSRF-Token': csrf },
      });
      assert.equal(answer.ok(), true, `signing in as ${name} answers ${answer.status()}`);
      cookies.set(who, await context.cookies());
    },
  });
}

/** Opens the map and waits until it is at rest with all its tiles. */
export async function openMap(browser, path = '/', options = {}) {
  const page = await open(browser, path, options);
  await rest(page);
  return page;
}

export const rest = (page) => page.waitForSelector('[data-map-idle="true"]', { state: 'attached' });

/** Closes a page and fails when anything went wrong in it. */
export async function close(page) {
  const { wrong } = page;
  await page.context().close();
  contexts.delete(page.context());
  assert.deepEqual(wrong, [], 'the page logged errors or asked other hosts');
}

/** No serious or critical problem of accessibility (axe-core, WCAG 2.2 A and AA). */
export async function accessible(page, where) {
  // By the debugging protocol, because the page's policy forbids scripts from elsewhere.
  const { readFile } = await import('node:fs/promises');
  await page.evaluate(await readFile(axePath, 'utf8'));
  const problems = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run(document, { runOnly: tags });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
  assert.deepEqual(problems, [], `axe on ${where}`);
}

/** Asks the server directly, as the page would. */
export async function ask(path) {
  const response = await fetch(`${base}${path}`, { headers: { Accept: 'application/json' } });
  assert.equal(response.ok, true, `${path} answers ${response.status}`);
  return response.json();
}

/** A thing of a layer with something to chart, so that no test depends on one city. */
export async function chartedThing() {
  const { layers } = await ask('/api/v1/layers');
  for (const layer of layers.filter(({ delivery, live }) => delivery === 'features' && live)) {
    const attribute = layer.attributes.find(({ history, kind }) => history && kind === 'number');
    if (!attribute) continue;
    const { features } = await ask(`/api/v1/layers/${layer.id}/features`);
    const feature = features.find(
      ({ properties, geometry }) => geometry && typeof properties[attribute.name] === 'number',
    );
    if (feature)
      return { layer, attribute, id: feature.id, title: feature.properties.title, at: feature.geometry.coordinates };
  }
  throw new Error('no layer has a thing with a measured value');
}
