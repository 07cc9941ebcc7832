import { type Clock, every, iso, type TimerHandle } from '../../core/clock.ts';
import { idSource } from '../../core/ids.ts';
import type { Handler, PeerOf, Version } from '../../protocols/ocpp/index.ts';
import {
  afterOffline,
  afterReboot,
  createPrng,
  type EvseSpec,
  type InstallResult,
  install,
  type Prng,
  type Profile,
  seedOf,
  withExternalLimit,
} from '../core/index.ts';
import type { Dialect } from './dialect.ts';
import { type BackOff, Line } from './line.ts';
import { Outbox } from './outbox.ts';
import { press } from './press.ts';
import { Receipts } from './receipts.ts';
import { exaggerated, regulate } from './regulator.ts';
import { Sessions } from './sessions.ts';
import type { Ticker } from './ticker.ts';
import type {
  Boot,
  BootReason,
  Emit,
  EndReason,
  Fault,
  MeterState,
  Press,
  StationEvent,
  StationSpec,
} from './types.ts';
import { Unit } from './unit.ts';

export interface StationOptions<V extends Version> {
  readonly spec: StationSpec;
  readonly clock: Clock;
  readonly seed: number;
  readonly dial: () => Promise<PeerOf<V>>;
  readonly dialect: (station: Station<V>) => Dialect<V>;
  /** Hears of notable events. */
  readonly onEvent?: (event: StationEvent) => void;
  readonly backOff?: BackOff;
  /** Time step of physics and messages, ms; default 200. */
  readonly tickMs?: number;
  /** Ticks for many stations from one timer, instead of a timer of its own. */
  readonly ticker?: Ticker;
  /** Epoch ms for {@link Receipts}, finer than the clock; default the clock. */
  readonly stamp?: () => number;
}

const DEFAULT_BACK_OFF: BackOff = { minS: 1, randomS: 2, doublings: 4 };
const REBOOT_MS = 3000;
/** Time for the last messages before the socket goes down for a reset. */
const RESET_DELAY_MS = 1000;
/** A silent station sends no BootNotification either; it looks again after this. */
const UNHEARD: Boot = { status: 'Pending', intervalS: 2 };
/** Profiles that a station keeps (1.6 MaxChargingProfilesInstalled). */
export const MAX_PROFILES = 20;

/**
 * One simulated charging station on a real OCPP connection: cars come and go, sessions run, profiles are obeyed,
 * energy is metered. What a version says on the wire is its {@link Dialect}.
 */
export class Station<V extends Version = Version> {
  readonly spec: StationSpec;
  readonly clock: Clock;
  readonly random: Prng;
  readonly units: readonly Unit[];
  readonly outbox: Outbox<V>;
  readonly line: Line<V>;
  readonly sessions: Sessions<V>;
  readonly dialect: Dialect<V>;
  readonly emit: Emit;
  readonly newId: () => string;
  readonly receipts: Receipts;
  profiles: readonly Profile[] = [];
  /** True once a CSMS has accepted the station. */
  everReady = false;
  /** From when on the delay of the fault `late` is this, ms. */
  lateMs: number;
  readonly #tickMs: number;
  readonly #ticker: Ticker | undefined;
  #fault: Fault;
  #ticks: TimerHandle | undefined;
  /** Resets that wait for transactions to end. */
  #resetWhenIdle: BootReason | undefined;

