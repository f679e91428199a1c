/** Values of a plan and of a picture as people read them, in the chosen language. */
import { formatNumber, formatTime } from '$lib/format';
import { i18n, maybe, t } from '$lib/i18n/index.svelte';
import { app } from '$lib/state/app.svelte';
import { fields, measureFields, type Field } from './fields';
import type { Plan } from './plan.svelte';
import type { Quantity, Reason } from './reasons';
import type { Body, Measure, PartKind } from './types';

export const number = (value: number) => formatNumber(value, i18n.locale);
/** The sign of a percentage, never on a line of its own; English has it close. */
const sign = () => (i18n.lang === 'nl' ? '\u00a0%' : '%');
/** A share as a whole percentage; something is never shown as nothing. */
export const percent = (share: number) =>
  share > 0 && share < 0.01 ? `<\u00a01${sign()}` : `${number(Math.round(share * 100))}${sign()}`;
/** Persons per m²; somebody is never shown as nobody. */
export const density = (perM2: number) =>
  perM2 > 0 && perM2 < 0.01 ? `< ${number(0.01)} p/m²` : `${number(perM2)} p/m²`;
/** A probability: a chance of nearly nothing is "< 1 %" and never nothing, and nothing is certain. */
export function chance(probability: number): string {
  if (probability < 0.01) return `<\u00a01${sign()}`;
  return probability > 0.99 ? `>\u00a099${sign()}` : percent(probability);
}
export const clockTime = (moment: string | number) => formatTime(moment, 'time', i18n.locale, app.city.timeZone);
export const dayTime = (moment: string | number) => formatTime(moment, 'full', i18n.locale, app.city.timeZone);

/** A value of what a colour follows from, with its unit. */
export function quantityText(quantity: Quantity, value: number): string {
  if (quantity === 'specific_flow') return `${number(value)} p/m/min`;
  return quantity === 'occupancy_share' ? t('crowd.reason.full', { n: percent(value) }) : density(value);
}
/** The reason of an alert: the value now and the threshold, as far as they are known. */
export function reasonText({ quantity, value, threshold }: Reason): string {
  const [now, border] = [value, threshold].map((one) => (one === null ? null : quantityText(quantity, one)));
  if (now && border) return t('crowd.reason.now', { value: now, threshold: border });
  if (now) return t('crowd.reason.value', { value: now });
  return border ? t('crowd.reason.threshold', { threshold: border }) : '';
}

const allMeasureFields = measureFields(['gate', 'toGate', 'area', 'perMin', 'share', 'laterMin']);
function fieldOf(kind: PartKind, name: string): Field | undefined {
  if (kind === 'measure') return allMeasureFields.find((one) => one.name === name);
  return fields[kind].find((one) => one.name === name);
}
export function fieldName(kind: PartKind, name: string): string {
  const field = fieldOf(kind, name);
  if (field) return t(field.label);
  if (name === 'name') return t('crowd.field.name');
  if (name === 'counter') return t('crowd.field.counterEntity');
  return name === 'measure' ? t('crowd.kind.measure') : name;
}

/** A value of a field in words; "not filled in" when there is none. */
export function valueText(plan: Plan, kind: PartKind, name: string, value: unknown): string {
  const field = fieldOf(kind, name);
  if (field?.type === 'part' && field.outside && value === null) return t('crowd.outside');
  if (value === undefined || value === null || value === '') return t('crowd.notFilled');
  if (name === 'measure' && kind === 'measure') return measureText(plan, value as Measure);
  if (name === 'counter') return Object.values(value as Body).join(' · ');
  switch (field?.type) {
    case 'number':
      return `${number(Number(value))} ${field.unit ?? ''}`.trim();
    case 'share':
      return percent(Number(value));
    case 'time':
      return dayTime(String(value));
    case 'choice':
      return maybe(`${field.words}.${String(value)}`) ?? String(value);
    case 'yesNo':
      return t(value ? 'value.yes' : 'value.no');
    case 'part':
      return plan.name(field.of, String(value));
    case 'shares':
      return Object.entries(value as Record<string, number>)
        .map(([key, share]) => `${plan.name(field.of, key)} ${percent(share)}`)
        .join(', ');
    case 'shape':
      return shapeText(value as GeoJSON.Polygon | GeoJSON.LineString);
    default:
      return String(value);
  }
}
function shapeText({ type, coordinates }: GeoJSON.Polygon | GeoJSON.LineString): string {
  const corners = type === 'Polygon' ? (coordinates[0]?.length ?? 1) - 1 : coordinates.length;
  return t('crowd.corners', { n: corners });
}

/** A measure in one line: what, where, how much, when. */
export function measureText(plan: Plan, measure: Measure): string {
  const { kind, gate, toGate, area, perMin, share, laterMin, from, until } = measure;
  const where = [plan.name('gate', gate), plan.name('area', area)].filter(Boolean).join(', ');
  const parts = [
    t(`crowd.measure.${kind}`),
    toGate ? `${where} → ${plan.name('gate', toGate)}` : where,
    perMin === undefined ? '' : t('crowd.perMin', { n: number(perMin) }),
    share === undefined ? '' : percent(share),
    laterMin === undefined ? '' : t('crowd.laterMin', { n: number(laterMin) }),
    until
      ? t('crowd.fromUntil', { from: clockTime(from), until: clockTime(until) })
      : t('crowd.fromOn', { from: clockTime(from) }),
  ];
  return parts.filter(Boolean).join(' · ');
}
