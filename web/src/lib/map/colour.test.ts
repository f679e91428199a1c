import { createExpression } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import type { Layer } from '$lib/api/types';
import { colouring, colourExpression, colourChoices, darkInk, inkExpression, quantileStops } from './colour';

const text = { nl: 'x', en: 'x' };
const attribute = (name: string) => ({
  name,
  label: text,
  unit: null,
  kind: 'number',
  history: true,
  indicator: false,
});
const layer = {
  id: 'traffic',
  attributes: [attribute('speed'), attribute('flow')],
  style: {
    by: 'speed',
    kind: 'sequential',
    stops: [
      [0, '#ff0000'],
      [100, '#0000ff'],
    ],
    categories: [],
    color: '#123456',
    colorNoData: '#999999',
  },
} as unknown as Layer;

const COLOR = {
  type: 'color',
  'property-type': 'data-driven',
  expression: { interpolated: true, parameters: ['zoom', 'feature'] },
};
const evaluate = (expression: unknown, properties: Record<string, unknown>) => {
  const compiled = createExpression(expression, COLOR as never);
  if (compiled.result === 'error') throw new Error(compiled.value.map(String).join());
  return String(compiled.value.evaluate({ zoom: 12 }, { type: 1, properties } as never));
};

describe('colouring', () => {
  it('follows the city’s settings until the reader chooses', () => {
    expect(colouring(layer, undefined, [], [])).toMatchObject({ kind: 'ramp', attribute: 'speed' });
    expect(colouring(layer, 'flow', [], [1, 2, 3, 400, 500])).toMatchObject({ kind: 'ramp', attribute: 'flow' });
  });
  it('offers only numbers that can be compared', () => {
    expect(colourChoices(layer, []).map(({ name }) => name)).toEqual(['speed', 'flow']);
  });
});

describe('the colour of a feature', () => {
  const expression = colourExpression(colouring(layer, undefined, [], []));
  it('lies on the ramp', () => {
    expect(evaluate(expression, { speed: 0 })).toContain('255,0,0');
  });
  it.each([[null], [undefined], ['80']])('is that of "no data" for %s, never that of zero', (speed) => {
    expect(evaluate(expression, { speed })).toContain('153,153,153');
  });
});

describe('quantileStops', () => {
  it('rise strictly, also when many values are equal', () => {
    const edges = quantileStops([0, 0, 0, 0, 5, 10]).map(([value]) => value);
    expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
  });
  it('are empty without values', () => expect(quantileStops([])).toEqual([]));
});

describe('ink', () => {
  it('contrasts with its ground', () => {
    expect(darkInk('#fde725')).toBe(true);
    expect(darkInk('#440154')).toBe(false);
    expect(inkExpression({ kind: 'single', color: '#ffffff' }, 'dark', 'light')).toBe('dark');
  });
});