  constructor(o: StationOptions<V>) {
    const { spec, clock } = o;
    this.spec = spec;
    this.clock = clock;
    this.random = createPrng(o.seed);
    this.newId = idSource(clock, (n) => this.random.bytes(n));
    this.#fault = spec.fault;
    this.lateMs = spec.lateMs;
    this.#tickMs = o.tickMs ?? 200;
    this.#ticker = o.ticker;
    this.receipts = new Receipts(o.stamp ?? (() => clock.now()));
    const nowMs = clock.now();
    this.units = Array.from({ length: spec.evses }, (_, i) => new Unit(spec, i + 1, o.seed, nowMs));
    this.emit = (event, details) => o.onEvent?.({ at: iso(clock.now()), station: spec.identity, event, ...details });
    this.outbox = new Outbox({ clock, emit: this.emit, retry: () => this.dialect.retry });
    this.sessions = new Sessions(this);
    this.dialect = o.dialect(this);
    this.line = new Line({
      clock,
      random: createPrng(seedOf(o.seed, 0, 1)),
      emit: this.emit,
      backOff: o.backOff ?? DEFAULT_BACK_OFF,
      dial: o.dial,
      handler: (action, payload, ctx) => this.#answer(action, payload, ctx),
      boot: (peer, reason) => (this.#fault === 'silent' ? UNHEARD : this.dialect.boot(peer, reason)),
      heartbeat: (peer) => this.dialect.heartbeat(peer),
      onReady: (peer, { booted, offlineSinceMs }) => this.#ready(peer, booted, offlineSinceMs),
      onDown: () => this.outbox.pause(),
    });
  }

  /** The CSMS, while it accepts the station and the station speaks. */
  get peer(): PeerOf<V> | undefined {
    return this.#fault === 'silent' ? undefined : this.line.peer;
  }

  /** Whether the CSMS has accepted it and hears it. */
  get online(): boolean {
    return this.peer !== undefined;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** True while an answer of the CSMS is outstanding. */
  get busy(): boolean {
    return this.line.busy || this.outbox.busy || this.units.some((u) => u.authorizing);
  }

  /** Switches the station on; it connects after `delayMs`. */
  start(delayMs = 0): void {
    if (this.#ticks) return;
    const tick = (): void => this.#tick(this.clock.now());
    const failed = (e: unknown): void => this.emit('internalError', { what: String(e) });
    this.#ticks = this.#ticker?.add(tick, failed) ?? every(this.clock, this.#tickMs, tick, failed);
    if (this.#fault !== 'disconnect') this.line.open(delayMs);
  }

  /** Ends without a word to the CSMS, like a station that loses power. */
  stop(): void {
    this.#ticks?.cancel();
    this.#ticks = undefined;
    this.outbox.pause();
    this.line.close();
  }

  setFault(fault: Fault): void {
    const before = this.#fault;
    if (fault === before) return;
    this.#fault = fault;
    this.emit('fault', { fault });
    if (fault === 'disconnect') this.line.close('fault disconnect');
    else if (before === 'disconnect') this.line.open();
    if (fault === 'silent') this.outbox.pause();
    else if (before === 'silent' && this.peer) this.#ready(this.peer, false, undefined);
  }

  /** Changes the power electronics of all EVSEs while they run. */
  tune(change: Partial<Pick<EvseSpec, 'responseDelayMs' | 'rampWPerS' | 'maxImportW'>>): void {
    for (const unit of this.units) unit.tune(change);
  }

  /** What the meters of all EVSEs show from now on. */
  setMeter(state: MeterState): void {
    this.emit('meter', { state });
    for (const unit of this.units) unit.setMeter(state);
  }

  /**
   * Somebody at the site – an energy manager, a grid operator's box – limits the whole station (ocpp 2.3,
   * ChargingStationExternalConstraints); undefined ends it.
   */
  limitExternally(limitW: number | undefined): void {
    this.profiles = withExternalLimit(this.profiles, limitW, this.clock.now());
    this.emit('externalLimit', { limitW });
    for (const message of this.dialect.limited(limitW)) this.#push(message);
    this.obey();
  }

  /** Whether a PriorityCharging profile is there for the EVSE (K21.FR.01). */
  hasPriorityProfile(unit: Unit): boolean {
    return this.profiles.some((p) => p.purpose === 'PriorityCharging' && (p.evseId === 0 || p.evseId === unit.id));
  }

  /** Turns priority charging of a running transaction on or off and tells the CSMS (K21, K22). */
  setPriority(unit: Unit, activated: boolean): void {
    const { tx } = unit;
    if (!tx || tx.priority === activated) return;
    tx.priority = activated;
    this.emit('priority', { evse: unit.id, activated });
    this.#push(this.dialect.pressed(unit, tx, activated));
    this.obey();
  }

  /** Carries out what a person does at the station, at one EVSE or at all. */
  press(what: Press, evseId?: number): void {
    this.emit('press', { what, ...(evseId === undefined ? {} : { evse: evseId }) });
    if (what === 'powerCycle') this.#powerCycle();
    else for (const unit of this.units) if (evseId === undefined || unit.id === evseId) press(this, unit, what);
  }

  unit(id: number): Unit | undefined {
    return this.units.find((u) => u.id === id);
  }

  /** Takes a checked profile in and evaluates anew (K01.FR.07). */
  installProfile(profile: Profile): InstallResult {
    const rule = this.spec.version === 'ocpp1.6' ? 'silent' : 'strict';
    const result = install(this.profiles, profile, { rule, max: MAX_PROFILES, nowMs: this.clock.now() });
    if (result.ok) this.profiles = result.profiles;
    const { id, evseId, purpose, kind, stackLevel } = profile;
    this.emit('profile', { id, evse: evseId, purpose, kind, stackLevel, accepted: result.ok });
    this.obey();
    return result;
  }

  /** Makes the power electronics follow the profiles in force now. */
  obey(): void {
    if (this.#fault === 'ignore') return;
    const nowMs = this.clock.now();
    for (const { unit, request, mode } of regulate(this.units, this.profiles, nowMs, this.line.offlineSinceMs)) {
      const done = this.#fault === 'lie' ? exaggerated(request, this.spec) : request;
      unit.catchUp(nowMs);
      if (unit.request(done) && unit.tx) this.emit('request', { evse: unit.id, mode, ...done });
      if (!unit.tx || unit.tx.shownMode === mode) continue;
      unit.tx.shownMode = mode;
      this.#push(this.dialect.changed(unit, unit.tx, 'mode'));
    }
  }

  /** Tells the CSMS what it does not know yet about an EVSE. */
  sync(unit: Unit): void {
    const { tx } = unit;
    const state = unit.activity;
    if (tx && tx.shownState !== state) {
      const first = tx.shownState === '';
      tx.shownState = state;
      if (!first || state !== 'idle') this.#push(this.dialect.changed(unit, tx, 'state'));
    }
    const status = this.dialect.statusOf(unit);
    if (!this.peer || status === unit.shownStatus) return;
    unit.shownStatus = status;
    this.#push(this.dialect.status(unit));
  }

  /** Tells the states of these EVSEs again; without an argument that of the station and of all. */
  announce(units?: readonly Unit[]): void {
    if (!units) this.#push(this.dialect.stationStatus());
    for (const unit of units ?? this.units) {
      unit.shownStatus = '';
      this.sync(unit);
    }
  }

  /** Restarts the station: transactions end for `why`, then it boots with `reason`. */
  reset(why: EndReason, reason: BootReason): void {
    for (const unit of this.units) this.sessions.end(unit, why);
    this.#resetWhenIdle = undefined;
    this.clock.after(RESET_DELAY_MS, () => {
      if (!this.#ticks) return;
      this.emit('reboot', { reason });
      this.profiles = afterReboot(this.profiles);
      for (const unit of this.units) unit.finished = false;
      this.line.reboot(reason, REBOOT_MS);
    });
  }

  /** Restarts as soon as no transaction runs. */
  resetWhenIdle(reason: BootReason): void {
    this.#resetWhenIdle = reason;
  }

  #tick(nowMs: number): void {
    for (const unit of this.units) {
      for (const event of unit.advance(nowMs)) this.sessions.visit(unit, event);
      this.sessions.tick(unit, nowMs);
    }
    this.obey();
    for (const unit of this.units) {
      this.sync(unit);
      this.#meter(unit, nowMs);
    }
    this.dialect.tick(nowMs);
    if (this.#fault !== 'silent') this.line.tick(nowMs);
    if (this.#resetWhenIdle && this.units.every((u) => !u.tx)) this.reset({ reason: 'SoftReset' }, this.#resetWhenIdle);
  }

  /** What runs ends without a word; the CSMS hears of it after the next boot. */
  #powerCycle(): void {
    this.outbox.pause();
    for (const unit of this.units) this.sessions.end(unit, { reason: 'PowerLoss' });
    this.profiles = afterReboot(this.profiles);
    this.line.reboot('PowerUp', REBOOT_MS);
  }

  #meter(unit: Unit, nowMs: number): void {
    const { tx } = unit;
    const intervalMs = this.dialect.meterIntervalS * 1000;
    if (!unit.metered) return;
    if (!tx || intervalMs <= 0 || nowMs < tx.meterDueMs) return;
    tx.meterDueMs += intervalMs * Math.max(1, Math.ceil((nowMs - tx.meterDueMs + 1) / intervalMs));
    this.outbox.push(this.dialect.reading(unit, tx));
  }

  #ready(peer: PeerOf<V>, booted: boolean, offlineSinceMs: number | undefined): void {
    this.everReady = true;
    const nowMs = this.clock.now();
    if (offlineSinceMs !== undefined) this.profiles = afterOffline(this.profiles, nowMs, offlineSinceMs);
    if (this.#fault === 'silent') return;
    this.outbox.resume(peer);
    this.dialect.ready({ booted, offlineMs: offlineSinceMs === undefined ? 0 : nowMs - offlineSinceMs });
  }

  #push(message: Parameters<Outbox<V>['push']>[0] | undefined): void {
    if (!message) return;
    this.line.sent();
    this.outbox.push(message);
  }

  #answer(...[action, payload, ctx]: Parameters<Handler<V>>): unknown {
    this.receipts.note(action);
    const answer = (): unknown => this.dialect.handler(action, payload, ctx);
    switch (this.#fault) {
      case 'silent':
        return new Promise(() => undefined);
      case 'refuse':
        return this.dialect.refusals[action] ?? answer();
      case 'late':
        return new Promise((resolve, reject) => {
          this.clock.after(this.lateMs, () => Promise.resolve().then(answer).then(resolve, reject));
        });
      default:
        return answer();
    }
  }
}
