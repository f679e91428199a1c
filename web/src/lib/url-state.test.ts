import { describe, expect, it } from 'vitest';
import { formatShared, parseShared, type Shared } from './url-state';

const full: Shared = {
  camera: { lng: 4.4777, lat: 51.9185, zoom: 14.25, bearing: -20, pitch: 55 },
  layers: [
    { id: 'traffic', opacity: 1 },
    { id: 'trees', opacity: 0.4 },
  ],
  by: { traffic: 'intensity', neighbourhoods: 'treeDensity' },
  at: '2026-08-21T09:20:00.000Z',
  selected: 'urn:ngsi-ld:Tree:rotterdam:é & 1',
  lang: 'en',
  threeD: true,
};
const roundTrip = (shared: Shared) => parseShared(new URLSearchParams(formatShared(shared)));

describe('the share link', () => {
  it('gives back all that went in', () => {
    expect(roundTrip(full)).toEqual(full);
  });
  it('keeps "no layers at all" apart from "the city’s choice"', () => {
    expect(roundTrip({ ...full, layers: [] }).layers).toEqual([]);
    expect(roundTrip({ ...full, layers: null }).layers).toBeNull();
  });
  it('ignores what makes no sense', () => {
    const shared = parseShared(new URLSearchParams('c=here,there,1&t=yesterday&l=trees:900&lang=xx&by=a,b.c'));
    expect(shared).toMatchObject({ camera: null, at: null, lang: null, by: { b: 'c' } });
    expect(shared.layers).toEqual([{ id: 'trees', opacity: 1 }]);
  });
  it('has no camera outside the world', () => {
    expect(parseShared(new URLSearchParams('c=4,95,12')).camera).toBeNull();
  });
});
