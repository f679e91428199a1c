/** What each kind of thing in a plan asks of a person. The forms, the tables and the picture of a conflict come from here. */
import type { MessageKey } from '$lib/i18n/nl';
import type { Body, Measure, PartKind } from './types';

type Common = {
  name: string;
  label: MessageKey;
  hint?: MessageKey;
  required?: boolean;
  when?: (body: Body) => boolean;
};
export type Field = Common &
  (
    | { type: 'text' | 'longText' | 'time' | 'yesNo' }
    | { type: 'number'; unit?: string; least?: number; whole?: boolean }
    /** A part of one; on the screen in percent. */
    | { type: 'share' }
    | { type: 'choice'; choices: readonly string[]; words: string }
    /** Another thing of the plan; with `outside`, null is the world outside. */
    | { type: 'part'; of: PartKind; outside?: boolean }
    /** A share for each of the gates. */
    | { type: 'shares'; of: PartKind }
    | { type: 'shape'; shape: 'Polygon' | 'LineString' }
  );

export const measureKinds = ['dose', 'one-way', 'divert', 'extra-transport', 'message', 'close'] as const;
export const levels = ['low', 'medium', 'high'] as const;
const name: Field = { name: 'name', label: 'crowd.field.name', type: 'text', required: true };
const note: Field = { name: 'note', label: 'crowd.field.note', type: 'longText' };
const level: Field = {
  name: 'level',
  label: 'crowd.field.level',
  type: 'choice',
  choices: levels,
  words: 'crowd.level',
  required: true,
};
const persons = { type: 'number', least: 1, whole: true } as const;
const metres = { type: 'number', unit: 'm', least: 0 } as const;
const from: Field = { name: 'from', label: 'crowd.field.fromArea', type: 'part', of: 'area', outside: true };
const to: Field = { name: 'to', label: 'crowd.field.toArea', type: 'part', of: 'area', outside: true };

/** What a measure may ask besides its kind; `needs` of the library says which of them. */
const measureField: Record<string, Field> = {
  gate: { name: 'gate', label: 'crowd.field.gate', type: 'part', of: 'gate', required: true },
  toGate: { name: 'toGate', label: 'crowd.field.toGate', type: 'part', of: 'gate', required: true },
  area: { name: 'area', label: 'crowd.field.area', type: 'part', of: 'area', required: true },
  perMin: { name: 'perMin', label: 'crowd.field.perMin', type: 'number', unit: '/min', least: 0, required: true },
  share: { name: 'share', label: 'crowd.field.measureShare', type: 'share', required: true },
  laterMin: {
    name: 'laterMin',
    label: 'crowd.field.laterMin',
    type: 'number',
    unit: 'min',
    least: 1,
    required: true,
  },
  from: { name: 'from', label: 'crowd.field.measureFrom', type: 'time', required: true },
  until: { name: 'until', label: 'crowd.field.measureUntil', type: 'time', hint: 'crowd.field.measureUntil.hint' },
};
/** The fields of a measure, given what its kind needs; from when and until when always belong to it. */
export function measureFields(needs: readonly string[]): Field[] {
  const own = Object.entries(measureField).flatMap(([key, field]) => {
    if (key === 'from' || key === 'until') return [];
    return needs.includes(key) ? [field] : [];
  });
  return [...own, ...[measureField.from, measureField.until].filter((field) => field !== undefined)];
}
export const emptyMeasure = (kind: Measure['kind'], from: string): Measure => ({ kind, from });

