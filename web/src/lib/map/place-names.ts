/** One name on the map for one place: the platforms of a stop are many things with one name. Pure. */
import { metres, NEAR_M, parts, withoutCity, type Place } from '$lib/names';

/** The names of layers whose things may be many to one place; each feature has its `layer`. */
export const PLACE_NAMES = 'place-names';

export interface Named {
  id: string;
  name: string;
  at: Place;
}

/** The name as it is known in its own city: `Rotterdam, Beurs` and `Rotterdam Beurs` are Beurs. */
export function localName(title: string, city: string): string {
  const { town, name } = parts(title);
  if (town && town !== city) return title;
  return withoutCity(name, city);
}

/**
 * Things with one name close together become one name, at the thing nearest to their middle. The same things always give
 * the same names, in whatever order they come.
 */
export function onePerPlace(things: Named[], city: string): Named[] {
  const groups: { name: string; members: Named[] }[] = [];
  const byId = new Map(things.map((thing) => [thing.id, thing]));
  for (const thing of [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const name = localName(thing.name, city);
    const same = groups.find(
      (group) =>
        group.name.toLowerCase() === name.toLowerCase() &&
        group.members.some((member) => metres(member.at, thing.at) < NEAR_M),
    );
    if (same) same.members.push(thing);
    else groups.push({ name, members: [thing] });
  }
  return groups.map(({ name, members }) => {
    const middle: Place = [mean(members.map(({ at }) => at[0])), mean(members.map(({ at }) => at[1]))];
    const nearest = members.reduce((a, b) => (metres(b.at, middle) < metres(a.at, middle) ? b : a));
    return { ...nearest, name };
  });
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
