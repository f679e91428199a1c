/** Numbers, times and ages as people read them. All functions are pure: language and time zone come in as arguments. */
import type { Value } from '$lib/api/types';
import { en } from './i18n/en';
import { nl } from './i18n/nl';

const words = (locale: string) => (locale.startsWith('nl') ? nl : en);

/** A number with the separators of the language; whole above 100, else at most one decimal. */
export function formatNumber(value: number, locale: string): string {
  const maximumFractionDigits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 2 : 1;
  return new Intl.NumberFormat(locale, { maximumFractionDigits }).format(value);
}

/** Text as it is; several values after each other; anything deeper as it was sent. */
function plain(value: Exclude<Value, null>): string {
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A unit as people say it: `/h` is "per hour". The others are signs that people know. */
export function formatUnit(unit: string | null | undefined, locale: string): string {
  if (!unit?.startsWith('/')) return unit ?? '';
  return unit === '/h' ? words(locale)['unit.perHour'] : `per ${unit.slice(1)}`;
}

/** The unit to put beside a label: none when the label says it, as in "vehicles per hour". */
export function unitBeside(label: string, unit: string | null | undefined, locale: string): string | null {
  if (!unit) return null;
  return unit.startsWith('/') && label.toLowerCase().includes(formatUnit(unit, locale)) ? null : unit;
}

/** The heading of a column, with the unit unless the label has said it. */
export function withUnit(label: string, unit: string | null | undefined, locale: string): string {
  const beside = unitBeside(label, unit, locale);
  return beside ? `${label} (${formatUnit(beside, locale)})` : label;
}

/**
 * A value of any kind with its unit, or null when there is none: the caller says "no data", never zero. `name` is that of
 * the attribute: the year 2024 is not 2.024.
 */
export function formatValue(
  value: Value | undefined,
  unit: string | null | undefined,
  locale: string,
  name = '',
): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'boolean') return words(locale)[value ? 'value.yes' : 'value.no'];
  if (/year$/i.test(name) && !unit) return plain(value);
  const text = typeof value === 'number' ? formatNumber(value, locale) : plain(value);
  return unit ? `${text} ${formatUnit(unit, locale)}` : text;
}

type TimeStyle = 'time' | 'day' | 'full' | 'date' | 'exact';
const styles: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  time: { hour: '2-digit', minute: '2-digit' },
  day: { weekday: 'short', day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  exact: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  full: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
};

/** A moment on the city's wall clock. */
export function formatTime(moment: string | number | Date, style: TimeStyle, locale: string, timeZone: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return String(moment);
  return new Intl.DateTimeFormat(locale, { ...styles[style], timeZone }).format(date);
}

/** The whole unit that fits an age best: `[90, …]` seconds becomes `['minutes', 2]`. */
export function roundAge(seconds: number): ['now' | 'seconds' | 'minutes' | 'hours' | 'days', number] {
  if (seconds < 5) return ['now', 0];
  if (seconds < 90) return ['seconds', Math.round(seconds)];
  if (seconds < 5400) return ['minutes', Math.round(seconds / 60)];
  if (seconds < 129_600) return ['hours', Math.round(seconds / 3600)];
  return ['days', Math.round(seconds / 86_400)];
}

/** One field of a CSV file (RFC 4180), with a guard against formulas in spreadsheets. */
export function csvField(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : plain(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
