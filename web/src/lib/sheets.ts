/** Data sheets: in which order they stand, and the sentences that say how people are counted and protected. */
import type { DataSheet } from '$lib/api/types';
import { formatNumber } from '$lib/format';
import { i18n, t } from '$lib/i18n/index.svelte';

const ORDER: DataSheet['persons'][] = ['pseudonymous', 'aggregated', 'unknown', 'none'];

/** What is about people first; otherwise as the city put them. */
export function peopleFirst<S extends Pick<DataSheet, 'persons'>>(sheets: S[]): S[] {
  return [...sheets].sort((a, b) => ORDER.indexOf(a.persons) - ORDER.indexOf(b.persons));
}

const number = (value: number) => formatNumber(value, i18n.locale);

/** How positions become counts; nothing when the source brings no positions. */
export function counting({ aggregation }: Pick<DataSheet, 'aggregation'>): string[] {
  if (!aggregation) return [];
  const { by, sizeM, periodS, graceS, distinct } = aggregation;
  const values = { size: number(sizeM ?? 0), minutes: number(periodS / 60) };
  return [
    t(by === 'cells' ? 'sheets.counting.cells' : 'sheets.counting.areas', values),
    ...(distinct ? [] : [t('sheets.counting.positions')]),
    t('sheets.counting.raw', { seconds: number(graceS) }),
  ];
}

/** What Polder itself does with small numbers of people. */
export function smallNumbers({ attributes, aggregation }: Pick<DataSheet, 'attributes' | 'aggregation'>): string[] {
  const minimums = attributes.flatMap(({ minimumCount }) => (minimumCount ? [minimumCount] : []));
  if (minimums.length === 0) return [];
  const least = t('sheets.minimum', { n: number(Math.min(...minimums)) });
  return aggregation ? [least, t('sheets.rounded', { n: number(aggregation.minimum) })] : [least];
}
