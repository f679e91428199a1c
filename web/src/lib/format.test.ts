import { describe, expect, it } from 'vitest';
import { csvField, formatNumber, formatTime, formatUnit, formatValue, roundAge, unitBeside, withUnit } from './format';

describe('values', () => {
  it('use the separators of the language', () => {
    expect(formatNumber(14619, 'nl-NL')).toBe('14.619');
    expect(formatNumber(14619, 'en-GB')).toBe('14,619');
    expect(formatNumber(12.34, 'nl-NL')).toBe('12,3');
  });
  it('of several parts are all shown, and never as [object Object]', () => {
    expect(formatValue(['tram', 3], null, 'nl-NL')).toBe('tram, 3');
    expect(formatValue({ street: 'Coolsingel' }, null, 'nl-NL')).toBe('{"street":"Coolsingel"}');
    expect(csvField(['a', 'b'])).toBe('"a, b"');
  });
  it('that are years have no separators', () => {
    expect(formatValue(2024, null, 'nl-NL', 'plantedYear')).toBe('2024');
    expect(formatValue(2024, null, 'nl-NL', 'intensity')).toBe('2.024');
  });
  it('that are true or false are words', () => {
    expect([true, false].map((value) => formatValue(value, null, 'nl-NL'))).toEqual(['ja', 'nee']);
    expect([true, false].map((value) => formatValue(value, null, 'en-GB'))).toEqual(['yes', 'no']);
  });
  it('are never zero when there is nothing', () => {
    expect(formatValue(null, 'km/h', 'nl-NL')).toBeNull();
    expect(formatValue(0, 'km/h', 'nl-NL')).toBe('0 km/h');
  });
});

describe('units', () => {
  it('are said in words where a sign would be code', () => {
    expect(formatUnit('/h', 'nl-NL')).toBe('per uur');
    expect(formatValue(1260, '/km²', 'en-GB')).toBe('1,260 per km²');
    expect(formatUnit(null, 'nl-NL')).toBe('');
  });
  it('are not said twice in a heading', () => {
    expect(withUnit('Voertuigen per uur', '/h', 'nl-NL')).toBe('Voertuigen per uur');
    expect(unitBeside('Voertuigen per uur', '/h', 'nl-NL')).toBeNull();
    expect(withUnit('Minstens achter', 's', 'nl-NL')).toBe('Minstens achter (s)');
    expect(withUnit('Snelheid', 'km/h', 'nl-NL')).toBe('Snelheid (km/h)');
  });
});

describe('times', () => {
  it('are on the wall clock of the city, not of the reader', () => {
    expect(formatTime('2026-08-21T09:24:00Z', 'time', 'nl-NL', 'Europe/Amsterdam')).toBe('11:24');
  });
  it('leave what is not a time as it is', () => {
    expect(formatTime('soon', 'time', 'nl-NL', 'Europe/Amsterdam')).toBe('soon');
  });
});

describe('ages', () => {
  it.each([
    [2, ['now', 0]],
    [40, ['seconds', 40]],
    [300, ['minutes', 5]],
    [7200, ['hours', 2]],
    [300_000, ['days', 3]],
  ])('%d seconds', (seconds, expected) => expect(roundAge(seconds)).toEqual(expected));
});

describe('csv', () => {
  it('quotes separators and disarms formulas', () => {
    expect(csvField('a "b", c')).toBe('"a ""b"", c"');
    expect(csvField('=1+1')).toBe("'=1+1");
    expect(csvField(-5)).toBe('-5');
    expect(csvField(null)).toBe('');
  });
});
