/** Sizes on the ground of what is drawn. Good to a few centimetres for places of up to some kilometres. */
import { metres, type Place } from '$lib/names';

const EARTH_M = 6_371_008.8;
const radians = (degrees: number) => (degrees * Math.PI) / 180;
const place = ([lng = 0, lat = 0]: GeoJSON.Position): Place => [lng, lat];

/** Surface in m² of one ring on the sphere (Chamberlain and Duquette, 2007). */
function ringM2(ring: GeoJSON.Position[]): number {
  let sum = 0;
  ring.forEach((point, index) => {
    const [lngA, latA] = place(point);
    const [lngB, latB] = place(ring[(index + 1) % ring.length] ?? point);
    sum += radians(lngB - lngA) * (2 + Math.sin(radians(latA)) + Math.sin(radians(latB)));
  });
  return Math.abs((sum * EARTH_M * EARTH_M) / 2);
}
/** Surface in m²; holes do not count. */
export function surfaceM2({ coordinates: [outer = [], ...holes] }: GeoJSON.Polygon): number {
  return Math.max(0, ringM2(outer) - holes.reduce((sum, hole) => sum + ringM2(hole), 0));
}
/** Length in metres. */
export function lengthM({ coordinates }: GeoJSON.LineString): number {
  return coordinates
    .slice(1)
    .reduce((sum, point, index) => sum + metres(place(coordinates[index] ?? point), place(point)), 0);
}

/** Corners as text: one `latitude, longitude` on each line, as people know them from other maps. */
export function cornersText(geometry: GeoJSON.Polygon | GeoJSON.LineString | null | undefined): string {
  if (!geometry) return '';
  const points = geometry.type === 'Polygon' ? (geometry.coordinates[0] ?? []).slice(0, -1) : geometry.coordinates;
  return points.map((point) => `${place(point)[1].toFixed(6)}, ${place(point)[0].toFixed(6)}`).join('\n');
}
/** The shape that the corners make, or null when they make none: a line has two points, an area three. */
export function fromCorners(text: string, type: 'Polygon' | 'LineString'): GeoJSON.Polygon | GeoJSON.LineString | null {
  const points: GeoJSON.Position[] = [];
  for (const line of text.split(/\n/).filter((one) => one.trim())) {
    const found = /^\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(line);
    const [lat, lng] = [Number(found?.[1]), Number(found?.[2])];
    if (!found || Math.abs(lat) > 90 || Math.abs(lng) > 180) return null;
    points.push([lng, lat]);
  }
  if (type === 'LineString') return points.length >= 2 ? { type, coordinates: points } : null;
  const first = points[0];
  return points.length >= 3 && first ? { type, coordinates: [[...points, first]] } : null;
}
