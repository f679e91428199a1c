/** The report of one run: the one in the address, else the last one of the event. */
import { getReport, getRuns } from '$lib/crowd/api';
import type { Run } from '$lib/crowd/types';
import { newestFirst } from '$lib/crowd/watched.svelte';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
  const [{ plan }, { default: View }] = await Promise.all([
    parent(),
    import('$lib/components/crowd/ReportView.svelte'),
  ]);
  let runs: Run[] = [];
  try {
    if (plan) runs = newestFirst(await getRuns(plan.id, fetch));
  } catch (reportProblem) {
    return { View, runs, report: null, reportProblem };
  }
  const asked = url.searchParams.get('run');
  const chosen = asked ?? runs[0]?.id;
  if (!plan || !chosen) return { View, runs, report: null, reportProblem: null };
  try {
    return { View, runs, report: await getReport(plan.id, chosen, fetch), reportProblem: null };
  } catch (reportProblem) {
    return { View, runs, report: null, reportProblem };
  }
};
