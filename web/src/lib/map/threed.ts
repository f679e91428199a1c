/** Real roofs: the city's 3D Tiles drawn by deck.gl inside MapLibre's own scene. Loaded only when 3D is on. */
import { AmbientLight, DirectionalLight, LightingEffect } from '@deck.gl/core';
import { MapboxOverlay } from '@deck.gl/mapbox';
import { Tile3DLayer } from '@deck.gl/geo-layers';
import type { IControl, Map as MapLibre } from 'maplibre-gl';

const TILESET = '/3dtiles/v1/buildings/tileset.json';
type Region = [west: number, south: number, east: number, north: number];
const DEGREES = 180 / Math.PI;

/** A high sun in the south-west, as the blocks beside the roofs have it; roofs catch more of it than walls. */
const daylight = () =>
  new LightingEffect({
    ambient: new AmbientLight({ color: [255, 255, 255], intensity: 1.7 }),
    sun: new DirectionalLight({ color: [255, 250, 240], intensity: 2.4, direction: [0.45, 0.6, -1.6] }),
  });

/** Where the tileset has buildings, from its own bounding region; null when there is no tileset. */
export async function roofsArea(): Promise<GeoJSON.Polygon | null> {
  const response = await fetch(TILESET).catch(() => null);
  if (!response?.ok) return null;
  const root = (await response.json())?.root;
  const region = root?.boundingVolume?.region as number[] | undefined;
  // A city without surfaces has a tileset without tiles.
  if (!region || region.length < 4 || !(root.content || root.children?.length)) return null;
  const [west, south, east, north] = region.slice(0, 4).map((angle) => angle * DEGREES) as Region;
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  };
}

/** Adds the roofs below the names; returns what takes them away again. */
export function addRoofs(map: MapLibre, dark: boolean, failed: () => void): () => void {
  const color: [number, number, number, number] = dark ? [74, 88, 102, 255] : [232, 226, 216, 255];
  const roofs = new Tile3DLayer({
    id: 'roofs',
    data: TILESET,
    beforeId: 'slot-lines',
    // Workers would come from a content network: everything stays on our own host.
    loadOptions: { core: { worker: false }, worker: false, tileset: { maximumScreenSpaceError: 12 } },
    _subLayerProps: { scenegraph: { getColor: color, _lighting: 'pbr' }, mesh: { getColor: color } },
    onTilesetLoad: () => map.triggerRepaint(),
    onTileLoad: () => map.triggerRepaint(),
    onTileError: failed,
  } as ConstructorParameters<typeof Tile3DLayer>[0]);
  const overlay = new MapboxOverlay({ interleaved: true, layers: [roofs], effects: [daylight()] });
  map.addControl(overlay as unknown as IControl);
  return () => map.removeControl(overlay as unknown as IControl);
}
