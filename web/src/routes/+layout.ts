/** Loads what every page needs. The app runs in the browser only: the server gives one page for all addresses. */
import { getCatalogue, getCity, getIndicators, getSession } from '$lib/api/client';
import { i18n } from '$lib/i18n/index.svelte';
import { app } from '$lib/state/app.svelte';
import { theme } from '$lib/state/theme.svelte';
import type { LayoutLoad } from './$types';

export const ssr = false;
export const prerender = false;

let started = false;

export const load: LayoutLoad = async ({ fetch, url }) => {
  if (!started) {
    started = true;
    theme.start();
    i18n.start(url.searchParams.get('lang'));
  }
  try {
    const [city, catalogue, indicators, session] = await Promise.all([
      getCity(fetch),
      getCatalogue(fetch),
      getIndicators(fetch).catch(() => []),
      getSession(fetch).catch(() => ({})),
    ]);
    Object.assign(app, { city, catalogue, indicators, session: { ...app.session, ...session } });
    return { problem: null };
  } catch (problem) {
    // Shown by the layout itself: without a city there is no page to show it in.
    return { problem };
  }
};
