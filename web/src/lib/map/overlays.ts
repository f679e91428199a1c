/** From a layer of the catalogue to MapLibre layers. Pure: the same choices always give the same picture. */
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  SourceSpecification,
  SymbolLayerSpecification,
} from 'maplibre-gl';
import type { Layer } from '$lib/api/types';
import type { Slot } from './basemap';
import { colourExpression, hasValue, inkExpression, type Colouring } from './colour';
import { badgeId, glyphId, hasGlyph } from './icons';
import type { Palette } from './palette';
import { PLACE_NAMES } from './place-names';

export interface Overlay {
  layer: Layer;
  opacity: number;
  colours: Colouring;
  /** Whether each thing has its name beside it: without a basemap there is nothing else to find the way by. */
  named?: boolean;
}
export type Placed = { slot: Slot; spec: LayerSpecification };
type Roofs = GeoJSON.MultiPolygon | null;
type Number_ = ExpressionSpecification | number;

export const FONT = ['Noto Sans Variable'];
/** MapLibre takes the weight from the first name; the font itself is the second. */
export const FONT_BOLD = ['Noto Sans Semibold', 'Noto Sans Variable'];

/** From where the names of stops are written. */
export const NAMES_ZOOM = 14.5;
/** Whether a layer has many things to one place, with a name for each place. */
export const hasPlaceNames = ({ style }: Layer) => style.icon === 'stop' && Boolean(style.label);

export const sourceId = (layer: Pick<Layer, 'id'>) => `layer-${layer.id}`;
const byZoom = (...stops: Number_[]): ExpressionSpecification =>
  ['interpolate', ['linear'], ['zoom'], ...stops] as ExpressionSpecification;

/** The source of a layer: tiles by address, features by data that arrive later. */
export function sourceOf(layer: Layer): SourceSpecification {
  if (layer.delivery === 'features') {
    return { type: 'geojson', data: { type: 'FeatureCollection', features: [] }, promoteId: 'id', tolerance: 0.2 };
  }
  return {
    type: 'vector',
    tiles: [layer.tiles ?? ''],
    minzoom: layer.minZoom,
    maxzoom: layer.maxZoom,
    promoteId: 'id',
    ...(layer.bounds ? { bounds: layer.bounds } : {}),
  };
}

function base(layer: Layer) {
  const tiled = layer.delivery === 'tiles';
  return { source: sourceId(layer), ...(tiled ? { 'source-layer': layer.sourceLayer, minzoom: layer.minZoom } : {}) };
}

function points({ layer, opacity, colours, named }: Overlay, p: Palette): Placed[] {
  const { style } = layer;
  const glyph = style.icon && (hasGlyph(style.icon) || style.icon === 'incident') ? style.icon : null;
  const size = glyph ? Math.max(style.radius, 9) : style.radius;
  const small = layer.delivery === 'tiles';
  const known = hasValue(colours);
  const radius = (factor: number): Number_ => ['case', known, size * factor, size * factor * 0.7];
  const placed: Placed[] = [
    {
      slot: 'slot-points',
      spec: {
        id: `${layer.id}-dots`,
        type: 'circle',
        ...base(layer),
        paint: {
          'circle-color': style.icon === 'stop' ? p.halo : ['case', known, colourExpression(colours), p.land],
          'circle-radius': byZoom(10, radius(small ? 0.35 : 0.5), 13, radius(small ? 0.6 : 0.85), 17, radius(1.5)),
          'circle-stroke-color': style.icon === 'stop' ? style.color : ['case', known, p.dotEdge, style.colorNoData],
          'circle-stroke-width': small && style.icon !== 'stop' ? byZoom(13, 0, 16, 1) : byZoom(10, 0.8, 14, 1.6),
          'circle-opacity': opacity,
          'circle-stroke-opacity': opacity,
        },
      },
    },
  ];
  if (glyph) placed.push({ slot: 'slot-points', spec: glyphs(layer, glyph, opacity, colours) });
  if (style.icon === 'air') placed.push({ slot: 'slot-points', spec: figures(layer, opacity, colours) });
  if (hasPlaceNames(layer)) placed.push({ slot: 'slot-labels', spec: placeNames(layer, opacity, p) });
  else if (named) placed.push({ slot: 'slot-labels', spec: ownNames(layer, opacity, p) });
  if (hasPlaceNames(layer) || named) placed.push({ slot: 'slot-labels', spec: room(layer, size) });
  return placed;
}

