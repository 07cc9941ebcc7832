import { iso } from '../../core/clock.ts';
import type { MeterReading } from '../../model/index.ts';
import { energyOf, type Prng } from '../core/index.ts';

/**
 * How a meter of the site fails. `lost`: says nothing. `frozen`: repeats its last values with fresh times. `noisy`: ±
 * `noiseW` beside the truth. `clockShifted`: its times are off by `shiftS`.
 */
export const METER_FAULTS = ['right', 'lost', 'frozen', 'noisy', 'clockShifted'] as const;
export type MeterFault = (typeof METER_FAULTS)[number];

export interface Disturbance {
  readonly fault: MeterFault;
  readonly noiseW: number;
  readonly shiftS: number;
}

export const UNDISTURBED: Disturbance = { fault: 'right', noiseW: 2000, shiftS: -120 };

/** One meter: measures, counts, and tells what its disturbance lets through. */
export class SiteMeter {
  readonly meterId: string;
  readonly #intervalMs: number;
  readonly #random: Prng;
  #atMs: number;
  #dueMs: number;
  #powerW = 0;
  #importWh = 0;
  #exportWh = 0;
  #frozen: Omit<MeterReading, 'at'> | undefined;
  #disturbance = UNDISTURBED;

  constructor(meterId: string, intervalMs: number, random: Prng, nowMs: number) {
    this.meterId = meterId;
    this.#intervalMs = intervalMs;
    this.#random = random;
    this.#atMs = nowMs;
    this.#dueMs = nowMs;
  }

  get disturbance(): Disturbance {
    return this.#disturbance;
  }

  disturb(d: Disturbance): void {
    this.#disturbance = d;
    this.#frozen = d.fault === 'frozen' ? this.#values(this.#powerW) : undefined;
  }

  /** Takes the true power at `nowMs`; between two calls it moved on a straight line. */
  measure(powerW: number, nowMs: number): void {
    const hours = Math.max(0, nowMs - this.#atMs) / 3_600_000;
    const { importWh, exportWh } = energyOf(this.#powerW, powerW, hours);
    this.#importWh += importWh;
    this.#exportWh += exportWh;
    this.#powerW = powerW;
    this.#atMs = nowMs;
  }

  /** The reading that is due, if one is and the meter speaks. */
  reading(nowMs: number): MeterReading | undefined {
    if (nowMs < this.#dueMs) return undefined;
    this.#dueMs += this.#intervalMs * Math.max(1, Math.ceil((nowMs - this.#dueMs + 1) / this.#intervalMs));
    const { fault, noiseW, shiftS } = this.#disturbance;
    if (fault === 'lost') return undefined;
    const at = iso(fault === 'clockShifted' ? nowMs + shiftS * 1000 : nowMs);
    if (this.#frozen) return { ...this.#frozen, at };
    const beside = fault === 'noisy' ? this.#random.between(-noiseW, noiseW) : 0;
    return { ...this.#values(this.#powerW + beside), at };
  }

  #values(powerW: number): Omit<MeterReading, 'at'> {
    return {
      meterId: this.meterId,
      powerW: Math.round(powerW),
      importWh: rounded(this.#importWh),
      exportWh: rounded(this.#exportWh),
      quality: 'good',
    };
  }
}

const rounded = (x: number): number => Math.round(x * 100) / 100;
