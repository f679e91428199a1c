/** An event from plan to report: planned by two people at once, rehearsed with simulated visitors, acted on, looked back on. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { accessible, account, close, closeAll, launch, open, openAs, PATIENCE_MS } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
afterEach(closeAll);
after(() => browser.close());

const name = `Proef ${process.pid}`;
const event = `/drukte/proef-${process.pid}`;
const AREA = 'Voorplein';
const MINUTES_BEFORE = 90;
/** A square of about 40 m, and a gate on its north side, near the middle of the city. */
const gateCorners = ([lng, lat]) =>
  [
    [lat + 0.0002, lng - 0.0001],
    [lat + 0.0002, lng + 0.0001],
  ]
    .map((corner) => corner.map((part) => part.toFixed(6)).join(', '))
    .join('\n');
/** A moment of a form, so many minutes later on the same wall clock. */
const later = (text, minutes) => new Date(Date.parse(`${text}Z`) + minutes * 60_000).toISOString().slice(0, 16);

const as = (path, options) => openAs(account, browser, path, options);
const kinds = (page, kind) =>
  page.getByRole('navigation', { name: 'Delen van het plan' }).getByRole('button', { name: kind });
const save = async (page, thing) => {
  await page.getByRole('button', { name: 'Opslaan' }).click();
  await page.getByText(`“${thing}” is opgeslagen.`).waitFor();
};
const row = (page, thing) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: thing, exact: true }) });

test('the events ask a stranger to sign in, and come back to where one was', async () => {
  const page = await open(browser, '/drukte');
  const link = page.getByRole('main').getByRole('link', { name: 'Inloggen' });
  await link.waitFor();
  assert.ok((await link.getAttribute('href')).endsWith(encodeURIComponent('/drukte')));
  await accessible(page, 'the events without an account');
  await close(page);
});

