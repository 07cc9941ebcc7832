import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, parseTime } from '../../core/clock.ts';
import type { MeterReading } from '../../model/index.ts';
import type { Ledger } from '../site/ledger.ts';
import { Delivery, type DeliveryPlan } from './delivery.ts';
import { type EnergyOps, energyOps, type KeptEnergy, readKept } from './energy-store.ts';
import { type MeterBounds, MeterTrack, type Sample, type Segment, worseOf } from './meter-track.ts';
import { Minutes } from './minutes.ts';
import type { ReadingLog } from './readings.ts';
import type { AppliedPoint, MeanPower } from './types.ts';

/** Meters of the site have a name of their own, so that none is taken for a resource. */
export const siteMeter = (meterId: string): string => `@${meterId}`;

/** 26 h, so that a day's window with a baseline before it fits. */
const MINUTES_KEPT = 1_560;
/** Beyond as many meters each keeps 4 h. */
const MANY_METERS = 2_000;
const FEW_MINUTES = 240;
const MAX_METERS = 20_000;
const MAX_DELIVERIES = 2_000;
/** An EVSE without a vehicle counts 0 at least as often. */
const QUIET_MS = 10_000;
/** What is known is written as often, and half as often per thousand meters more. */
const WRITE_MS = 10_000;
/** What a meter may have been silent about before it was seen first. */
const LONG_AGO_MS = MINUTES_KEPT * 60_000;
/** A mean counts when as much of its span was measured. */
const LEAST_KNOWN = 0.98;
const HOUR_MS = 3_600_000;

export interface EnergyOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** What a meter could count at most. */
  readonly bounds: (meter: string) => MeterBounds;
  readonly quiet: (resourceId: string) => 'good' | 'estimated' | undefined;
}

interface Metered {
  readonly track: MeterTrack;
  /** Made when there is something to count. */
  minutes: Minutes | undefined;
}

interface Followed {
  readonly delivery: Delivery;
  /** While a member serves, epoch ms. */
  readonly span: (member: string) => { readonly fromMs: number; readonly toMs: number } | undefined;
}

/**
 * Energy of every meter of a site: minute by minute for means, and in the intervals of each service that runs. It
 * survives a restart: what was known is written every few seconds, what came after is found in the stored readings.
 */
