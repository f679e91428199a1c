import { describe, expect, it } from 'vitest';
import { localName, onePerPlace } from './place-names';

const stop = (id: string, name: string, lng: number, lat = 51.9) => ({ id, name, at: [lng, lat] as [number, number] });

describe('the name of a stop', () => {
  it.each([
    ['Rotterdam, Beurs', 'Beurs'],
    ['Rotterdam Beurs', 'Beurs'],
    ['Beurs', 'Beurs'],
    ['Dordrecht, Centraal Station', 'Dordrecht, Centraal Station'],
    ['Rotterdam', 'Rotterdam'],
  ])('%s is %s in its own city', (title, name) => expect(localName(title, 'Rotterdam')).toBe(name));
});

describe('names on the map', () => {
  const platforms = [
    stop('a', 'Rotterdam, Beurs', 4.48),
    stop('b', 'Rotterdam, Beurs', 4.481),
    stop('c', 'Beurs', 4.483),
  ];
  it('are one for the platforms of a stop, at the platform in the middle', () => {
    expect(onePerPlace(platforms, 'Rotterdam')).toEqual([{ ...platforms[1], name: 'Beurs' }]);
  });
  it('do not depend on the order, nor on a thing that comes twice', () => {
    const other = [...platforms, ...platforms].reverse();
    expect(onePerPlace(other, 'Rotterdam')).toEqual(onePerPlace(platforms, 'Rotterdam'));
  });
  it('are two for two stops with one name far apart', () => {
    const far = [stop('a', 'Molen', 4.4), stop('b', 'Molen', 4.5)];
    expect(onePerPlace(far, 'Rotterdam')).toHaveLength(2);
  });
});
