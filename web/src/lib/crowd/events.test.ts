import { describe, expect, it } from 'vitest';
import { soonestFirst } from './events';
import type { CrowdEvent } from './types';

const event = (name: string, day: number, change: Partial<CrowdEvent> = {}): CrowdEvent => ({
  id: name,
  name,
  from: new Date(Date.UTC(2026, 6, day, 18)).toISOString(),
  until: new Date(Date.UTC(2026, 6, day, 23)).toISOString(),
  phase: 'plan',
  version: 1,
  madeBy: 'els',
  ...change,
});

describe('events', () => {
  it('have what runs first, then the next one, then what has been with the last one first', () => {
    const events = [
      event('long ago', 1, { phase: 'over' }),
      event('next week', 20),
      event('tomorrow', 12),
      event('yesterday', 10),
      event('runs', 30, { phase: 'running', run: '1' }),
    ];
    const names = soonestFirst(events, Date.UTC(2026, 6, 11)).map(({ name }) => name);
    expect(names).toEqual(['runs', 'tomorrow', 'next week', 'yesterday', 'long ago']);
  });
});
