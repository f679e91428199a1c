import { describe, expect, it } from 'vitest';
import { differences, merged } from './merge';

const base = { name: 'Kade', widthM: 4, note: 'x' };

describe('two people who change the same thing', () => {
  it('each keep what only they touched', () => {
    const mine = { ...base, widthM: 6 };
    const theirs = { ...base, name: 'Boompjeskade' };
    const differing = differences(base, mine, theirs);
    expect(differing.map(({ field, proposed, both }) => [field, proposed, both])).toEqual([
      ['name', 'theirs', false],
      ['widthM', 'mine', false],
    ]);
    expect(merged(theirs, differing, {})).toEqual({ name: 'Boompjeskade', widthM: 6, note: 'x' });
  });
  it('are asked about what both touched, and the choice is kept', () => {
    const mine = { ...base, widthM: 6 };
    const theirs = { ...base, widthM: 5 };
    const differing = differences(base, mine, theirs);
    expect(differing).toMatchObject([{ field: 'widthM', both: true, proposed: 'mine' }]);
    expect(merged(theirs, differing, { widthM: 'theirs' })).toEqual(theirs);
    expect(merged(theirs, differing, {})).toEqual(mine);
  });
  it('need not choose when they did the same', () => {
    expect(differences(base, { ...base, widthM: 5 }, { ...base, widthM: 5 })).toEqual([]);
  });
  it('can take a value away: an empty field is not kept by accident', () => {
    const mine = { name: 'Kade', widthM: 4 };
    const differing = differences(base, mine, { ...base, name: 'Kade 2' });
    expect(merged({ ...base, name: 'Kade 2' }, differing, {})).toEqual({ name: 'Kade 2', widthM: 4 });
  });
  it('sees no difference between absent and null', () => {
    expect(differences(base, { ...base, gate: undefined }, { ...base, gate: null })).toEqual([]);
  });
});
