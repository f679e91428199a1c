/** A small invented town with counters, written as a city folder: for what no real city of the tests has. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const polder =
  process.env.POLDER_BINARY ?? resolve(fileURLToPath(new URL('.', import.meta.url)), '../../target/debug/polder');

/** The names that tests are told things by are no settings of the server. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POLDER_')));

const freePort = () =>
  new Promise((found) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

/** Runs the binary to its end; what it said is the error when it fails. */
const run = (args) =>
  new Promise((done, failed) => {
    const child = spawn(polder, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let log = '';
    child.stderr.on('data', (chunk) => (log += chunk));
    child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`polder ${args[0]} failed: ${log}`))));
  });

const HOUR_MS = 3_600_000;
const DAYS = 70;
const LAST = Date.UTC(2026, 2, 16);
/** Busy in the afternoon, quieter on Sunday; each hour its own, and the same in every run. */
function count(ms, busy) {
  const moment = new Date(ms);
  const daily = Math.max(0.05, 1 - ((moment.getUTCHours() - 14) / 9) ** 2);
  const weekly = moment.getUTCDay() === 0 ? 0.6 : 1;
  const own = 0.85 + 0.3 * Math.abs(Math.sin(ms / HOUR_MS) * Math.cos(ms / HOUR_MS / 7));
  return Math.round(busy * daily * weekly * own);
}
/** Places with how busy they are, where they are, and for how many days they have counted. */
const places = [
  { name: 'Markt', busy: 900, lon: 4.48, lat: 51.92, days: DAYS },
  { name: 'Kade', busy: 500, lon: 4.485, lat: 51.921, days: DAYS },
  { name: 'Nieuwe Brug', busy: 300, lon: 4.49, lat: 51.922, days: 12 },
];

function counts() {
  const lines = ['time,sensor,name,lon,lat,count'];
  for (const { name, busy, lon, lat, days } of places) {
    const sensor = name.toLowerCase().replaceAll(' ', '-');
    for (let ms = LAST - days * 24 * HOUR_MS; ms < LAST; ms += HOUR_MS) {
      lines.push([new Date(ms).toISOString(), sensor, name, lon, lat, count(ms, busy)].join(','));
    }
  }
  return lines.join('\n') + '\n';
}
/** Cycle counters that count every five minutes; one of them stopped before the replay begins. */
const STEP_MS = 300_000;
const CYCLE_DAYS = 21;
const counters = [
  { name: 'Singel', busy: 700, lon: 4.47, lat: 51.923, until: LAST },
  { name: 'Vest', busy: 400, lon: 4.475, lat: 51.924, until: LAST },
  { name: 'Oude Haven', busy: 300, lon: 4.478, lat: 51.925, until: LAST - 18 * HOUR_MS },
];
function cycleCounts() {
  const lines = ['time,counter,name,lon,lat,count'];
  for (const { name, busy, lon, lat, until } of counters) {
    const counter = name.toLowerCase().replaceAll(' ', '-');
    for (let ms = LAST - CYCLE_DAYS * 24 * HOUR_MS; ms < until; ms += STEP_MS) {
      lines.push([new Date(ms).toISOString(), counter, name, lon, lat, Math.round(count(ms, busy) / 12)].join(','));
    }
  }
  return lines.join('\n') + '\n';
}
const marketDay = new Date(LAST + 2 * 24 * HOUR_MS).toISOString().slice(0, 10);

