import type { Clock, TimerHandle } from '../../core/clock.ts';

export interface ReadinessOptions {
  readonly clock: Clock;
  /** Asks the station to say something; resolves to whether it will. */
  readonly ask: () => Promise<boolean>;
  /** The station is up and may be given profiles and commands. */
  readonly onReady: () => void;
}

/** The answer to the boot goes out first. */
const AFTER_BOOT_MS = 100;
/** A station that reconnects without a boot (ocpp 1.1) and says nothing this long is asked. */
const SILENCE_MS = 5_000;

/**
 * Tells when a connected station is up: after its boot was accepted, after its first other call, or after it was asked
 * in vain. Before that, stations that still boot answer with errors.
 */
export class Readiness {
  ready = false;
  readonly #o: ReadinessOptions;
  #timer: TimerHandle | undefined;
  #booting = false;
  #boots = 0;
  #closed = false;

  constructor(o: ReadinessOptions) {
    this.#o = o;
  }

  get isBooting(): boolean {
    return this.#booting;
  }

  /** The connection has begun; call only for known stations. */
  connected(): void {
    this.#after(SILENCE_MS, () => void this.#ask());
  }

  /** A boot has begun: nothing is sent until it is accepted. */
  booting(): void {
    this.#booting = true;
    this.#boots++;
    this.ready = false;
    this.#stop();
  }

  booted(accepted: boolean): void {
    this.#booting = false;
    if (accepted) this.#after(AFTER_BOOT_MS, () => this.#done());
  }

  /** A call other than a boot has come in. */
  called(): void {
    if (!this.ready && !this.#booting) this.#done();
  }

  close(): void {
    this.#closed = true;
    this.ready = false;
    this.#stop();
  }

  async #ask(): Promise<void> {
    const boots = this.#boots;
    const willSay = await this.#o.ask().catch(() => false);
    // It has shown itself meanwhile.
    if (this.ready || this.#closed || this.#boots !== boots) return;
    // It may have no such function; then only trying shows.
    this.#after(willSay ? 2 * SILENCE_MS : SILENCE_MS, () => this.#done());
  }

  #done(): void {
    this.#stop();
    if (this.ready || this.#closed) return;
    this.ready = true;
    this.#o.onReady();
  }

  #after(ms: number, fn: () => void): void {
    this.#stop();
    if (!this.#closed) this.#timer = this.#o.clock.after(ms, fn);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
