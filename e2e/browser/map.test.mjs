/** The map and everything around it, in a real browser. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { accessible, ask, chartedThing, close, closeAll, launch, open, openMap, rest } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
afterEach(closeAll);
after(() => browser.close());

const near = ([lng, lat], zoom = 15.5) => `c=${lng},${lat},${zoom}`;
const address = (page) => new URL(page.url()).searchParams;
const addressHas = (page, test) => page.waitForURL((url) => test(url.searchParams));

test('the map comes to rest and says whose data it shows and when they are from', async () => {
  const page = await openMap(browser);
  const { notices, basemap } = await ask('/api/v1/city');
  const replay = notices.find(({ kind }) => kind === 'replay');
  if (replay) await page.getByText(replay.text.nl, { exact: false }).first().waitFor();
  await page.locator('.attribution summary').click();
  await page.getByText(basemap.attribution.slice(0, 24), { exact: false }).first().waitFor();
  await accessible(page, 'the map');
  await close(page);
});

test('the first load without the map stays under 300 kB', async () => {
  let bytes = 0;
  const page = await open(browser, '/over', {
    before: async (fresh) => {
      const cdp = await fresh.context().newCDPSession(fresh);
      await cdp.send('Network.enable');
      const kinds = new Map();
      cdp.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
      cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        if (['Document', 'Script', 'Stylesheet', 'Font'].includes(kinds.get(requestId))) bytes += encodedDataLength;
      });
    },
  });
  await page.waitForSelector('h1');
  await page.waitForLoadState('networkidle').catch(() => undefined);
  assert.ok(bytes < 300 * 1024, `${Math.round(bytes / 1024)} kB`);
  await close(page);
});

test('layers go on and off, and the choice is in the address', async () => {
  const page = await openMap(browser);
  const { layers } = await ask('/api/v1/layers');
  const layer = layers.find(({ visible, delivery }) => !visible && delivery === 'features');
  await page.locator(`[data-layer="${layer.id}"]`).check();
  await addressHas(page, (query) => query.get('l')?.split(',').includes(layer.id));
  await rest(page);
  await page.locator(`[data-layer="${layer.id}"]`).uncheck();
  await addressHas(page, (query) => !query.get('l')?.split(',').includes(layer.id));
  await close(page);
});

test('a layer is found by its name, and says its licence and limits', async () => {
  const page = await openMap(browser);
  const { layers } = await ask('/api/v1/layers');
  const layer = layers[layers.length - 1];
  await page.getByRole('searchbox').first().fill(layer.title.nl);
  await page.getByRole('button', { name: `Meer over ${layer.title.nl}` }).click();
  await page.locator('#side dl').getByText(layer.source.licence, { exact: false }).waitFor();
  await close(page);
});

test('a click on a measuring point opens it, with values, a chart and the same as a table', async () => {
  const thing = await chartedThing();
  const page = await openMap(browser, `/?l=${thing.layer.id}&${near(thing.at, 17)}`);
  // Without the panel the middle of the map is that of the space between the bars.
  await page.getByRole('button', { name: 'Sluiten' }).click();
  await page.locator('#side').waitFor({ state: 'detached' });
  await rest(page);
  const top = await page.locator('header.bar').boundingBox();
  const bottom = await page.locator('section.bar').boundingBox();
  const { width } = page.viewportSize();
  await page.mouse.click(width / 2, (top.y + top.height + bottom.y) / 2);
  const inspector = page.locator('#inspector');
  await inspector.waitFor();
  await inspector.locator('.chart canvas').waitFor();
  await inspector
    .getByText(thing.layer.source.attribution.replace(/^(bron|source):\s*/i, ''), { exact: false })
    .first()
    .waitFor();
  await accessible(page, 'the inspector');
  await inspector.getByRole('button', { name: 'Toon als tabel' }).click();
  assert.ok((await inspector.locator('tbody tr').count()) > 0);
  await close(page);
});

test('colours can follow another attribute', async () => {
  const thing = await chartedThing();
  const other = thing.layer.attributes.find(
    ({ name, history, kind }) => history && kind === 'number' && name !== thing.layer.style.by,
  );
  if (!other) return;
  const page = await openMap(browser, `/?l=${thing.layer.id}`);
  await page.locator(`[data-by="${thing.layer.id}"]`).selectOption(other.name);
  await addressHas(page, (query) => query.get('by') === `${thing.layer.id}.${other.name}`);
  await rest(page);
  await close(page);
});

test('time goes back, plays, and returns to now', async () => {
  const page = await openMap(browser);
  const slider = page.getByRole('slider', { name: 'Kies een moment' });
  await slider.focus();
  for (let step = 0; step < 6; step++) await page.keyboard.press('ArrowLeft');
  await addressHas(page, (query) => query.has('t'));
  await page.getByText('U kijkt terug').or(page.getByText('ontbreken metingen')).first().waitFor();
  const before = await page.locator('.moment time').getAttribute('datetime');
  await page.getByRole('button', { name: 'Afspelen' }).click();
  await page.waitForFunction((was) => document.querySelector('.moment time').dateTime > was, before);
  const now = page.getByRole('button', { name: /Terug naar nu/ });
  if (await now.isVisible()) await now.click();
  await addressHas(page, (query) => !query.has('t'));
  await close(page);
});

