/**
 * Where real roofs are on the screen, so that blocks make room there and nowhere else. Pure: from the tiles of a tileset
 * as the drawing library reports them to one geometry, in as few rectangles as possible.
 */
const DEGREES = 180 / Math.PI;

/** What we need to know of a tile of a 3D tileset. */
export interface RoofTile {
  id: string;
  /** Its content is here and chosen for this picture. */
  selected: boolean;
  /** Its content is in memory. */
  contentAvailable: boolean;
  /** Its content has been given to the screen. */
  tileDrawn: boolean;
  /** Whether it is within the picture; undefined before that was ever asked. */
  isVisible: boolean | undefined;
  hasRenderContent: boolean;
  parent: RoofTile | null;
  children: RoofTile[];
  header: { boundingVolume?: { region?: number[] } };
  /** Whether its children are drawn instead of (or besides) itself. */
  _shouldRefine: boolean;
}

export type Rectangle = [west: number, south: number, east: number, north: number];

/** The rectangle of a region in radians, as 3D Tiles write it, in degrees. */
export function rectangle(region: number[] | undefined): Rectangle | null {
  return region && region.length >= 4 ? (region.slice(0, 4).map((angle) => angle * DEGREES) as Rectangle) : null;
}

/**
 * Whether a tile's roofs are on the screen. A tile just outside the picture keeps the answer that it had, as long as its
 * roofs are in memory: they are drawn the moment that it comes back.
 */
function covers(tile: RoofTile, before: ReadonlySet<string>): boolean {
  if (tile.selected) return tile.contentAvailable && tile.tileDrawn;
  const refined = tile.parent === null || tile.parent._shouldRefine;
  return before.has(tile.id) && tile.contentAvailable && tile.isVisible === false && refined;
}

export interface Coverage {
  /** The tiles whose roofs are on the screen, by id. */
  tiles: Set<string>;
  /** The areas that they fill: a parent's when all below it are drawn. */
  areas: Rectangle[];
  /** Roofs are here that the screen has not drawn yet. */
  pending: boolean;
}

export function coverage(root: RoofTile, before: ReadonlySet<string>): Coverage {
  const tiles = new Set<string>();
  let pending = false;
  const below = (tile: RoofTile): { whole: boolean; areas: Rectangle[] } => {
    const own = rectangle(tile.header.boundingVolume?.region);
    const parts = tile.children.map(below);
    const drawn = tile.hasRenderContent && covers(tile, before);
    if (drawn) tiles.add(tile.id);
    else if (tile.selected && tile.hasRenderContent) pending = true;
    const whole = own !== null && (drawn || !tile.hasRenderContent) && parts.every((part) => part.whole);
    if (whole && (drawn || parts.length > 0)) return { whole, areas: [own] };
    return { whole: false, areas: [...(drawn && own ? [own] : []), ...parts.flatMap((part) => part.areas)] };
  };
  const { areas } = below(root);
  return { tiles, areas, pending };
}

/** Rectangles as one geometry for a filter of the map; null when there are none. */
export function multiPolygon(areas: Rectangle[]): GeoJSON.MultiPolygon | null {
  if (areas.length === 0) return null;
  const ring = ([west, south, east, north]: Rectangle) => [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'MultiPolygon', coordinates: areas.map((area) => [ring(area)]) };
}
