// Walks the 3D tileset of a running server and validates every content with Khronos' gltf-validator.
//
//   node e2e/gltf-validate.mjs http://127.0.0.1:8080 [contents at most]
//
// It also checks what the validator does not know: regions of children lie inside those of their parents, transforms
// put the content on the earth inside its region, and the feature table has a row for each feature id.
import validator from 'gltf-validator';

const base = (process.argv[2] ?? process.env.POLDER_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
const most = Number(process.argv[3] ?? Infinity);
const root = `${base}/3dtiles/v1/buildings/`;
const tileset = await (await fetch(`${root}tileset.json`)).json();

let errors = 0;
const fail = (text) => {
  errors += 1;
  console.error(text);
};

if (tileset.asset?.version !== '1.1') fail(`version ${tileset.asset?.version}`);

const contents = [];
const walk = (tile, parent, error) => {
  const region = tile.boundingVolume?.region;
  if (!(region?.length === 6) || region[0] > region[2] || region[1] > region[3] || region[4] > region[5]) {
    fail(`not a region: ${region}`);
    return;
  }
  if (parent && (region[0] < parent[0] || region[1] < parent[1] || region[2] > parent[2] || region[3] > parent[3])) {
    fail(`${tile.content?.uri}: its region reaches out of its parent's`);
  }
  if (tile.geometricError > error) fail(`${tile.content?.uri}: geometricError grows`);
  if (tile.content) contents.push(tile);
  for (const child of tile.children ?? []) walk(child, region, tile.geometricError);
};
walk(tileset.root, null, tileset.geometricError);

const A = 6378137;
const E2 = 6.69437999014e-3;
const degrees = (x, y, z) => {
  const p = Math.hypot(x, y);
  let lat = Math.atan2(z, p * (1 - E2));
  for (let i = 0; i < 5; i++) {
    const n = A / Math.sqrt(1 - E2 * Math.sin(lat) ** 2);
    lat = Math.atan2(z + E2 * n * Math.sin(lat), p);
  }
  return [Math.atan2(y, x), lat];
};

let bytes = 0;
let triangles = 0;
const counts = { infos: 0, hints: 0, warnings: 0 };
for (const tile of contents.slice(0, most)) {
  const response = await fetch(root + tile.content.uri);
  if (!response.ok) {
    fail(`${tile.content.uri}: ${response.status}`);
    continue;
  }
  const glb = new Uint8Array(await response.arrayBuffer());
  bytes += glb.length;
  const report = await validator.validateBytes(glb, { uri: tile.content.uri, maxIssues: 20 });
  counts.infos += report.issues.numInfos;
  counts.hints += report.issues.numHints;
  counts.warnings += report.issues.numWarnings;
  triangles += report.info.totalTriangleCount ?? 0;
  for (const issue of report.issues.messages.filter((m) => m.severity === 0)) {
    fail(`${tile.content.uri}: ${issue.code} ${issue.pointer ?? ''} ${issue.message}`);
  }
  const length = new DataView(glb.buffer).getUint32(12, true);
  const gltf = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + length)));
  const table = gltf.extensions.EXT_structural_metadata.propertyTables[0];
  for (const primitive of gltf.meshes.flatMap((m) => m.primitives)) {
    const ids = primitive.extensions.EXT_mesh_features.featureIds[0];
    if (ids.featureCount !== table.count) fail(`${tile.content.uri}: ${ids.featureCount} features, ${table.count} rows`);
    const { min, max } = gltf.accessors[primitive.attributes.POSITION];
    const t = tile.transform;
    // glTF's y points up: x, y, z are east, up and south.
    const [e, n, u] = [(min[0] + max[0]) / 2, -(min[2] + max[2]) / 2, (min[1] + max[1]) / 2];
    const at = [0, 1, 2].map((i) => t[i] * e + t[4 + i] * n + t[8 + i] * u + t[12 + i]);
    const [lon, lat] = degrees(...at);
    const [w, s, east, north] = tile.boundingVolume.region;
    if (lon < w || lon > east || lat < s || lat > north) fail(`${tile.content.uri}: it lies outside its region`);
  }
}
console.log(
  `${Math.min(contents.length, most)} of ${contents.length} contents, ${(bytes / 1e6).toFixed(1)} MB, ${triangles} triangles: ` +
    `${errors} errors, ${counts.warnings} warnings, ${counts.infos} infos, ${counts.hints} hints`,
);
if (errors || contents.length === 0) process.exit(1);
