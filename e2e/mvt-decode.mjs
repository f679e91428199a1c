// Decodes vector tiles of a running server with @mapbox/vector-tile, and checks what every tile must keep to.
//
//   node e2e/mvt-decode.mjs http://127.0.0.1:8080 [layer/z/x/y ...]
//
// Without tiles it takes, for each layer that is delivered as tiles, the tiles around the centre of the city.
import { PbfReader } from 'pbf';
import * as vectorTile from '@mapbox/vector-tile';
import * as pbf from 'pbf';

const Reader = PbfReader ?? pbf.default;
const base = (process.argv[2] ?? process.env.POLDER_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');

const json = async (path) => {
  const response = await fetch(base + path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
};

const tileAt = ([lon, lat], z) => {
  const side = 2 ** z;
  const y = (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2;
  return [z, Math.floor((lon / 360 + 0.5) * side), Math.floor(y * side)];
};

const chosen = async () => {
  if (process.argv.length > 3) return process.argv.slice(3);
  const city = await json('/api/v1/city');
  const { layers } = await json('/api/v1/layers');
  return layers
    .filter((l) => l.delivery === 'tiles')
    .flatMap((l) => [l.minZoom, 13, 14, l.maxZoom].map((z) => [l.id, ...tileAt(city.center, Math.max(z, l.minZoom))].join('/')));
};

let wrong = 0;
for (const name of await chosen()) {
  const started = performance.now();
  const response = await fetch(`${base}/tiles/v1/${name}.mvt`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const ms = (performance.now() - started).toFixed(0);
  if (response.status === 204) {
    console.log(`${name}: empty, ${ms} ms`);
    continue;
  }
  const problems = [];
  const id = name.split('/')[0];
  let count = 0;
  try {
    const tile = new vectorTile.VectorTile(new Reader(bytes));
    const layer = tile.layers[id];
    if (!layer) problems.push(`no source layer ${id}, but ${Object.keys(tile.layers)}`);
    count = layer?.length ?? 0;
    const seen = new Set();
    for (let i = 0; i < count; i++) {
      const feature = layer.feature(i);
      const geometry = feature.loadGeometry();
      if (!feature.properties.id) problems.push(`feature ${i} has no id`);
      if (seen.has(feature.properties.id)) problems.push(`${feature.properties.id} is there twice`);
      seen.add(feature.properties.id);
      if (geometry.length === 0) problems.push(`${feature.properties.id} has no geometry`);
      const far = geometry.flat().find((p) => p.x < -128 || p.y < -128 || p.x > 4224 || p.y > 4224);
      if (far) problems.push(`${feature.properties.id} reaches out of the tile: ${far.x},${far.y}`);
      if (feature.type === 3) {
        const outer = vectorTile.classifyRings ? vectorTile.classifyRings(geometry) : [geometry];
        if (outer.length === 0) problems.push(`${feature.properties.id} has no outer ring`);
      }
    }
  } catch (error) {
    problems.push(String(error));
  }
  if (bytes.length > 700_000) problems.push(`${bytes.length} bytes are too many`);
  wrong += problems.length;
  console.log(`${name}: ${count} features, ${bytes.length} bytes, ${ms} ms${problems.length ? `: ${problems.slice(0, 5).join('; ')}` : ''}`);
}
if (wrong) {
  console.error(`${wrong} problems`);
  process.exit(1);
}
