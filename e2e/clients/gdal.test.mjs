// GDAL as a foreign client of OGC API Features: it lists the collections, reads one, and converts it to a file.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const service = `OAPIF:${process.env.POLDER_URL}/ogc/features/v1`;
const environment = { env: { ...process.env, GDAL_HTTP_TIMEOUT: "60" }, maxBuffer: 64 * 1024 * 1024 };

test("ogrinfo lists the collections", async () => {
  const { stdout } = await run("ogrinfo", ["-ro", service], environment);
  for (const name of ["traffic", "neighbourhoods", "parking"]) {
    assert.match(stdout, new RegExp(`\\b${name}\\b`), stdout);
  }
});

test("ogrinfo reads one collection with its fields", async () => {
  const { stdout } = await run("ogrinfo", ["-ro", "-so", service, "neighbourhoods"], environment);
  assert.match(stdout, /Feature Count: 91/, stdout);
  assert.match(stdout, /name: String/, stdout);
});

test("ogr2ogr converts the features inside a box, and no others", async () => {
  const folder = await mkdtemp(join(tmpdir(), "polder-gdal-"));
  try {
    const file = join(folder, "stops.geojson");
    const box = ["-spat", "4.46", "51.91", "4.50", "51.93"];
    await run("ogr2ogr", ["-f", "GeoJSON", file, service, "stops", ...box], environment);
    const { features } = JSON.parse(await readFile(file, "utf8"));
    assert.ok(features.length > 50, `${features.length} stops`);
    for (const feature of features) {
      const [lon, lat] = feature.geometry.coordinates;
      assert.ok(lon >= 4.46 && lon <= 4.5 && lat >= 51.91 && lat <= 51.93, `${lon} ${lat}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
