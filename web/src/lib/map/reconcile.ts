/** Brings the map from one list of layers to the next with the fewest calls: nothing flickers, tiles stay. */
import type { FilterSpecification, LayerSpecification, Map as MapLibre } from 'maplibre-gl';

type Properties = Record<string, unknown>;
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const group = (spec: LayerSpecification | undefined, name: 'paint' | 'layout') =>
  ((spec as unknown as Record<string, Properties> | undefined)?.[name] ?? {}) as Properties;

function change(map: MapLibre, before: LayerSpecification, after: LayerSpecification) {
  for (const name of ['paint', 'layout'] as const) {
    const [old, next] = [group(before, name), group(after, name)];
    for (const property of new Set([...Object.keys(old), ...Object.keys(next)])) {
      if (same(old[property], next[property])) continue;
      if (name === 'paint') map.setPaintProperty(after.id, property, next[property] ?? null);
      else map.setLayoutProperty(after.id, property, next[property] ?? null);
    }
  }
  const filter = (spec: LayerSpecification) =>
    ('filter' in spec ? spec.filter : undefined) as FilterSpecification | undefined;
  if (!same(filter(before), filter(after))) map.setFilter(after.id, filter(after) ?? null);
}

/** What cannot be changed in place: another type, source or range of zooms is another layer. */
function replaces(before: LayerSpecification, after: LayerSpecification): boolean {
  const core = (spec: LayerSpecification) => ({ ...spec, paint: 0, layout: 0, filter: 0 });
  return !same(core(before), core(after));
}

/** `after` in drawing order; layers that the map has beyond `before` are left alone. */
export function reconcile(map: MapLibre, before: LayerSpecification[], after: LayerSpecification[]) {
  const wanted = new Map(after.map((spec) => [spec.id, spec]));
  const present = new Map<string, LayerSpecification>();
  for (const spec of before) {
    const next = wanted.get(spec.id);
    if (!next || replaces(spec, next)) map.removeLayer(spec.id);
    else present.set(spec.id, spec);
  }
  let above: string | undefined;
  for (const spec of [...after].reverse()) {
    const old = present.get(spec.id);
    if (old) change(map, old, spec);
    else map.addLayer(spec, above);
    above = spec.id;
  }
}
