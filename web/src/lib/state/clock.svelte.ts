/**
 * The moment on the screen. Following: the clock of the city (in a replay that is the archive's moment, running at the
 * replay's speed). Own: a moment that the reader chose, standing still or playing forward until it catches up.
 */
import type { Clock } from '$lib/api/types';

const TICK_MS = 250;
export const SPEEDS = [1, 10, 60, 300, 900];

export class CityClock {
  #base = $state<Clock>({ now: '', mode: 'live', speed: 1, from: '', to: '', running: false });
  #received = 0;
  /** The city's own time, ms; kept running between the server's messages. */
  city = $state(0);
  /** The reader's own moment, ms; null while following. */
  own = $state<number | null>(null);
  playing = $state(false);
  speed = $state(300);
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Takes over the server's clock. */
  set(clock: Clock) {
    this.#base = clock;
    this.#received = performance.now();
    this.#advance();
  }
  start(clock: Clock) {
    this.set(clock);
    let last = performance.now();
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      this.#advance();
      if (this.own !== null && this.playing) this.choose(this.own + (now - last) * this.speed, true);
      last = now;
    }, TICK_MS);
    return () => {
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
  #advance() {
    const { now, running, speed, to, mode } = this.#base;
    const passed = running ? (performance.now() - this.#received) * (mode === 'live' ? 1 : speed) : 0;
    const time = Date.parse(now) + passed;
    this.city = mode === 'replay' && to ? Math.min(time, Date.parse(to)) : time;
  }

  get mode() {
    return this.#base.mode;
  }
  get citySpeed() {
    return this.#base.speed;
  }
  get running() {
    return this.#base.running;
  }
  get from() {
    return Date.parse(this.#base.from);
  }
  get to() {
    return Math.max(Date.parse(this.#base.to), this.city);
  }
  get following() {
    return this.own === null;
  }
  get shown() {
    return this.own ?? this.city;
  }
  /** The `at` of requests, to the minute; null while following. */
  get at(): string | null {
    return this.own === null ? null : new Date(Math.floor(this.own / 60_000) * 60_000).toISOString();
  }

  /** Goes to a moment of the past; playing into the present means following again. */
  choose(moment: number, playing = false) {
    if (moment >= this.city) return this.follow();
    this.own = Math.max(moment, this.from);
    this.playing = playing;
  }
  follow() {
    this.own = null;
    this.playing = false;
  }
  pause() {
    if (this.own === null) this.own = this.city;
    this.playing = false;
  }
}

export const clock = new CityClock();
