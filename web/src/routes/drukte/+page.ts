/** The events, for who may see them. */
import { getEvents } from '$lib/crowd/api';
import { app } from '$lib/state/app.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends, parent }) => {
  depends('polder:crowd');
  await parent();
  if (!app.mayReadCrowd) return { events: [], problem: null };
  try {
    return { events: await getEvents(fetch), problem: null };
  } catch (problem) {
    return { events: [], problem };
  }
};
