/**
 * Who is told of an event's alerts: a webhook is put on the list, tried, and taken off. On a town of its own, whose server
 * may reach this machine; what receives the messages is here, and answers what a test wants.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { accessible, close, closeAll, launch, open } from './support.mjs';
import { serveTown } from './town.mjs';

const FUNCTION = 'Officier van dienst';
const NAME = `Berichten ${process.pid}`;
const event = `/drukte/berichten-${process.pid}`;
/** The server knows it by the name `proef`. */
const SECRET = 'a-heron-below-the-lock';

/** Keeps what comes in, and answers with a status. */
async function receive() {
  const receiver = { status: 204, taken: [] };
  const server = createServer(async (request, response) => {
    const body = (await request.setEncoding('utf8').toArray()).join('');
    receiver.taken.push({ method: request.method, headers: request.headers, body });
    response.writeHead(receiver.status).end();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  receiver.url = `http://127.0.0.1:${server.address().port}/meldingen`;
  receiver.stop = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return receiver;
}

let browser;
let town;
let receiver;

before(async () => {
  browser = await launch();
  receiver = await receive();
  town = await serveTown({ env: { WEBHOOK_SECRET_PROEF: SECRET } });
});
afterEach(closeAll);
after(async () => {
  await browser.close();
  await town?.stop();
  await receiver?.stop();
});

const at = (path, options) => open(browser, path, { ...options, base: town.base });
const panel = (page, name = 'Wie krijgt bericht') => page.getByRole('region', { name });
const row = (page) =>
  panel(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: FUNCTION }) });
const sendTest = async (page) => {
  await panel(page)
    .getByRole('button', { name: `Stuur test naar ${FUNCTION}` })
    .click();
  await panel(page).getByText(`Het testbericht aan ${FUNCTION} is onderweg.`).waitFor();
};

describe('the recipients of an event', { concurrency: false }, () => {
  test('a recipient is added; an address that may hold a secret is refused with the reason', async () => {
    const page = await at('/drukte');
    await page.getByRole('button', { name: 'Nieuw evenement' }).click();
    await page.getByLabel('Naam', { exact: true }).fill(NAME);
    await page.getByRole('button', { name: 'Evenement maken' }).click();
    await page.waitForURL(`**${event}`);
    const list = panel(page);
    await list.getByText('Nog niemand krijgt bericht.').waitFor();
    await accessible(page, 'an event without recipients');

    await list.getByRole('button', { name: 'Ontvanger toevoegen' }).click();
    const form = page.getByRole('form', { name: 'Ontvanger toevoegen' });
    await form.getByLabel('Functie', { exact: true }).fill(FUNCTION);
    await form.getByText('Deze server kan zo nog niet versturen.').waitFor();
    await form.getByLabel('Hoe', { exact: true }).selectOption('webhook');
    await form.getByText('Deze server kan zo nog niet versturen.').waitFor({ state: 'detached' });
    await form.getByLabel('Webadres', { exact: true }).fill(`${receiver.url}?sleutel=geheim`);
    await form.getByLabel(/^Naam van het geheim/).fill('proef');
    await form.getByLabel('Ook bij oefeningen').check();
    await form.getByRole('button', { name: 'Bewaar ontvanger' }).click();
    await form.getByRole('alert').getByText('may hold a secret').waitFor();
    await accessible(page, 'the form for a recipient');

    await form.getByLabel('Webadres', { exact: true }).fill(receiver.url);
    await form.getByRole('button', { name: 'Bewaar ontvanger' }).click();
    await list.getByText(`${FUNCTION} is bewaard.`).waitFor();
    await row(page).getByText(`Webhook: ${receiver.url}`).waitFor();
    await row(page).getByText('Als het te druk wordt of is').waitFor();
    await close(page);
  });

  test('a test message arrives signed, and the list says when', async () => {
    receiver.taken.length = 0;
    const page = await at(event);
    await sendTest(page);
    await row(page)
      .getByText(/^bezorgd om /)
      .waitFor();
    await accessible(page, 'the recipients');
    assert.equal(receiver.taken.length, 1, 'it comes once');
    const [{ method, headers, body }] = receiver.taken;
    assert.equal(method, 'POST');
    assert.match(headers['content-type'], /^application\/cloudevents\+json/);
    const told = JSON.parse(body);
    assert.equal(told.type, 'nl.polder.crowd.alert.test');
    assert.equal(told.subject, `Testbericht (${NAME})`);
    const { 'webhook-id': id, 'webhook-timestamp': moment, 'webhook-signature': signature } = headers;
    assert.equal(id, told.id);
    const proof = createHmac('sha256', SECRET).update(`${id}.${moment}.${body}`).digest('base64');
    assert.equal(signature, `v1,${proof}`);
    await close(page);
  });

  test('who is away is tried again until it is there; who says no for good is not', async () => {
    const page = await at(event);
    receiver.status = 503;
    await sendTest(page);
    await row(page)
      .getByText(/^nog niet bezorgd na \d+ keer; wordt opnieuw geprobeerd: .*503/)
      .waitFor();
    receiver.status = 204;
    await row(page)
      .getByText(/^bezorgd om /)
      .waitFor();

    receiver.status = 410;
    await sendTest(page);
    const fate = row(page).getByText(/^niet bezorgd: .*410/);
    await fate.waitFor();
    assert.ok(!(await fate.textContent()).includes('127.0.0.1'), 'the fate does not tell the address');
    receiver.status = 204;
    await accessible(page, 'a message that failed');
    await close(page);
  });

  test('the recipients read on a phone, in English and in the dark, without scrolling sideways', async () => {
    const page = await at(event, { phone: true, dark: true, locale: 'en-GB' });
    await panel(page, 'Who is told')
      .getByText(/^not delivered/)
      .waitFor();
    await panel(page, 'Who is told').getByRole('button', { name: FUNCTION, exact: true }).click();
    await page.getByRole('form', { name: `Change ${FUNCTION}` }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `the event is ${wide} wide`);
    await accessible(page, 'the recipients on a phone');
    await close(page);
  });

  test('a recipient that is removed hears nothing more', async () => {
    const page = await at(event);
    await panel(page)
      .getByRole('button', { name: `Verwijder ${FUNCTION}` })
      .click();
    await panel(page).getByText(`${FUNCTION} krijgt geen bericht meer.`).waitFor();
    await panel(page).getByText('Nog niemand krijgt bericht.').waitFor();
    await page.reload();
    await panel(page).getByText('Nog niemand krijgt bericht.').waitFor();
    assert.equal(await row(page).count(), 0);
    await close(page);
  });
});
