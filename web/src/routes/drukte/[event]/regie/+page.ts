/** The control room of an event. It comes with the page and not with the first load: most readers of the site never open it. */
import type { PageLoad } from './$types';

export const load: PageLoad = async () => ({
  View: (await import('$lib/components/crowd/ControlRoom.svelte')).default,
});