export const fields: Record<Exclude<PartKind, 'measure'>, Field[]> = {
  area: [
    name,
    { name: 'outline', label: 'crowd.field.outline', type: 'shape', shape: 'Polygon', required: true },
    {
      name: 'surfaceM2',
      label: 'crowd.field.surface',
      hint: 'crowd.field.surface.hint',
      type: 'number',
      unit: 'm²',
      least: 1,
      required: true,
    },
    {
      name: 'capacityPersons',
      label: 'crowd.field.capacity',
      hint: 'crowd.field.capacity.hint',
      ...persons,
      required: true,
    },
    {
      name: 'usedAs',
      label: 'crowd.field.usedAs',
      type: 'choice',
      choices: ['walkway', 'queue', 'stairs'],
      words: 'crowd.usedAs',
      required: true,
    },
    { name: 'parent', label: 'crowd.field.parent', type: 'part', of: 'area' },
    {
      name: 'walkLengthM',
      label: 'crowd.field.walkLength',
      hint: 'crowd.field.walkLength.hint',
      type: 'number',
      unit: 'm',
      least: 0,
    },
    {
      name: 'stayMin',
      label: 'crowd.field.stay',
      hint: 'crowd.field.stay.hint',
      type: 'number',
      unit: 'min',
      least: 0,
    },
    {
      name: 'amberDensityM2',
      label: 'crowd.field.amberDensity',
      hint: 'crowd.field.threshold.hint',
      type: 'number',
      unit: 'p/m²',
      least: 0,
    },
    {
      name: 'redDensityM2',
      label: 'crowd.field.redDensity',
      hint: 'crowd.field.threshold.hint',
      type: 'number',
      unit: 'p/m²',
      least: 0,
    },
    { name: 'amberShare', label: 'crowd.field.amberShare', hint: 'crowd.field.threshold.hint', type: 'share' },
    { name: 'redShare', label: 'crowd.field.redShare', hint: 'crowd.field.threshold.hint', type: 'share' },
  ],
  gate: [
    name,
    { name: 'line', label: 'crowd.field.line', type: 'shape', shape: 'LineString', required: true },
    { name: 'widthM', label: 'crowd.field.width', hint: 'crowd.field.width.hint', ...metres, required: true },
    from,
    to,
    { name: 'arrivalShare', label: 'crowd.field.arrivalShare', hint: 'crowd.field.arrivalShare.hint', type: 'share' },
    {
      name: 'counter.entity',
      label: 'crowd.field.counterEntity',
      hint: 'crowd.field.counterEntity.hint',
      type: 'text',
    },
    { name: 'counter.inAttribute', label: 'crowd.field.counterIn', type: 'text', required: true, when: hasCounter },
    {
      name: 'counter.periodS',
      label: 'crowd.field.counterPeriod',
      type: 'number',
      unit: 's',
      least: 1,
      whole: true,
      required: true,
      when: hasCounter,
    },
    { name: 'counter.outAttribute', label: 'crowd.field.counterOut', type: 'text', required: true, when: hasCounter },
  ],
  link: [
    name,
    from,
    to,
    { name: 'widthM', label: 'crowd.field.width', ...metres, required: true },
    { name: 'lengthM', label: 'crowd.field.length', ...metres, required: true },
    { name: 'gate', label: 'crowd.field.linkGate', type: 'part', of: 'gate' },
    {
      name: 'takesOver',
      label: 'crowd.field.takesOver',
      hint: 'crowd.field.takesOver.hint',
      type: 'shares',
      of: 'gate',
    },
  ],
  programme: [
    name,
    { name: 'area', label: 'crowd.field.area', type: 'part', of: 'area', required: true },
    { name: 'from', label: 'crowd.field.from', type: 'time', required: true },
    { name: 'until', label: 'crowd.field.until', type: 'time', required: true },
    { name: 'visitorsExpected', label: 'crowd.field.visitors', ...persons, required: true },
    {
      name: 'arrivalMinBefore',
      label: 'crowd.field.arrival',
      hint: 'crowd.field.arrival.hint',
      type: 'number',
      unit: 'min',
      least: 0,
      required: true,
    },
  ],
  threat: [
    name,
    {
      name: 'kind',
      label: 'crowd.field.kind',
      type: 'choice',
      choices: ['weather', 'arrival-peak', 'alcohol', 'sentiment', 'other'],
      words: 'crowd.threat',
      required: true,
    },
    level,
    note,
  ],
  barrier: [
    name,
    {
      name: 'side',
      label: 'crowd.field.side',
      type: 'choice',
      choices: ['prevent', 'recover'],
      words: 'crowd.side',
      required: true,
    },
    {
      name: 'threat',
      label: 'crowd.kind.threat',
      type: 'part',
      of: 'threat',
      required: true,
      when: ({ side }) => side !== 'recover',
    },
    {
      name: 'consequence',
      label: 'crowd.kind.consequence',
      type: 'part',
      of: 'consequence',
      required: true,
      when: ({ side }) => side === 'recover',
    },
    { name: 'works', label: 'crowd.field.works', type: 'yesNo' },
    note,
  ],
  consequence: [name, level, note],
};
function hasCounter(body: Body): boolean {
  return Boolean(read(body, 'counter.entity'));
}