/** A sign inside the dot; of a categorical layer each category may have its own. */
function glyphs(layer: Layer, glyph: string, opacity: number, colours: Colouring): LayerSpecification {
  const image = (ink: 'dark' | 'light') => {
    const own = colours.kind === 'categories' ? colours.categories.filter(({ value }) => hasGlyph(value)) : [];
    if (own.length === 0 || colours.kind !== 'categories') return glyphId(glyph, ink);
    const pairs = own.flatMap(({ value }) => [value, glyphId(value, ink)]);
    return ['match', ['to-string', ['get', colours.attribute]], ...pairs, glyphId(glyph, ink)];
  };
  const dark = ['==', inkExpression(colours, 'dark', 'light'), 'dark'];
  return {
    id: `${layer.id}-signs`,
    type: 'symbol',
    ...base(layer),
    minzoom: 11.5,
    layout: {
      'icon-image': ['case', dark, image('dark'), image('light')] as unknown as ExpressionSpecification,
      'icon-size': byZoom(11.5, 0.6, 14, 0.9, 17, 1.4),
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
    },
    paint: { 'icon-opacity': opacity },
  };
}

/** The figure itself inside the dot. */
function figures(layer: Layer, opacity: number, colours: Colouring): LayerSpecification {
  const attribute = colours.kind === 'ramp' ? colours.attribute : (layer.style.by ?? '');
  return {
    id: `${layer.id}-figures`,
    type: 'symbol',
    ...base(layer),
    minzoom: 12,
    filter: ['==', ['typeof', ['get', attribute]], 'number'],
    layout: {
      'text-field': ['to-string', ['round', ['get', attribute]]],
      'text-font': FONT_BOLD,
      'text-size': byZoom(12, 8, 17, 14),
      'text-allow-overlap': true,
      'text-ignore-placement': true,
    },
    paint: { 'text-color': inkExpression(colours, '#14202b', '#ffffff'), 'text-opacity': opacity },
  };
}

const nameText = (text: string): SymbolLayerSpecification['layout'] => ({
  'text-field': ['get', text],
  'text-font': FONT,
  'text-size': byZoom(14, 11, 18, 13),
  'text-variable-anchor': ['left', 'right', 'top', 'bottom'],
  'text-radial-offset': 1.2,
  'text-max-width': 9,
  'text-padding': 3,
});
const nameInk = (opacity: number, p: Palette) => ({
  'text-color': p.labelQuiet,
  'text-halo-color': p.halo,
  'text-halo-width': 1.4,
  'text-opacity': opacity,
});

/** The names that `CityMap` gathers from the things on the screen: one for each place. */
function placeNames(layer: Layer, opacity: number, p: Palette): LayerSpecification {
  return {
    id: `${layer.id}-names`,
    type: 'symbol',
    source: PLACE_NAMES,
    filter: ['==', ['get', 'layer'], layer.id],
    minzoom: NAMES_ZOOM,
    layout: nameText('title'),
    paint: nameInk(opacity, p),
  };
}

/** The name of each thing beside its dot. */
function ownNames(layer: Layer, opacity: number, p: Palette): LayerSpecification {
  const layout = nameText(layer.style.label ?? 'title');
  return { id: `${layer.id}-own-names`, type: 'symbol', ...base(layer), layout, paint: nameInk(opacity, p) };
}

/** Keeps names off the dots: circles do not take part in the placing of texts, an unseen text of their size does. */
function room(layer: Layer, radius: number): LayerSpecification {
  return {
    id: `${layer.id}-room`,
    type: 'symbol',
    ...base(layer),
    ...(hasPlaceNames(layer) ? { minzoom: NAMES_ZOOM } : {}),
    layout: { 'text-field': 'o', 'text-font': FONT, 'text-size': radius * 2, 'text-allow-overlap': true },
    paint: { 'text-opacity': 0 },
  };
}

/** Vehicles: dots from afar, plates with the line number from nearby. */
function badges({ layer, opacity, colours }: Overlay, p: Palette): Placed[] {
  const colors =
    colours.kind === 'categories'
      ? colours.categories
      : [{ value: '', color: layer.style.color, label: { nl: '', en: '' } }];
  const plates = colors.flatMap(({ value, color }) => [value, badgeId(color)]);
  const attribute = colours.kind === 'single' ? '' : colours.attribute;
  const dots = points({ layer: { ...layer, style: { ...layer.style, icon: undefined } }, opacity, colours }, p);
  const label = layer.style.label ?? 'title';
  return [
    ...dots.map(({ slot, spec }) => ({ slot, spec: { ...spec, maxzoom: 12.2 } as LayerSpecification })),
    {
      slot: 'slot-labels',
      spec: {
        id: `${layer.id}-badges`,
        type: 'symbol',
        ...base(layer),
        minzoom: 12.2,
        layout: {
          'icon-image': ['match', ['to-string', ['get', attribute]], ...plates, badgeId(layer.style.color)] as never,
          'icon-text-fit': 'both',
          'icon-text-fit-padding': [0, 2, 0, 2],
          'icon-allow-overlap': true,
          'icon-ignore-placement': true,
          'text-field': ['coalesce', ['to-string', ['get', label]], ''],
          'text-font': FONT_BOLD,
          'text-size': byZoom(12.2, 10, 16, 13),
          'text-allow-overlap': true,
          'text-ignore-placement': true,
        },
        paint: {
          'text-color': inkExpression(colours, '#14202b', '#ffffff'),
          'icon-opacity': opacity,
          'text-opacity': opacity,
        },
      },
    },
  ];
}

