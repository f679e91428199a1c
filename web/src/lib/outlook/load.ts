/** What the pages of the outlook begin with: the sets, and the one that the address names. */
import { app } from '$lib/state/app.svelte';
import { getSets } from './api';
import type { ForecastSet, Notice } from './types';

export interface Chosen {
  sets: ForecastSet[];
  set: ForecastSet | null;
  /** The place that the address names, if any. */
  place: string | null;
  problem: unknown;
}
/** The set of the address, else the first with a model, else the first. */
export function chosenSet(sets: ForecastSet[], id: string | null): ForecastSet | null {
  return sets.find((one) => one.id === id) ?? sets.find(({ model }) => model) ?? sets[0] ?? null;
}
/**
 * The notices that are about every number of the city: that it is a replay. Any other is about some of its data, and
 * nothing says which: `/over` has them all, `/gegevens` what is to be known of each source.
 */
export const aboutAll = (notices: Notice[]) => notices.filter(({ kind }) => kind === 'replay');
export async function loadSets(fetcher: typeof fetch, url: URL): Promise<Chosen> {
  const place = url.searchParams.get('plek');
  const nothing = { sets: [], set: null, place };
  if (!app.mayReadCrowd) return { ...nothing, problem: null };
  try {
    const sets = await getSets(fetcher);
    return { sets, set: chosenSet(sets, url.searchParams.get('set')), place, problem: null };
  } catch (problem) {
    return { ...nothing, problem };
  }
}