/** The fields of a thing as they apply to what is filled in now. */
export function fieldsOf(kind: PartKind, body: Body, needs: readonly string[] = []): Field[] {
  if (kind !== 'measure') return fields[kind].filter(({ when }) => !when || when(body));
  const kindField: Field = {
    name: 'measure.kind',
    label: 'crowd.kind.measure',
    type: 'choice',
    choices: measureKinds,
    words: 'crowd.measure',
    required: true,
  };
  return [
    name,
    kindField,
    ...measureFields(needs).map((field): Field => ({ ...field, name: `measure.${field.name}` })),
  ];
}

/** The value at a dotted path. */
export function read(body: Body, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Body | null | undefined)?.[key], body);
}
/** The body with the value at a dotted path; nothing (undefined) takes it away, and a group that is empty then goes too. */
export function write(body: Body, path: string, value: unknown): Body {
  const [first = '', ...rest] = path.split('.');
  const next = { ...body };
  const inner = rest.length ? write((next[first] ?? {}) as Body, rest.join('.'), value) : value;
  const gone = inner === undefined || (rest.length > 0 && Object.keys(inner as Body).length === 0);
  if (gone) delete next[first];
  else next[first] = inner;
  return next;
}

const words = (text: string) =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
/** A key for a new thing: its name in small letters and hyphens, with a number when that is taken. */
export function keyFor(name: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const plain = words(name).join('-').slice(0, 40).replace(/-+$/, '') || 'x';
  for (let number = 1; ; number++) {
    const key = number === 1 ? plain : `${plain}-${number}`;
    if (!used.has(key)) return key;
  }
}
/** What a new thing starts with: only what is true of nearly all of its kind. */
export function emptyBody(kind: PartKind, from: string, until: string): Body {
  const bodies: Record<PartKind, Body> = {
    area: { name: '', usedAs: 'walkway' },
    gate: { name: '', from: null, to: null },
    link: { name: '', from: null, to: null },
    programme: { name: '', from, until, arrivalMinBefore: 45 },
    threat: { name: '', kind: 'weather', level: 'medium', note: '' },
    barrier: { name: '', side: 'prevent', works: true, note: '' },
    consequence: { name: '', level: 'medium', note: '' },
    measure: { name: '', measure: { kind: 'dose', from } },
  };
  return bodies[kind];
}
/** Labels of the required fields that are still empty: asked before the server is. */
export function missing(all: Field[], body: Body): Field[] {
  const empty = (value: unknown) =>
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return all.filter(({ required, name }) => required && empty(read(body, name)));
}
/** A body without what no longer applies: a field whose condition has gone does not stay behind unseen. */
export function pruned(kind: PartKind, body: Body): Body {
  if (kind === 'measure') return body;
  return fields[kind].reduce(
    (kept, { name, when }) => (when && !when(kept) ? write(kept, name, undefined) : kept),
    body,
  );
}
