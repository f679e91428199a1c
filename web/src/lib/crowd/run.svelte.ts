/**
 * A run as this screen sees it: the last picture, the minutes so far, and whether the line to the server is alive. When
 * it is not, the last picture stays, and says how old it is.
 */
import { ApiError } from '$lib/api/client';
import { getPicture, getReport, pictureAddress, streamAddress } from './api';
import { withAlert } from './attention';
import { keep, recall } from './kept';
import { extended, isBehind } from './timeline';
import type { Alert, Decision, Picture, Report, Run } from './types';

/** After so long without a word we ask: a slow run is silent too, a dead line does not answer. */
const SILENCE_MS = 15_000;
const RETRY_MS = 3_000;
/** How long missed minutes may be missing: in a fast rehearsal some are missed all the time. */
const MEND_MS = 5_000;
/** How often the picture is put away for when there is no connection. */
const KEEP_MS = 5_000;

export class RunView {
  run = $state.raw<Run>()!;
  picture = $state.raw<Picture | null>(null);
  /** The run so far, looked back on: its minutes, alerts and decisions with what came of them. */
  report = $state.raw<Report | null>(null);
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
      this.#show(await getPicture(this.event, this.run.id));
      await this.#lookBack();
    } catch (error) {
      // A run that has just started may have no picture yet: that is an answer, and the line is alive.
      const answered = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!answered) {
        this.state = 'lost';
        await this.#fromBefore();
      }
      this.#askAt = Date.now() + RETRY_MS;
    }
  }
  /** Opened without a connection: what this device saw last, with its true age. */
  async #fromBefore() {
    const kept = this.picture ? null : await recall<Picture>(pictureAddress(this.event, this.run.id));
    if (!kept || this.picture) return;
    this.picture = kept.value;
    this.run = kept.value.run;
    this.receivedAt = kept.at;
  }
  #keptAt = 0;
  #keep(picture: Picture) {
    if (this.now - this.#keptAt < KEEP_MS) return;
    this.#keptAt = this.now;
    void keep(pictureAddress(this.event, this.run.id), picture, this.receivedAt);
  }
  #looking = false;
  async #lookBack() {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.report = await getReport(this.event, this.run.id);
    } finally {
      this.#looking = false;
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
      // The server ends a stream now and then, and the browser comes back by itself: asking tells whether it is lost.
      if (!this.ended) void this.#catchUp();
      // After an answer that is not a stream it does not come back.
      if (source.readyState === EventSource.CLOSED) this.#timers.push(setTimeout(() => this.#open(), RETRY_MS));
    };
    source.addEventListener('picture', (event: MessageEvent<string>) => this.#show(JSON.parse(event.data) as Picture));
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
    this.#keep(picture);
    if (this.report) {
      if (isBehind(this.report, picture.at)) this.#mendLater();
      this.report = extended(this.report, picture);
    } else void this.#lookBack().catch(() => (this.#askAt = Date.now() + RETRY_MS));
    if (this.ended) this.#source?.close();
  }

  #mending = false;
  #mendLater() {
    if (this.#mending) return;
    this.#mending = true;
    this.#timers.push(
      setTimeout(() => {
        this.#mending = false;
        this.lookBack();
      }, MEND_MS),
    );
  }
  /** Fetches what came of decisions since: only looking back tells. */
  lookBack() {
    void this.#lookBack().catch(() => (this.#askAt = Date.now() + RETRY_MS));
  }
  /** Shows an alert as the server has just answered it. */
  changed(alert: Alert) {
    if (this.picture) this.picture = { ...this.picture, attention: withAlert(this.picture.attention, alert) };
  }
  decided(decision: Decision) {
    const { report } = this;
    if (report) this.report = { ...report, decisions: [...report.decisions, { ...decision, outcome: [] }] };
  }
}
