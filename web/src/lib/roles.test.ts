import { describe, expect, it } from 'vitest';
import { grantText, parseGrant, scopesFor } from './roles';

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
    expect(scopesFor(['viewer']).map(({ scope }) => scope)).toEqual(['layers:read', 'entities:read', 'history:read']);
    expect(scopesFor(['administrator']).map(({ scope }) => scope)).toContain('audit:read');
  });
});
