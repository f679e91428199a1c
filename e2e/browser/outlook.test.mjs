/**
 * The week ahead and the track record, on a town of its own: three invented counters with ten weeks of counts, one of them
 * a few days old. Its model has few trees, so that it is made in seconds.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { accessible, account, close, closeAll, launch, open, openAs, PATIENCE_MS } from './support.mjs';
import { serveTown } from './town.mjs';

let browser;
let town;
let base;

before(async () => {
  browser = await launch();
  town = await serveTown();
  base = town.base;
});
afterEach(closeAll);
after(async () => {
  await browser.close();
  await town?.stop();
});

const sets = async () => (await fetch(`${base}/api/v1/crowd/forecasts`)).json();
/** Waits until there is a model and what it said, by asking as the page does. */
async function trained() {
  const started = Date.now();
  for (;;) {
    const [set] = await sets();
    if (set?.state === 'ready' && set.saidAt && !set.progress) return set;
    assert.ok(set?.state !== 'failed', `training failed: ${JSON.stringify(set?.reason)}`);
    assert.ok(Date.now() - started < PATIENCE_MS, `there is no model: ${JSON.stringify(set)}`);
    await new Promise((wait) => setTimeout(wait, 200));
  }
}
const at = (path, options) => open(browser, path, { ...options, base });

test('while the model is made, the page says so, and then shows the week by itself', async () => {
  const page = await at('/drukte/week');
  await page.getByRole('heading', { name: 'Week vooruit: hoe druk wordt het?' }).waitFor();
  await trained();
  await page.getByRole('table', { name: /^Verwachting per dag/ }).waitFor();
  await close(page);
});

describe('with a model', { concurrency: false }, () => {
  before(trained);

  test('the week names each day against a usual one, the holiday, and who has too few counts', async () => {
    const page = await at('/drukte/week');
    const table = page.getByRole('table', { name: /^Verwachting per dag/ });
    await table.waitFor();
    assert.equal(await table.getByRole('columnheader').count(), 8);
    await table
      .getByText(/gewoonlijk$/)
      .first()
      .waitFor();
    await table.getByText('Marktdag').first().waitFor();
    await table.getByRole('row').filter({ hasText: 'Nieuwe Brug' }).getByText('Onvoldoende gegevens.').waitFor();
    await page.getByRole('img', { name: /verwacht met band, en geteld/ }).waitFor();
    await page.locator('summary').filter({ hasText: 'Toon als tabel' }).click();
    await page.getByRole('cell', { name: / tot / }).first().waitFor();
    await accessible(page, 'the week ahead');
    await close(page);
  });

  test('a place is chosen by keyboard and stays in the address; the week is taken along as a file', async () => {
    const page = await at('/drukte/week');
    const place = page.getByRole('button', { name: 'Toon het verloop van Markt' });
    await place.focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/plek=markt/);
    assert.equal(await place.getAttribute('aria-pressed'), 'true');
    assert.equal(
      await place.evaluate((one) => one === document.activeElement),
      true,
      'the keyboard stays where it was',
    );
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download als CSV' }).click(),
    ]);
    assert.match(file.suggestedFilename(), /^mensen-\d{4}-\d\d-\d\d\.csv$/);
    const text = await (await file.createReadStream()).setEncoding('utf8').toArray();
    const [head, first] = text.join('').split('\r\n');
    assert.match(head, /Plek,Dag,Verwacht/);
    assert.equal(first.split(',').length, head.split(',').length);
    await page.getByRole('link', { name: 'Hoe goed is deze verwachting?' }).click();
    await page.waitForURL(/kwaliteit\?set=mensen&plek=markt/);
    await close(page);
  });

  test('the track record says how far off it was, in words, as a picture and as a table, with the card of the model', async () => {
    const page = await at('/drukte/kwaliteit');
    await page.getByRole('heading', { name: 'Vorige week zeiden wij, en dit was het' }).waitFor();
    await page
      .getByText(/per uur ernaast/)
      .first()
      .waitFor();
    await page
      .getByText(/van de uren lag binnen de band/)
      .first()
      .waitFor();
    await page
      .getByText(/ernaast dan “hetzelfde uur vorige week”/)
      .first()
      .waitFor();
    await page.locator('summary').filter({ hasText: 'Toon als tabel' }).click();
    await page.getByRole('columnheader', { name: 'Binnen de band' }).first().waitFor();
    await page.getByRole('table', { name: 'Alle plekken' }).getByText('Onvoldoende gegevens.').waitFor();
    await page.getByRole('heading', { name: 'Waarvoor niet' }).waitFor();
    await page
      .getByRole('table', { name: /^Waar het model naar kijkt/ })
      .getByRole('row')
      .nth(1)
      .waitFor();
    await accessible(page, 'the track record');
    await page.getByRole('button', { name: '28 dagen' }).click();
    await page.getByRole('button', { name: '28 dagen', pressed: true }).waitFor();
    await page.getByLabel('Plek', { exact: true }).selectOption({ label: 'Nieuwe Brug' });
    await page
      .getByText(/Er is op \d+ dagen geteld/)
      .first()
      .waitFor();
    await close(page);
  });

  test('both pages read on a phone, in English and in the dark, without scrolling sideways', async () => {
    for (const path of ['/drukte/week', '/drukte/kwaliteit']) {
      const page = await at(path, { phone: true, dark: true, locale: 'en-GB' });
      await page.getByRole('img', { name: /expected with its band, and counted/ }).waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${path} is ${wide} px wider than the phone`);
      await accessible(page, `${path} on a phone`);
      await close(page);
    }
  });

  test('the pages are reached from the events, and keep what they showed when the line is lost', async () => {
    const page = await at('/drukte');
    await page.getByRole('link', { name: 'Week vooruit' }).click();
    await page.getByRole('table', { name: /^Verwachting per dag/ }).waitFor();
    await page.clock.install();
    await page.context().setOffline(true);
    await page.clock.fastForward(60_000);
    await page.getByText('Verbinding weg. Wat u ziet kan oud zijn.').waitFor();
    await page.getByRole('table', { name: /^Verwachting per dag/ }).waitFor();
    await close(page);
  });
});

test('a city with two days of counts says that they are too few', { skip: !account.name }, async () => {
  const page = await openAs(account, browser, '/drukte/week');
  await page.getByText('Onvoldoende gegevens.').first().waitFor();
  await accessible(page, 'a week without a forecast');
  await close(page);
});
