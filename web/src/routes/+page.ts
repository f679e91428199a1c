/** The map. What to show comes from the share link; without one, from the city's own choice. */
import { app } from '$lib/state/app.svelte';
import { clock } from '$lib/state/clock.svelte';
import { view } from '$lib/state/view.svelte';
import { parseShared } from '$lib/url-state';
import type { PageLoad } from './$types';

let address: string | undefined;

export const load: PageLoad = async ({ url, parent }) => {
  const { problem } = await parent();
  if (problem || url.search === address) return {};
  const shared = parseShared(url.searchParams);
  view.start(app.layers, shared);
  clock.set(app.city.clock);
  if (shared.at) clock.choose(Date.parse(shared.at));
  address = url.search;
  return {};
};
