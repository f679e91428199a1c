/** The run that a screen of an event watches: the one that goes on, or the last one that there was. */
import type { Plan } from './plan.svelte';
import { RunView } from './run.svelte';
import type { Run } from './types';

export class Watched {
  view = $state.raw<RunView | null>(null);
  #stop = () => {};

  constructor(readonly plan: Plan) {}
  /** Follows the run that the plan names; another person may have started it. */
  follow() {
    const { run } = this.plan.held.event;
    if (run && run.id !== this.view?.run.id) this.watch(run);
    // Nothing runs: the last picture of the last run is still worth seeing.
    if (!run && !this.view) {
      const last = [...this.plan.held.runs].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt))[0];
      if (last) this.watch(last);
    }
  }
  watch(run: Run) {
    this.#stop();
    const view = new RunView(this.plan.id, run, () => void this.plan.refresh());
    this.view = view;
    this.#stop = view.start();
  }
  stop() {
    this.#stop();
  }
}
