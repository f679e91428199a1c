/** Boxes around geometries, and the camera that shows the heart of the city. */
import type { City } from '$lib/api/types';

export type Box = [number, number, number, number];

const corners = ([west, south, east, north]: Box) => [
  [west, south],
  [east, north],
];

/** West, south, east, north of any geometry. */
export function bounds(geometry: GeoJSON.Geometry): Box {
  const box: Box = [180, 90, -180, -90];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [lng, lat] = part;
    if (typeof lng === 'number' && typeof lat === 'number') {
      box[0] = Math.min(box[0], lng);
      box[1] = Math.min(box[1], lat);
      box[2] = Math.max(box[2], lng);
      box[3] = Math.max(box[3], lat);
    } else part.forEach(visit);
  };
  visit(geometry.type === 'GeometryCollection' ? geometry.geometries.map(bounds).map(corners) : geometry.coordinates);
  return box;
}

export const homeCamera = (city: City) => ({ center: city.center, zoom: city.zoom });
