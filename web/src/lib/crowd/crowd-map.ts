/**
 * The map under an event: our basemap with the areas, gates and links of the plan. It knows nothing of Svelte: the
 * component gives it features and hears of moves and choices. Names and numbers are not drawn here but lie over the map
 * as buttons, so that a keyboard and a screen reader reach them.
 */
import {
  Map as MapLibre,
  type ExpressionSpecification,
  type GeoJSONSource,
  type LayerSpecification,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { City } from '$lib/api/types';
import { BASEMAP, basemapLayers, basemapSource } from '$lib/map/basemap';
import type { Palette } from '$lib/map/palette';
import type { Box } from '$lib/map/places';
import { reconcile } from '$lib/map/reconcile';
import { colours, looks, type Pattern } from './colours';

const SOURCES = ['crowd-areas', 'crowd-gates', 'crowd-links'] as const;
export type CrowdSource = (typeof SOURCES)[number];
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
const TILE_PX = 32;

const patterns: Record<Pattern, (c: CanvasRenderingContext2D) => void> = {
  plain: () => {},
  stripes: (c) => strokes(c, 1),
  cross: (c) => {
    strokes(c, 1);
    strokes(c, -1);
  },
  dots: (c) => {
    for (const [x, y] of [
      [8, 8],
      [24, 24],
    ] as const) {
      c.beginPath();
      c.arc(x, y, 3.4, 0, 7);
      c.fill();
    }
  },
};
/** Slanted lines that go on in the next tile. */
function strokes(c: CanvasRenderingContext2D, slope: 1 | -1) {
  for (const shift of [-TILE_PX, 0, TILE_PX]) {
    for (const half of [0, TILE_PX / 2]) {
      c.beginPath();
      c.moveTo(shift + half - 4, slope === 1 ? TILE_PX + 4 : -4);
      c.lineTo(shift + half + TILE_PX + 4, slope === 1 ? -4 : TILE_PX + 4);
      c.stroke();
    }
  }
}
function addPatterns(map: MapLibre) {
  for (const colour of colours) {
    const id = `crowd-${colour}`;
    if (map.hasImage(id)) continue;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = TILE_PX;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return;
    context.lineWidth = 2.6;
    context.strokeStyle = context.fillStyle = looks[colour].ink;
    context.globalAlpha = 0.62;
    patterns[looks[colour].pattern](context);
    const { data } = context.getImageData(0, 0, TILE_PX, TILE_PX);
    map.addImage(id, { data: new Uint8Array(data.buffer), width: TILE_PX, height: TILE_PX }, { pixelRatio: 2 });
  }
}

const byColour = (of: (colour: (typeof colours)[number]) => string, other: string): ExpressionSpecification =>
  [
    'match',
    ['get', 'colour'],
    ...colours.flatMap((one) => [one, of(one)]),
    other,
  ] as unknown as ExpressionSpecification;
const isSelected: ExpressionSpecification = ['boolean', ['get', 'selected'], false];

function crowdLayers(p: Palette): LayerSpecification[] {
  const has: ExpressionSpecification = ['has', 'colour'];
  return [
    {
      id: 'crowd-area-fill',
      type: 'fill',
      source: 'crowd-areas',
      paint: {
        'fill-color': byColour((one) => looks[one].fill, p.selected),
        'fill-opacity': ['case', has, 0.72, 0.18],
      },
    },
    {
      id: 'crowd-area-pattern',
      type: 'fill',
      source: 'crowd-areas',
      filter: ['all', has, ['!=', ['get', 'colour'], 'green']],
      paint: { 'fill-pattern': ['concat', 'crowd-', ['get', 'colour']] },
    },
    {
      id: 'crowd-area-edge',
      type: 'line',
      source: 'crowd-areas',
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': ['case', isSelected, p.selected, byColour((one) => looks[one].fill, p.selected)],
        'line-width': ['case', isSelected, 5, 2],
      },
    },
    {
      id: 'crowd-link',
      type: 'line',
      source: 'crowd-links',
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': p.labelQuiet, 'line-width': 2, 'line-dasharray': [2, 2] },
    },
    {
      id: 'crowd-gate-halo',
      type: 'line',
      source: 'crowd-gates',
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': p.halo, 'line-width': ['case', isSelected, 13, 9] },
    },
    {
      id: 'crowd-gate',
      type: 'line',
      source: 'crowd-gates',
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': ['case', isSelected, p.selected, p.label], 'line-width': ['case', isSelected, 8, 5] },
    },
  ];
}
function layersOf(p: Palette): LayerSpecification[] {
  return basemapLayers(p).flatMap((spec) => (spec.id === 'slot-points' ? [...crowdLayers(p), spec] : [spec]));
}

export interface CrowdMapEvents {
  moved: () => void;
  picked: (kind: 'area' | 'gate', key: string) => void;
  idle: () => void;
}

export class CrowdMap {
  readonly map: MapLibre;
  #layers: LayerSpecification[];
  #listening = true;

  constructor(container: HTMLElement, city: City, box: Box | null, palette: Palette, events: CrowdMapEvents) {
    const [west, south, east, north] = city.bounds;
    this.#layers = layersOf(palette);
    this.map = new MapLibre({
      container,
      style: {
        version: 8,
        sources: {
          [BASEMAP]: basemapSource(city),
          ...Object.fromEntries(SOURCES.map((id) => [id, { type: 'geojson' as const, data: EMPTY }])),
        },
        layers: this.#layers,
      },
      ...(box
        ? { bounds: box, fitBoundsOptions: { padding: 56, maxZoom: 18 } }
        : { center: city.center, zoom: city.zoom + 1.5 }),
      minZoom: 8.5,
      maxZoom: 20,
      maxPitch: 0,
      maxBounds: [west - 0.5, south - 0.3, east + 0.5, north + 0.3],
      attributionControl: false,
      transformRequest: (url) => ({ url: new URL(url, location.origin).href }),
      fadeDuration: 0,
      // North stays up: people in the street are told "the north side".
      dragRotate: false,
      pitchWithRotate: false,
      locale: { 'Map.Title': '' },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.on('style.load', () => addPatterns(this.map));
    this.map.on('move', events.moved);
    this.map.on('idle', events.idle);
    this.map.on('click', ({ point }) => {
      if (!this.#listening) return;
      const near: [[number, number], [number, number]] = [
        [point.x - 6, point.y - 6],
        [point.x + 6, point.y + 6],
      ];
      const gate = this.map.queryRenderedFeatures(near, { layers: ['crowd-gate'] })[0];
      const area = this.map.queryRenderedFeatures(point, { layers: ['crowd-area-fill'] })[0];
      const found = gate ?? area;
      if (found) events.picked(gate ? 'gate' : 'area', String(found.properties.key));
    });
  }
  /** While somebody draws, clicks are corners and not choices. */
  listen(on: boolean) {
    this.#listening = on;
  }
  set(source: CrowdSource, features: GeoJSON.Feature[]) {
    this.map.getSource<GeoJSONSource>(source)?.setData({ type: 'FeatureCollection', features });
  }
  repaint(palette: Palette) {
    const layers = layersOf(palette);
    reconcile(this.map, this.#layers, layers);
    this.#layers = layers;
  }
  fit(box: Box, still: boolean) {
    this.map.fitBounds(box, { padding: 56, maxZoom: 18, duration: still ? 0 : 500 });
  }
  remove() {
    this.map.remove();
  }
}
