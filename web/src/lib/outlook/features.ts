/** What the forecast looks at, in words: the model names its inputs, people read them in their own language. Pure. */
import type { MessageKey } from '$lib/i18n/nl';

interface Worded {
  key: MessageKey;
  values: Record<string, string>;
}
/** From the most special to the most general; what a part in brackets says becomes a value of the text. */
const patterns: [RegExp, MessageKey, ...string[]][] = [
  [/^same hour 1 weeks before$/, 'outlook.input.sameHourWeek'],
  [/^same hour 1 days before$/, 'outlook.input.sameHourDay'],
  [/^same hour (\d+) weeks before$/, 'outlook.input.sameHourWeeks', 'n'],
  [/^same hour (\d+) days before$/, 'outlook.input.sameHourDays', 'n'],
  [/^same hour of the last (28 days|Saturday|Sunday)$/, 'outlook.input.sameHourLately'],
  [/^level: expected for the hour$/, 'outlook.input.expected'],
  [/^expected .* (before|after)$/, 'outlook.input.expectedAround'],
  [/^(least|most|spread) of (four|eight) weeks$/, 'outlook.input.spread'],
  [/^city: surprise/, 'outlook.input.citySurprise'],
  [/^surprise of the last (two|six) hours$/, 'outlook.input.hoursBefore'],
  [/^surprise at the hour, /, 'outlook.input.lastYear'],
  [/^surprise /, 'outlook.input.daysBefore'],
  [/^hour$/, 'outlook.input.hour'],
  [/^weekday$/, 'outlook.input.weekday'],
  [/^(day of the year|days from (Christmas|Easter))$/, 'outlook.input.season'],
  [/^(public holiday|bridge day|days to a holiday|holidays among the four weeks before)$/, 'outlook.input.holidays'],
  [/^linear regression/, 'outlook.input.linear'],
  [/^hours ahead$/, 'outlook.input.ahead'],
  [/^(?:in list: )?school/, 'outlook.input.school'],
  [/^(?:in list: )?events/, 'outlook.input.events'],
  [/^in list: ([^,]+)/, 'outlook.input.list', 'name'],
  [/(temperature|temp)/i, 'outlook.input.temperature'],
  [/(rain|precipitation)/i, 'outlook.input.rain'],
  [/wind/i, 'outlook.input.wind'],
];

/** The text for an input; null when there is none, and its own name is what we have. */
export function inputWord(name: string): Worded | null {
  for (const [pattern, key, ...names] of patterns) {
    const found = pattern.exec(name);
    if (found) return { key, values: Object.fromEntries(names.map((one, at) => [one, found[at + 1] ?? ''])) };
  }
  return null;
}

export interface Weighed {
  /** The text, or the model's own name for it. */
  word: Worded | null;
  name: string;
  /** Share of all that matters (0..1). */
  share: number;
}
/** Inputs that read alike are told once, with what they matter together; the most important first. */
export function gathered(importance: { name: string; share: number }[]): Weighed[] {
  const all = new Map<string, Weighed>();
  for (const { name, share } of importance) {
    const word = inputWord(name);
    const key = word ? `${word.key} ${Object.values(word.values).join(' ')}` : name;
    const found = all.get(key);
    if (found) found.share += share;
    else all.set(key, { word, name, share });
  }
  return [...all.values()].sort((a, b) => b.share - a.share);
}
