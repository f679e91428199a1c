/** The state of every source, for the data steward. */
import { getSources } from '$lib/api/client';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends }) => {
  depends('polder:sources');
  try {
    return { sources: await getSources(fetch), sourcesProblem: null };
  } catch (sourcesProblem) {
    return { sources: [], sourcesProblem };
  }
};
