/** The week ahead as a file for a spreadsheet: a line for each place and day. */
import { csvField } from '$lib/format';
import { t } from '$lib/i18n/index.svelte';
import { clockTime } from '$lib/crowd/words';
import type { Week } from './types';
import { comparedWords, dayCompared, dayLabels, seriesName } from './words';

export function weekCsv(week: Week): string {
  const head = [
    t('outlook.series'),
    t('outlook.day'),
    t('outlook.expected'),
    `${t('outlook.band')} 10 %`,
    `${t('outlook.band')} 90 %`,
    t('outlook.usual'),
    t('outlook.compared'),
    t('outlook.peak'),
    t('outlook.special'),
  ];
  const lines = week.series.flatMap((series) =>
    series.days.map((day) => [
      seriesName(series),
      day.date,
      day.total?.p50,
      day.total?.p10,
      day.total?.p90,
      day.usual,
      comparedWords(dayCompared(day)),
      day.peak ? clockTime(day.peak.at) : undefined,
      dayLabels(week.calendar.find(({ date }) => date === day.date)).join('; '),
    ]),
  );
  return [head, ...lines].map((line) => line.map(csvField).join(',') + '\r\n').join('');
}
