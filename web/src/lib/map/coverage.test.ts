import { describe, expect, it } from 'vitest';
import { coverage, multiPolygon, rectangle, type RoofTile } from './coverage';

const radians = (degrees: number[]) => degrees.map((angle) => (angle * Math.PI) / 180);

function tile(id: string, region: number[], change: Partial<RoofTile> = {}): RoofTile {
  const made: RoofTile = {
    id,
    selected: false,
    contentAvailable: false,
    tileDrawn: true,
    isVisible: true,
    hasRenderContent: true,
    parent: null,
    children: [],
    header: { boundingVolume: { region: radians(region) } },
    _shouldRefine: true,
    ...change,
  };
  for (const child of made.children) child.parent = made;
  return made;
}
const drawn = { selected: true, contentAvailable: true };
const branch = (children: RoofTile[]) => tile('root', [4, 51, 6, 52], { hasRenderContent: false, children });
const left = (change: Partial<RoofTile> = {}) => tile('left', [4, 51, 5, 52], change);
const right = (change: Partial<RoofTile> = {}) => tile('right', [5, 51, 6, 52], change);
const rounded = (areas: number[][]) => areas.map((area) => area.map((angle) => Math.round(angle)));
const nothing = new Set<string>();

describe('coverage', () => {
  it('is nothing while no roof has been drawn', () => {
    const found = coverage(branch([left(), right({ ...drawn, tileDrawn: false })]), nothing);
    expect(found.areas).toEqual([]);
    expect(found.tiles.size).toBe(0);
    expect(found.pending).toBe(true);
  });
  it('is only the tile whose roofs are on the screen', () => {
    const found = coverage(branch([left(drawn), right()]), nothing);
    expect(rounded(found.areas)).toEqual([[4, 51, 5, 52]]);
    expect([...found.tiles]).toEqual(['left']);
  });
  it('is one area when all tiles are drawn', () => {
    expect(rounded(coverage(branch([left(drawn), right(drawn)]), nothing).areas)).toEqual([[4, 51, 6, 52]]);
  });
  it('keeps a tile that went out of the picture until its roofs leave the memory', () => {
    const before = new Set(['left']);
    const away = { contentAvailable: true, isVisible: false };
    expect([...coverage(branch([left(away), right()]), before).tiles]).toEqual(['left']);
    expect(coverage(branch([left({ ...away, contentAvailable: false }), right()]), before).tiles.size).toBe(0);
  });
  it('gives way to blocks when the picture is too far away for roofs', () => {
    const root = branch([left({ contentAvailable: true, isVisible: false }), right()]);
    root._shouldRefine = false;
    expect(coverage(root, new Set(['left'])).areas).toEqual([]);
  });
});

describe('rectangles', () => {
  it('come from regions in radians, and not from anything shorter', () => {
    expect(rounded([rectangle(radians([4, 51, 5, 52, 0, 10])) ?? []])).toEqual([[4, 51, 5, 52]]);
    expect(rectangle([1, 2])).toBeNull();
  });
  it('are closed rings of one geometry, or none', () => {
    expect(multiPolygon([])).toBeNull();
    expect(multiPolygon([[4, 51, 5, 52]])?.coordinates[0]?.[0]).toHaveLength(5);
  });
});
