// Foreign readers of the pictures: Mapbox' vector tile decoder and Khronos' glTF validator.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const script = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const check = (name, ...more) =>
  run(process.execPath, [script(name), process.env.POLDER_URL, ...more], { maxBuffer: 64 * 1024 * 1024 });

test("@mapbox/vector-tile decodes the tiles of every layer", async () => {
  const { stdout } = await check("mvt-decode.mjs");
  assert.match(stdout, /buildings/, stdout);
});

test("gltf-validator finds no error in the 3D tiles", async () => {
  const { stdout } = await check("gltf-validate.mjs", "8");
  assert.match(stdout, /[1-9]\d* (contents?|tiles?)/i, stdout);
});
