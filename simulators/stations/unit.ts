import {
  type Activity,
  type ArrivalEvent,
  type ArrivalState,
  activity,
  command,
  contactor,
  createEvse,
  type Ev,
  type EvseState,
  nextArrivalEvent,
  type PowerRequest,
  plug,
  seedOf,
  startArrivals,
  step,
  unplug,
} from '../core/index.ts';
import type { MeterState, RemoteStart, StationSpec, Transaction } from './types.ts';

/** One EVSE of a station with its cars and its transaction; the physics are in {@link EvseState}. */
export class Unit {
  /** EVSE id (1.6: connector id), from 1. */
  readonly id: number;
  readonly #spec: StationSpec;
  #evse: EvseState;
  #arrivals: ArrivalState | undefined;
  #meter: MeterState = 'right';
  #frozen: EvseState | undefined;
  tx: Transaction | undefined;
  remoteStart: RemoteStart | undefined;
  /** The transaction is over and the car still there. */
  finished = false;
  /** An Authorize for this car is under way. */
  authorizing = false;
  operative = true;
  /** Broken: no transaction runs until it is mended. */
  faulted = false;
  /** Goes out of service when its transaction ends. */
  inoperativeAfterTx = false;
  /** Status that the CSMS was told last. */
  shownStatus = '';
  /** When the driver of the plugged car identifies, epoch ms. */
  identifyAtMs: number | undefined;
  /** Counts the cars, so that a late answer is not taken for the next car's. */
  visits = 0;

  constructor(spec: StationSpec, id: number, seed: number, nowMs: number) {
    this.id = id;
    this.#spec = spec;
    const { phases, maxImportW, maxExportW, responseDelayMs, rampWPerS } = spec;
    this.#evse = createEvse(
      { seed: seedOf(seed, id), phases, maxImportW, maxExportW, responseDelayMs, rampWPerS },
      nowMs,
    );
    if (spec.arrivals) this.#arrivals = startArrivals(spec.arrivals, seedOf(seed, id, 1), nowMs, spec.idTags);
  }

  get evse(): EvseState {
    return this.#evse;
  }

  /** What the meter shows; undefined while it shows nothing. */
  get metered(): EvseState | undefined {
    if (this.#meter === 'missing') return undefined;
    if (this.#meter === 'wrong') return { ...this.#evse, powerW: this.#evse.powerW / 2 };
    return this.#frozen ?? this.#evse;
  }

  tune(change: Partial<EvseState['spec']>): void {
    this.#evse = { ...this.#evse, spec: { ...this.#evse.spec, ...change } };
  }

  setMeter(state: MeterState): void {
    this.#frozen = state === 'frozen' ? this.#evse : undefined;
    this.#meter = state;
  }

  /** Whether a remote start may wait for a car here. */
  get free(): boolean {
    return this.operative && !this.faulted && !this.tx && !this.finished && !this.remoteStart;
  }

  get ev(): Ev | undefined {
    return this.#evse.ev;
  }

  get activity(): Activity {
    return activity(this.#evse);
  }

  /** When the plugged car leaves, epoch ms, if an arrival process says so. */
  get departureMs(): number | undefined {
    return this.#arrivals?.here ? this.#arrivals.visit.departureMs : undefined;
  }

  /** Moves the physics on to `nowMs`. */
  catchUp(nowMs: number): void {
    this.#evse = step(this.#evse, nowMs - this.#evse.nowMs);
  }

  /** Moves the physics on to `nowMs` and gives what the arrival process brought since, in order. */
  advance(nowMs: number): ArrivalEvent[] {
    this.catchUp(nowMs);
    const events: ArrivalEvent[] = [];
    for (let next = this.#next(nowMs); next; next = this.#next(nowMs)) {
      this.#arrivals = next.state;
      events.push(next.event);
    }
    return events;
  }

  /** The car that the arrival process brings next, for one that comes early. */
  get nextCar(): Ev | undefined {
    return this.#arrivals?.visit.ev;
  }

  plug(ev: Ev): void {
    this.#evse = plug(this.#evse, ev);
    this.finished = false;
    this.visits++;
  }

  unplug(): void {
    this.#evse = unplug(this.#evse);
    this.finished = false;
    this.identifyAtMs = undefined;
    this.visits++;
  }

  closeContactor(closed: boolean): void {
    this.#evse = contactor(this.#evse, closed);
  }

  /** Hands a request to the power electronics; `true` when it differs from the last one. */
  request(request: PowerRequest): boolean {
    const before = this.#evse;
    this.#evse = command(before, request);
    return this.#evse !== before;
  }

  /** The newest request, in force or waiting out the response delay. */
  get requested(): PowerRequest {
    return this.#evse.pending.at(-1)?.request ?? this.#evse.request;
  }

  /** What the station can allow at most while nothing limits it. */
  get unlimited(): PowerRequest {
    return { importLimitW: this.#spec.maxImportW, exportLimitW: 0 };
  }

  #next(nowMs: number): { readonly state: ArrivalState; readonly event: ArrivalEvent } | undefined {
    return this.#arrivals && nextArrivalEvent(this.#arrivals, nowMs, this.#spec.idTags);
  }
}