describe('with an account', { skip: !account.name, concurrency: false }, () => {
  test('an event is made, and one that ends before it starts is not', async () => {
    const page = await as('/drukte');
    await page.getByRole('button', { name: 'Nieuw evenement' }).click();
    await page.getByLabel('Naam', { exact: true }).fill(name);
    const start = await page.getByLabel('Begin', { exact: true }).inputValue();
    const end = await page.getByLabel('Einde', { exact: true }).inputValue();
    await page.getByLabel('Einde', { exact: true }).fill(later(start, -60));
    await page.getByRole('button', { name: 'Evenement maken' }).click();
    await page.getByText('eindigt voordat het begint').waitFor();
    await accessible(page, 'the form for an event');
    await page.getByLabel('Einde', { exact: true }).fill(end);
    await page.getByRole('button', { name: 'Evenement maken' }).click();
    await page.waitForURL(`**${event}`);
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    await close(page);
  });

  test('an area is drawn with a pointer, and its surface is proposed', async () => {
    const page = await as(event);
    await page.getByRole('button', { name: 'Gebied toevoegen' }).click();
    await page.getByText('Klik de hoekpunten.').waitFor();
    const canvas = page.locator('.maplibregl-canvas');
    const { x, y, width, height } = await canvas.boundingBox();
    const [left, right, top, bottom] = [x + width * 0.4, x + width * 0.6, y + height * 0.4, y + height * 0.6];
    const corners = [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
      [left, top],
    ];
    const surface = page.getByLabel('Loopruimte', { exact: true });
    // The drawing tool comes with the first shape: until it is there, a corner does nothing.
    await page.waitForSelector('[data-drawing="ready"]', { state: 'attached' });
    for (const [at, to] of corners) {
      await page.mouse.move(at, to, { steps: 4 });
      await page.mouse.down();
      await page.mouse.up();
      // Two clicks that are near in time and place are one to the map.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }
    await page.waitForFunction((field) => Number(field.value) > 0, await surface.elementHandle());
    await page.getByLabel('Naam', { exact: true }).fill(AREA);
    await page.getByLabel('Loopruimte', { exact: true }).fill('400');
    await page.getByLabel('Naam', { exact: true }).focus();
    await page.getByRole('button', { name: /^Neem over: / }).waitFor();
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await page.getByText('Vul nog in: Hoeveel mensen passen er?').waitFor();
    await accessible(page, 'the form for an area');
    await page.getByLabel('Hoeveel mensen passen er?', { exact: true }).fill('800');
    await save(page, AREA);
    await row(page, AREA).getByText('400 m²').waitFor();
    await accessible(page, 'the plan');
    await close(page);
  });

  test('a gate is typed, the programme and the bowtie are filled in, and what is removed comes back', async () => {
    const page = await as(`${event}?deel=gate`);
    const { center } = await page.evaluate(async () => (await fetch('/api/v1/city')).json());
    await page.getByRole('button', { name: 'Poort toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill('Noord');
    await page.locator('summary').filter({ hasText: 'Hoekpunten typen' }).click();
    await page.getByRole('textbox', { name: 'Hoekpunten typen' }).fill('geen poort');
    await page.getByLabel('Naam', { exact: true }).focus();
    await page.getByText('Dit is geen poort.').waitFor();
    await page.getByRole('textbox', { name: 'Hoekpunten typen' }).fill(gateCorners(center));
    await page.getByLabel('Naam', { exact: true }).focus();
    assert.ok(
      Number(await page.getByLabel('Breedte', { exact: true }).inputValue()) > 5,
      'the width of the gate is proposed',
    );
    await page.getByLabel('Naar', { exact: true }).selectOption({ label: AREA });
    await save(page, 'Noord');

    await kinds(page, 'Programma').click();
    await page.getByRole('button', { name: 'Programma toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill('Concert');
    await page.getByLabel('Gebied', { exact: true }).selectOption({ label: AREA });
    const start = page.getByLabel('Begin', { exact: true });
    await start.fill(later(await start.inputValue(), MINUTES_BEFORE));
    await page.getByLabel('Verwachte bezoekers', { exact: true }).fill('3000');
    await save(page, 'Concert');

    await kinds(page, 'Dreigingen').click();
    await page.getByRole('button', { name: 'Dreiging toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill('Regen');
    await save(page, 'Regen');
    await kinds(page, 'Barrières').click();
    await page.getByRole('button', { name: 'Barrière toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill('Tenten');
    await page.getByLabel('Dreiging', { exact: true }).selectOption({ label: 'Regen' });
    await save(page, 'Tenten');
    await page.getByRole('button', { name: 'Barrière: Tenten, werkt' }).waitFor();
    await accessible(page, 'the bowtie');
    await page.getByRole('button', { name: 'Barrière: Tenten, werkt' }).click();
    await page.getByRole('button', { name: 'Verwijderen', exact: true }).click();
    await page.getByText('“Tenten” is verwijderd.').waitFor();
    await page.getByRole('button', { name: 'Zet terug' }).click();
    await row(page, 'Tenten').waitFor();
    await close(page);
  });

  test('two people who change the same thing see each other’s work, and the last one chooses', async () => {
    const [first, second] = [await as(event), await as(event)];
    for (const page of [first, second]) await page.getByRole('button', { name: AREA, exact: true }).click();
    await second.getByLabel('Hoeveel mensen passen er?', { exact: true }).fill('700');
    await first.getByLabel('Hoeveel mensen passen er?', { exact: true }).fill('900');
    await first.getByLabel('Gebruikt als', { exact: true }).selectOption('queue');
    await save(first, AREA);
    await second.getByRole('button', { name: 'Opslaan' }).click();
    const dialog = second.getByRole('dialog', { name: 'Iemand anders was u voor' });
    await dialog.getByText('U hebt dit allebei gewijzigd.').waitFor();
    assert.equal(
      await dialog.getByRole('radio', { name: 'Wachtrij' }).isChecked(),
      true,
      'what only they changed is theirs',
    );
    await accessible(second, 'two versions beside each other');
    await dialog.getByRole('radio', { name: '900' }).check();
    await dialog.getByRole('button', { name: 'Sla deze keuze op' }).click();
    await row(second, AREA).getByText('900').waitFor();
    await row(second, AREA).getByText('Wachtrij').waitFor();
    await close(first);
    await close(second);
  });

  test('a rehearsal raises an alert, which is taken; a measure is tried and decided; a lost line is said aloud', async () => {
    const page = await as(`${event}/regie`);
    await page.getByRole('radio', { name: /^Live/ }).check();
    await page.getByRole('checkbox', { name: 'Alle gebieden zijn nu leeg' }).check();
    await accessible(page, 'the start of a live run');
    await page.getByRole('radio', { name: /^Oefening/ }).check();
    await page.getByLabel('Snelheid', { exact: true }).fill('600');
    await accessible(page, 'the start of a run');
    await page.getByRole('button', { name: 'Start de oefening' }).click();
    await page.getByText('OEFENING: gesimuleerde bezoekers').waitFor();
    const take = page.getByRole('button', { name: `Ik pak dit op: ${AREA}` });
    await take.waitFor();
    await page.getByRole('button', { name: 'Pauze' }).click();
    await page.getByText('De oefening staat stil').waitFor();
    await accessible(page, 'the control room');
    await take.click();
    await page.getByText(/heeft dit, sinds/).waitFor();
    await page.getByRole('region', { name: 'Hoe staat het ervoor?' }).getByRole('button', { name: AREA }).waitFor();
    await page
      .getByText(/rood vanaf/i)
      .first()
      .waitFor();

    // Closing can be taken back for a few seconds.
    await page.getByRole('button', { name: `Melding afsluiten: ${AREA}` }).click();
    await page.keyboard.type('Vergissing');
    await page.keyboard.press('Enter');
    await page.getByText('Wordt afgesloten: “Vergissing”').waitFor();
    await page.getByRole('button', { name: 'Niet afsluiten' }).click();
    await page.getByRole('button', { name: `Melding afsluiten: ${AREA}` }).waitFor();

    await page.getByRole('button', { name: `Wat kan ik doen? ${AREA}` }).click();
    await page.getByRole('heading', { name: `Maatregel proberen: ${AREA}` }).waitFor();
    assert.equal(
      await page.locator('#crowd-panel').getByLabel('Poort', { exact: true }).locator('option:checked').textContent(),
      'Noord',
      'the gate of the area is proposed',
    );
    await page.keyboard.press('Escape');

    await page.getByRole('heading', { name: 'Wat vraagt aandacht' }).click();
    await page.keyboard.press('3');
    await page.getByRole('button', { name: '+30 min', pressed: true }).waitFor();
    await page.getByRole('button', { name: 'Als tabel' }).click();
    await row(page, AREA).getByText('gesimuleerd').waitFor();
    await row(page, AREA).getByRole('button', { name: AREA }).click();
    await page.getByRole('heading', { name: 'Wat we verwachten' }).waitFor();
    await accessible(page, 'the evidence');
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Maatregel proberen' }).click();
    const panel = page.locator('#crowd-panel');
    await panel.getByLabel('Maatregel', { exact: true }).selectOption('dose');
    await panel.getByLabel('Poort', { exact: true }).selectOption({ label: 'Noord' });
    await panel.getByLabel('Mensen per minuut', { exact: true }).fill('5');
    await panel.getByRole('button', { name: 'Probeer' }).click();
    await panel.getByRole('heading', { name: 'Wat verandert er?' }).waitFor();
    await panel
      .getByRole('cell', { name: /mensen$/ })
      .first()
      .waitFor();
    await accessible(page, 'a measure that is tried');
    await panel.getByRole('button', { name: 'Neem dit besluit' }).click();
    await panel.getByText('Schrijf eerst op waarom').waitFor();
    await panel.getByLabel('Waarom neemt u deze maatregel?', { exact: true }).fill('Het plein loopt vol');
    await panel.getByRole('button', { name: 'Neem dit besluit' }).click();
    await page.getByText('Het besluit is vastgelegd.').waitFor();
    await panel.getByText('“Het plein loopt vol”').waitFor();
    await accessible(page, 'the decisions');

    await page.context().setOffline(true);
    await page.getByText('Verbinding weg. U ziet het laatste beeld').waitFor();
    await row(page, AREA).first().waitFor();
    await accessible(page, 'the control room without a connection');
    // Also when the page was put away meanwhile: the last picture is there, and says how old it is.
    await page.waitForFunction(async () => (await caches.keys()).some((name) => name.startsWith('polder-app-')));
    await page.reload();
    await page.getByText('Verbinding weg. U ziet het laatste beeld').waitFor();
    await page
      .getByText(/Beeld: (zojuist|\d+ sec\. oud)/)
      .first()
      .waitFor();
    await page.getByRole('region', { name: 'Hoe staat het ervoor?' }).getByText(AREA).waitFor();
    await page.context().setOffline(false);
    await page.waitForSelector('[data-line="on"]', { state: 'attached' });
    await close(page);
  });

  test('the duty officer sees the worst first on a phone', async () => {
    const page = await as(`${event}/dienst`, { phone: true });
    await page.getByRole('heading', { name: 'Wat vraagt aandacht' }).waitFor();
    await page.getByText('OEFENING: gesimuleerde bezoekers').waitFor();
    await page.getByText(/heeft dit, sinds/).waitFor();
    await accessible(page, 'the duty view');
    await page.locator('summary').filter({ hasText: AREA }).click();
    await page.getByRole('heading', { name: 'Alle cijfers' }).waitFor();
    await accessible(page, 'the duty view with an area open');
    await close(page);
  });

  test('the report has the alert, the decision and the forecast, in two languages and on paper', async () => {
    const room = await as(`${event}/regie`);
    await room.getByRole('button', { name: 'Ga verder' }).click();
    // An hour later there is something to compare with what was expected.
    await room.waitForFunction(
      async ([path, patience]) => {
        const [{ id }] = (await (await fetch(`${path}/runs`)).json()).slice(-1);
        const { decisions, run } = await (await fetch(`${path}/runs/${id}/report`)).json();
        const known = decisions[0]?.outcome.some(({ inMin, actual }) => inMin >= 15 && actual !== undefined);
        return known || run.state === 'ended' || patience < 0;
      },
      [`/api/v1/crowd/events/${event.split('/').at(-1)}`, PATIENCE_MS],
      { polling: 500 },
    );
    const stop = room.getByRole('button', { name: 'Stop', exact: true });
    if (await stop.count()) {
      await stop.click();
      await room.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    }
    await room.getByText('Afgelopen: dit is het laatste beeld').waitFor();
    await close(room);

    const page = await as(`${event}/verslag`);
    await page.getByRole('heading', { name: `Verslag: ${name}` }).waitFor();
    await page.getByText('Alle bezoekers zijn gesimuleerd.').waitFor();
    await page.getByText('“Het plein loopt vol”').waitFor();
    await page.getByRole('table', { name: 'Meldingen' }).getByRole('rowheader', { name: AREA }).first().waitFor();
    await page
      .getByRole('table', { name: 'Hoe goed was de verwachting?' })
      .getByRole('rowheader', { name: '+15 min' })
      .waitFor();
    await accessible(page, 'the report');
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: `Report: ${name}` }).waitFor();
    await close(page);
  });

  test('an event is removed with all that belongs to it', async () => {
    const page = await as(event);
    await page.getByRole('button', { name: 'Evenement verwijderen' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Verwijderen' }).click();
    await page.waitForURL('**/drukte');
    await page.getByRole('heading', { name: 'Drukte', level: 1 }).waitFor();
    assert.equal(await row(page, name).count(), 0);
    await close(page);
  });
});
