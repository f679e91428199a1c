/** The duty view of an event, for a phone. It comes with the page and not with the first load: most readers of the site never open it. */
import type { PageLoad } from './$types';

export const load: PageLoad = async () => ({ View: (await import('$lib/components/crowd/DutyView.svelte')).default });
