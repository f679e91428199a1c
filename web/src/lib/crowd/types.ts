/** The shapes of the crowd API (`/api/v1/crowd`). Null or absent means not known, never zero. */
import type { Text } from '$lib/api/types';

export const partKinds = ['area', 'gate', 'link', 'programme', 'measure', 'threat', 'barrier', 'consequence'] as const;
export type PartKind = (typeof partKinds)[number];
export type Level = 'low' | 'medium' | 'high';
export type Phase = 'plan' | 'rehearsal' | 'live' | 'ended';

export interface Run {
  id: string;
  kind: 'rehearsal' | 'live';
  simulated: boolean;
  state: 'running' | 'paused' | 'ended';
  speed: number;
  at: string;
  startedAt: string;
  startedBy: string;
  endedAt?: string | null;
  seed?: number | null;
}
export interface EventSummary {
  id: string;
  name: string;
  from: string;
  until: string;
  phase: Phase;
  run: Run | null;
  version: number;
}
export interface Area {
  name: string;
  outline: GeoJSON.Polygon;
  surfaceM2: number;
  capacityPersons: number;
  usedAs: 'walkway' | 'queue' | 'stairs';
  parent?: string | null;
  stayMin?: number | null;
  amberDensityM2?: number | null;
  redDensityM2?: number | null;
  amberShare?: number | null;
  redShare?: number | null;
}
export interface Gate {
  name: string;
  line: GeoJSON.LineString;
  widthM: number;
  from: string | null;
  to: string | null;
  arrivalShare?: number | null;
  counter?: { entity: string; inAttribute: string; outAttribute: string } | null;
}
export interface Link {
  name: string;
  from: string | null;
  to: string | null;
  widthM: number;
  lengthM: number;
  gate?: string | null;
  takesOver?: Record<string, number> | null;
}
export interface Programme {
  name: string;
  area: string;
  from: string;
  until: string;
  visitorsExpected: number;
  arrivalMinBefore: number;
}
export interface Threat {
  name: string;
  kind: 'weather' | 'arrival-peak' | 'alcohol' | 'sentiment' | 'other';
  level: Level;
  note: string;
}
export interface Barrier {
  name: string;
  side: 'prevent' | 'recover';
  threat?: string | null;
  consequence?: string | null;
  works: boolean;
  note: string;
}
export interface Consequence {
  name: string;
  level: Level;
  note: string;
}
export interface Measure {
  kind: 'dose' | 'one-way' | 'divert' | 'extra-transport' | 'message' | 'close';
  gate?: string | null;
  gates?: string[] | null;
  perMin?: number | null;
  area?: string | null;
  share?: number | null;
  from: string;
  until?: string | null;
}
export interface PreparedMeasure {
  name: string;
  measure: Measure;
}
export interface Bodies {
  area: Area;
  gate: Gate;
  link: Link;
  programme: Programme;
  threat: Threat;
  barrier: Barrier;
  consequence: Consequence;
  measure: PreparedMeasure;
}
/** What a person says of one thing of the plan. */
export type Body = Record<string, unknown>;
export interface Part<B = Body> {
  kind: PartKind;
  key: string;
  version: number;
  body: B;
  changedBy: string;
  changedAt: string;
}
export interface PlanProblem {
  thing: string;
  detail: string;
  remedy: string;
}
export interface EventPlan {
  event: EventSummary & { notes: string };
  parts: Part[];
  problems: PlanProblem[];
  runs: Run[];
}
export interface EventFacts {
  name: string;
  from: string;
  until: string;
  notes?: string;
}

export interface MeasureKind {
  kind: Measure['kind'];
  needs: string[];
  expects: Text;
  caution: Text;
}
export type Colour = 'green' | 'amber' | 'red' | 'unknown';
export interface Amount {
  value: number;
  sd: number;
}
export interface Coming {
  inMin: 15 | 30 | 60;
  colour: Colour;
  probabilityAmber: number | null;
  probabilityRed: number | null;
  p10: number | null;
  p50: number | null;
  p90: number | null;
}
export interface AreaPicture {
  key: string;
  name: string;
  colour: Colour;
  suppressed: boolean;
  occupancy: Amount | null;
  made: string[];
  capacityPersons: number;
  occupancyShare: number | null;
  densityM2: number | null;
  levelOfService: string | null;
  specificFlowPedMMin: number | null;
  speedMS: number | null;
  inflowPerMin: number | null;
  outflowPerMin: number | null;
  risePerMin: number | null;
  minutesToCapacity: number | null;
  counterflowShare: number | null;
  because: string | null;
  unknownBecause: ({ code: string } & Text) | null;
  coming: Coming[];
}
export interface GatePicture {
  key: string;
  name: string;
  status: 'counted' | 'bridged' | 'unknown';
  inPerMin: number | null;
  outPerMin: number | null;
  specificFlowPedMMin: number | null;
  widthM: number;
  marks: string[];
}
export interface Alert {
  id: string;
  area: string;
  areaName: string;
  state: 'raised' | 'acknowledged' | 'closed';
  now: boolean;
  raisedAt: string;
  because: string | null;
  probability: number | null;
  escalations: number;
  acknowledgedBy?: string | null;
  acknowledgedAt?: string | null;
  closedBy?: string | null;
  closedAt?: string | null;
  closeReason?: string | null;
  log: { at: string; what: string; by?: string | null; detail?: string | null }[];
}
export interface Picture {
  event: string;
  run: Run;
  at: string;
  areas: AreaPicture[];
  gates: GatePicture[];
  attention: Alert[];
  visitors: { inside: Amount | null };
}
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
  redPersons: number | null;
  points: TimelinePoint[];
}
export interface Timeline {
  stepS: number;
  areas: AreaLine[];
  programme: { name: string; from: string; until: string }[];
  alerts: { id: string; at: string; area: string; what: string }[];
  decisions: { id: string; at: string; what: string; by: string }[];
}
export interface Ahead {
  inMin: number;
  p10: number | null;
  p50: number | null;
  p90: number | null;
  probabilityRed: number | null;
}
export interface WhatIfArea {
  key: string;
  name: string;
  without: Ahead[];
  with: Ahead[];
}
export interface WhatIf {
  areas: WhatIfArea[];
  notes: Text[];
}
export interface Decision {
  id: string;
  measure: Measure;
  reason: string;
  decidedBy: string;
  decidedAt: string;
  at: string;
  expected: WhatIf;
  actual: { area: string; inMin: number; expected: number | null; actual: number | null }[];
}
export interface Report {
  event: EventSummary;
  run: Run;
  peaks: {
    area: string;
    name: string;
    at: string | null;
    persons: number | null;
    densityM2: number | null;
    colour: Colour;
  }[];
  alerts: Alert[];
  decisions: Decision[];
  quality: {
    forecastMinutes: 15 | 30 | 60;
    coverage: number | null;
    maePersons: number | null;
    brierRed: number | null;
    n: number;
  }[];
  minutes: Record<string, { amber: number; red: number; unknown: number }>;
  timeline: Timeline;
}
