/** The pages of who is signed in: accounts, tokens, the audit and one's own password. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { accessible, account, base, close, closeAll, launch, open, openAs } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
afterEach(closeAll);
after(() => browser.close());

const person = { name: `els-${process.pid}`, password: 'a-bicycle-below-the-bridge' };
const changed = { ...person, password: 'two-herons-beside-the-ditch' };
const row = (page, name) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });

test('pages of accounts ask a stranger to sign in, and come back to where one was', async () => {
  for (const path of ['/gebruikers', '/tokens', '/logboek', '/wachtwoord']) {
    const page = await open(browser, path);
    const link = page.getByRole('main').getByRole('link', { name: 'Inloggen' });
    await link.waitFor();
    assert.ok((await link.getAttribute('href')).endsWith(encodeURIComponent(path)));
    await accessible(page, `${path} without an account`);
    await close(page);
  }
});

describe('with an account', { skip: !account.name, concurrency: false }, () => {
  test('an administrator adds an account and gives it a role in one municipality', async () => {
    const page = await openAs(account, browser, '/gebruikers');
    await page.getByRole('button', { name: 'Gebruiker toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill(person.name);
    await page.getByLabel('Eerste wachtwoord').fill('short');
    await page.getByRole('button', { name: 'Toevoegen', exact: true }).click();
    await page.getByText('korter dan 12 tekens').waitFor();
    await accessible(page, 'the form for an account');
    await page.getByLabel('Eerste wachtwoord').fill(person.password);
    await page.getByRole('button', { name: 'Toevoegen', exact: true }).click();
    await page.getByText(`${person.name} is toegevoegd.`).waitFor();
    await row(page, person.name).getByText('Kijker · Alle gemeenten').waitFor();
    await page.getByRole('button', { name: `Rollen wijzigen: ${person.name}` }).click();
    await page.getByRole('button', { name: 'Rol toevoegen' }).click();
    const second = page.getByRole('group', { name: 'Rol 2' });
    await second.getByRole('combobox', { name: 'Rol' }).selectOption('analyst');
    await second.getByLabel('Gemeente').fill('schiedam');
    await page.getByRole('button', { name: 'Rollen opslaan' }).click();
    await row(page, person.name).getByText('Onderzoeker · schiedam').waitFor();
    await accessible(page, 'the accounts');
    await close(page);
  });

  test('the server says why a name cannot be taken twice', async () => {
    const page = await openAs(account, browser, '/gebruikers');
    await page.getByRole('button', { name: 'Gebruiker toevoegen' }).click();
    await page.getByLabel('Naam', { exact: true }).fill(person.name);
    await page.getByLabel('Eerste wachtwoord').fill(person.password);
    await page.getByRole('button', { name: 'Toevoegen', exact: true }).click();
    await page.getByRole('alert').getByText('Melding van de server').waitFor();
    await close(page);
  });

  test('who is no administrator finds no way to the accounts, and is told why', async () => {
    const page = await openAs(person, browser, '/gebruikers');
    await page.getByText('Uw account mag deze pagina niet zien').waitFor();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('link', { name: 'Mijn sleutels' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Gebruikers' }).count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Logboek' }).count(), 0);
    await accessible(page, 'a refused page with the menu');
    await close(page);
  });

  test('a token is made, shown once, works, and works no more when it is revoked', async () => {
    const page = await openAs(person, browser, '/tokens');
    await page.getByRole('button', { name: 'Nieuwe sleutel maken' }).click();
    await page.getByLabel('Waarvoor').fill('Dashboard');
    await accessible(page, 'the form for a token');
    await page.getByRole('button', { name: 'Sleutel maken', exact: true }).click();
    await page.getByRole('heading', { name: 'Uw nieuwe sleutel' }).waitFor();
    await page.getByRole('button', { name: 'Kopieer' }).click();
    await page.getByText('Gekopieerd.').waitFor();
    await accessible(page, 'a new token');
    const token = await page.evaluate(() => navigator.clipboard.readText());
    const asks = async () => {
      const headers = { Authorization: `Bearer ${token}` };
      return (await fetch(`${base}/ngsi-ld/v1/entities?limit=1&type=Tree`, { headers })).status;
    };
    assert.equal(await asks(), 200);
    await page.reload();
    await row(page, 'Dashboard').waitFor();
    assert.equal(await page.getByText(token).count(), 0);
    await page.getByRole('button', { name: 'Intrekken: Dashboard' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await accessible(page, 'the question before revoking');
    await dialog.getByRole('button', { name: 'Annuleren' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await asks(), 200);
    await page.getByRole('button', { name: 'Intrekken: Dashboard' }).click();
    await dialog.getByRole('button', { name: 'Intrekken' }).click();
    await page.getByText('is ingetrokken').waitFor();
    assert.equal(await asks(), 401);
    await close(page);
  });

  test('one changes one’s own password and signs in with the new one', async () => {
    const page = await openAs(person, browser, '/wachtwoord');
    await page.getByLabel('Wachtwoord van nu').fill('not-the-password-of-now');
    await page.getByLabel('Nieuw wachtwoord', { exact: true }).fill(changed.password);
    await page.getByLabel('Nieuw wachtwoord, nog een keer').fill(`${changed.password}!`);
    await page.getByRole('button', { name: 'Wachtwoord wijzigen' }).click();
    await page.getByText('niet gelijk').waitFor();
    await page.getByLabel('Nieuw wachtwoord, nog een keer').fill(changed.password);
    await page.getByRole('button', { name: 'Wachtwoord wijzigen' }).click();
    await page.getByText('Het wachtwoord van nu is niet goed').waitFor();
    await accessible(page, 'the form for a password');
    await page.getByLabel('Wachtwoord van nu').fill(person.password);
    await page.getByRole('button', { name: 'Wachtwoord wijzigen' }).click();
    await page.getByText('Uw wachtwoord is gewijzigd').waitFor();
    await close(page);
    await close(await openAs(changed, browser, '/tokens'));
  });

  test('the audit shows what was done, the newest first, and fits together', async () => {
    const page = await openAs(account, browser, '/logboek');
    await page.locator('tbody time').first().waitFor();
    const moments = await page.locator('tbody time').evaluateAll((all) => all.map(({ dateTime }) => dateTime));
    assert.deepEqual(moments, moments.toSorted().reverse());
    await page.getByText('ze sluiten op elkaar aan').waitFor();
    await page.getByText(/Geladen: .* Van \d/).waitFor();
    await page.getByRole('searchbox').fill(`${person.name} gebruiker toegevoegd`);
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    await page.getByRole('button', { name: /Meer over regel/ }).click();
    await page.getByText('Controlegetal').waitFor();
    await accessible(page, 'the audit');
    await close(page);
  });

  test('on a phone no page of accounts is wider than the screen', async () => {
    for (const path of ['/gebruikers', '/tokens', '/logboek', '/wachtwoord']) {
      const page = await openAs(account, browser, path, { phone: true, dark: true });
      await page.locator('h1').waitFor();
      await page.locator('.sheet, form, .nl-button').first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 390, `${path} is ${wide} wide`);
      await accessible(page, `${path} on a phone in the dark`);
      await close(page);
    }
  });

  test('an administrator removes an account after a question', async () => {
    const page = await openAs(account, browser, '/gebruikers');
    await page.getByRole('button', { name: `Verwijderen: ${person.name}`, exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Verwijderen' }).click();
    await page.getByText(`${person.name} is verwijderd.`).waitFor();
    // The list is read anew after the message.
    await row(page, person.name).first().waitFor({ state: 'detached' });
    await close(page);
  });
});
