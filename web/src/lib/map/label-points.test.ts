import { expect, it } from 'vitest';
import { labelPoint } from './label-points';

it('lies in the middle of a plain area', () => {
  const square = [
    [
      [0, 0],
      [4, 0],
      [4, 2],
      [0, 2],
      [0, 0],
    ],
  ];
  expect(labelPoint({ type: 'Polygon', coordinates: square })).toEqual([2, 1]);
});

it('lies inside a horseshoe, not in its opening', () => {
  const horseshoe = [
    [
      [0, 0],
      [10, 0],
      [10, 10],
      [7, 10],
      [7, 3],
      [3, 3],
      [3, 10],
      [0, 10],
      [0, 0],
    ],
  ];
  const [lng, lat] = labelPoint({ type: 'Polygon', coordinates: horseshoe }) ?? [5, 5];
  expect(lng < 3 || lng > 7 || lat < 3).toBe(true);
});

it('names the largest part', () => {
  const small = [
    [
      [20, 0],
      [21, 0],
      [21, 1],
      [20, 1],
      [20, 0],
    ],
  ];
  const large = [
    [
      [0, 0],
      [4, 0],
      [4, 2],
      [0, 2],
      [0, 0],
    ],
  ];
  expect(labelPoint({ type: 'MultiPolygon', coordinates: [small, large] })).toEqual([2, 1]);
});

it('has no answer for a line', () => {
  expect(
    labelPoint({
      type: 'LineString',
      coordinates: [
        [0, 0],
        [1, 1],
      ],
    }),
  ).toBeNull();
});
