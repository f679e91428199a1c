/** What is written or drawn on top of everything: names of areas, and the ring around what is selected. */
import type { ExpressionSpecification } from 'maplibre-gl';
import { FONT_BOLD, type Placed } from './overlays';
import type { Palette } from './palette';
import { labelPoint } from './label-points';

export const SELECTED = 'selected';
export const LABELS = 'area-names';

/** The names of areas as points, marked with the layer they come from. */
export function namePoints(layer: string, attribute: string, areas: GeoJSON.FeatureCollection): GeoJSON.Feature[] {
  return areas.features.flatMap(({ geometry, properties }) => {
    const coordinates = labelPoint(geometry);
    const name = properties?.[attribute] ?? properties?.title;
    if (!coordinates || !name) return [];
    return [{ type: 'Feature', geometry: { type: 'Point', coordinates }, properties: { layer, name } }];
  });
}

/** Large areas in spaced capitals from afar, small ones in plain letters from nearby. */
export function areaNames(layers: string[], p: Palette): Placed[] {
  return layers.map((layer, index) => {
    const large = index === 0 && layers.length > 1;
    const zooms = large ? { minzoom: 9.5, maxzoom: 12.4 } : { minzoom: layers.length > 1 ? 12.4 : 10.5, maxzoom: 16 };
    return {
      slot: 'slot-labels',
      spec: {
        id: `names-${layer}`,
        type: 'symbol',
        source: LABELS,
        ...zooms,
        filter: ['==', ['get', 'layer'], layer],
        layout: {
          'text-field': ['get', 'name'],
          'text-font': FONT_BOLD,
          'text-size': [
            'interpolate',
            ['linear'],
            ['zoom'],
            10,
            large ? 10.5 : 10,
            15,
            large ? 15 : 14,
          ] as ExpressionSpecification,
          'text-transform': large ? 'uppercase' : 'none',
          'text-letter-spacing': large ? 0.09 : 0.01,
          'text-max-width': 7,
          'text-padding': 8,
        },
        paint: {
          'text-color': large ? p.label : p.labelQuiet,
          'text-halo-color': p.halo,
          'text-halo-width': 1.6,
          'text-halo-blur': 0.4,
        },
      },
    };
  });
}

export function selectionLayers(p: Palette): Placed[] {
  const isPoint: ExpressionSpecification = ['==', ['geometry-type'], 'Point'];
  return [
    {
      slot: 'slot-top',
      spec: {
        id: 'selected-edge',
        type: 'line',
        source: SELECTED,
        filter: ['!', isPoint],
        layout: { 'line-join': 'round', 'line-cap': 'round' },
        paint: { 'line-color': p.selected, 'line-width': 4 },
      },
    },
    {
      slot: 'slot-points',
      spec: {
        id: 'selected-ring',
        type: 'circle',
        source: SELECTED,
        filter: isPoint,
        paint: {
          'circle-radius': 17,
          'circle-color': p.selected,
          'circle-opacity': 0.16,
          'circle-stroke-color': p.selected,
          'circle-stroke-width': 3,
        },
      },
    },
  ];
}