function lines({ layer, opacity, colours }: Overlay, p: Palette): Placed[] {
  const width = (extra: number) =>
    byZoom(9, layer.style.radius * 0.5 + extra, 13, layer.style.radius + extra, 17, layer.style.radius * 2.4 + extra);
  const layout = { 'line-cap': 'round', 'line-join': 'round' } as const;
  const color = colourExpression(colours);
  const common = { type: 'line', ...base(layer), layout } as const;
  return [
    {
      slot: 'slot-lines',
      spec: {
        ...common,
        id: `${layer.id}-edges`,
        paint: { 'line-color': p.halo, 'line-width': width(2), 'line-opacity': opacity * 0.9 },
      },
    },
    {
      slot: 'slot-lines',
      spec: {
        ...common,
        id: `${layer.id}-lines`,
        paint: { 'line-color': color, 'line-width': width(0), 'line-opacity': opacity },
      },
    },
    {
      slot: 'slot-labels',
      spec: {
        id: `${layer.id}-line-names`,
        type: 'symbol',
        ...base(layer),
        minzoom: 11.5,
        layout: {
          'symbol-placement': 'line',
          'symbol-spacing': 260,
          'text-field': ['get', layer.style.label ?? 'title'],
          'text-font': FONT_BOLD,
          'text-size': 12,
          'text-rotation-alignment': 'viewport',
        },
        paint: { 'text-color': color, 'text-halo-color': p.halo, 'text-halo-width': 2.2, 'text-opacity': opacity },
      },
    },
  ];
}

function areas({ layer, opacity, colours }: Overlay, p: Palette): Placed[] {
  const filled = colours.kind !== 'single';
  return [
    {
      slot: 'slot-areas',
      spec: {
        id: `${layer.id}-fill`,
        type: 'fill',
        ...base(layer),
        paint: { 'fill-color': colourExpression(colours), 'fill-opacity': (filled ? 0.72 : 0.06) * opacity },
      },
    },
    {
      slot: 'slot-lines',
      spec: {
        id: `${layer.id}-edge`,
        type: 'line',
        ...base(layer),
        layout: { 'line-join': 'round' },
        paint: {
          'line-color': filled ? p.halo : layer.style.color,
          'line-width': byZoom(10, 0.6, 15, filled ? 1.6 : 2.4),
          'line-opacity': (filled ? 0.8 : 0.9) * opacity,
        },
      },
    },
  ];
}

function buildings({ layer, opacity, colours }: Overlay, p: Palette, threeD: boolean, roofs: Roofs): Placed[] {
  const color = colourExpression(colours);
  if (threeD) {
    return [
      {
        slot: 'slot-buildings',
        spec: {
          id: `${layer.id}-blocks`,
          type: 'fill-extrusion',
          ...base(layer),
          // Where real roofs are on the screen, blocks make room.
          ...(roofs ? { filter: ['>', ['distance', roofs], 0] as unknown as FilterSpecification } : {}),
          paint: {
            'fill-extrusion-color': color,
            // As high from afar as the real roofs beside them.
            'fill-extrusion-height': ['coalesce', ['get', layer.style.height ?? 'height'], 6],
            'fill-extrusion-opacity': opacity,
          },
        },
      },
    ];
  }
  return [
    {
      slot: 'slot-footprints',
      spec: {
        id: `${layer.id}-fill`,
        type: 'fill',
        ...base(layer),
        paint: {
          'fill-color': color,
          'fill-outline-color': p.buildingEdge,
          'fill-opacity': byZoom(13, 0.5 * opacity, 15, 0.9 * opacity),
        },
      },
    },
  ];
}

/** The MapLibre layers of one layer of the catalogue, each with its place between the others. */
export function overlayLayers(overlay: Overlay, p: Palette, threeD: boolean, roofs: Roofs): Placed[] {
  const { kind, style } = overlay.layer;
  if (kind === 'polygon') return areas(overlay, p);
  if (kind === 'line') return lines(overlay, p);
  if (kind === 'building') return buildings(overlay, p, threeD, roofs);
  return style.icon === 'vehicle' ? badges(overlay, p) : points(overlay, p);
}
