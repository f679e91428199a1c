/** From the plan and the picture to what is drawn on the map. Pure. */
import { labelPoint } from '$lib/map/label-points';
import { bounds, type Box } from '$lib/map/places';
import type { Area, Colour, Gate, Link, Part } from './types';

/** A thing with its name and its numbers over the map, as a button. */
export interface Mark {
  kind: 'area' | 'gate';
  key: string;
  at: [number, number];
  name: string;
  /** What stands below the name: numbers, short. */
  text: string;
  colour: Colour | null;
  /** What a screen reader says before the name, where it is not clear. */
  kindWord?: string;
}

type Coloured = (key: string) => Colour | undefined;
export const areaFeatures = (areas: Part<Area>[], selected: string | null, colour?: Coloured): GeoJSON.Feature[] =>
  areas
    .filter(({ body }) => body.outline)
    .map(({ key, body }) => {
      const of = colour?.(key);
      return {
        type: 'Feature',
        geometry: body.outline,
        properties: { key, selected: key === selected, ...(of ? { colour: of } : {}) },
      };
    });
export const gateFeatures = (gates: Part<Gate>[], selected: string | null): GeoJSON.Feature[] =>
  gates
    .filter(({ body }) => body.line)
    .map(({ key, body }) => ({
      type: 'Feature',
      geometry: body.line,
      properties: { key, selected: key === selected },
    }));

/** A link has no shape of its own: it goes from the middle of one area to the middle of the other. */
export function linkFeatures(links: Part<Link>[], areas: Part<Area>[]): GeoJSON.Feature[] {
  const middles = new Map(areas.map(({ key, body }) => [key, body.outline ? labelPoint(body.outline) : null]));
  return links.flatMap(({ key, body }) => {
    const [from, to] = [middles.get(body.from ?? ''), middles.get(body.to ?? '')];
    if (!from || !to) return [];
    return [{ type: 'Feature', geometry: { type: 'LineString', coordinates: [from, to] }, properties: { key } }];
  });
}

export const areaPoint = ({ body }: Part<Area>) => (body.outline ? labelPoint(body.outline) : null);
/** The middle of a gate's line. */
export function gatePoint({ body: { line } }: Part<Gate>): [number, number] | null {
  const [first, last] = [line?.coordinates[0], line?.coordinates.at(-1)];
  if (!first || !last) return null;
  return [((first[0] ?? 0) + (last[0] ?? 0)) / 2, ((first[1] ?? 0) + (last[1] ?? 0)) / 2];
}
/** The box around all that is drawn; null when nothing is. */
export function boxOf(areas: Part<Area>[], gates: Part<Gate>[]): Box | null {
  const shapes = [...areas.map(({ body }) => body.outline), ...gates.map(({ body }) => body.line)].filter(Boolean);
  return shapes.length > 0 ? bounds({ type: 'GeometryCollection', geometries: shapes }) : null;
}
