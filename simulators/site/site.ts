import { type Clock, every, iso, type TimerHandle } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { MeterReading } from '../../model/index.ts';
import { createPrng, seedOf } from '../core/index.ts';
import { SiteControl } from './control.ts';
import { SITE_SIMULATOR_ERRORS } from './errors.ts';
import { SiteMeter } from './meter.ts';
import { baseW, type EssState, pvW, startEss, stepEss } from './physics.ts';
import type { SiteScenario } from './scenario-file.ts';

/** A station as the meters of the site see it. */
export interface MeteredStation {
  readonly identity: string;
  /** Real power now, W, load convention. */
  readonly powerW: number;
}

export interface SiteEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly event: string;
  readonly [detail: string]: unknown;
}

export interface SiteOptions {
  readonly scenario: SiteScenario;
  readonly clock: Clock;
  readonly seed: number;
  /** What the stations really draw now; asked at each step. */
  readonly stations: () => readonly MeteredStation[];
  /** Hands readings to the gateway; may reject. */
  readonly deliver: (readings: readonly MeterReading[]) => Promise<void>;
  readonly onEvent: (event: SiteEvent) => void;
  /** Time step, ms; default 200. */
  readonly stepMs?: number;
}

/** What flows at this moment, W, load convention. */
export interface SitePower {
  readonly baseW: number;
  /** ≥ 0; it counts against the load. */
  readonly pvW: number;
  readonly essW: number;
  readonly stationsW: number;
  readonly pocW: number;
}

export interface RunningSite {
  readonly power: SitePower;
  /** State of charge of the storage, if there is one. */
  readonly essPct: number | undefined;
  /** Carries out a {@link SiteControl} message. Throws `schema.…`, `json.…`, or `siteSimulator.unknownMeter`. */
  control(input: unknown): void;
  stop(): void;
}

/** Plays the site around the stations: load, sun, storage, and the meters that tell the gateway. */
export function runSite(o: SiteOptions): RunningSite {
  return new Site(o);
}

interface Circuit {
  readonly meter: SiteMeter;
  readonly has: (identity: string) => boolean;
  readonly baseShare: number;
}

const JSON_LIMITS = { maxBytes: 4096, maxDepth: 4, duplicateKeys: 'reject' } as const;

class Site implements RunningSite {
  readonly #o: SiteOptions;
  readonly #startMs: number;
  readonly #poc: SiteMeter;
  readonly #circuits: readonly Circuit[];
  readonly #pvMeter: SiteMeter | undefined;
  readonly #essMeter: SiteMeter | undefined;
  readonly #timer: TimerHandle;
  #ess: EssState | undefined;
  #atMs: number;
  #baseW: number | undefined;
  #pvW: number | undefined;
  #sending = false;
  #refused: string | undefined;
  power: SitePower = { baseW: 0, pvW: 0, essW: 0, stationsW: 0, pocW: 0 };

