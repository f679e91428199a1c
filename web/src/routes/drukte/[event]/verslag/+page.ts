/** The report of one run: the one in the address, else the last one of the event. */
import { getReport } from '$lib/crowd/api';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
  const [{ plan }, { default: View }] = await Promise.all([
    parent(),
    import('$lib/components/crowd/ReportView.svelte'),
  ]);
  const runs = [...(plan?.held.runs ?? [])].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  const asked = url.searchParams.get('run');
  const run = runs.find(({ id }) => id === asked) ?? (asked ? null : (runs[0] ?? null));
  const chosen = run?.id ?? asked;
  if (!plan || !chosen) return { View, runs, report: null, reportProblem: null };
  try {
    return { View, runs, report: await getReport(plan.id, chosen, fetch), reportProblem: null };
  } catch (reportProblem) {
    return { View, runs, report: null, reportProblem };
  }
};
