/** One thing of the plan while somebody fills it in: what they started from, what it is now, and who else changed it. */
import { emptyBody, fieldsOf, keyFor, missing, pruned, read, write, type Field } from './fields';
import { cornersText, lengthM, surfaceM2 } from './geometry';
import { differences, merged, type Difference, type Side } from './merge';
import { Conflict, type Plan } from './plan.svelte';
import type { Body, MeasureKind, Part, PartKind } from './types';

type Shape = GeoJSON.Polygon | GeoJSON.LineString;
const round = (value: number, decimals: number) => Number(value.toFixed(decimals));
/** What follows from the shape, as a proposal: an area's surface, a gate's width. */
const derived = (shape: Shape) =>
  shape.type === 'Polygon'
    ? ({ field: 'surfaceM2', value: Math.round(surfaceM2(shape)) } as const)
    : ({ field: 'widthM', value: round(lengthM(shape), 1) } as const);

export class Editor {
  body = $state.raw<Body>({});
  part = $state.raw<Part | null>(null);
  conflict = $state.raw<{ current: Part | null; differing: Difference[] } | null>(null);
  busy = $state(false);
  problem = $state.raw<unknown>(null);
  #proposed: number | undefined;
  /** Whether the other removed it: it is then made again, under the same key. */
  #gone = false;

  constructor(
    readonly plan: Plan,
    readonly kind: PartKind,
    part: Part | null,
    private readonly library: () => MeasureKind[],
  ) {
    const { from, until } = plan.held.event;
    this.part = part;
    this.body = part ? part.body : emptyBody(kind, from, until);
    if (this.shape) this.#proposed = derived(this.shape).value;
  }
  get shapeField(): 'outline' | 'line' | null {
    return this.kind === 'area' ? 'outline' : this.kind === 'gate' ? 'line' : null;
  }
  get shape(): Shape | null {
    return this.shapeField ? ((this.body[this.shapeField] as Shape | undefined) ?? null) : null;
  }
  get corners(): string {
    return cornersText(this.shape);
  }
  get fields(): Field[] {
    const kind = read(this.body, 'measure.kind');
    return fieldsOf(this.kind, this.body, this.library().find((one) => one.kind === kind)?.needs ?? []);
  }
  get missing(): Field[] {
    return missing(this.fields, this.body);
  }
  set(path: string, value: unknown) {
    let next = write(this.body, path, value);
    // Another kind of measure asks other things.
    if (path === 'measure.kind') next = write(next, 'measure', { kind: value, from: read(this.body, 'measure.from') });
    this.body = pruned(this.kind, next);
  }
  /** Takes over a shape, and proposes what follows from it unless a person typed something else. */
  setShape(shape: Shape) {
    if (!this.shapeField) return;
    const { field, value } = derived(shape);
    const typed = this.body[field] !== undefined && this.body[field] !== this.#proposed;
    this.#proposed = value;
    this.body = { ...this.body, [this.shapeField]: shape, ...(typed ? {} : { [field]: value }) };
  }
  /** Whether the proposal differs from what was typed, and what it is. */
  get proposal(): number | null {
    if (!this.shape) return null;
    const { field, value } = derived(this.shape);
    return this.body[field] === value ? null : value;
  }

  /** Whether it was saved. */
  async save(): Promise<boolean> {
    const { plan, kind, part, body } = this;
    const taken = plan.of(kind).map(({ key }) => key);
    this.busy = true;
    this.problem = null;
    try {
      const key = part?.key ?? keyFor(String(body.name ?? ''), taken);
      this.part = await plan.save(kind, key, this.#gone ? null : (part?.version ?? null), body);
      this.#gone = false;
      this.conflict = null;
      return true;
    } catch (error) {
      if (error instanceof Conflict) this.#differ(error.current);
      else this.problem = error;
      return false;
    } finally {
      this.busy = false;
    }
  }
  #differ(current: Part | null) {
    const differing = current ? differences(this.part?.body ?? {}, this.body, current.body) : [];
    this.conflict = { current, differing };
  }
  /** Goes on from what the other made of it, with the fields chosen from mine; saving is the next step. */
  async settle(choices: Record<string, Side>): Promise<boolean> {
    const { conflict } = this;
    if (!conflict) return false;
    const { current, differing } = conflict;
    this.#gone = current === null;
    if (current) {
      this.body = merged(current.body, differing, choices);
      this.part = current;
    }
    return this.save();
  }
}
