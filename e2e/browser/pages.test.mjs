/** The pages beside the map: table, sources, about, sign-in, and what is not there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { accessible, account, ask, close, closeAll, launch, open } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
afterEach(closeAll);
after(() => browser.close());

const smallLayer = async () => {
  const { layers } = await ask('/api/v1/layers');
  return layers
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count)
    .find(({ count }) => count > 10);
};

test('every layer of the map has a table', async () => {
  const { layers } = await ask('/api/v1/layers');
  for (const layer of layers) {
    const { total } = await ask(`/api/v1/layers/${layer.id}/table?limit=1`);
    assert.equal(typeof total, 'number', layer.id);
  }
});

test('the table sorts, searches, pages and leads to the map', async () => {
  const layer = await smallLayer();
  const page = await open(browser, `/tabel?laag=${layer.id}`);
  const rows = page.locator('tbody tr');
  await rows.first().waitFor();
  await accessible(page, 'the table');
  await page.getByRole('button', { name: 'Naam', exact: true }).first().click();
  await page.waitForSelector('th[aria-sort="ascending"]');
  const title = (await rows.first().locator('th').innerText()).trim();
  await page.getByRole('searchbox').fill(title);
  await page.waitForURL((url) => url.searchParams.get('zoek') === title);
  await rows.first().waitFor();
  await rows.first().getByRole('link').click();
  await page.locator('#inspector').waitFor();
  await close(page);
});

test('the table downloads as CSV with all its rows', async () => {
  const layer = await smallLayer();
  const page = await open(browser, `/tabel?laag=${layer.id}`);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download als CSV' }).click(),
  ]);
  const { total } = await ask(`/api/v1/layers/${layer.id}/table?limit=1`);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  assert.equal(lines.length, total + 1);
  assert.match(file.suggestedFilename(), new RegExp(`${layer.id}\\.csv$`));
  await close(page);
});

test('the page about the data names every layer, its source and what the data are not', async () => {
  const page = await open(browser, '/over');
  const { layers } = await ask('/api/v1/layers');
  const { notices } = await ask('/api/v1/city');
  for (const { title } of layers) await page.getByRole('heading', { name: title.nl }).first().waitFor();
  for (const { text } of notices) await page.getByText(text.nl).first().waitFor();
  await accessible(page, 'about the data');
  await close(page);
});

test('the page of sources shows them, or says what to do to see them', async () => {
  const page = await open(browser, '/bronnen');
  const allowed = (await page.request.get('/api/v1/sources')).ok();
  if (allowed) await page.locator('.sources li').first().waitFor();
  else {
    await page.getByText('Log in om deze pagina te zien.').waitFor();
    const signIn = page.getByRole('alert').getByRole('link', { name: 'Inloggen' });
    assert.match(await signIn.getAttribute('href'), /naar=%2Fbronnen/);
  }
  await accessible(page, 'the sources');
  await close(page);
});

test('an address that leads nowhere says so', async () => {
  const page = await open(browser, '/nergens');
  await page.getByRole('alert').waitFor();
  await page.getByRole('link', { name: 'Terug naar de kaart' }).waitFor();
  page.wrong = [];
  await close(page);
});

test('a wrong password is refused in plain words', async () => {
  const page = await open(browser, '/aanmelden');
  await page.locator('h1').waitFor();
  await accessible(page, 'the sign-in page');
  const name = page.getByLabel('Naam');
  if ((await name.count()) === 0) return close(page); // in open mode nobody signs in
  await name.fill('nobody');
  await page.getByLabel('Wachtwoord').fill('not-the-password');
  await page.getByRole('button', { name: 'Inloggen' }).click();
  await page.getByText('horen niet bij elkaar').waitFor();
  await close(page);
});

test('signing in and out', { skip: !account.name }, async () => {
  const page = await open(browser, '/aanmelden?naar=/bronnen');
  await page.getByLabel('Naam').fill(account.name);
  await page.getByLabel('Wachtwoord').fill(account.password);
  await page.getByRole('button', { name: 'Inloggen' }).click();
  await page.waitForURL('**/bronnen');
  await page.locator('.sources li').first().waitFor();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByText(account.name, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Uitloggen' }).click();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: 'Inloggen' }).first().waitFor();
  await close(page);
});

test('signing in never leads to another site', async () => {
  const page = await open(browser, '/aanmelden?naar=//example.org/');
  await page.locator('h1').waitFor();
  const targets = await page.locator('a[href*="oidc"]').evaluateAll((links) => links.map(({ href }) => href));
  for (const target of targets) assert.ok(!target.includes('example.org'));
  await close(page);
});
