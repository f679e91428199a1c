/** Where the name of an area goes: a point that lies inside it, also when the area is bent or in parts. */
type Ring = GeoJSON.Position[];
const x = (point: GeoJSON.Position | undefined) => point?.[0] ?? 0;
const y = (point: GeoJSON.Position | undefined) => point?.[1] ?? 0;

function ringArea(ring: Ring): number {
  let twice = 0;
  ring.forEach((point, index) => {
    const next = ring[(index + 1) % ring.length];
    twice += x(point) * y(next) - x(next) * y(point);
  });
  return Math.abs(twice) / 2;
}

/** Middle of the widest stretch inside the polygon on one horizontal line. */
function widest(rings: Ring[], latitude: number): { middle: number; width: number } {
  const crossings: number[] = [];
  for (const ring of rings) {
    ring.forEach((a, index) => {
      const b = ring[(index + 1) % ring.length];
      if (y(a) > latitude === y(b) > latitude) return;
      crossings.push(x(a) + ((latitude - y(a)) / (y(b) - y(a))) * (x(b) - x(a)));
    });
  }
  crossings.sort((a, b) => a - b);
  let best = { middle: x(rings[0]?.[0]), width: 0 };
  for (let index = 0; index + 1 < crossings.length; index += 2) {
    const [from = 0, to = 0] = crossings.slice(index, index + 2);
    if (to - from > best.width) best = { middle: (from + to) / 2, width: to - from };
  }
  return best;
}

/** A point well inside an area, on the best of a few horizontal lines around its middle; null for other shapes. */
export function labelPoint(geometry: GeoJSON.Geometry): [number, number] | null {
  const parts =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
  const largest = [...parts].sort((a, b) => ringArea(b[0] ?? []) - ringArea(a[0] ?? []))[0];
  if (!largest?.[0]) return null;
  const latitudes = largest[0].map(y);
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)];
  const middle = (south + north) / 2;
  const lines = [0.5, 0.42, 0.58, 0.34, 0.66].map((share) => {
    const latitude = south + (north - south) * share;
    return { latitude, ...widest(largest, latitude) };
  });
  // A line further from the middle must be clearly wider to win.
  const score = (line: (typeof lines)[number]) => line.width * (1 - Math.abs(line.latitude - middle) / (north - south));
  const best = lines.reduce((a, b) => (score(b) > score(a) ? b : a));
  return best.width > 0 ? [best.middle, best.latitude] : null;
}
