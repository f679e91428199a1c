import { describe, expect, it } from 'vitest';
import { repeatedName } from './table';

const column = (name: string) => ({ name, label: { nl: name, en: name }, unit: '' });
const row = (title: string, ...values: (string | null)[]) => ({ id: title, title, values });

describe('the column of names', () => {
  it('is left out when each row has that name already', () => {
    const columns = [column('species'), column('name')];
    expect(repeatedName({ columns, rows: [row('Eik', 'Quercus', 'Eik'), row('7', 'Tilia', null)] })).toBe(1);
  });
  it('stays when one row is named after something else', () => {
    const columns = [column('name')];
    expect(repeatedName({ columns, rows: [row('Eik', 'Eik'), row('Tram 7', 'Willemsplein')] })).toBe(-1);
  });
  it('is not taken for another column that happens to say the same', () => {
    expect(repeatedName({ columns: [column('species')], rows: [row('Eik', 'Eik')] })).toBe(-1);
  });
});
