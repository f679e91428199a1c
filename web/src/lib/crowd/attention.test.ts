import { describe, expect, it } from 'vitest';
import { attention, withAlert } from './attention';
import { alert, area, gate } from './fixtures.test-data';

const keys = (picture: Partial<Parameters<typeof attention>[0]>) =>
  attention({ attention: [], areas: [], gates: [], ...picture }).map(({ key }) => key);

describe('what needs attention', () => {
  it('has red of now that nobody has before red that is expected, and both before what somebody has', () => {
    const alerts = [
      alert({ id: 1, status: 'acknowledged' }),
      alert({ id: 2, isNow: false, probability: 0.9 }),
      alert({ id: 3 }),
    ];
    expect(keys({ attention: alerts })).toEqual(['alert-3', 'alert-2', 'alert-1']);
  });
  it('has what was passed on first, then the likeliest, then the oldest', () => {
    const early = '2026-07-01T19:00:00Z';
    const soon = [0.5, 0.8].map((probability) => alert({ id: probability * 10, isNow: false, probability }));
    expect(keys({ attention: soon })).toEqual(['alert-8', 'alert-5']);
    const now = [alert({ id: 4 }), alert({ id: 5, raisedAt: early }), alert({ id: 6, escalations: 1 })];
    expect(keys({ attention: now })).toEqual(['alert-6', 'alert-5', 'alert-4']);
  });
  it('has areas that nobody can see into between what is raised and what is taken, and silent gates at the end', () => {
    const picture = {
      attention: [alert({ id: 1, status: 'acknowledged' }), alert({ id: 2, isNow: false, probability: 0.6 })],
      areas: [area({ key: 'blind', colour: 'unknown' }), area()],
      gates: [gate({ key: 'b', status: 'bridged' }), gate({ key: 'u', status: 'unknown' }), gate()],
    };
    expect(keys(picture)).toEqual(['alert-2', 'area-blind', 'alert-1', 'gate-u', 'gate-b']);
  });
  it('leaves out closed alerts and areas that are kept back for privacy', () => {
    expect(
      keys({ attention: [alert({ status: 'closed' })], areas: [area({ colour: 'unknown', suppressed: true })] }),
    ).toEqual([]);
  });
  it('shows an alert as the server has just answered it, until the next picture', () => {
    const [first, second] = [alert({ id: 1 }), alert({ id: 2 })];
    expect(withAlert([first, second], alert({ id: 1, status: 'closed' }))).toEqual([second]);
    expect(withAlert([first], alert({ id: 1, status: 'acknowledged' }))).toHaveLength(1);
  });
});
