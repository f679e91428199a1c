/** One's own tokens. */
import { getTokens } from '$lib/api/client';
import { app } from '$lib/state/app.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends, parent }) => {
  depends('polder:tokens');
  await parent();
  if (!app.mayHaveTokens) return { tokens: [], problem: null };
  try {
    return { tokens: await getTokens(fetch), problem: null };
  } catch (problem) {
    return { tokens: [], problem };
  }
};
