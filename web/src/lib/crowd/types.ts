/** The shapes of the crowd API (`/api/v1/crowd`). Null or absent means not known, never zero. */
import type { Text } from '$lib/api/types';

export const partKinds = ['area', 'gate', 'link', 'programme', 'measure', 'threat', 'barrier', 'consequence'] as const;
export type PartKind = (typeof partKinds)[number];
export type Level = 'low' | 'medium' | 'high';
export type Phase = 'plan' | 'running' | 'over';

export interface Run {
  event: string;
  id: string;
  kind: 'rehearsal' | 'live';
  simulated: boolean;
  state: 'running' | 'paused' | 'ended';
  speed: number;
  at: string;
  startedAt: string;
  startedBy: string;
  endedAt?: string;
  endedBy?: string;
  seed?: number;
}
export interface CrowdEvent {
  id: string;
  name: string;
  from: string;
  until: string;
  notes?: string;
  phase: Phase;
  /** The id of the run that goes on now. */
  run?: string;
  version: number;
  madeBy: string;
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
  counter?: { entity: string; inAttribute: string; outAttribute: string; periodS: number } | null;
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
  gate?: string;
  toGate?: string;
  area?: string;
  perMin?: number;
  share?: number;
  laterMin?: number;
  from: string;
  until?: string;
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
  event: CrowdEvent;
  parts: Part[];
  problems: PlanProblem[];
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
/** An area some minutes from now. */
export interface Ahead {
  inMin: number;
  colour: Colour;
  probabilityAmber?: number;
  probabilityRed?: number;
  p10?: number;
  p50?: number;
  p90?: number;
}
export interface AreaPicture {
  key: string;
  name: string;
  colour: Colour;
  because?: string;
  suppressed: boolean;
  occupancy?: Amount;
  made: string[];
  capacityPersons: number;
  densityM2?: number;
  levelOfService?: string;
  specificFlowPedMMin?: number;
  speedMS?: number;
  inflowPerMin?: number;
  outflowPerMin?: number;
  risePerMin?: number;
  minutesToCapacity?: number;
  counterflowShare?: number;
  unknownBecause?: string;
  coming: Ahead[];
}
export interface GatePicture {
  key: string;
  name: string;
  status: 'counted' | 'bridged' | 'unknown';
  /** From the gate's `from` to its `to`. */
  forwardPerMin?: number;
  backwardPerMin?: number;
  specificFlowPedMMin?: number;
  widthM: number;
  marks: string[];
}
export interface Alert {
  event: string;
  run: string;
  id: number;
  area: string;
  areaName: string;
  status: 'raised' | 'acknowledged' | 'closed';
  isNow: boolean;
  raisedAt: string;
  because?: string;
  probability?: number;
  escalations: number;
  acknowledgedBy?: string;
  log: { at: string; what: string; by?: string; reason?: string }[];
}
export interface Picture {
  event: string;
  run: Run;
  at: string;
  areas: AreaPicture[];
  gates: GatePicture[];
  attention: Alert[];
}
/** What a measure is expected to do for an area. */
export interface Difference {
  key: string;
  name: string;
  without: Ahead[];
  with: Ahead[];
}
export interface Decision {
  event: string;
  run: string;
  id: number;
  measure: Measure;
  reason: string;
  decidedBy: string;
  at: string;
  expected: Difference[];
}
export interface Outcome {
  area: string;
  inMin: number;
  without?: number;
  with?: number;
  actual?: number;
}
export type DecisionReport = Decision & { outcome: Outcome[] };
export interface Point {
  at: string;
  persons?: number;
  sd?: number;
  colour: Colour;
}
export interface AreaReport {
  key: string;
  name: string;
  capacityPersons: number;
  peak?: { at: string; persons: number; densityM2?: number };
  minutes: Record<Colour, number>;
  points: Point[];
}
export interface ProgrammeEntry {
  name: string;
  area: string;
  from: string;
  until: string;
}
export interface HorizonQuality {
  inMin: number;
  judged: number;
  meanErrorPersons?: number;
  coverage?: number;
  brierRed?: number;
}
export interface Report {
  event: string;
  facts: EventFacts;
  run: Run;
  areas: AreaReport[];
  programme: ProgrammeEntry[];
  alerts: Alert[];
  decisions: DecisionReport[];
  quality: HorizonQuality[];
}
