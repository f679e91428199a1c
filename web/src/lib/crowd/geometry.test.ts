import { describe, expect, it } from 'vitest';
import { cornersText, fromCorners, lengthM, surfaceM2 } from './geometry';

// 0.001° of latitude is 111.19 m; at 60° north 0.001° of longitude is half of that.
const square: GeoJSON.Polygon = {
  type: 'Polygon',
  coordinates: [
    [
      [4, 59.9995],
      [4.002, 59.9995],
      [4.002, 60.0005],
      [4, 60.0005],
      [4, 59.9995],
    ],
  ],
};

describe('sizes on the ground', () => {
  it('give the surface of an area in m², within a thousandth', () => {
    expect(surfaceM2(square) / (111.195 * 111.195)).toBeCloseTo(1, 3);
  });
  it('leave out holes, and do not care which way round an area was drawn', () => {
    const [outer = []] = square.coordinates;
    const back = { ...square, coordinates: [[...outer].reverse()] };
    expect(surfaceM2(back)).toBeCloseTo(surfaceM2(square), 6);
    const holed = {
      ...square,
      coordinates: [outer, outer.map(([lng = 0, lat = 0]) => [4.001 + (lng - 4.001) / 2, 60 + (lat - 60) / 2])],
    };
    expect(surfaceM2(holed) / surfaceM2(square)).toBeCloseTo(0.75, 3);
  });
  it('give the length of a line along all its points', () => {
    const line: GeoJSON.LineString = {
      type: 'LineString',
      coordinates: [
        [4, 52],
        [4, 52.0001],
        [4, 52.0002],
      ],
    };
    expect(lengthM(line)).toBeCloseTo(22.24, 1);
  });
});

describe('corners as text', () => {
  it('go there and back', () => {
    const text = cornersText(square);
    expect(text.split('\n')[0]).toBe('59.999500, 4.000000');
    expect(fromCorners(text, 'Polygon')).toEqual(square);
  });
  it('make nothing when they are too few, not numbers, or not on earth', () => {
    expect(fromCorners('52, 4\n52.1, 4', 'Polygon')).toBeNull();
    expect(fromCorners('52, 4', 'LineString')).toBeNull();
    expect(fromCorners('52, 4\nnoord', 'LineString')).toBeNull();
    expect(fromCorners('152, 4\n52, 4', 'LineString')).toBeNull();
    expect(fromCorners('52, 4\n\n52.1, 4', 'LineString')).not.toBeNull();
  });
});
