/** The coming hour as people read it, in the chosen language, and as a file for a spreadsheet. */
import { clockTime, dayTime, number, percent } from '$lib/crowd/words';
import { csvField } from '$lib/format';
import { t } from '$lib/i18n/index.svelte';
import { LEADS, aheadOf, answered, changeOf, leadUntil, mostChanged, type Change, type Lead } from './nowcast';
import type { Nowcast, NowcastQuality, NowcastSeries } from './types';
import { gainOver, verdict } from './summary';
import { seriesName, whole } from './words';

/** As of when, for how many places, and where it changes most. */
export function summaryWords(nowcast: Nowcast): string {
  if (!nowcast.saidAt) return '';
  const n = number(answered(nowcast).length);
  const all = number(nowcast.series.length);
  return [t('outlook.now.asOf', { time: dayTime(nowcast.saidAt), n, all }), mostWords(nowcast)]
    .filter(Boolean)
    .join(' ');
}
function mostWords(nowcast: Nowcast): string {
  const most = mostChanged(nowcast);
  if (most === null) return '';
  if (most === 'none' || most.change.direction === 'same') return t('outlook.now.noneChanges');
  const { direction, from, to } = most.change;
  return t(`outlook.now.most.${direction}`, { name: seriesName(most.series), from: whole(from), to: whole(to) });
}

export const changeWords = ({ direction }: Change) => t(`outlook.now.${direction}`);
export const leadWords = (lead: Lead) => t('outlook.now.next', { n: lead });
export const untilWords = (saidAt: string, lead: Lead) =>
  t('outlook.now.until', { time: clockTime(leadUntil(saidAt, lead)) });
/** The last quarter of an hour: a number, that it is kept back, or that there is none. */
export function latestWords({ latest }: Pick<NowcastSeries, 'latest'>): string {
  if (!latest) return t('thing.noValue');
  return latest.suppressed
    ? t('outlook.suppressed')
    : latest.count === undefined
      ? t('thing.noValue')
      : whole(latest.count);
}

export interface Figure {
  lead: Lead;
  /** How far off it was, and how far the rule was that the last half hour goes on. */
  off: string;
  against: string;
  verdict: 'better' | 'worse' | 'equal';
  inside: string;
  moments: string;
}
/** How good it was, nearest first; what was not scored is not there. */
export function figuresOf(quality: NowcastQuality[]): Figure[] {
  return LEADS.flatMap((lead) => {
    const one = quality.find(({ minutes }) => minutes === lead);
    if (!one || one.moments === 0) return [];
    const { wape, baselineWape, coverage, moments } = one;
    return {
      lead,
      off: t(`outlook.now.off.${lead}`, { n: percent(wape) }),
      against: t('outlook.now.against', { n: percent(baselineWape) }),
      verdict: verdict(gainOver(wape, baselineWape) ?? 0),
      inside:
        coverage === undefined
          ? ''
          : `${t('outlook.now.inside', { n: percent(coverage) })}; ${t('outlook.fig.insideAim')}.`,
      moments: t('outlook.now.moments', { n: number(moments) }),
    };
  });
}

/** A line for each place; what is not known or not told is empty. */
export function nowcastCsv(nowcast: Nowcast): string {
  const head = [
    t('outlook.series'),
    t('outlook.now.countsFrom'),
    t('outlook.now.countsUntil'),
    t('outlook.now.last'),
    ...LEADS.flatMap((lead) => [leadWords(lead), `${leadWords(lead)} 10 %`, `${leadWords(lead)} 90 %`]),
    t('outlook.now.change'),
  ];
  const lines = nowcast.series.map((series) => {
    const change = changeOf(series);
    const ahead = LEADS.map((lead) => aheadOf(series, lead));
    return [
      seriesName(series),
      series.latest?.from,
      series.latest?.until,
      series.latest?.count,
      ...ahead.flatMap((one) => [one?.p50, one?.p10, one?.p90]),
      change ? changeWords(change) : undefined,
    ];
  });
  return [head, ...lines].map((line) => line.map(csvField).join(',') + '\r\n').join('');
}
