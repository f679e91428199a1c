/** The stream of server-sent events: one connection for the whole app, opened again when it is lost. */
import type { Change, Clock } from '$lib/api/types';

const SILENCE_MS = 20_000;
const RETRY_MS = 3_000;

type Listener = { clock?: (clock: Clock) => void; change?: (change: Change) => void; tiles?: (layer: string) => void };

class Live {
  state = $state<'connecting' | 'on' | 'lost'>('connecting');
  /** When something last arrived (ms on this device), to say how old the picture is. */
  heardAt = $state(Date.now());
  /** How often the connection came back: pages load afresh what they may have missed. */
  returns = $state(0);
  #source: EventSource | null = null;
  #listeners = new Set<Listener>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    this.#open();
    const watch = setInterval(() => this.#watch(), 2_000);
    return () => {
      clearInterval(watch);
      clearTimeout(this.#timer);
      this.#source?.close();
    };
  }
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #open() {
    const source = new EventSource('/api/v1/events');
    this.#source = source;
    source.onopen = () => {
      if (this.state === 'lost') this.returns += 1;
      this.#heard();
    };
    source.onerror = () => this.#lost();
    source.addEventListener('clock', (event) => this.#tell(event, (clock: Clock, to) => to.clock?.(clock)));
    source.addEventListener('change', (event) => this.#tell(event, (change: Change, to) => to.change?.(change)));
    source.addEventListener('tiles', (event) =>
      this.#tell(event, ({ layer }: { layer: string }, to) => to.tiles?.(layer)),
    );
  }
  #tell<T>(event: MessageEvent<string>, tell: (message: T, listener: Listener) => void) {
    this.#heard();
    const message = JSON.parse(event.data) as T;
    for (const listener of this.#listeners) tell(message, listener);
  }
  #heard() {
    this.state = 'on';
    this.heardAt = Date.now();
  }
  #lost() {
    this.state = 'lost';
    // The browser tries again by itself, except after an answer that is not a stream.
    if (this.#source?.readyState === EventSource.CLOSED) this.#again();
  }
  /** A replay speaks every second: silence means that the line is dead even when the browser has not noticed. */
  #watch() {
    if (this.state === 'on' && this.#speaksOften && Date.now() - this.heardAt > SILENCE_MS) {
      this.state = 'lost';
      this.#source?.close();
      this.#again();
    }
  }
  /** Set by the page from the city's clock. */
  #speaksOften = false;
  expectClock(running: boolean) {
    this.#speaksOften = running;
  }
  #again() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), RETRY_MS);
  }
}

export const live = new Live();
