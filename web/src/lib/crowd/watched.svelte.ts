/** The run that a screen of an event watches: the one that goes on, or the last one that there was. */
import { getRuns } from './api';
import type { Plan } from './plan.svelte';
import { RunView } from './run.svelte';
import type { Run } from './types';

export class Watched {
  view = $state.raw<RunView | null>(null);
  /** Whether we know by now what there is to watch. */
  ready = $state(false);
  problem = $state.raw<unknown>(null);
  #stop = () => {};
  #stopped = false;
  #asking = false;

  constructor(readonly plan: Plan) {}
  /** Follows the run that the plan names; another person may have started it. */
  async follow() {
    const { run } = this.plan.held.event;
    const isNew = run !== undefined && run !== this.view?.run.id;
    if (this.#asking || (!isNew && this.view) || (this.ready && !run)) return;
    this.#asking = true;
    try {
      const runs = await getRuns(this.plan.id);
      // Nothing runs: the last picture of the last run is still worth seeing.
      const found = runs.find(({ id }) => id === run) ?? newestFirst(runs)[0];
      if (found && found.id !== this.view?.run.id) this.watch(found);
      this.ready = true;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
    this.#asking = false;
  }
  watch(run: Run) {
    if (this.#stopped) return;
    this.#stop();
    const view = new RunView(this.plan.id, run);
    this.view = view;
    this.#stop = view.start();
  }
  stop() {
    this.#stopped = true;
    this.#stop();
  }
}

export const newestFirst = (runs: Run[]) => [...runs].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
