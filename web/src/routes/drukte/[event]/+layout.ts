/** The plan of one event: every view of the event works on it. */
import { getPlan } from '$lib/crowd/api';
import { Plan } from '$lib/crowd/plan.svelte';
import { app } from '$lib/state/app.svelte';
import type { LayoutLoad } from './$types';

export const load: LayoutLoad = async ({ fetch, params, parent }) => {
  await parent();
  if (!app.mayReadCrowd) return { plan: null, planProblem: null };
  try {
    return { plan: new Plan(await getPlan(params.event, fetch)), planProblem: null };
  } catch (planProblem) {
    return { plan: null, planProblem };
  }
};
