/** The shapes of the map API, as the server sends them. */
import type { components } from './schema';

type Schemas = components['schemas'];
export type User = Schemas['User'];
export type NewAccount = Schemas['NewAccount'];
export type NewPassword = Schemas['NewPassword'];
export type Token = Schemas['Token'];
export type NewToken = Schemas['NewToken'];
export type AuditPage = Schemas['AuditPage'];
export type AuditRecord = Schemas['AuditRecord'];
export type Lang = 'nl' | 'en';
export type Text = Record<Lang, string>;
export type Origin = 'measured' | 'modelled' | 'forecast' | 'simulated' | 'registered';
export type Value = number | string | boolean | null;
export type Bounds = [number, number, number, number];

export interface Clock {
  now: string;
  mode: 'live' | 'replay';
  speed: number;
  from: string;
  to: string;
  running: boolean;
}
export interface Notice {
  id: string;
  kind: 'replay' | 'data';
  text: Text;
}
export interface City {
  id: string;
  name: string;
  country: string;
  timeZone: string;
  center: [number, number];
  zoom: number;
  pitch: number;
  bounds: Bounds;
  title: Text;
  notices: Notice[];
  basemap: { tileJson: string; attribution: string } | null;
  theme?: string | null;
  open: boolean;
  clock: Clock;
}
export interface Source {
  name: string;
  publisher: string;
  licence: string;
  licenceVerified: boolean;
  attribution: string;
  url?: string | null;
  note?: Text | null;
}
export interface LayerAttribute {
  name: string;
  label: Text;
  unit?: string | null;
  unitCode?: string | null;
  kind: 'number' | 'text' | 'time';
  history: boolean;
  indicator: boolean;
  /** What values are called on the screen. */
  words?: { value: string; label: Text }[];
}
export type Stop = [number, string];
export interface Category {
  value: string;
  color: string;
  label: Text;
}
export interface LayerStyle {
  by?: string | null;
  kind: 'sequential' | 'diverging' | 'categorical' | 'single' | 'direction';
  stops: Stop[];
  categories: Category[];
  color: string;
  colorNoData: string;
  radius: number;
  icon?: string | null;
  height?: string | null;
  label?: string | null;
}
export interface Layer {
  id: string;
  group: string;
  title: Text;
  description: Text;
  entityType: string;
  kind: 'point' | 'line' | 'polygon' | 'building';
  delivery: 'tiles' | 'features';
  tiles?: string | null;
  tileJson?: string | null;
  features?: string | null;
  sourceLayer: string;
  minZoom: number;
  maxZoom: number;
  visible: boolean;
  live: boolean;
  count: number;
  bounds?: Bounds | null;
  style: LayerStyle;
  attributes: LayerAttribute[];
  source: Source;
  origin: Origin;
  /** What the data do not say. */
  limits?: Text[];
}
export interface Group {
  id: string;
  title: Text;
}
export interface Catalogue {
  groups: Group[];
  layers: Layer[];
}
export interface Indicator {
  layer: string;
  attribute: string;
  label: Text;
  unit?: string | null;
  min: number | null;
  max: number | null;
  stops: Stop[];
  /** How it was made. */
  how?: Text | null;
}
export interface Features extends GeoJSON.FeatureCollection<GeoJSON.Geometry, Record<string, Value | string[]>> {
  at: string;
  noData: number;
  /** There was more than the server gives at once. */
  truncated?: boolean;
}
export interface Table {
  total: number;
  columns: { name: string; label: Text; unit?: string | null }[];
  rows: { id: string; title: string; values: Value[] }[];
}
export interface Quality {
  origin: Origin;
  flags: string[];
}
export interface ThingAttribute {
  name: string;
  label: Text;
  value: Value;
  /** The value in words, when there are words for it. */
  words?: Text | null;
  unit?: string | null;
  observedAt?: string | null;
  ageS?: number | null;
  /** Older than values of this layer may be. */
  stale?: boolean;
  quality: Quality;
  source?: string | null;
  history: boolean;
}
export interface Relation {
  name: string;
  label: Text;
  id: string;
  title: string;
}
export interface Thing {
  id: string;
  type: string;
  title: string;
  layer?: string | null;
  location: GeoJSON.Geometry | null;
  observedAt?: string | null;
  attributes: ThingAttribute[];
  source: Source | null;
  sentence?: Text | null;
  limits?: Text[] | null;
  relations: Relation[];
}
export interface Series {
  unit?: string | null;
  origin: Origin;
  points: [number, number | null][];
  gaps: [number, number][];
  min: number | null;
  max: number | null;
  mean: number | null;
  downsampled: boolean;
  count: number;
}
export interface Timeline {
  from: string;
  to: string;
  slots: { from: string; to: string; readings: number }[];
  gaps: [string, string][];
}
export interface SearchResult {
  id?: string | null;
  kind: 'place' | 'entity';
  title: string;
  subtitle: string;
  layer?: string | null;
  location: [number, number];
  bounds?: Bounds | null;
}
export interface Change {
  layer?: string | null;
  type: string;
  id: string;
  kind: 'created' | 'updated' | 'deleted';
  observedAt?: string | null;
  values: Record<string, Value>;
  /** Where it is now, when it moved. */
  location?: GeoJSON.Geometry | null;
}
export interface SourceState {
  name: string;
  kind: string;
  title: Text | string;
  state: 'running' | 'waiting' | 'finished' | 'failed';
  taken: number;
  refused: number;
  lost: number;
  lastObservedAt?: string | null;
  lastMessage?: string | null;
  problems: { line?: number | null; thing: string; detail: string; remedy?: string | null }[];
}
export interface Session {
  signedIn: boolean;
  name?: string | null;
  roles: string[];
  tenants: string[];
  csrf: string;
  oidc: { enabled: boolean; name?: string | null };
  open: boolean;
}
