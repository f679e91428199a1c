/** A whole table as a CSV file: fetched page by page, so that a large layer does not have to fit in one answer. */
import { getTable } from '$lib/api/client';
import { csvField } from '$lib/format';
import { say } from '$lib/i18n/index.svelte';

const PAGE = 1000;
type Query = { sort?: string; q?: string; at?: string | null; lang?: string };

/** `progress` is told how many rows have arrived. */
export async function tableCsv(
  layer: string,
  query: Query,
  nameLabel: string,
  progress: (done: number, total: number) => void,
): Promise<Blob> {
  const parts: string[] = [];
  let offset = 0;
  let total = 1;
  while (offset < total) {
    const page = await getTable(layer, { ...query, offset, limit: PAGE });
    if (offset === 0) {
      const head = page.columns.map(({ label, unit }) => `${say(label)}${unit ? ` (${unit})` : ''}`);
      parts.push(['id', nameLabel, ...head].map(csvField).join(',') + '\r\n');
    }
    if (page.rows.length === 0) break;
    parts.push(page.rows.map((row) => [row.id, row.title, ...row.values].map(csvField).join(',') + '\r\n').join(''));
    total = page.total;
    offset += page.rows.length;
    progress(offset, total);
  }
  // The mark makes spreadsheets read UTF-8.
  return new Blob(['\ufeff', ...parts], { type: 'text/csv;charset=utf-8' });
}

export function download(blob: Blob, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
