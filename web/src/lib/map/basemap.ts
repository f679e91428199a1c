/** Our own basemap style, for the source layers roads, water, rail and buildings. A pure function of the palette. */
import type {
  DataDrivenPropertyValueSpecification,
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  VectorSourceSpecification,
} from 'maplibre-gl';
import type { City } from '$lib/api/types';
import type { Palette } from './palette';

export const BASEMAP = 'basemap';
/** Empty layers that mark where the layers of the city go, from low to high. */
export const SLOTS = [
  'slot-areas',
  'slot-footprints',
  'slot-buildings',
  'slot-lines',
  'slot-points',
  'slot-labels',
  'slot-top',
] as const;
export type Slot = (typeof SLOTS)[number];

type Classes = 'motorway' | 'trunk' | 'primary' | 'secondary' | 'tertiary' | 'residential' | 'service';
type Widths = Record<Classes, number> & { path: number };

/** Widths in pixels by zoom; between them MapLibre grows them as distances on the ground do. */
const WIDTHS: [number, Widths][] = [
  [8, { motorway: 0.9, trunk: 0.7, primary: 0.4, secondary: 0, tertiary: 0, residential: 0, service: 0, path: 0 }],
  [11, { motorway: 2.2, trunk: 1.9, primary: 1.4, secondary: 0.9, tertiary: 0.6, residential: 0, service: 0, path: 0 }],
  [
    13,
    { motorway: 4, trunk: 3.6, primary: 3.1, secondary: 2.4, tertiary: 1.8, residential: 1, service: 0.4, path: 0.3 },
  ],
  [15, { motorway: 8, trunk: 7.4, primary: 7, secondary: 6, tertiary: 5, residential: 4, service: 2, path: 1 }],
  [18, { motorway: 34, trunk: 32, primary: 30, secondary: 26, tertiary: 22, residential: 18, service: 9, path: 4 }],
];

function width(extra: number): DataDrivenPropertyValueSpecification<number> {
  const stops = WIDTHS.flatMap(([zoom, widths]) => {
    const classes = Object.entries(widths).flatMap(([name, px]) =>
      name === 'path' ? [] : [name, px ? px + extra * Math.min(1, zoom / 14) : 0],
    );
    return [zoom, ['match', ['get', 'class'], ...classes, widths.path]];
  });
  return ['interpolate', ['exponential', 1.5], ['zoom'], ...stops] as ExpressionSpecification;
}

const byClass = (motorway: string, main: string, other: string): ExpressionSpecification => [
  'match',
  ['get', 'class'],
  ['motorway', 'trunk'],
  motorway,
  ['primary', 'secondary'],
  main,
  other,
];
const PATHS = ['footway', 'cycleway', 'pedestrian', 'path', 'steps', 'track'];
const isPath: ExpressionSpecification = ['in', ['get', 'class'], ['literal', PATHS]];
const isTrue = (name: string): ExpressionSpecification => ['==', ['get', name], true];
/** Draws important roads over less important ones. */
const order: ExpressionSpecification = [
  'match',
  ['get', 'class'],
  'motorway',
  7,
  'trunk',
  6,
  'primary',
  5,
  'secondary',
  4,
  'tertiary',
  3,
  'residential',
  2,
  1,
];

function roads(id: string, filter: ExpressionSpecification, p: Palette, tunnel = false): LayerSpecification[] {
  const common = { type: 'line', source: BASEMAP, 'source-layer': 'roads' } as const;
  const layout = { 'line-cap': tunnel ? 'butt' : 'round', 'line-join': 'round', 'line-sort-key': order } as const;
  const cars: FilterSpecification = ['all', filter, ['!', isPath]];
  return [
    {
      ...common,
      id: `${id}-edge`,
      filter: cars,
      layout: { ...layout, 'line-cap': 'butt' },
      paint: {
        'line-color': byClass(p.motorwayEdge, p.mainEdge, p.roadEdge),
        'line-width': width(1.6),
        'line-opacity': tunnel ? 0.5 : ['interpolate', ['linear'], ['zoom'], 9, 0.4, 12, 1],
        ...(tunnel ? { 'line-dasharray': [2, 1.5] } : {}),
      },
    },
    {
      ...common,
      id: `${id}-fill`,
      filter: cars,
      layout,
      paint: {
        'line-color': byClass(p.motorway, p.main, p.road),
        'line-width': width(0),
        'line-opacity': tunnel ? 0.45 : 1,
      },
    },
  ];
}

