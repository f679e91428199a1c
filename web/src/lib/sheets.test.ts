import { describe, expect, it } from 'vitest';
import { counting, peopleFirst, smallNumbers } from './sheets';

const aggregation = { by: 'cells', sizeM: 100, periodS: 300, graceS: 30, minimum: 10, distinct: true };
const attribute = (minimumCount: number | null) => ({ name: 'x', unit: null, history: true, minimumCount });

describe('data sheets', () => {
  it('put what is about people first and leave the order of the city otherwise', () => {
    const sheets = (['none', 'unknown', 'aggregated', 'none', 'pseudonymous'] as const).map((persons, n) => ({
      persons,
      n,
    }));
    expect(peopleFirst(sheets).map(({ n }) => n)).toEqual([4, 2, 1, 0, 3]);
  });
  it('say how positions are counted, and say nothing where there are none', () => {
    expect(counting({ aggregation: null })).toEqual([]);
    const [how, raw] = counting({ aggregation });
    expect(how).toContain('100 meter');
    expect(how).toContain('5 minuten');
    expect(raw).toContain('30 seconden');
    expect(counting({ aggregation: { ...aggregation, distinct: false } })).toHaveLength(3);
  });
  it('name the smallest number that is told, only where people are counted', () => {
    expect(smallNumbers({ attributes: [attribute(null)], aggregation: null })).toEqual([]);
    expect(smallNumbers({ attributes: [attribute(20), attribute(10)], aggregation: null })[0]).toContain('10');
    expect(smallNumbers({ attributes: [attribute(10)], aggregation })).toHaveLength(2);
  });
});
