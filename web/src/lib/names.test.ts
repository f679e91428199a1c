import { describe, expect, it } from 'vitest';
import type { SearchResult } from '$lib/api/types';
import { credit, distinct, groupRelations, shortId, spaced } from './names';

const stop = (title: string, lng: number, layer = 'stops'): SearchResult => ({
  id: `urn:ngsi-ld:Stop:${title}`,
  kind: 'entity',
  title,
  subtitle: '',
  layer,
  location: [lng, 51.9],
});
const label = { nl: 'x', en: 'x' };

describe('results of a search', () => {
  it('have one line for the platforms of one stop, with the town that one of them tells', () => {
    const found = distinct([stop('Coolhaven', 4.4585), stop('Rotterdam, Coolhaven', 4.459)], 'Rotterdam');
    expect(found.map(({ title, town }) => [title, town])).toEqual([['Coolhaven', 'Rotterdam']]);
  });
  it('have one line also where the city is part of the name', () => {
    expect(distinct([stop('Beurs', 4.48), stop('Rotterdam Beurs', 4.481)], 'Rotterdam')).toHaveLength(1);
  });
  it('keep stops of one name in two towns apart', () => {
    expect(distinct([stop('Dorpsstraat', 4.1), stop('Rhoon, Dorpsstraat', 4.4)], 'Rotterdam')).toHaveLength(2);
  });
  it('keep things of two layers apart', () => {
    expect(distinct([stop('Cool', 4.4), stop('Cool', 4.4, 'districts')], 'Rotterdam')).toHaveLength(2);
  });
});

describe('relations', () => {
  it('of one kind stand together, and those of one name are told apart', () => {
    const [group] = groupRelations([
      { name: 'Stop', label, id: 'urn:ngsi-ld:Stop:1', title: 'Coolhaven' },
      { name: 'Stop', label, id: 'urn:ngsi-ld:Stop:2', title: 'Coolhaven' },
      { name: 'Stop', label, id: 'urn:ngsi-ld:Stop:3', title: 'urn:ngsi-ld:Stop:3' },
      { name: 'Stop', label, id: 'urn:ngsi-ld:Stop:3', title: 'urn:ngsi-ld:Stop:3' },
    ]);
    expect(group?.members.map(({ title }) => title)).toEqual(['Coolhaven (1)', 'Coolhaven (2)', '3']);
  });
});

describe('names of machines', () => {
  it('become short ids and words', () => {
    expect(shortId('urn:ngsi-ld:OffStreetParking:606_ABC:ABC%20(Schiedam)')).toBe('ABC (Schiedam)');
    expect(shortId('urn:x:100%')).toBe('100%');
    expect(spaced('refParkingSite')).toBe('ref parking site');
  });
});

describe('a line of credit', () => {
  it('does not say source twice', () => {
    expect(credit('Source: NDW')).toBe('NDW');
    expect(credit('OVapi / NDOV, RET')).toBe('OVapi / NDOV, RET');
  });
});