function rails(p: Palette): LayerSpecification[] {
  const common = { type: 'line', source: BASEMAP, 'source-layer': 'rail' } as const;
  const size = (factor: number): ExpressionSpecification => [
    'interpolate',
    ['exponential', 1.4],
    ['zoom'],
    9,
    0.4 * factor,
    13,
    1.1 * factor,
    18,
    4 * factor,
  ];
  return [
    { ...common, id: 'rail', minzoom: 10, paint: { 'line-color': p.rail, 'line-width': size(1) } },
    {
      ...common,
      id: 'rail-sleepers',
      minzoom: 13,
      filter: ['==', ['get', 'kind'], 'rail'],
      paint: { 'line-color': p.railGap, 'line-width': size(0.6), 'line-dasharray': [4, 4] },
    },
  ];
}

/** No tile lies within these bounds, so MapLibre asks for none; of a list without an address it would ask for one. */
const NOWHERE: [number, number, number, number] = [180, 0, 180, 0];
/** Where the tiles come from. A city without a basemap still has the layers of it, and nothing in them. */
export function basemapSource({ basemap }: Pick<City, 'basemap'>): VectorSourceSpecification {
  return basemap
    ? { type: 'vector', url: basemap.tileJson }
    : { type: 'vector', tiles: [], minzoom: 0, maxzoom: 0, bounds: NOWHERE };
}

/** All layers of the basemap with the slots between them. */
export function basemapLayers(p: Palette): LayerSpecification[] {
  const slot = (id: Slot): LayerSpecification => ({ id, type: 'background', layout: { visibility: 'none' } });
  return [
    { id: 'land', type: 'background', paint: { 'background-color': p.land } },
    // Below the water: an area is coloured where there is land.
    slot('slot-areas'),
    { id: 'water', type: 'fill', source: BASEMAP, 'source-layer': 'water', paint: { 'fill-color': p.water } },
    {
      id: 'shore',
      type: 'line',
      source: BASEMAP,
      'source-layer': 'water',
      minzoom: 11,
      // Faint: the source has seams between neighbouring waters.
      paint: { 'line-color': p.shore, 'line-width': 0.8, 'line-opacity': 0.4 },
    },
    {
      id: 'buildings',
      type: 'fill',
      source: BASEMAP,
      'source-layer': 'buildings',
      minzoom: 13,
      paint: {
        'fill-color': p.building,
        'fill-outline-color': p.buildingEdge,
        'fill-opacity': ['interpolate', ['linear'], ['zoom'], 13.4, 0, 14.2, 1],
      },
    },
    slot('slot-footprints'),
    ...roads('tunnel', isTrue('tunnel'), p, true),
    {
      id: 'paths',
      type: 'line',
      source: BASEMAP,
      'source-layer': 'roads',
      minzoom: 14,
      filter: ['all', isPath, ['!', isTrue('tunnel')]],
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': p.path, 'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 14, 0.6, 18, 4] },
    },
    ...roads('road', ['all', ['!', isTrue('tunnel')], ['!', isTrue('bridge')]], p),
    ...rails(p),
    ...roads('bridge', isTrue('bridge'), p),
    slot('slot-buildings'),
    slot('slot-lines'),
    slot('slot-points'),
    slot('slot-labels'),
    slot('slot-top'),
  ];
}

/** Buildings as blocks, for the map in 3D where no real roofs are drawn. */
export function blocks(p: Palette, without: GeoJSON.Geometry | null): LayerSpecification {
  const height: ExpressionSpecification = ['coalesce', ['get', 'height_m'], 6];
  return {
    id: 'buildings-3d',
    type: 'fill-extrusion',
    source: BASEMAP,
    'source-layer': 'buildings',
    minzoom: 13,
    ...(without ? { filter: ['>', ['distance', without], 0] as unknown as FilterSpecification } : {}),
    paint: {
      'fill-extrusion-color': p.building3d,
      'fill-extrusion-height': height,
      'fill-extrusion-vertical-gradient': true,
      'fill-extrusion-opacity': 0.96,
    },
  };
}
