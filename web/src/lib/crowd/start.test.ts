import { describe, expect, it } from 'vitest';
import { newRun, type RunForm } from './start';

const form: RunForm = { speed: '60', factor: '150', seed: '7', areasEmpty: false };

describe('a live run', () => {
  it('begins with the areas empty only when somebody says so', () => {
    expect(newRun('live', { ...form, areasEmpty: true })).toEqual({ kind: 'live', areasEmpty: true });
  });
  it('does not say that people are there when nobody knows', () => {
    expect(newRun('live', form)).toEqual({ kind: 'live' });
  });
});

describe('a rehearsal', () => {
  it('says nothing of the areas, also when that was ticked before', () => {
    const rehearsal = { kind: 'rehearsal', speed: 60, visitorsFactor: 1.5, seed: 7 };
    expect(newRun('rehearsal', { ...form, areasEmpty: true })).toEqual(rehearsal);
  });
  it('has no seed when that field is empty', () => {
    expect(newRun('rehearsal', { ...form, seed: '' })).not.toHaveProperty('seed');
    expect(newRun('rehearsal', { ...form, seed: null as unknown as string })).not.toHaveProperty('seed');
  });
});
