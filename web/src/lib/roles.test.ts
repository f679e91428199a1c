import { describe, expect, it } from 'vitest';
import { crowd, grantText, parseGrant, scopesFor } from './roles';

describe('grants', () => {
  it('are read and written as the server does', () => {
    expect(parseGrant('viewer')).toEqual({ tenant: '', role: 'viewer' });
    expect(parseGrant('*:viewer')).toEqual({ tenant: '', role: 'viewer' });
    expect(parseGrant('utrecht:dataSteward')).toEqual({ tenant: 'utrecht', role: 'dataSteward' });
    expect(grantText({ tenant: ' utrecht ', role: 'viewer' })).toBe('utrecht:viewer');
    expect(grantText({ tenant: '', role: 'viewer' })).toBe('viewer');
  });
  it('with an unknown role are not shown as something else', () => {
    expect(parseGrant('utrecht:root')).toBeNull();
  });
});

describe('scopes', () => {
  it('are offered only to who may use them', () => {
    expect(scopesFor([])).toEqual([]);
    expect(scopesFor(['viewer']).map(({ scope }) => scope)).toEqual([
      'layers:read',
      'entities:read',
      'history:read',
      'crowd:read',
    ]);
    expect(scopesFor(['administrator']).map(({ scope }) => scope)).toContain('audit:read');
  });
});

describe('crowds', () => {
  it('are seen by everybody with a role, planned by analysts, and acted on by operators only', () => {
    const may = (role: string) => [crowd.mayRead([role]), crowd.mayPlan([role]), crowd.mayAct([role])];
    expect(may('viewer')).toEqual([true, false, false]);
    expect(may('analyst')).toEqual([true, true, false]);
    expect(may('operator')).toEqual([true, true, true]);
    expect(may('administrator')).toEqual([true, true, true]);
    expect(crowd.mayRead([])).toBe(false);
  });
});
