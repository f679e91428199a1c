/** The data sheet of one source. */
import { getDataSheet } from '$lib/api/client';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends, params }) => {
  depends('polder:sheets');
  try {
    return { sheet: await getDataSheet(params.bron, fetch), problem: null };
  } catch (problem) {
    return { sheet: null, problem };
  }
};