test('search finds a place by keyboard and goes there', async () => {
  const { layers } = await ask('/api/v1/layers');
  const areas = layers.find(({ kind }) => kind === 'polygon');
  const { rows } = await ask(`/api/v1/layers/${areas.id}/table?limit=1`);
  const page = await openMap(browser);
  const before = address(page).get('c');
  await page.getByRole('combobox', { name: /Zoek een plaats/ }).fill(rows[0].title);
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.locator('#inspector').waitFor();
  await page.waitForFunction((was) => new URLSearchParams(location.search).get('c') !== was, before);
  await close(page);
});

test('a share link brings back the view, the layers, the moment, the thing and the language', async () => {
  const thing = await chartedThing();
  const { now, from } = await ask('/api/v1/clock');
  const t = new Date(Math.max(Date.parse(from), Date.parse(now) - 3_600_000)).toISOString();
  const link = `/?${near(thing.at)}&l=${thing.layer.id}:60&t=${t}&s=${thing.id}&lang=en`;
  const page = await openMap(browser, link);
  await page.locator('#inspector').waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.getByRole('button', { name: 'Share this map' }).click();
  const shared = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  for (const part of ['l', 's', 'lang'])
    assert.equal(shared.searchParams.get(part), new URL(link, 'http://x').searchParams.get(part));
  assert.equal(shared.searchParams.get('t')?.slice(0, 16), t.slice(0, 16));
  assert.equal(await page.locator('[role="switch"]:checked').count(), 1);
  await close(page);
});

test('language and appearance change at once and stay', async () => {
  const page = await openMap(browser);
  await page
    .getByRole('button', { name: /English/ })
    .first()
    .click();
  await page.getByRole('tab', { name: 'Layers' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.getByRole('button', { name: 'Dark appearance' }).click();
  await page.waitForSelector('html[data-theme="dark"]');
  await rest(page);
  await accessible(page, 'the dark map');
  await page.goto('/over');
  await page.waitForSelector('html[data-theme="dark"][lang="en"]');
  await close(page);
});

test('on a phone the panels are sheets and nothing runs off the screen', async () => {
  const thing = await chartedThing();
  const page = await openMap(browser, `/?l=${thing.layer.id}&${near(thing.at)}`, { phone: true });
  assert.equal(await page.locator('#side').count(), 0, 'the map has the screen to itself');
  await page.getByRole('button', { name: 'Lagen tonen' }).tap();
  const sheet = await page.locator('#side').boundingBox();
  assert.ok(sheet.width >= 389 && sheet.y > 300, 'a sheet from below');
  await accessible(page, 'the sheet of layers');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} wide`);
  await close(page);
});

test('the map in 3D draws blocks, and real roofs where there are some', async () => {
  const { center } = await ask('/api/v1/city');
  const page = await openMap(browser, `/?${near(center, 15.5)}&l=`);
  await page.getByRole('button', { name: 'Kaart in 3D' }).click();
  await addressHas(page, (query) => query.get('3d') === '1');
  await page.waitForSelector('[data-roofs="on"], [data-roofs="absent"]', { state: 'attached' });
  await rest(page);
  await close(page);
});

test('everything works by keyboard alone', async () => {
  const thing = await chartedThing();
  const page = await openMap(browser, `/?l=${thing.layer.id}&${near(thing.at)}`);
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Naar de kaart/);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'CANVAS');
  const before = address(page).get('c');
  await page.keyboard.press('+');
  await page.waitForFunction((was) => new URLSearchParams(location.search).get('c') !== was, before);
  await page.getByRole('tab', { name: /In beeld/ }).focus();
  await page.keyboard.press('Enter');
  const first = page.locator('#side-content li button').first();
  await first.waitFor();
  await first.focus();
  await page.keyboard.press('Enter');
  await page.locator('#inspector').waitFor();
  await page.waitForFunction(() => document.activeElement?.closest('#inspector'));
  await page.keyboard.press('Escape');
  await page.locator('#inspector').waitFor({ state: 'detached' });
  await close(page);
});

test('news arrives by itself', async () => {
  const page = await openMap(browser);
  await page.waitForSelector('[data-live="on"]', { state: 'attached' });
  const heard = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const source = new EventSource('/api/v1/events');
        for (const name of ['clock', 'change']) source.addEventListener(name, () => resolve(name));
        source.onerror = reject;
      }),
  );
  assert.ok(heard);
  await close(page);
});

test('a lost connection is said, and mended', async () => {
  const events = '**/api/v1/events**';
  const page = await openMap(browser, '/', { before: (fresh) => fresh.route(events, (route) => route.abort()) });
  await page.waitForSelector('[data-live="lost"]', { state: 'attached' });
  await page.getByText('Verbinding weg').waitFor();
  await page.unroute(events);
  await page.waitForSelector('[data-live="on"]', { state: 'attached' });
  page.wrong = [];
  await close(page);
});
