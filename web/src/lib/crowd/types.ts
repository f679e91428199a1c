/**
 * Short names for the shapes of the crowd API. All of them come from the server's own description (`npm run gen`); what is
 * said here besides is what that description cannot say: which geometry a drawing is, and which text is a colour.
 */
import type { components } from '$lib/api/schema';

type Schemas = components['schemas'];
export type Colour = 'green' | 'amber' | 'red' | 'unknown';
export type PartKind = Schemas['CrowdPart']['kind'];
/** In the order in which one makes a plan. */
export const partKinds = [
  'area',
  'gate',
  'link',
  'programme',
  'measure',
  'threat',
  'barrier',
  'consequence',
] as const satisfies readonly PartKind[];

export type CrowdEvent = Schemas['CrowdEvent'];
export type EventFacts = Schemas['CrowdEventFacts'];
export type Area = Omit<Schemas['CrowdArea'], 'outline'> & { outline: GeoJSON.Polygon };
export type Gate = Omit<Schemas['CrowdGate'], 'line'> & { line: GeoJSON.LineString };
export type Link = Schemas['CrowdLink'];
export type Programme = Schemas['CrowdProgramme'];
export type Threat = Schemas['CrowdThreat'];
export type Barrier = Schemas['CrowdBarrier'];
export type Consequence = Schemas['CrowdConsequence'];
export type Level = Schemas['CrowdLevel'];
export type Measure = Schemas['CrowdMeasure'];
export type MeasureKind = Schemas['CrowdMeasureCard'];
export interface Bodies {
  area: Area;
  gate: Gate;
  link: Link;
  programme: Programme;
  threat: Threat;
  barrier: Barrier;
  consequence: Consequence;
  measure: Schemas['CrowdPreparedMeasure'];
}
/** What a person says of one thing of the plan. */
export type Body = Record<string, unknown>;
export type Part<B = Body> = Omit<Schemas['CrowdPart'], 'kind' | 'body'> & { kind: PartKind; body: B };
export type PlanProblem = Schemas['CrowdPlanProblem'];
export type EventPlan = Omit<Schemas['CrowdPlan'], 'parts'> & { parts: Part[] };

export type Run = Schemas['CrowdRun'];
export type NewRun = Schemas['CrowdStart'];
export type Ahead = Schemas['CrowdAhead'];
export type AreaPicture = Schemas['CrowdAreaPicture'];
export type Thresholds = Schemas['CrowdThresholds'];
export type GatePicture = Schemas['CrowdGatePicture'];
export type Alert = Schemas['CrowdAlert'];
export type Picture = Schemas['CrowdPicture'];
export type Difference = Schemas['CrowdDifference'];
export type Decision = Schemas['CrowdDecision'];
export type DecisionReport = Schemas['CrowdDecisionReport'];
export type Point = Schemas['CrowdPoint'];
export type AreaReport = Schemas['CrowdAreaReport'];
export type ProgrammeEntry = Schemas['CrowdProgrammeEntry'];
export type HorizonQuality = Schemas['CrowdHorizonQuality'];
export type Report = Schemas['CrowdReport'];
