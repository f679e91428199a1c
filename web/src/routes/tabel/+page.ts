/** The table of one layer: which layer, order, filter, page and moment are in the address. */
import { getTable } from '$lib/api/client';
import { i18n } from '$lib/i18n/index.svelte';
import { app } from '$lib/state/app.svelte';
import type { PageLoad } from './$types';

export const _PAGE_ROWS = 50;

export const load: PageLoad = async ({ url, parent }) => {
  const { problem } = await parent();
  const layer = app.layer(url.searchParams.get('laag')) ?? app.layers.find(({ visible }) => visible) ?? app.layers[0];
  const query = {
    sort: url.searchParams.get('sorteer') ?? '',
    q: url.searchParams.get('zoek') ?? '',
    at: url.searchParams.get('t'),
    lang: i18n.lang,
  };
  const offset = Math.max(0, Number(url.searchParams.get('vanaf')) || 0);
  if (problem || !layer) return { layer: null, query, offset, table: null, tableProblem: problem };
  try {
    const table = await getTable(layer.id, { ...query, offset, limit: _PAGE_ROWS });
    return { layer, query, offset, table, tableProblem: null };
  } catch (tableProblem) {
    return { layer, query, offset, table: null, tableProblem };
  }
};
