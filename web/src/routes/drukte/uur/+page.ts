/** The coming hour of the set that the address names. The view comes with the page: most readers of the site never open it. */
import { getNowcast } from '$lib/outlook/api';
import { loadSets } from '$lib/outlook/load';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, depends, parent }) => {
  depends('polder:outlook');
  await parent();
  const [chosen, { default: Frame }, { default: View }] = await Promise.all([
    loadSets(fetch, url),
    import('$lib/components/outlook/OutlookFrame.svelte'),
    import('$lib/components/outlook/NowView.svelte'),
  ]);
  const views = { Frame, View };
  if (!chosen.set) return { chosen, ...views, nowcast: null };
  try {
    return { chosen, ...views, nowcast: await getNowcast(chosen.set.id, fetch) };
  } catch (problem) {
    return { chosen: { ...chosen, problem }, ...views, nowcast: null };
  }
};
