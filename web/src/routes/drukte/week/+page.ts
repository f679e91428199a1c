/** The week ahead of the set that the address names. The view comes with the page: most readers of the site never open it. */
import { ApiError } from '$lib/api/client';
import { getWeek } from '$lib/outlook/api';
import { loadSets } from '$lib/outlook/load';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, depends, parent }) => {
  depends('polder:outlook');
  await parent();
  const [chosen, { default: Frame }, { default: View }, { default: Reasons }] = await Promise.all([
    loadSets(fetch, url),
    import('$lib/components/outlook/OutlookFrame.svelte'),
    import('$lib/components/outlook/WeekView.svelte'),
    import('$lib/components/outlook/Reasons.svelte'),
  ]);
  const views = { Frame, View, Reasons };
  if (!chosen.set) return { chosen, ...views, week: null };
  try {
    return { chosen, ...views, week: await getWeek(chosen.set.id, fetch) };
  } catch (problem) {
    // Without a model there is no week; the set itself says why.
    const isNone = problem instanceof ApiError && problem.status === 404;
    return { chosen: { ...chosen, problem: isNone ? null : problem }, ...views, week: null };
  }
};
