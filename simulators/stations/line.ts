import type { Clock, TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Handler, PeerOf, Version } from '../../protocols/ocpp/index.ts';
import type { Prng } from '../core/index.ts';
import type { Boot, BootReason, Emit } from './types.ts';

/** Waits between attempts to connect (ocpp 1.1). */
export interface BackOff {
  /** RetryBackOffWaitMinimum, s. */
  readonly minS: number;
  /** RetryBackOffRandomRange, s. */
  readonly randomS: number;
  /** RetryBackOffRepeatTimes. */
  readonly doublings: number;
}

export interface LineOptions<V extends Version> {
  readonly clock: Clock;
  readonly random: Prng;
  readonly emit: Emit;
  readonly backOff: BackOff;
  /** Opens the socket; rejects when that fails. */
  readonly dial: () => Promise<PeerOf<V>>;
  readonly handler: Handler<V>;
  readonly boot: (peer: PeerOf<V>, reason: BootReason) => Boot | Promise<Boot>;
  readonly heartbeat: (peer: PeerOf<V>) => Promise<unknown>;
  /** The CSMS has accepted the station; `offlineSinceMs` is set after an interruption. */
  readonly onReady: (peer: PeerOf<V>, o: { readonly booted: boolean; readonly offlineSinceMs?: number }) => void;
  readonly onDown: () => void;
}

const DAY_MS = 86_400_000;
/** When the CSMS leaves the choice of the boot interval to the station. */
const DEFAULT_INTERVAL_S = 30;

/** Keeps one station connected: connect, boot until accepted, heartbeat, reconnect with back-off. */
export class Line<V extends Version> {
  readonly #o: LineOptions<V>;
  #peer: PeerOf<V> | undefined;
  #wanted = false;
  #dialling = false;
  #failures = 0;
  #bootReason: BootReason | undefined = 'PowerUp';
  #booting = false;
  #wait: TimerHandle | undefined;
  #ready = false;
  #intervalS = DEFAULT_INTERVAL_S;
  #lastSentMs = 0;
  #lastHeartbeatMs = 0;
  #offlineSinceMs: number | undefined;

  constructor(o: LineOptions<V>) {
    this.#o = o;
  }

  /** The connection while the CSMS accepts the station. */
  get peer(): PeerOf<V> | undefined {
    return this.#ready ? this.#peer : undefined;
  }

  get connected(): boolean {
    return this.#peer !== undefined;
  }

  get busy(): boolean {
    return this.#dialling || this.#booting;
  }

  /** Since when a station that had booted is offline, epoch ms. */
  get offlineSinceMs(): number | undefined {
    return this.#offlineSinceMs;
  }

  get heartbeatS(): number {
    return this.#intervalS;
  }

  set heartbeatS(seconds: number) {
    this.#intervalS = seconds;
  }

  /** Connects after `delayMs`, and again whenever the connection is lost. */
  open(delayMs = 0): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (delayMs > 0) this.#dialAfter(delayMs);
    else void this.#dial();
  }

  /** Closes the socket and stays away until {@link open}. */
  close(reason = 'station leaves'): void {
    this.#wanted = false;
    this.#cancelWait();
    this.#peer?.close(1000, reason);
  }

  /** Starts over as after a power cycle: the next connection begins with BootNotification. */
  reboot(reason: BootReason, downMs: number): void {
    this.#bootReason = reason;
    this.close('reboot');
    this.#wait = this.#o.clock.after(downMs, () => {
      this.#wait = undefined;
      this.open();
    });
  }

  /** Sends BootNotification now, because the CSMS triggered it. */
  triggerBoot(): void {
    this.#bootReason = 'Triggered';
    this.#cancelWait();
    if (this.#peer) void this.#boot(this.#peer);
  }

  /** Something was sent, so that the heartbeat can wait. */
  sent(): void {
    this.#lastSentMs = this.#o.clock.now();
  }

  /** Sends the heartbeat after its interval of silence, and at least once a day. */
  tick(nowMs: number): void {
    const peer = this.peer;
    if (!peer || this.#intervalS <= 0) return;
    const silentMs = nowMs - this.#lastSentMs;
    if (silentMs < this.#intervalS * 1000 && nowMs - this.#lastHeartbeatMs < DAY_MS) return;
    this.sent();
    this.#lastHeartbeatMs = nowMs;
    this.#o.heartbeat(peer).catch((e: unknown) => this.#o.emit('heartbeatFailed', { code: describeError(e).code }));
  }

  async #dial(): Promise<void> {
    if (this.#dialling || this.#peer) return;
    this.#dialling = true;
    try {
      const peer = await this.#o.dial();
      if (!this.#wanted) return peer.close(1000, 'station leaves');
      this.#peer = peer;
      this.#failures = 0;
      peer.handle(this.#o.handler);
      peer.onClose((why) => this.#lost(peer, why.code));
      this.#o.emit('connected', { version: peer.version });
      if (this.#bootReason) void this.#boot(peer);
      else this.#accept(peer, false);
    } catch (e) {
      this.#o.emit('connectFailed', { code: describeError(e).code, what: describeError(e).what });
      this.#retry();
    } finally {
      this.#dialling = false;
    }
  }

  async #boot(peer: PeerOf<V>): Promise<void> {
    const reason = this.#bootReason;
    if (this.#booting || !reason) return;
    this.#booting = true;
    let boot: Boot = { status: 'Rejected', intervalS: DEFAULT_INTERVAL_S };
    try {
      boot = await this.#o.boot(peer, reason);
      this.#o.emit('boot', { status: boot.status, intervalS: boot.intervalS });
    } catch (e) {
      this.#o.emit('bootFailed', { code: describeError(e).code });
    } finally {
      this.#booting = false;
    }
    if (this.#peer !== peer) return;
    const intervalS = boot.intervalS > 0 ? boot.intervalS : DEFAULT_INTERVAL_S;
    if (boot.status === 'Accepted') {
      this.#intervalS = intervalS;
      this.#bootReason = undefined;
      return this.#accept(peer, true);
    }
    this.#notReady();
    this.#wait = this.#o.clock.after(intervalS * 1000, () => {
      this.#wait = undefined;
      void this.#boot(peer);
    });
  }

  #accept(peer: PeerOf<V>, booted: boolean): void {
    const offlineSinceMs = this.#offlineSinceMs;
    this.#ready = true;
    this.#offlineSinceMs = undefined;
    this.sent();
    this.#lastHeartbeatMs = this.#lastSentMs;
    this.#o.onReady(peer, { booted, ...(offlineSinceMs === undefined ? {} : { offlineSinceMs }) });
  }

  #lost(peer: PeerOf<V>, code: number): void {
    if (this.#peer !== peer) return;
    this.#peer = undefined;
    this.#o.emit('disconnected', { code });
    this.#notReady();
    if (this.#wanted) this.#retry();
  }

  #notReady(): void {
    if (!this.#ready) return;
    this.#ready = false;
    this.#offlineSinceMs = this.#o.clock.now();
    this.#o.onDown();
  }

  #retry(): void {
    if (!this.#wanted) return;
    const { minS, randomS, doublings } = this.#o.backOff;
    const waitS = minS * 2 ** Math.min(this.#failures, doublings) + this.#o.random.next() * randomS;
    this.#failures++;
    this.#dialAfter(waitS * 1000);
  }

  #dialAfter(delayMs: number): void {
    this.#cancelWait();
    this.#wait = this.#o.clock.after(delayMs, () => {
      this.#wait = undefined;
      void this.#dial();
    });
  }

  #cancelWait(): void {
    this.#wait?.cancel();
    this.#wait = undefined;
  }
}
