/** Small things for the unit tests: one of each, to change in one respect. */
import type { TimelinePoint } from './timeline';
import type { Alert, AreaPicture, GatePicture } from './types';

export const area = (change: Partial<AreaPicture> = {}): AreaPicture => ({
  key: 'kade',
  name: 'Kade',
  colour: 'green',
  suppressed: false,
  occupancy: { value: 400, sd: 50 },
  made: ['conservation'],
  capacityPersons: 1000,
  densityM2: 0.8,
  levelOfService: 'B',
  specificFlowPedMMin: 20,
  speedMS: 1.2,
  inflowPerMin: 40,
  outflowPerMin: 20,
  risePerMin: 20,
  minutesToCapacity: 30,
  counterflowShare: 0.1,
  coming: [
    { inMin: 15, colour: 'amber', probabilityAmber: 0.8, probabilityRed: 0.2, p10: 500, p50: 620, p90: 740 },
    { inMin: 30, colour: 'red', probabilityAmber: 0.9, probabilityRed: 0.7, p10: 600, p50: 810, p90: 990 },
  ],
  ...change,
});
export const gate = (change: Partial<GatePicture> = {}): GatePicture => ({
  key: 'noord',
  name: 'Noord',
  status: 'counted',
  forwardPerMin: 40,
  backwardPerMin: 10,
  specificFlowPedMMin: 12,
  widthM: 4,
  marks: [],
  ...change,
});
export const alert = (change: Partial<Alert> = {}): Alert => ({
  event: 'nacht',
  run: '1',
  id: 1,
  area: 'kade',
  areaName: 'Kade',
  status: 'raised',
  isNow: true,
  raisedAt: '2026-07-01T20:00:00Z',
  because: 'density',
  escalations: 0,
  log: [],
  ...change,
});
export const point = (minute: number, value: number | null, change: Partial<TimelinePoint> = {}): TimelinePoint => ({
  at: new Date(Date.UTC(2026, 6, 1, 20, minute)).toISOString(),
  value,
  low: value === null ? null : value - 10,
  high: value === null ? null : value + 10,
  colour: value === null ? 'unknown' : 'green',
  ...change,
});