const iso = (ms) => new Date(ms).toISOString();
const CITY = `[city]
id = "proefstad"
name = "Proefstad"
country = "NL"
title = { nl = "Verzonnen tellingen om mee te proeven", en = "Invented counts to try things with" }
time_zone = "Europe/Amsterdam"
center = [4.485, 51.921]
bounds = [4.4, 51.88, 4.6, 51.96]
zoom = 13.0

[city.replay]
from = "${iso(LAST - 28 * 24 * HOUR_MS)}"
start = "${iso(LAST - 12 * HOUR_MS)}"
to = "${iso(LAST)}"
speed = 1.0

[[city.notice]]
id = "replay"
kind = "replay"
text.nl = "De tellingen zijn een herhaling."
text.en = "The counts are a replay."

[[city.notice]]
id = "basemap"
kind = "data"
text.nl = "Voor deze stad is geen ondergrond meegeleverd."
text.en = "No basemap is delivered with this city."

[[city.notice]]
id = "invented"
kind = "data"
text.nl = "Alle tellingen zijn verzonnen."
text.en = "All counts are invented."

[[source]]
name = "counts"
title = { nl = "Mensen per uur", en = "People per hour" }
connector = "csv"
file = "data/counts.csv"
entity_type = "CrowdFlowObserved"
id = "urn:ngsi-ld:CrowdFlowObserved:{sensor}"
origin = "simulated"
public = true
replay = true
[source.provenance]
publisher = "Polder"
licence = "EUPL-1.2"
attribution = "Polder"
note.nl = "Verzonnen."
note.en = "Invented."
[source.time]
field = "time"
[[source.attribute]]
name = "location"
kind = "geo"
longitude = "lon"
latitude = "lat"
[[source.attribute]]
name = "name"
field = "name"
[[source.attribute]]
name = "peopleCount"
field = "count"
kind = "number"
unit = "C62"
range = [0, 20000]
history = true

[[forecast]]
id = "mensen"
title = { nl = "Mensen per uur", en = "People per hour" }
entity_type = "CrowdFlowObserved"
attribute = "peopleCount"
kind = "count"
region = "NL"
lists = { events = "data/events.csv" }
trees = 8
[[forecast.area]]
id = "centrum"
title = { nl = "Centrum: twee tellers samen op de markt en op de kade langs de rivier", en = "Centre: two counters together at the market and on the quay along the river" }
series = ["markt", "kade"]
`;
const LAYERS = `[[group]]
id = "people"
title = { nl = "Mensen", en = "People" }

[[layer]]
id = "people"
group = "people"
title = { nl = "Mensen per uur", en = "People per hour" }
description = { nl = "Verzonnen tellingen.", en = "Invented counts." }
entity_type = "CrowdFlowObserved"
kind = "point"
delivery = "features"
visible = true
origin = "simulated"
source = "counts"
[layer.style]
by = "peopleCount"
kind = "sequential"
stops = [[0.0, "#46327e"], [1000.0, "#fde725"]]
color = "#277f8e"
radius = 9.0
[[layer.attribute]]
name = "peopleCount"
label = { nl = "Mensen per uur", en = "People per hour" }
unit_code = "C62"
kind = "number"
history = true
interval_s = 3600.0
`;

/** What is added for a set that counts often enough for the coming hour. */
const CYCLES = `
[[source]]
name = "cycles"
title = { nl = "Fietsers per vijf minuten", en = "Cyclists per five minutes" }
connector = "csv"
file = "data/cycles.csv"
entity_type = "TrafficFlowObserved"
id = "urn:ngsi-ld:TrafficFlowObserved:{counter}"
origin = "simulated"
public = true
replay = true
[source.provenance]
publisher = "Polder"
licence = "EUPL-1.2"
attribution = "Polder"
note.nl = "Verzonnen."
note.en = "Invented."
[source.time]
field = "time"
[[source.attribute]]
name = "location"
kind = "geo"
longitude = "lon"
latitude = "lat"
[[source.attribute]]
name = "name"
field = "name"
[[source.attribute]]
name = "intensity"
field = "count"
kind = "number"
unit = "C62"
range = [0, 20000]
history = true

[[forecast]]
id = "fietsers"
title = { nl = "Fietsers per vijf minuten", en = "Cyclists per five minutes" }
entity_type = "TrafficFlowObserved"
attribute = "intensity"
kind = "count"
step_minutes = 5
region = "NL"
trees = 8
[[forecast.area]]
id = "ring"
title = { nl = "Ring (twee tellers)", en = "Ring (two counters)" }
series = ["singel", "vest"]
`;

/** `cycles` adds counters that count every five minutes. */
async function writeTown(folder, { cycles = false } = {}) {
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'city.toml'), cycles ? CITY + CYCLES : CITY);
  if (cycles) await writeFile(join(folder, 'data/cycles.csv'), cycleCounts());
  await writeFile(join(folder, 'layers.toml'), LAYERS);
  await writeFile(join(folder, 'data/counts.csv'), counts());
  await writeFile(join(folder, 'data/events.csv'), `day,name\n${marketDay},Marktdag\n`);
}

const START_MS_MAX = 60_000;
/**
 * Writes the town, imports it and serves it from a folder of its own to everybody as an administrator; such a server may
 * also reach addresses of this machine. `cycles` as in `writeTown`, `env` is what its environment holds besides. Gives its
 * address, and `stop`, which leaves nothing behind.
 */
export async function serveTown({ cycles = false, env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'polder-town-'));
  const [city, data] = [join(folder, 'city'), join(folder, 'data')];
  await writeTown(city, { cycles });
  await run(['import', '--data', data, '--city', city]);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = spawn(
    polder,
    ['serve', '--data', data, '--city', city, '--replay', '1', '--open', '--listen', `127.0.0.1:${port}`],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...environment, ...env } },
  );
  let log = '';
  server.stderr.on('data', (chunk) => (log += chunk));
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill();
      await new Promise((gone) => server.once('exit', gone));
    }
    await rm(folder, { recursive: true, force: true });
  };
  const started = Date.now();
  while (!(await fetch(`${base}/readyz`).catch(() => undefined))?.ok) {
    if (Date.now() - started < START_MS_MAX && server.exitCode === null) {
      await new Promise((wait) => setTimeout(wait, 100));
      continue;
    }
    await stop();
    assert.fail(`polder did not start: ${log}`);
  }
  return { base, stop };
}
