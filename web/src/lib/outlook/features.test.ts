import { describe, expect, it } from 'vitest';
import { gathered, inputWord } from './features';

describe('an input of the forecast', () => {
  it('has words, with its number', () => {
    expect(inputWord('same hour 3 weeks before')).toEqual({ key: 'outlook.input.sameHourWeeks', values: { n: '3' } });
    expect(inputWord('city: surprise of the last day')?.key).toBe('outlook.input.citySurprise');
    expect(inputWord('surprise at the hour, the last holiday')?.key).toBe('outlook.input.lastYear');
    expect(inputWord('events')?.key).toBe('outlook.input.events');
    expect(inputWord('in list: university, in the weeks before')?.values).toEqual({ name: 'university' });
  });
  it('keeps its own name when we have no words', () => {
    expect(inputWord('moon')).toBeNull();
  });
  it('is told once with others that read alike, the most important first', () => {
    const all = gathered([
      { name: 'hour', share: 0.3 },
      { name: 'surprise of the last week', share: 0.2 },
      { name: 'surprise at the same hour, last day', share: 0.25 },
      { name: 'moon', share: 0.01 },
    ]);
    expect(all.map(({ name, share }) => [name, share])).toEqual([
      ['surprise of the last week', 0.45],
      ['hour', 0.3],
      ['moon', 0.01],
    ]);
  });
});
