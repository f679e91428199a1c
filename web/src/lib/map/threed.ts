/** Real roofs: the city's 3D Tiles drawn by deck.gl inside MapLibre's own scene. Loaded only when 3D is on. */
import { AmbientLight, DirectionalLight, LightingEffect } from '@deck.gl/core';
import { MapboxOverlay } from '@deck.gl/mapbox';
import { Tile3DLayer } from '@deck.gl/geo-layers';
import type { IControl, Map as MapLibre } from 'maplibre-gl';
import { coverage, multiPolygon, type RoofTile } from './coverage';

const TILESET = '/3dtiles/v1/buildings/tileset.json';
const LOOK_MS = 200;
const WAIT_MS_MAX = 2000;

/** A high sun in the south-west, as the blocks beside the roofs have it; roofs catch more of it than walls. */
const daylight = () =>
  new LightingEffect({
    ambient: new AmbientLight({ color: [255, 255, 255], intensity: 1.7 }),
    sun: new DirectionalLight({ color: [255, 250, 240], intensity: 2.4, direction: [0.45, 0.6, -1.6] }),
  });

/** Whether there is a tileset with roofs; a city without surfaces has a tileset without tiles. */
export async function hasRoofs(): Promise<boolean> {
  const response = await fetch(TILESET).catch(() => null);
  if (!response?.ok) return false;
  const root = (await response.json())?.root;
  return Boolean(root?.content || root?.children?.length);
}

/** Tells where roofs are on the screen: when all that are wanted have come, else once in a while. */
class Watch {
  #tileset: { isLoaded(): boolean } | null = null;
  #root: RoofTile | null = null;
  #tiles: ReadonlySet<string> = new Set();
  #told = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waited = 0;

  constructor(private readonly covered: (area: GeoJSON.MultiPolygon | null) => void) {}

  follow(tileset: { isLoaded(): boolean }) {
    this.#tileset = tileset;
  }
  /** The tiles chosen for this picture. Each view has a tree of its own, which is found from any of its tiles. */
  chosen(tiles: RoofTile[]) {
    let top = tiles[0] ?? this.#root;
    while (top?.parent) top = top.parent;
    this.#root = top;
    this.look();
  }
  /** Something changed: looks when the screen has had the time to draw it. */
  look() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, LOOK_MS);
  }
  stop() {
    clearTimeout(this.#timer);
    this.#root = null;
  }
  #tell() {
    if (!this.#root) return;
    const { tiles, areas, pending } = coverage(this.#root, this.#tiles);
    const gone = [...this.#tiles].some((id) => !tiles.has(id));
    const busy = pending || !this.#tileset?.isLoaded();
    // More or fewer blocks mean work for the map: that waits until all roofs are here, but not for ever.
    const ready = !busy || gone || this.#waited >= WAIT_MS_MAX;
    this.#waited = ready ? 0 : this.#waited + LOOK_MS;
    if (busy) this.look();
    const told = JSON.stringify(areas);
    if (!ready || told === this.#told) return;
    this.#tiles = tiles;
    this.#told = told;
    this.covered(multiPolygon(areas));
  }
}

/** Adds the roofs below the names, and tells where they are on the screen; returns what takes them away again. */
export function addRoofs(
  map: MapLibre,
  dark: boolean,
  covered: (area: GeoJSON.MultiPolygon | null) => void,
): () => void {
  const color: [number, number, number, number] = dark ? [74, 88, 102, 255] : [232, 226, 216, 255];
  const watch = new Watch(covered);
  const tileset = {
    maximumScreenSpaceError: 12,
    onTraversalComplete: (selected: RoofTile[]): RoofTile[] => {
      watch.chosen(selected);
      return selected;
    },
  };
  const roofs = new Tile3DLayer({
    id: 'roofs',
    data: TILESET,
    beforeId: 'slot-lines',
    // Workers would come from a content network: everything stays on our own host.
    loadOptions: { core: { worker: false }, worker: false, tileset },
    _subLayerProps: { scenegraph: { getColor: color, _lighting: 'pbr' }, mesh: { getColor: color } },
    onTilesetLoad: (loaded: { isLoaded(): boolean }) => {
      watch.follow(loaded);
      map.triggerRepaint();
    },
    onTileLoad: () => {
      watch.look();
      map.triggerRepaint();
    },
    // Where a tile fails, blocks stay.
    onTileError: () => watch.look(),
    onTileUnload: () => watch.look(),
  } as unknown as ConstructorParameters<typeof Tile3DLayer>[0]);
  const overlay = new MapboxOverlay({ interleaved: true, layers: [roofs], effects: [daylight()] });
  map.addControl(overlay as unknown as IControl);
  return () => {
    watch.stop();
    map.removeControl(overlay as unknown as IControl);
  };
}
