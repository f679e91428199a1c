/** Real roofs: the city's 3D Tiles drawn by deck.gl inside MapLibre's own scene. Loaded only when 3D is on. */
import { MapboxOverlay } from '@deck.gl/mapbox';
import { Tile3DLayer } from '@deck.gl/geo-layers';
import type { IControl, Map as MapLibre } from 'maplibre-gl';

const TILESET = '/3dtiles/v1/buildings/tileset.json';
type Region = [west: number, south: number, east: number, north: number];
const DEGREES = 180 / Math.PI;

/** Where the tileset has buildings, from its own bounding region; null when there is no tileset. */
export async function roofsArea(): Promise<GeoJSON.Polygon | null> {
  const response = await fetch(TILESET).catch(() => null);
  if (!response?.ok) return null;
  const region = (await response.json())?.root?.boundingVolume?.region as number[] | undefined;
  if (!region || region.length < 4) return null;
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
  const overlay = new MapboxOverlay({ interleaved: true, layers: [roofs] });
  map.addControl(overlay as unknown as IControl);
  return () => map.removeControl(overlay as unknown as IControl);
}
