/** From a value to a colour: what the legend shows and what the map draws come from the same `Colouring`. */
import type { ExpressionSpecification } from 'maplibre-gl';
import type { Category, Indicator, Layer, Stop } from '$lib/api/types';

export type Colouring =
  | { kind: 'single'; color: string }
  | { kind: 'ramp'; attribute: string; stops: Stop[]; noData: string }
  | { kind: 'categories'; attribute: string; categories: Category[]; other: string };

const RAMP = ['#cfe3f1', '#8fbcdc', '#4f92c6', '#2267a3', '#0c3f72'];

/** Five class edges that split values evenly (quantiles), rounded to readable numbers and rising. */
export function quantileStops(values: number[]): Stop[] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  const stops: Stop[] = [];
  RAMP.forEach((color, index) => {
    const raw = sorted[Math.round((index / (RAMP.length - 1)) * (sorted.length - 1))] ?? 0;
    const value = Number(raw.toPrecision(2));
    const last = stops.at(-1);
    if (!last || value > last[0]) stops.push([value, color]);
  });
  return stops;
}

/** How a layer is coloured: by the reader's attribute, else as the city's settings say. */
export function colouring(layer: Layer, by: string | undefined, indicators: Indicator[], values: number[]): Colouring {
  const { style } = layer;
  const attribute = by ?? style.by ?? null;
  if (attribute === null) return { kind: 'single', color: style.color };
  const indicator = indicators.find((one) => one.layer === layer.id && one.attribute === attribute);
  const stops = indicator?.stops ?? (attribute === style.by ? style.stops : quantileStops(values));
  if (stops && stops.length > 0) return { kind: 'ramp', attribute, stops, noData: style.colorNoData };
  if (style.categories?.length) {
    return { kind: 'categories', attribute, categories: style.categories, other: style.color };
  }
  return { kind: 'single', color: style.color };
}

/** The attributes by which a reader may colour a layer. */
export function colourChoices(layer: Layer, indicators: Indicator[]) {
  const own = layer.attributes.filter(
    ({ name, kind, history, indicator }) => kind === 'number' && (history || indicator || name === layer.style.by),
  );
  const computed = indicators.filter((one) => one.layer === layer.id);
  const choices = new Map(own.map(({ name, label, unit }) => [name, { name, label, unit }]));
  for (const { attribute, label, unit } of computed) choices.set(attribute, { name: attribute, label, unit });
  return [...choices.values()];
}

const isNumber = (attribute: string): ExpressionSpecification => ['==', ['typeof', ['get', attribute]], 'number'];

/** The colour of a feature as a MapLibre expression. */
export function colourExpression(colours: Colouring): ExpressionSpecification | string {
  if (colours.kind === 'single') return colours.color;
  const value: ExpressionSpecification = ['get', colours.attribute];
  if (colours.kind === 'categories') {
    const pairs = colours.categories.flatMap(({ value, color }) => [value, color]);
    return ['match', ['to-string', value], ...pairs, colours.other] as ExpressionSpecification;
  }
  const first = colours.stops[0];
  if (colours.stops.length === 1 && first) return ['case', isNumber(colours.attribute), first[1], colours.noData];
  const ramp = ['interpolate', ['linear'], value, ...colours.stops.flat()] as ExpressionSpecification;
  return ['case', isNumber(colours.attribute), ramp, colours.noData];
}

/** Whether a feature has a value to colour by; always true without an attribute. */
export function hasValue(colours: Colouring): ExpressionSpecification | boolean {
  return colours.kind === 'ramp' ? isNumber(colours.attribute) : true;
}

/** Relative luminance (WCAG 2.2) of `#rrggbb`. */
export function luminance(hex: string): number {
  const channels = [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Whether ink on this colour is best dark. */
export const darkInk = (hex: string) => luminance(hex) > 0.3;

/** Dark or light ink for a feature: `dark` and `light` are any values an expression may give (a colour, an image). */
export function inkExpression(colours: Colouring, dark: string, light: string): ExpressionSpecification | string {
  const ink = (hex: string) => (darkInk(hex) ? dark : light);
  if (colours.kind === 'single') return ink(colours.color);
  const value: ExpressionSpecification = ['get', colours.attribute];
  if (colours.kind === 'categories') {
    const pairs = colours.categories.flatMap(({ value, color }) => [value, ink(color)]);
    return ['match', ['to-string', value], ...pairs, ink(colours.other)] as ExpressionSpecification;
  }
  const [first, ...rest] = colours.stops;
  if (!first || rest.length === 0) return ink(first?.[1] ?? colours.noData);
  const steps = rest.flatMap(([at, color], index) => [(at + (colours.stops[index]?.[0] ?? at)) / 2, ink(color)]);
  const step = ['step', value, ink(first[1]), ...steps] as ExpressionSpecification;
  return ['case', isNumber(colours.attribute), step, ink(colours.noData)];
}
