// Signing in through a foreign OpenID Connect provider, end to end over HTTP: the built binary, npm `oidc-provider`,
// and a browser's redirects and cookies followed by hand.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const polder = process.env.POLDER_BINARY ?? resolve(here, '../../target/debug/polder');
const city = resolve(here, '../../cities/auckland');
const START_MS_MAX = 60_000;

// The names that tests are told things by are no settings of the server.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POLDER_')));

let folder;
let base;
const processes = [];

const freePort = () =>
  new Promise((found) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

async function startProvider(redirect) {
  const child = spawn(process.execPath, [join(here, 'provider.mjs'), redirect], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  processes.push(child);
  const line = await new Promise((told, failed) => {
    child.stdout.on('data', told);
    child.on('exit', () => failed(new Error('the provider did not start')));
  });
  return JSON.parse(String(line)).issuer;
}

async function startPolder(port, issuer) {
  const config = join(folder, 'polder.toml');
  await writeFile(
    config,
    `[server]
public_url = "${base}"

[outbound]
allow_private = true

[trust.oidc]
name = "Foreign provider"
issuer = "${issuer}"
client_id = "polder"
client_secret = "polder-secret"
roles_claim = "groups"

[trust.oidc.roles]
city-admins = ["administrator"]
`,
  );
  const listen = `127.0.0.1:${port}`;
  const child = spawn(
    polder,
    ['serve', '--config', config, '--data', join(folder, 'data'), '--city', city, '--listen', listen],
    { stdio: ['ignore', 'ignore', 'pipe'], env: environment },
  );
  processes.push(child);
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  const started = Date.now();
  while (!(await fetch(`${base}/readyz`).catch(() => undefined))?.ok) {
    assert.ok(Date.now() - started < START_MS_MAX && child.exitCode === null, `polder did not start: ${log}`);
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

/** A browser without a screen: cookies by origin, redirects one by one. */
class Browser {
  cookies = new Map();

  async fetch(address, options = {}) {
    const { origin } = new URL(address);
    const jar = this.cookies.get(origin) ?? new Map();
    this.cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(address, { ...options, redirect: 'manual', headers: { ...options.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s);
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Follows redirects until there is a page, or until `until` is the next address. */
  async follow(address, options = {}, until = () => false) {
    for (let step = 0; step < 20; step += 1) {
      const response = await this.fetch(address, options);
      const next = response.headers.get('location');
      if (!next) return { response, address };
      address = new URL(next, address).href;
      if (until(address)) return { response, address };
      options = {};
    }
    throw new Error(`too many redirects, the last to ${address}`);
  }

  /** Everything that the person does at the provider. Returns the address that it sends the browser back to. */
  async signInAtProvider(name) {
    const back = (address) => address.startsWith(`${base}/api/v1/session/oidc/callback`);
    let { address } = await this.follow(`${base}/api/v1/session/oidc/start?return=/tabel`);
    for (const form of [{ prompt: 'login', login: name, password: 'any' }, { prompt: 'consent' }]) {
      assert.match(address, /\/interaction\//, `the provider asks for ${form.prompt}`);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams(form);
      ({ address } = await this.follow(address, { method: 'POST', headers, body }, back));
    }
    assert.ok(back(address), `the provider sends the browser back, not to ${address}`);
    return address;
  }

  async json(path) {
    const response = await this.fetch(`${base}${path}`);
    return { status: response.status, body: await response.json() };
  }
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polder-oidc-'));
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  await startPolder(port, await startProvider(`${base}/api/v1/session/oidc/callback`));
});

after(async () => {
  for (const child of processes) child.kill();
  await rm(folder, { recursive: true, force: true });
});

test('a person in the right group comes back as an administrator, to the page that was asked for', async () => {
  const browser = new Browser();
  const callback = await browser.signInAtProvider('anna');
  const arrived = await browser.fetch(callback);
  assert.equal(arrived.status, 303, await arrived.text());
  assert.equal(arrived.headers.get('location'), '/tabel');
  const { body } = await browser.json('/api/v1/session');
  assert.deepEqual([body.signedIn, body.name, body.roles], [true, 'anna', ['administrator']]);
  const audit = await browser.json('/api/v1/audit');
  assert.deepEqual(
    audit.body.records.map(({ action }) => action),
    ['user.link', 'session.sign-in'],
  );
});

test('signing in again finds the same account', async () => {
  const browser = new Browser();
  await browser.fetch(await browser.signInAtProvider('anna'));
  const { body } = await browser.json('/api/v1/users');
  assert.equal(body.length, 1);
  assert.ok(body[0].external && body[0].displayName === 'anna', JSON.stringify(body));
});

test('a person without a group is signed in and may do no more than a stranger', async () => {
  const browser = new Browser();
  await browser.fetch(await browser.signInAtProvider('bert'));
  const { body } = await browser.json('/api/v1/session');
  assert.deepEqual([body.signedIn, body.name, body.roles], [true, 'bert', []]);
  assert.equal((await browser.json('/api/v1/users')).status, 403);
});

test('an answer of the provider works once, in the browser that asked, with its own state', async () => {
  const browser = new Browser();
  const callback = await browser.signInAtProvider('anna');
  const other = await new Browser().fetch(callback);
  assert.equal(other.status, 400, 'another browser has no departure');
  const forged = new URL(callback);
  forged.searchParams.set('state', 'forged');
  assert.equal((await browser.fetch(forged.href)).status, 401, 'another state');
  assert.notEqual((await browser.fetch(callback)).status, 303, 'the departure was used up by the attempt');
});

test('a provider that refuses leaves a person on the sign-in page', async () => {
  const browser = new Browser();
  const refused = `${base}/api/v1/session/oidc/callback?error=access_denied&state=x`;
  assert.equal((await browser.fetch(refused)).status, 401);
  const page = await browser.fetch(refused, { headers: { accept: 'text/html' } });
  assert.deepEqual([page.status, page.headers.get('location')], [303, '/aanmelden?failed=provider']);
});
