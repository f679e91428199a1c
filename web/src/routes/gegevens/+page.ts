/** The data sheets that the visitor may see. */
import { getDataSheets } from '$lib/api/client';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, depends }) => {
  depends('polder:sheets');
  try {
    return { sheets: await getDataSheets(fetch), problem: null };
  } catch (problem) {
    return { sheets: [], problem };
  }
};
