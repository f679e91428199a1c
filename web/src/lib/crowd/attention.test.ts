import { describe, expect, it } from 'vitest';
import { attention, withAlert } from './attention';
import { alert, area, gate } from './fixtures.test-data';

const keys = (picture: Partial<Parameters<typeof attention>[0]>) =>
  attention({ attention: [], areas: [], gates: [], ...picture }).map(({ key }) => key);

describe('what needs attention', () => {
  it('has red of now that nobody has before red that is expected, and both before what somebody has', () => {
    const alerts = [
      alert({ id: 'taken', state: 'acknowledged' }),
      alert({ id: 'soon', now: false, probability: 0.9 }),
      alert({ id: 'now' }),
    ];
    expect(keys({ attention: alerts })).toEqual(['alert-now', 'alert-soon', 'alert-taken']);
  });
  it('has what was passed on first, then the likeliest, then the oldest', () => {
    const early = '2026-07-01T19:00:00Z';
    const soon = [0.5, 0.8].map((probability) => alert({ id: `p${probability}`, now: false, probability }));
    expect(keys({ attention: soon })).toEqual(['alert-p0.8', 'alert-p0.5']);
    const now = [
      alert({ id: 'late' }),
      alert({ id: 'early', raisedAt: early }),
      alert({ id: 'passed', escalations: 1 }),
    ];
    expect(keys({ attention: now })).toEqual(['alert-passed', 'alert-early', 'alert-late']);
  });
  it('has areas that nobody can see into between what is raised and what is taken, and silent gates at the end', () => {
    const picture = {
      attention: [alert({ id: 'taken', state: 'acknowledged' }), alert({ id: 'soon', now: false, probability: 0.6 })],
      areas: [area({ key: 'blind', colour: 'unknown' }), area()],
      gates: [gate({ key: 'b', status: 'bridged' }), gate({ key: 'u', status: 'unknown' }), gate()],
    };
    expect(keys(picture)).toEqual(['alert-soon', 'area-blind', 'alert-taken', 'gate-u', 'gate-b']);
  });
  it('leaves out closed alerts and areas that are kept back for privacy', () => {
    expect(
      keys({ attention: [alert({ state: 'closed' })], areas: [area({ colour: 'unknown', suppressed: true })] }),
    ).toEqual([]);
  });
  it('shows an alert as the server has just answered it, until the next picture', () => {
    const [first, second] = [alert({ id: 'one' }), alert({ id: 'two' })];
    expect(withAlert([first, second], alert({ id: 'one', state: 'closed' }))).toEqual([second]);
    expect(withAlert([first], alert({ id: 'one', state: 'acknowledged' }))).toHaveLength(1);
  });
});
