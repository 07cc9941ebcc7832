import { parseTime } from '../../core/clock.ts';
import type { Meter, MeterReading } from '../../model/index.ts';
import type { MeterFault, MeterState, MeterValue } from './types.ts';

/** A meter that says nothing for so many intervals is lost (fo 6.4). */
const LOST_INTERVALS = 3;
const DEFAULT_INTERVAL_MS = 10_000;
/** On the way to us a value may lose this on top, ms. */
const TRANSPORT_MS = 2_000;
/** A register that goes back by more was reset or replaced, Wh. */
const REGISTER_SLACK_WH = 1;

/** One meter: what it said last, and whether that can be believed. */
export class Gauge {
  readonly meter: Meter;
  /** Beyond this nothing can be, W; Infinity where nothing is known about its subject. */
  readonly mostW: number;
  value: MeterValue | undefined;
  /** What is wrong with the newest that was heard; absent: nothing. */
  fault: MeterFault | undefined;
  readonly #startedAt: number;
  #heardAt: number | undefined;
  #intervalMs = DEFAULT_INTERVAL_MS;
  #registers: { readonly importWh?: number | undefined; readonly exportWh?: number | undefined } = {};

  constructor(o: { readonly meter: Meter; readonly mostW: number; readonly now: number }) {
    this.meter = o.meter;
    this.mostW = o.mostW;
    this.#startedAt = o.now;
  }

  /** ms; as declared, or learned where the site file says 0. */
  get intervalMs(): number {
    return this.meter.intervalS > 0 ? this.meter.intervalS * 1000 : this.#intervalMs;
  }

  /** Takes a reading. Answers the value when it can be used. */
  take(body: MeterReading, now: number): MeterValue | undefined {
    const last = this.value;
    const at = Math.min(parseTime(body.at), now);
    const lastAt = last && last.at <= now ? last.at : undefined;
    if (lastAt !== undefined && at <= lastAt) return undefined;
    this.fault = this.#faultOf(body, at, now);
    this.#registers = { importWh: body.importWh, exportWh: body.exportWh };
    if (this.fault !== undefined || body.powerW === undefined) return undefined;
    if (lastAt !== undefined) this.#learn(at - lastAt);
    this.#heardAt = now;
    this.value = { at, powerW: body.powerW, quality: body.quality };
    return this.value;
  }

  state(now: number): MeterState {
    const silence = now - (this.#heardAt ?? this.#startedAt);
    // Heard in the future: our clock was set back.
    const late = silence > LOST_INTERVALS * this.intervalMs;
    if (late || this.fault === 'frozen') return 'lost';
    if (this.#heardAt === undefined) return 'waiting';
    return this.fault === undefined ? 'good' : 'substituted';
  }

  /** Why it is lost. */
  cause(): MeterFault {
    return this.fault ?? 'silent';
  }

  #faultOf(body: MeterReading, at: number, now: number): MeterFault | undefined {
    if (body.quality === 'missing') return 'missing';
    if (now - at > LOST_INTERVALS * this.intervalMs + TRANSPORT_MS) return 'stale';
    if (body.powerW !== undefined && Math.abs(body.powerW) > this.mostW) return 'implausible';
    const { importWh, exportWh } = this.#registers;
    return goesBack(importWh, body.importWh) || goesBack(exportWh, body.exportWh) ? 'register' : undefined;
  }

  #learn(distanceMs: number): void {
    const smooth = this.#intervalMs + (distanceMs - this.#intervalMs) / 4;
    this.#intervalMs = Math.min(Math.max(smooth, 1_000), 900_000);
  }
}

const goesBack = (before: number | undefined, after: number | undefined): boolean =>
  before !== undefined && after !== undefined && after < before - REGISTER_SLACK_WH;
