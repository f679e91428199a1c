/**
 * A run as this screen sees it: the last picture, the minutes so far, and whether the line to the server is alive. When
 * it is not, the last picture stays, and says how old it is.
 */
import { ApiError } from '$lib/api/client';
import { getDecisions, getPicture, getTimeline, streamAddress } from './api';
import { known } from './colours';
import { withAlert } from './attention';
import type { Alert, Decision, Picture, Run, Timeline } from './types';

/** After so long without a word we ask: a slow run is silent too, a dead line does not answer. */
const SILENCE_MS = 15_000;
const RETRY_MS = 3_000;

export class RunView {
  run = $state.raw<Run>()!;
  picture = $state.raw<Picture | null>(null);
  timeline = $state.raw<Timeline | null>(null);
  decisions = $state.raw<Decision[]>([]);
  state = $state<'connecting' | 'on' | 'lost'>('connecting');
  /** When the picture came in, by this device (ms). */
  receivedAt = $state(0);
  /** Ticks each second, so that ages on the screen grow. */
  now = $state(Date.now());
  #source: EventSource | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #stopped = false;

  constructor(
    readonly event: string,
    run: Run,
    private readonly planChanged: () => void = () => {},
  ) {
    this.run = run;
  }
  get ended() {
    return this.run.state === 'ended';
  }
  /** How old the picture is, s; null before the first. */
  get ageS() {
    return this.picture ? Math.max(0, (this.now - this.receivedAt) / 1000) : null;
  }

  start(): () => void {
    const watch = setInterval(() => this.#tick(), 1_000);
    void this.#catchUp();
    this.#open();
    return () => {
      this.#stopped = true;
      clearInterval(watch);
      this.#timers.forEach(clearTimeout);
      this.#source?.close();
    };
  }
  #askAt = Infinity;
  #tick() {
    this.now = Date.now();
    if (!this.ended && this.now >= this.#askAt) void this.#catchUp();
  }
  /** Fetches what may have been missed; its failure is how we know that the line is dead. */
  async #catchUp() {
    this.#askAt = Infinity;
    try {
      const [picture, timeline, decisions] = await Promise.all([
        getPicture(this.event, this.run.id),
        getTimeline(this.event, this.run.id),
        getDecisions(this.event, this.run.id),
      ]);
      this.timeline = timeline;
      this.decisions = decisions;
      this.#show(picture);
    } catch (error) {
      // A run that has just started may have no picture yet: that is an answer, and the line is alive.
      const answered = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!answered) this.state = 'lost';
      this.#askAt = Date.now() + RETRY_MS;
    }
  }

  #open() {
    if (this.#stopped || this.ended) return;
    const source = new EventSource(streamAddress(this.event, this.run.id));
    this.#source = source;
    source.onopen = () => {
      if (this.state === 'lost') void this.#catchUp();
      this.#heard();
    };
    source.onerror = () => {
      if (this.ended) return source.close();
      this.state = 'lost';
      // The browser tries again by itself, except after an answer that is not a stream.
      if (source.readyState === EventSource.CLOSED) this.#timers.push(setTimeout(() => this.#open(), RETRY_MS));
    };
    source.addEventListener('picture', (event: MessageEvent<string>) => this.#show(JSON.parse(event.data) as Picture));
    source.addEventListener('plan', () => {
      this.#heard();
      this.planChanged();
    });
    source.addEventListener('ended', () => {
      source.close();
      this.run = { ...this.run, state: 'ended' };
      void this.#catchUp();
    });
  }
  #heard() {
    this.state = 'on';
    this.#askAt = Date.now() + SILENCE_MS;
  }
  #show(picture: Picture) {
    this.#heard();
    // Two ways lead here, and a picture that was asked for may be older than the one that was sent.
    if (this.picture && Date.parse(picture.at) < Date.parse(this.picture.at)) return;
    // Asking again for the same picture does not make it newer; while the clock stands still, it does not age.
    const isNewer = picture.at !== this.picture?.at || picture.run.state === 'paused';
    this.picture = picture;
    this.run = this.ended ? { ...picture.run, state: 'ended' } : picture.run;
    this.now = Date.now();
    if (isNewer) this.receivedAt = this.now;
    this.timeline = this.timeline && extended(this.timeline, picture);
  }

  /** Shows an alert as the server has just answered it. */
  changed(alert: Alert) {
    if (this.picture) this.picture = { ...this.picture, attention: withAlert(this.picture.attention, alert) };
  }
  decided(decision: Decision) {
    this.decisions = [...this.decisions, decision];
    void this.#catchUp();
  }
}

/** The minutes so far with the newest picture at their end. */
export function extended(timeline: Timeline, picture: Picture): Timeline {
  const areas = timeline.areas.map((line) => {
    const area = picture.areas.find(({ key }) => key === line.key);
    const last = line.points.at(-1);
    if (!area || (last && Date.parse(last.at) + timeline.stepS * 1000 > Date.parse(picture.at))) return line;
    const { occupancy, colour } = area;
    const value = occupancy?.value ?? null;
    const spread = occupancy ? 1.28 * occupancy.sd : 0;
    const low = value === null ? null : Math.max(0, value - spread);
    const high = value === null ? null : value + spread;
    return { ...line, points: [...line.points, { at: picture.at, value, low, high, colour: known(colour) }] };
  });
  return { ...timeline, areas };
}
