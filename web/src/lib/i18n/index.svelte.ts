/** The chosen language, and texts in it. */
import type { Lang, Text } from '$lib/api/types';
import { formatNumber } from '$lib/format';
import { en } from './en';
import { nl, type CountKey, type MessageKey } from './nl';

export const dictionaries = { nl, en };
export const languages: Lang[] = ['nl', 'en'];
const STORED = 'polder.lang';

export const isLang = (value: unknown): value is Lang => value === 'nl' || value === 'en';

let current = $state<Lang>('nl');

export const i18n = {
  get lang(): Lang {
    return current;
  },
  /** BCP 47 tag for `Intl`: Dutch notation in Dutch, British in English (24-hour clock, day before month). */
  get locale(): string {
    return current === 'nl' ? 'nl-NL' : 'en-GB';
  },
  set(lang: Lang) {
    current = lang;
    document.documentElement.lang = lang;
    localStorage.setItem(STORED, lang);
  },
  /** Language of the link, else of the last visit, else of the browser, else Dutch. */
  start(fromUrl: string | null) {
    const stored = localStorage.getItem(STORED);
    const browser = navigator.languages.some((tag) => tag.startsWith('nl')) ? 'nl' : 'en';
    const chosen = isLang(fromUrl) ? fromUrl : isLang(stored) ? stored : navigator.languages.length ? browser : 'nl';
    current = chosen;
    document.documentElement.lang = chosen;
  },
};

/** Fills `{name}` marks of a text. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (mark, name) => String(values[name] ?? mark));
}

/** The message `key` in the chosen language. */
export function t(key: MessageKey, values?: Record<string, string | number>): string {
  return fill(dictionaries[current][key], values);
}

/** The message `key` when there is one: for words that the server chooses from a list that may grow. */
export function maybe(key: string): string | null {
  return key in nl ? t(key as MessageKey) : null;
}

/** `n` of something, in the chosen language: one gap, two gaps. Dutch and English both say "one" of 1 only. */
export function count(key: CountKey, n: number): string {
  return t(n === 1 ? `${key}.one` : key, { n: formatNumber(n, i18n.locale) });
}

/** A bilingual text of the server in the chosen language. */
export function say(text: Text | string | null | undefined): string {
  if (!text) return '';
  return typeof text === 'string' ? text : (text[current] ?? text.nl ?? text.en ?? '');
}
