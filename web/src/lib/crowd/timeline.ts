/** From the minutes of a run to lines on paper: scales, a line with its band, gaps where nothing is known. Pure. */
import { known, spread } from './colours';
import type { Area, AreaPicture, AreaReport, Colour, Part, Picture, Point, Report, Thresholds } from './types';

/** A moment of a line; null where nothing is known, so that nothing is drawn. */
export interface TimelinePoint {
  at: string;
  value: number | null;
  low: number | null;
  high: number | null;
  colour: Colour;
}
export interface AreaLine {
  key: string;
  name: string;
  capacityPersons: number;
  /** From how many persons it is amber and red, where that is known. */
  amberPersons: number | null;
  redPersons: number | null;
  points: TimelinePoint[];
}
/** A run keeps one picture of each minute. */
export const STEP_S = 60;

function point({ at, persons, sd, colour }: Point): TimelinePoint {
  const { low, high } = spread(persons === undefined ? undefined : { value: persons, sd });
  return { at, value: persons ?? null, low, high, colour: known(colour) };
}
/** From how many persons the plan itself calls an area red or amber: the lowest of its thresholds; null without any. */
function own({ surfaceM2, capacityPersons }: Area, perM2?: number | null, share?: number | null): number | null {
  const all = [perM2 ? perM2 * surfaceM2 : null, share ? share * capacityPersons : null];
  const given = all.filter((one) => one !== null);
  return given.length > 0 ? Math.min(...given) : null;
}
export const redPersons = (area: Area) => own(area, area.redDensityM2, area.redShare);
export const amberPersons = (area: Area) => own(area, area.amberDensityM2, area.amberShare);
/** The line of an area; its borders are those that the server holds it against, or else those of the plan. */
export function lineOf(
  { key, name, capacityPersons, points }: AreaReport,
  areas: Part<Area>[],
  thresholds?: Thresholds,
): AreaLine {
  const body = areas.find((part) => part.key === key)?.body;
  return {
    key,
    name,
    capacityPersons,
    amberPersons: thresholds?.persons?.amber ?? (body ? amberPersons(body) : null),
    redPersons: thresholds?.persons?.red ?? (body ? redPersons(body) : null),
    points: points.map(point),
  };
}

/** Whether minutes are missing between what is held and a picture: a slow reader of the stream misses some. */
export function isBehind({ areas }: Report, at: string): boolean {
  const last = areas[0]?.points.at(-1);
  return last !== undefined && Date.parse(at) - Date.parse(last.at) > 1.5 * STEP_S * 1000;
}
/** The minutes so far with the newest picture at their end. */
export function extended(report: Report, picture: Picture): Report {
  const areas = report.areas.map((line) => {
    const area = picture.areas.find(({ key }) => key === line.key);
    const last = line.points.at(-1);
    if (!area || (last && Date.parse(last.at) >= Date.parse(picture.at))) return line;
    const { occupancy, colour } = area;
    const known = occupancy ? { persons: occupancy.value, sd: occupancy.sd } : {};
    return { ...line, points: [...line.points, { at: picture.at, colour, ...known }] };
  });
  const alerts = [...report.alerts];
  for (const alert of picture.attention) if (!alerts.some(({ id }) => id === alert.id)) alerts.push(alert);
  return { ...report, areas, alerts };
}

export interface Frame {
  width: number;
  height: number;
  from: number;
  until: number;
  top: number;
}
export interface Stretch {
  colour: Colour;
  from: number;
  until: number;
}

export const xOf = ({ width, from, until }: Frame, moment: number) =>
  until > from ? ((moment - from) / (until - from)) * width : 0;
export const yOf = ({ height, top }: Frame, value: number) => height - (top > 0 ? (value / top) * height : 0);
const round = (value: number) => Math.round(value * 10) / 10;
const pair = (frame: Frame, point: { at: string }, value: number) =>
  `${round(xOf(frame, Date.parse(point.at)))} ${round(yOf(frame, value))}`;

