/** What is expected and how good it was, as people read it, in the chosen language. */
import { clockTime, number, percent } from '$lib/crowd/words';
import { formatTime } from '$lib/format';
import { i18n, maybe, say, t } from '$lib/i18n/index.svelte';
import { compared, type Compared } from './compare';
import { inputWord } from './features';
import { verdict, type Against } from './summary';
import type { CalendarDay, Reason, Series, WeekDay } from './types';

/** Why there is no answer. A code that we have no words for is told in the words of the server. */
export function reasonWords(reason: Reason | undefined): string {
  if (!reason) return t('outlook.why.other');
  const text = maybe(`outlook.why.${reason.code}`);
  const values = Object.fromEntries(Object.entries(reason.values ?? {}).map(([name, value]) => [name, number(value)]));
  const names = (reason.names ?? []).map((name) => inputName(name)).join(', ');
  return text === null ? reason.detail : fillIn(text, { ...values, names });
}
const fillIn = (text: string, values: Record<string, string>) =>
  text.replace(/\{(\w+)\}/g, (mark, name) => values[name] ?? mark);

/** An input of the model in words. */
export function inputName(name: string): string {
  const word = inputWord(name);
  return word ? t(word.key, word.values) : name;
}

/** "20 % busier than usual"; with "maybe" while it is not sure. */
export function comparedWords(found: Compared): string {
  if (found.kind === 'unknown') return t('outlook.noUsual');
  if (found.kind === 'same') return t('outlook.same');
  const n = number(found.kind === 'times' ? found.times : found.percent);
  const what = t(`outlook.${found.kind}`, { n });
  return found.sure ? what : t('outlook.maybe', { what });
}
export const dayCompared = ({ total, usual }: WeekDay) => compared(total, usual);

/** A local day (`2026-11-03`) with its weekday. It has no time zone of its own. */
export const dayName = (date: string, inFull = false) =>
  formatTime(`${date}T12:00:00Z`, inFull ? 'date' : 'day', i18n.locale, 'UTC');
/** What a day is called: its holidays and the lists that it is in. */
export const dayLabels = (day: CalendarDay | undefined): string[] =>
  day ? [...day.holidays, ...day.lists].map((text) => say(text)) : [];

export const whole = (value: number | undefined) =>
  value === undefined ? t('outlook.suppressed') : number(Math.round(value));
/** The band as two numbers; its lower edge is not told when it is too small. */
export function bandWords(low: number | null | undefined, high: number | null | undefined, least: number): string {
  if (high === null || high === undefined) return '';
  const bottom =
    low === null || low === undefined || low <= 0 ? (least > 0 ? `< ${number(least)}` : '0') : number(Math.round(low));
  return t('crowd.range', { low: bottom, high: number(Math.round(high)) });
}
export const peakWords = ({ peak }: WeekDay) => (peak ? t('outlook.peakAt', { time: clockTime(peak.at) }) : '');

/** "20 % less off than the same hour last week". */
export function againstWords({ rule, gain }: Against): string {
  const found = verdict(gain);
  const name = t(`outlook.rule.${rule}`);
  return t(`outlook.fig.${found}`, { n: percent(Math.abs(gain)), rule: name });
}
export const seriesName = ({ name }: Pick<Series, 'name'>) => say(name);