export class EnergyBook {
  readonly #o: EnergyOptions;
  readonly #meters = new BoundedMap<string, Metered>({ name: 'evidence.meters', max: MAX_METERS, overflow: 'refuse' });
  readonly #followed = new BoundedMap<string, Followed>({
    name: 'evidence.deliveries',
    max: MAX_DELIVERIES,
    overflow: 'refuse',
  });
  /** Something has changed since it was written. */
  #moved = false;
  #minutesMoved = new Set<number>(); // bounded by: the minutes kept
  #kept: KeptEnergy | undefined;
  #writtenAt: number;
  #quietAt = 0;
  /** Meters that have minutes. */
  #rings = 0;

  constructor(o: EnergyOptions) {
    this.#o = o;
    this.#writtenAt = o.clock.now();
  }

  measured(reading: MeterReading): void {
    const meter = reading.resourceId ?? siteMeter(reading.meterId ?? '');
    const sample = sampleOf(reading, this.#o.clock.now());
    if (!sample) return;
    const known = this.#meter(meter);
    if (!known) return;
    const { track } = known;
    if (track.lastMs === undefined) this.#spread(meter, known, [unknownBefore(sample.atMs)]);
    const isNews = sample.atMs > (track.lastMs ?? 0);
    this.#spread(meter, known, track.take(sample, this.#o.bounds(meter)));
    if (isNews && sample.powerW !== undefined && this.#followed.size > 0)
      this.#power(meter, sample.atMs, sample.powerW);
  }

  /** Measures for a service from now on; what was known of it before a restart is taken up. */
  follow(key: string, plan: DeliveryPlan, span: Followed['span']): Delivery {
    const known = this.#followed.get(key)?.delivery.state ?? this.#kept?.deliveries.get(key);
    const isGoingOn = known?.grid.startMs === plan.startMs;
    const delivery = new Delivery(isGoingOn ? { ...plan, stepMs: known.grid.stepMs } : plan, known);
    this.#followed.set(key, { delivery, span });
    this.quiet(this.#o.clock.now());
    return delivery;
  }

  delivery(key: string): Delivery | undefined {
    return this.#followed.get(key)?.delivery;
  }

  unfollow(key: string): void {
    this.#followed.delete(key);
  }

  applied(key: string, point: AppliedPoint): void {
    this.#followed.get(key)?.delivery.applied(point);
    this.#moved = true;
  }

  /** The newest value of a meter, epoch ms. */
  lastMs(meter: string): number | undefined {
    return this.#meters.get(meter)?.track.lastMs;
  }

  /** True while power of the meter waits for its registers. */
  isWaiting(meter: string): boolean {
    return (this.#meters.get(meter)?.track.pending.length ?? 0) > 0;
  }

  /** What waits for registers counts as power says. */
  settle(meters: readonly string[]): void {
    for (const meter of meters) {
      const known = this.#meters.get(meter);
      if (known) this.#spread(meter, known, known.track.settle());
    }
  }

  /** Mean power of a sum of meters over `[fromMs, toMs)`; `missing` when one of them said too little. */
  mean(meters: readonly string[], fromMs: number, toMs: number): MeanPower {
    const span = toMs - fromMs;
    if (meters.length === 0 || !(span > 0)) return { quality: 'missing' };
    let [netWh, quality]: [number, MeanPower['quality']] = [0, 'good'];
    for (const meter of meters) {
      const sum = this.#over(meter, fromMs, toMs);
      if (sum.knownMs < LEAST_KNOWN * span) return { quality: 'missing' };
      netWh += sum.netWh;
      quality = worseOf(quality, sum.quality);
    }
    return { powerW: (netWh * HOUR_MS) / span, quality };
  }

  /** EVSEs without a vehicle count 0; what is known is written now and then. */
  tick(): void {
    const now = this.#o.clock.now();
    if (Math.abs(now - this.#quietAt) >= QUIET_MS) this.quiet(now);
    const period = WRITE_MS * Math.max(1, Math.ceil(this.#meters.size / 1_000) / 2);
    if (Math.abs(now - this.#writtenAt) >= period) this.write();
  }

  quiet(now: number): void {
    this.#quietAt = now;
    for (const { delivery } of this.#followed.values()) {
      for (const m of delivery.plan.members) if (this.#o.quiet(m)) this.#meter(m);
    }
    for (const [meter, known] of this.#meters) {
      const { track } = known;
      const quality = meter.startsWith('@') ? undefined : this.#o.quiet(meter);
      if (quality === undefined) continue;
      if (track.lastMs === undefined) this.#spread(meter, known, [unknownBefore(now)]);
      this.#spread(meter, known, track.quiet(now, quality, this.#o.bounds(meter)));
    }
  }

  /** Writes what has changed, in one piece, so that after a restart nothing counts twice. */
  write(): void {
    const now = this.#o.clock.now();
    this.#writtenAt = now;
    if (!this.#moved) return;
    for (const { delivery } of this.#followed.values()) delivery.advance(Math.min(now, delivery.plan.endMs));
    const ops = energyOps(this.#changes(), now);
    this.#moved = false;
    this.#minutesMoved = new Set(); // bounded by: the minutes kept
    for (const part of ops) this.#o.ledger.write(part).catch(() => undefined);
  }

  /** Takes up what was written before a restart, for meters and services that are followed from now on. */
  async restore(): Promise<void> {
    const now = this.#o.clock.now();
    const kept = await readKept(this.#o.ledger, now - LONG_AGO_MS);
    this.#kept = kept;
    for (const [meter, state] of kept.tracks)
      this.#meters.set(meter, { track: new MeterTrack(state), minutes: undefined });
    for (const { minute, cells } of kept.minutes)
      for (const [meter, cell] of cells) {
        const known = this.#meter(meter);
        if (known) this.#ring(known).set(minute, cell);
      }
  }

  /** Takes up the readings that came after the last writing. Call it when all services are followed. */
  async replay(readings: ReadingLog): Promise<void> {
    const sinceMs = Math.max(this.#kept?.writtenAt ?? 0, this.#o.clock.now() - LONG_AGO_MS);
    // What is known already is not news.
    for await (const reading of readings.since(sinceMs)) this.measured(reading);
    this.#kept = undefined;
  }

  #changes(): EnergyOps {
    return {
      tracks: [...this.#meters].map(([meter, { track }]) => [meter, track.state] as const),
      minutes: [...this.#minutesMoved].map((minute) => ({
        minute,
        cells: [...this.#meters].flatMap(([m, { minutes }]) => {
          const cell = minutes?.get(minute);
          return cell ? [[m, cell] as const] : [];
        }),
      })),
      deliveries: [...this.#followed].map(([key, { delivery }]) => [key, delivery.changes()] as const),
    };
  }

  #over(meter: string, fromMs: number, toMs: number): ReturnType<Minutes['over']> {
    const known = this.#meters.get(meter);
    const sum = known?.minutes?.over(fromMs, toMs) ?? { netWh: 0, knownMs: 0, quality: 'good' as const };
    let { netWh, knownMs, quality } = sum;
    for (const s of known?.track.pending ?? []) {
      const ms = Math.max(0, Math.min(toMs, s.toMs) - Math.max(fromMs, s.fromMs));
      if (ms === 0 || s.quality === 'missing') continue;
      netWh += ((s.importWh - s.exportWh) * ms) / (s.toMs - s.fromMs);
      knownMs += ms;
      quality = worseOf(quality, s.quality);
    }
    return { netWh, knownMs, quality };
  }

  #spread(meter: string, known: Metered, segments: readonly Segment[]): void {
    this.#moved = true;
    for (const s of segments) {
      if (s.quality !== 'missing' || s.importWh + s.exportWh > 0) this.#ring(known).add(s, this.#minutesMoved);
      if (this.#followed.size === 0) continue;
      for (const { delivery, span } of this.#followed.values())
        if (delivery.concerns(meter)) delivery.add(meter, s, span(meter));
    }
  }

  #power(meter: string, atMs: number, powerW: number): void {
    for (const { delivery, span } of this.#followed.values()) {
      if (!delivery.concerns(meter)) continue;
      const s = span(meter);
      if (!s || (atMs >= s.fromMs && atMs <= s.toMs)) delivery.power(meter, atMs, powerW);
    }
  }

  #meter(meter: string): Metered | undefined {
    const known = this.#meters.get(meter);
    if (known) return known;
    const made: Metered = { track: new MeterTrack(), minutes: undefined };
    return this.#meters.set(meter, made) ? made : undefined;
  }

  #ring(known: Metered): Minutes {
    if (known.minutes) return known.minutes;
    known.minutes = new Minutes(this.#rings < MANY_METERS ? MINUTES_KEPT : FEW_MINUTES);
    this.#rings++;
    return known.minutes;
  }
}

/** A value that says something about energy; times from the future count as now. */
function sampleOf(r: MeterReading, now: number): Sample | undefined {
  const { powerW, importWh, exportWh, quality } = r;
  if (quality === 'missing' || (powerW ?? importWh ?? exportWh) === undefined) return undefined;
  return {
    atMs: Math.min(parseTime(r.at), now),
    powerW,
    importWh,
    exportWh,
    quality,
  };
}

/** Before its first value nothing is known of a meter. */
const unknownBefore = (atMs: number): Segment => ({
  fromMs: 0,
  toMs: atMs,
  importWh: 0,
  exportWh: 0,
  quality: 'missing',
});
