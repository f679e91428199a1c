/**
 * The coming hour, on the invented town with two sets: cyclists who are counted every five minutes, one counter of which
 * fell silent, and people who are counted by the hour, for which there is no coming hour.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { accessible, close, closeAll, launch, open, PATIENCE_MS } from './support.mjs';
import { serveTown } from './town.mjs';

let browser;
let town;

before(async () => {
  browser = await launch();
  town = await serveTown({ cycles: true });
  await said();
});
afterEach(closeAll);
after(async () => {
  await browser.close();
  await town?.stop();
});

/** Waits until the server has looked at the last minutes, by asking as the page does. */
async function said() {
  const started = Date.now();
  for (;;) {
    const response = await fetch(`${town.base}/api/v1/crowd/forecasts/fietsers/nowcast`);
    const answer = response.ok ? await response.json() : { status: response.status };
    if (answer.saidAt) return;
    assert.ok(Date.now() - started < PATIENCE_MS, `there is no coming hour: ${JSON.stringify(answer)}`);
    await new Promise((wait) => setTimeout(wait, 200));
  }
}
const CYCLES = '/drukte/uur?set=fietsers';
const at = (path, options) => open(browser, path, { ...options, base: town.base });
const tableOf = (page) => page.getByRole('table', { name: /^Het komende uur/ });

test('the page says as of when, and gives each place the last quarter of an hour and the next ones with their band', async () => {
  const page = await at(CYCLES);
  const table = tableOf(page);
  await table.waitFor();
  await page.getByText(/^Dit verwachten we voor 3 van de 4 plekken, met tellingen tot /).waitFor();
  assert.equal(await table.getByRole('columnheader').count(), 6);
  await table.getByRole('columnheader', { name: /^Volgende 15 minuten tot \d\d:\d\d$/ }).waitFor();
  const first = table.getByRole('row').nth(1);
  await first.getByRole('link', { name: 'Ring (twee tellers): week vooruit' }).waitFor();
  assert.equal(await first.getByText(/\d tot \d/).count(), 3, 'each number has its band');
  await first.getByText(/^(. )?(stijgt|daalt|ongeveer gelijk)$/).waitFor();
  await table.getByRole('row').filter({ hasText: 'Oude Haven' }).getByText('Onvoldoende gegevens.').waitFor();
  await page.getByRole('heading', { name: 'Hoe goed was dit het laatste etmaal?' }).waitFor();
  await accessible(page, 'the coming hour');
  await close(page);
});

test('the order is chosen by keyboard, and the table is taken along as a file', async () => {
  const page = await at(CYCLES);
  const order = page.getByLabel('Volgorde');
  await order.focus();
  await page.keyboard.press('End');
  assert.equal(await order.inputValue(), 'busiest');
  const names = await tableOf(page).getByRole('rowheader').allTextContents();
  assert.equal(names.at(-1), 'Oude Haven', 'who has no answer comes last');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download als CSV' }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^fietsers-\d{4}-\d\d-\d\dT\d{4}\.csv$/);
  const text = await (await file.createReadStream()).setEncoding('utf8').toArray();
  const [head, first] = text.join('').split('\r\n');
  assert.match(head, /Plek,Geteld van,Geteld tot,Laatste 15 minuten/);
  assert.equal(first.split(',').length, head.split(',').length);
  await close(page);
});

test('a set that counts by the hour says why there is no coming hour, and where its week is', async () => {
  const page = await at(CYCLES);
  await page.getByLabel('Tellers', { exact: true }).selectOption({ label: 'Mensen per uur' });
  await page.waitForURL(/uur\?set=mensen/);
  await page.getByText('Deze tellers geven om de 60 minuten een getal.', { exact: false }).waitFor();
  assert.equal(await tableOf(page).count(), 0);
  await accessible(page, 'a set without a coming hour');
  await page.getByRole('link', { name: 'Naar de week vooruit' }).click();
  await page.waitForURL(/week\?set=mensen/);
  await close(page);
});

test('it reads on a phone, in English and in the dark, without scrolling sideways', async () => {
  const page = await at(CYCLES, { phone: true, dark: true, locale: 'en-GB' });
  await page.getByRole('table', { name: /^The next hour/ }).waitFor();
  // A phone zooms out until the page fits, so `innerWidth` would grow with it.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the coming hour is ${wide} px wide on a phone of 390`);
  await accessible(page, 'the coming hour on a phone');
  await close(page);
});

test('it is reached from the events, and keeps what it showed when the line is lost', async () => {
  const page = await at('/drukte');
  await page.getByRole('link', { name: 'Het komende uur' }).click();
  await page.getByLabel('Tellers', { exact: true }).selectOption({ label: 'Fietsers per vijf minuten' });
  await tableOf(page).waitFor();
  await page.clock.install();
  await page.context().setOffline(true);
  await page.clock.fastForward(60_000);
  await page.getByText('Verbinding weg. Wat u ziet kan oud zijn.').waitFor();
  await tableOf(page).waitFor();
  await close(page);
});
