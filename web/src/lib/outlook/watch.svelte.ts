/** Keeps an eye on the sets while somebody looks: how far a training is, and whether there is a new forecast. */
import { getSets } from './api';
import type { ForecastSet } from './types';

const ASK_MS = 30_000;
/** While a model is in the making one wants to see it move. */
const ASK_BUSY_MS = 4_000;

/** What makes a page fetch its numbers anew. */
const mark = ({ saidAt, model, state }: ForecastSet) => `${saidAt} ${model?.id} ${state}`;
export const isRenewed = (before: ForecastSet, after: ForecastSet) => mark(before) !== mark(after);

export class SetWatch {
  /** The set as it was last heard of. */
  latest = $state.raw<ForecastSet | null>(null);
  /** Asking failed the last time: what is shown may be old. */
  lost = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `renewed` hears when there is a new forecast. `beside` is what a page asks each time as well; when it fails, what is
   * shown may be old too.
   */
  start(set: ForecastSet, renewed: () => void, beside?: (set: string) => Promise<void>): () => void {
    this.latest = set;
    let stopped = false;
    const ask = async () => {
      if (document.visibilityState === 'visible') {
        try {
          const [sets] = await Promise.all([getSets(), beside?.(set.id)]);
          const found = sets.find(({ id }) => id === set.id);
          if (stopped) return;
          this.lost = false;
          if (found && this.latest) {
            const isNew = isRenewed(this.latest, found);
            this.latest = found;
            if (isNew) renewed();
          }
        } catch {
          this.lost = true;
        }
      }
      if (!stopped) this.#timer = setTimeout(() => void ask(), this.latest?.progress ? ASK_BUSY_MS : ASK_MS);
    };
    this.#timer = setTimeout(() => void ask(), set.progress ? ASK_BUSY_MS : ASK_MS);
    return () => {
      stopped = true;
      clearTimeout(this.#timer);
    };
  }
}
