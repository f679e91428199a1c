/** How good the forecast of a set was. The view comes with the page: most readers of the site never open it. */
import { ApiError } from '$lib/api/client';
import { getModel } from '$lib/outlook/api';
import { loadSets } from '$lib/outlook/load';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, depends, parent }) => {
  depends('polder:outlook');
  await parent();
  const [chosen, { default: Frame }, { default: View }, { default: Reasons }] = await Promise.all([
    loadSets(fetch, url),
    import('$lib/components/outlook/OutlookFrame.svelte'),
    import('$lib/components/outlook/QualityView.svelte'),
    import('$lib/components/outlook/Reasons.svelte'),
  ]);
  const views = { Frame, View, Reasons };
  if (!chosen.set) return { chosen, ...views, card: null };
  try {
    return { chosen, ...views, card: await getModel(chosen.set.id, fetch) };
  } catch (problem) {
    // Without a model there is no card; the set itself says why.
    const isNone = problem instanceof ApiError && problem.status === 404;
    return { chosen: { ...chosen, problem: isNone ? null : problem }, ...views, card: null };
  }
};