  constructor(o: SiteOptions) {
    const { clock, scenario } = o;
    this.#o = o;
    this.#startMs = clock.now();
    this.#atMs = this.#startMs;
    this.#ess = scenario.ess && startEss(scenario.ess);
    let index = 0;
    const meter = (spec: { readonly meterId: string; readonly intervalS?: number }): SiteMeter =>
      new SiteMeter(
        spec.meterId,
        (spec.intervalS ?? 1) * 1000,
        createPrng(seedOf(o.seed, 100, index++)),
        this.#startMs,
      );
    this.#poc = meter(scenario.poc);
    this.#circuits = (scenario.circuits ?? []).map((c) => ({
      meter: meter(c),
      has: (identity) => c.stations.some((pattern) => matches(pattern, identity)),
      baseShare: (c.basePct ?? 0) / 100,
    }));
    this.#pvMeter = scenario.pvMeter && meter(scenario.pvMeter);
    this.#essMeter = scenario.essMeter && meter(scenario.essMeter);
    this.#timer = every(
      clock,
      o.stepMs ?? 200,
      () => this.#step(clock.now()),
      (e) => this.#tell('internalError', { what: String(e) }),
    );
  }

  get essPct(): number | undefined {
    return this.#ess?.socPct;
  }

  control(input: unknown): void {
    const order = SiteControl.parse(typeof input === 'string' ? parseJson(input, JSON_LIMITS) : input);
    const { meter: meterId, state, noiseW, shiftS, baseW: base, pvW: pv, resume } = order;
    if (base !== undefined) this.#baseW = base;
    if (pv !== undefined) this.#pvW = pv;
    if (resume) {
      this.#baseW = undefined;
      this.#pvW = undefined;
    }
    if (meterId !== undefined) {
      const hit = this.#meters.filter((m) => meterId === '*' || m.meterId === meterId);
      if (hit.length === 0) throw SITE_SIMULATOR_ERRORS.fail('siteSimulator.unknownMeter', `There is no ${meterId}.`);
      for (const m of hit) {
        m.disturb({
          fault: state ?? 'right',
          noiseW: noiseW ?? m.disturbance.noiseW,
          shiftS: shiftS ?? m.disturbance.shiftS,
        });
      }
    }
    this.#tell('control', { ...order });
  }

  stop(): void {
    this.#timer.cancel();
  }

  get #meters(): readonly SiteMeter[] {
    const others = [this.#pvMeter, this.#essMeter].filter((m) => m !== undefined);
    return [this.#poc, ...this.#circuits.map((c) => c.meter), ...others];
  }

  #step(nowMs: number): void {
    const { scenario, seed } = this.#o;
    const tS = (nowMs - this.#startMs) / 1000;
    const base = this.#baseW ?? baseW(scenario.base, tS, seed);
    const pv = this.#pvW ?? (scenario.pv ? pvW(scenario.pv, tS, seed) : 0);
    const stations = this.#o.stations();
    const stationsW = stations.reduce((sum, s) => sum + s.powerW, 0);
    const restW = base - pv + stationsW;
    const dtS = Math.max(0, nowMs - this.#atMs) / 1000;
    if (scenario.ess && this.#ess) this.#ess = stepEss(scenario.ess, this.#ess, restW, dtS);
    const essW = this.#ess?.powerW ?? 0;
    this.#atMs = nowMs;
    this.power = { baseW: base, pvW: pv, essW, stationsW, pocW: restW + essW };
    this.#measure(stations, nowMs);
    void this.#send(this.#meters.map((m) => m.reading(nowMs)).filter((r) => r !== undefined));
  }

  #measure(stations: readonly MeteredStation[], nowMs: number): void {
    const { baseW: base, pvW: pv, essW, pocW } = this.power;
    this.#poc.measure(pocW, nowMs);
    this.#pvMeter?.measure(-pv, nowMs);
    this.#essMeter?.measure(essW, nowMs);
    for (const { meter, has, baseShare } of this.#circuits) {
      const ownW = stations.reduce((sum, s) => (has(s.identity) ? sum + s.powerW : sum), 0);
      meter.measure(ownW + base * baseShare, nowMs);
    }
  }

  /** One delivery at a time: while the gateway is slow, readings are lost as on a real line. */
  async #send(readings: readonly MeterReading[]): Promise<void> {
    if (readings.length === 0 || this.#sending) return;
    this.#sending = true;
    try {
      await this.#o.deliver(readings);
      if (this.#refused !== undefined) this.#tell('deliveryResumed', {});
      this.#refused = undefined;
    } catch (e) {
      const { code, what } = describeError(e);
      // Once per reason, not once per second.
      if (this.#refused !== code) this.#tell('deliveryFailed', { code, what });
      this.#refused = code;
    } finally {
      this.#sending = false;
    }
  }

  #tell(event: string, details: Readonly<Record<string, unknown>>): void {
    this.#o.onEvent({ at: iso(this.#o.clock.now()), event, ...details });
  }
}

const matches = (pattern: string, identity: string): boolean =>
  pattern.endsWith('*') ? identity.startsWith(pattern.slice(0, -1)) : identity === pattern;
