/** Which columns of a table say something that the name of the row does not say already. */
import type { Table } from '$lib/api/types';

type Names = Pick<Table, 'columns' | 'rows'>;

/**
 * The place of the column `name` when it only repeats the names that the rows have already, else -1. Rows may be named
 * after something else (a kind and a road), and then the column has news.
 */
export function repeatedName({ columns, rows }: Names): number {
  const place = columns.findIndex(({ name }) => name === 'name');
  const repeats = rows.every(({ title, values }) => {
    const value = values[place];
    return value === null || value === undefined || value === '' || value === title;
  });
  return repeats ? place : -1;
}
