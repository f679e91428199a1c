import type { LayerSpecification, Map as MapLibre } from 'maplibre-gl';
import { expect, it } from 'vitest';
import { reconcile } from './reconcile';

/** Keeps the order of layers as MapLibre does, and the calls that were made. */
function recorder(ids: string[]) {
  const calls: string[] = [];
  const map = {
    removeLayer: (id: string) => {
      ids.splice(ids.indexOf(id), 1);
      calls.push(`remove ${id}`);
    },
    addLayer: ({ id }: LayerSpecification, above?: string) => {
      ids.splice(above ? ids.indexOf(above) : ids.length, 0, id);
      calls.push(`add ${id}`);
    },
    setPaintProperty: (id: string, name: string) => calls.push(`paint ${id} ${name}`),
    setLayoutProperty: (id: string, name: string) => calls.push(`layout ${id} ${name}`),
    setFilter: (id: string) => calls.push(`filter ${id}`),
  };
  return { map: map as unknown as MapLibre, ids, calls };
}
const circle = (id: string, color = 'red', source = 's'): LayerSpecification => ({
  id,
  type: 'circle',
  source,
  paint: { 'circle-color': color },
});

it('changes only the property that differs', () => {
  const { map, calls } = recorder(['a', 'b']);
  reconcile(map, [circle('a'), circle('b')], [circle('a'), circle('b', 'blue')]);
  expect(calls).toEqual(['paint b circle-color']);
});

it('puts a new layer in its place between the others', () => {
  const { map, ids } = recorder(['a', 'c']);
  reconcile(map, [circle('a'), circle('c')], [circle('a'), circle('b'), circle('c')]);
  expect(ids).toEqual(['a', 'b', 'c']);
});

it('removes what is no longer wanted and replaces what has another source', () => {
  const { map, ids, calls } = recorder(['a', 'b', 'c']);
  reconcile(map, [circle('a'), circle('b'), circle('c')], [circle('a'), circle('c', 'red', 'other')]);
  expect(ids).toEqual(['a', 'c']);
  expect(calls).toEqual(['remove b', 'remove c', 'add c']);
});