/** Runs of points that have a value: between them nothing is drawn. */
function runs<P extends { value: number | null }>(points: P[]): P[][] {
  const all: P[][] = [];
  let open: P[] | null = null;
  for (const point of points) {
    if (point.value === null) open = null;
    else if (open) open.push(point);
    else all.push((open = [point]));
  }
  return all;
}
/** The line of the values as an SVG path. */
export function linePath(frame: Frame, points: TimelinePoint[]): string {
  return runs(points)
    .map((run) => {
      const [first, ...rest] = run.map((point) => pair(frame, point, point.value ?? 0));
      // A lone point is a dot: a line of no length with round ends.
      return `M${first}${rest.length ? rest.map((at) => `L${at}`).join('') : `L${first}`}`;
    })
    .join('');
}
/** The band between low and high as an SVG path; only where both are known. */
export function bandPath(frame: Frame, points: TimelinePoint[]): string {
  const banded = points.map((point) => ({
    ...point,
    value: point.low === null || point.high === null ? null : point.value,
  }));
  return runs(banded)
    .filter((run) => run.length > 1)
    .map((run) => {
      const there = run.map((point) => pair(frame, point, point.high ?? 0));
      const back = [...run].reverse().map((point) => pair(frame, point, point.low ?? 0));
      return `M${there.join('L')}L${back.join('L')}Z`;
    })
    .join('');
}
/** Stretches of one colour. A point holds until the next one, at most for two steps: silence is unknown. */
export function stretches(points: TimelinePoint[], stepS: number): Stretch[] {
  const all: Stretch[] = [];
  points.forEach((point, index) => {
    const from = Date.parse(point.at);
    const next = points[index + 1];
    const until = Math.min(next ? Date.parse(next.at) : Infinity, from + 2 * stepS * 1000);
    const last = all.at(-1);
    if (last && last.colour === known(point.colour) && last.until === from) last.until = until;
    else all.push({ colour: known(point.colour), from, until });
  });
  return all;
}
/** What is expected of an area as points of a line, from now on; empty when nothing can be said. */
export function ahead(area: AreaPicture | undefined, now: string): TimelinePoint[] {
  if (!area?.occupancy) return [];
  const { persons, low, high } = spread(area.occupancy);
  const start: TimelinePoint = { at: now, value: persons, low, high, colour: known(area.colour) };
  const coming = [...area.coming]
    .sort((a, b) => a.inMin - b.inMin)
    .map(({ inMin, p10, p50, p90, colour }) => ({
      at: new Date(Date.parse(now) + inMin * 60_000).toISOString(),
      value: p50 ?? null,
      low: p10 ?? null,
      high: p90 ?? null,
      colour: known(colour),
    }));
  return coming.some((point) => point.value !== null) ? [start, ...coming] : [];
}
/** The top of the scale: above all that is drawn, and above red, so that one sees how far off it is. */
export function topOf({ points, redPersons, capacityPersons }: AreaLine, coming: TimelinePoint[] = []): number {
  const highest = Math.max(0, ...[...points, ...coming].map(({ value, high }) => Math.max(value ?? 0, high ?? 0)));
  return Math.max(1, highest * 1.08, (redPersons ?? capacityPersons) * 1.08);
}
/** Round numbers from nothing to the top, two to five of them. */
export function levelsOf(top: number): number[] {
  const unit = 10 ** Math.floor(Math.log10(top));
  const step = [0.5, 1, 2, 2.5, 5].map((part) => part * unit).find((one) => top / one <= 4) ?? unit * 10;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}
/** Whole hours, half hours or quarters between two moments: as many as fit, at most `most`. */
export function ticks(from: number, until: number, most: number): number[] {
  const minutes =
    [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].find((one) => (until - from) / (one * 60_000) <= most) ?? 2880;
  const step = minutes * 60_000;
  const all: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) all.push(at);
  return all;
}
/** Points for a table: at most `most`, evenly chosen, the last one always among them. */
export function sample<T>(points: T[], most: number): T[] {
  const step = Math.ceil(points.length / most);
  return points.filter((_, index) => (points.length - 1 - index) % Math.max(1, step) === 0);
}
