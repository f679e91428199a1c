/** The report of one run: the one in the address, else the last one of the event. */
import { getPicture, getReport, getRuns } from '$lib/crowd/api';
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
    return { View, runs, report: null, picture: null, reportProblem };
  }
  const asked = url.searchParams.get('run');
  const chosen = asked ?? runs[0]?.id;
  if (!plan || !chosen) return { View, runs, report: null, picture: null, reportProblem: null };
  try {
    // Where it turned amber and red stands in the last picture; without one the plan's own borders are drawn.
    const [report, picture] = await Promise.all([
      getReport(plan.id, chosen, fetch),
      getPicture(plan.id, chosen).catch(() => null),
    ]);
    return { View, runs, report, picture, reportProblem: null };
  } catch (reportProblem) {
    return { View, runs, report: null, picture: null, reportProblem };
  }
};
