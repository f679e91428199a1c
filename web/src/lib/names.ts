/** Names as people know them, where the data have names of machines or the same name twice. All functions are pure. */
import type { Relation, SearchResult } from '$lib/api/types';

/** Metres within which two things of one layer with one name are one place: the platforms of a stop. */
export const NEAR_M = 300;
const EARTH_M = 6_371_000;
const RADIANS = Math.PI / 180;

export type Place = [lng: number, lat: number];
/** Between two places, over the ground. */
export function metres([lngA, latA]: Place, [lngB, latB]: Place): number {
  const x = (lngB - lngA) * RADIANS * Math.cos(((latA + latB) / 2) * RADIANS);
  return EARTH_M * Math.hypot(x, (latB - latA) * RADIANS);
}

/** `Rotterdam, Coolhaven` is the stop Coolhaven in Rotterdam, as timetables write it. */
export function parts(title: string): { name: string; town: string } {
  const comma = title.indexOf(', ');
  return comma > 0 ? { town: title.slice(0, comma), name: title.slice(comma + 2) } : { town: '', name: title };
}

/** The name without the city before it: `Rotterdam Beurs` is Beurs. */
export const withoutCity = (name: string, city: string) =>
  name.startsWith(`${city} `) ? name.slice(city.length + 1) : name;

export interface Found extends SearchResult {
  /** The town that one of the names tells, to keep places with one name apart. */
  town: string;
}

/** Results of a search in `city` without a second line for the same place, in their own order. */
export function distinct(results: SearchResult[], city: string): Found[] {
  const known = (title: string) => withoutCity(parts(title).name, city).toLowerCase();
  const kept: Found[] = [];
  for (const result of results) {
    const { town } = parts(result.title);
    const same = kept.find(
      (one) =>
        one.layer === result.layer &&
        result.layer !== null &&
        known(one.title) === known(result.title) &&
        metres(one.location, result.location) < NEAR_M,
    );
    if (same) same.town ||= town;
    else kept.push({ ...result, town: '' });
  }
  return kept;
}

/** The last part of an id, for a thing without a name. */
export function shortId(id: string): string {
  const last = id.slice(id.lastIndexOf(':') + 1);
  try {
    return decodeURIComponent(last) || id;
  } catch {
    return last;
  }
}

export interface RelationGroup {
  name: string;
  label: Relation['label'];
  members: { id: string; title: string }[];
}

/** Relations of one kind together. Names that are ids become short, and two of one name are told apart by their ids. */
export function groupRelations(relations: Relation[]): RelationGroup[] {
  const groups = new Map<string, RelationGroup>();
  for (const { name, label, id, title } of relations) {
    const group = groups.get(name) ?? { name, label, members: [] };
    if (!group.members.some((member) => member.id === id)) {
      group.members.push({ id, title: title === id ? shortId(id) : title });
    }
    groups.set(name, group);
  }
  for (const { members } of groups.values()) {
    const times = new Map<string, number>();
    for (const { title } of members) times.set(title, (times.get(title) ?? 0) + 1);
    for (const member of members) {
      if ((times.get(member.title) ?? 0) > 1) member.title = `${member.title} (${shortId(member.id)})`;
    }
  }
  return [...groups.values()];
}

/** `parentStop` in words, for a name that nobody translated: `parent stop`. */
export const spaced = (name: string) => name.replace(/([a-z\d])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);

/** The line of credit without the word "source" that it often begins with: ours stands before it. */
export const credit = (line: string) => line.replace(/^(bron|source):\s*/i, '');
