/** The messages of a run, asked for again while somebody looks at them. All who look at one run share one question. */
import { getDeliveries, type Delivery } from './post';

const ASK_AGAIN_MS = 5_000;

class Watched {
  all = $state.raw<Delivery[]>([]);
  #looking = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly event: string,
    readonly run: string,
  ) {}

  look(): () => void {
    if (this.#looking === 0) {
      void this.ask();
      this.#timer = setInterval(() => {
        if (document.visibilityState === 'visible') void this.ask();
      }, ASK_AGAIN_MS);
    }
    this.#looking += 1;
    return () => {
      this.#looking -= 1;
      if (this.#looking === 0) clearInterval(this.#timer);
    };
  }
  async ask() {
    try {
      this.all = await getDeliveries(this.event, this.run);
    } catch {
      // The control room says itself that the server is away; the last answer stays.
    }
  }
}

const watched: Record<string, Watched> = {};

export function deliveriesOf(event: string, run: string): Watched {
  return (watched[`${event}/${run}`] ??= new Watched(event, run));
}
