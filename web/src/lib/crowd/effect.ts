/** What a measure is expected to change, in the order in which it matters. Pure. */
import type { Ahead, Difference } from './types';

export interface Effect {
  area: Difference;
  /** The minute at which the two differ most, and the difference there (persons); null when it cannot be said. */
  inMin: number | null;
  persons: number | null;
  /** How much the chance of red changes there (-1..1). */
  chance: number | null;
}
const difference = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? null : b - a;

export function effectOf(area: Difference): Effect {
  const pairs = area.without.map((before): [Ahead, Ahead | undefined] => [
    before,
    area.with.find(({ inMin }) => inMin === before.inMin),
  ]);
  let most: Effect = { area, inMin: null, persons: null, chance: null };
  for (const [before, after] of pairs) {
    const persons = difference(before.p50, after?.p50);
    if (persons === null || (most.persons !== null && Math.abs(persons) <= Math.abs(most.persons))) continue;
    most = { area, inMin: before.inMin, persons, chance: difference(before.probabilityRed, after?.probabilityRed) };
  }
  return most;
}
/** Areas for which the measure makes it better or worse, the greatest difference first; what cannot be said comes last. */
export const effects = (areas: Difference[]): Effect[] =>
  areas
    .map(effectOf)
    .sort((a, b) => Math.abs(b.persons ?? -1) - Math.abs(a.persons ?? -1) || a.area.name.localeCompare(b.area.name));
