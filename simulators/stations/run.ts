import { type Clock, iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import {
  createOcppClient,
  createValidators,
  type OcppClientOptions,
  type Version,
} from '../../protocols/ocpp/index.ts';
import { seedOf } from '../core/index.ts';
import { Control } from './control.ts';
import { SIMULATOR_ERRORS } from './errors.ts';
import { type FleetFile, stationSpecs } from './fleet.ts';
import type { Station, StationOptions } from './station.ts';
import { createTicker } from './ticker.ts';
import type { StationEvent, StationSpec } from './types.ts';
import { createStation16 } from './v16/station.ts';
import { createStation21 } from './v21/station.ts';
import { createStation201 } from './v201/station.ts';

export interface FleetOptions {
  readonly fleet: FleetFile;
  /** Endpoint without the identity, e.g. `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  readonly clock: Clock;
  readonly seed: number;
  readonly onEvent: (event: StationEvent) => void;
  /** The stations connect one after the other over this time, ms. Default 0. */
  readonly connectWithinMs?: number;
  /** Time step of physics and messages, ms; default 200. */
  readonly tickMs?: number;
  /** Epoch ms for the arrival times of commands, finer than the clock. */
  readonly stamp?: () => number;
  /** Basic password of a station (ocpp 1.5). */
  readonly password?: (identity: string) => string | Uint8Array | undefined;
  readonly tls?: NonNullable<OcppClientOptions<Version>['tls']>;
}

/** A station of a running fleet, whatever its version. */
export type FleetStation = Pick<
  Station,
  | 'spec'
  | 'setFault'
  | 'setMeter'
  | 'press'
  | 'stop'
  | 'fault'
  | 'busy'
  | 'online'
  | 'units'
  | 'receipts'
  | 'everReady'
  | 'tune'
  | 'limitExternally'
  | 'lateMs'
>;

export interface RunningFleet {
  readonly stations: readonly FleetStation[];
  /**
   * Carries out a {@link Control} message. Throws `schema.…`, or `json.…` for a text that is no JSON; unknown
   * stations are told as event.
   */
  control(input: unknown): void;
  stop(): void;
}

/** Starts all stations of a fleet in this process, on one timer. */
export function runFleet(o: FleetOptions): RunningFleet {
  const { clock, onEvent } = o;
  const specs = stationSpecs(o.fleet);
  const tickMs = o.tickMs ?? 200;
  const ticker = createTicker(clock, tickMs, specs.length);
  const create = stationFactory(o);
  const announced = allAccepted(clock, specs.length, onEvent);
  const stations = specs.map((spec, i) => {
    const onStationEvent = (event: StationEvent): void => {
      onEvent(event);
      if (event.event === 'boot' && event.status === 'Accepted') announced(event.station);
    };
    const stamp = o.stamp ? { stamp: o.stamp } : {};
    return create(spec, { spec, clock, onEvent: onStationEvent, seed: seedOf(o.seed, i), tickMs, ticker, ...stamp });
  });
  const gapMs = (o.connectWithinMs ?? 0) / Math.max(1, stations.length);
  for (const [i, station] of stations.entries()) station.start(Math.round(i * gapMs));
  return {
    stations,
    control(input) {
      const parsed = typeof input === 'string' ? parseJson(input, JSON_LIMITS) : input;
      const order = Control.parse(parsed);
      const { station } = order;
      const hit = stations.filter((s) => station === '*' || s.spec.identity === station);
      for (const s of hit) obey(s, order);
      if (order.report) onEvent(commandReport(clock, station, hit));
      if (order.mark) for (const s of hit) s.receipts.mark();
      if (hit.length === 0) onEvent(complaint(clock, station, SIMULATOR_ERRORS.fail('simulator.unknownStation')));
    },
    stop() {
      ticker.stop();
      for (const station of stations) station.stop();
    },
  };
}

type Common = Omit<StationOptions<Version>, 'dial' | 'dialect'>;

/** Makes stations whose clients share what can be shared. */
function stationFactory(o: FleetOptions): (spec: StationSpec, common: Common) => FleetStation & Pick<Station, 'start'> {
  const { url, clock, tls } = o;
  const validators = {
    'ocpp1.6': createValidators('ocpp1.6'),
    'ocpp2.0.1': createValidators('ocpp2.0.1'),
    'ocpp2.1': createValidators('ocpp2.1'),
  };
  const dial =
    <V extends Version>(version: V, identity: string) =>
    () => {
      const password = o.password?.(identity);
      const credentials = { ...(password === undefined ? {} : { password }), ...(tls ? { tls } : {}) };
      const options = { url, identity, versions: [version], clock, reconnect: false, validators, limits: LIMITS };
      return createOcppClient<V>({ ...options, ...credentials }).connect();
    };
  return ({ version, identity }, common) => {
    switch (version) {
      case 'ocpp1.6':
        return createStation16({ ...common, dial: dial('ocpp1.6', identity) });
      case 'ocpp2.0.1':
        return createStation201({ ...common, dial: dial('ocpp2.0.1', identity) });
      case 'ocpp2.1':
        return createStation21({ ...common, dial: dial('ocpp2.1', identity) });
    }
  };
}

function obey(s: FleetStation, order: Control): void {
  const { fault, lateS, meter, press, evse, responseDelayS, rampWPerS, maxImportW } = order;
  const { externalLimitW, externalLimit } = order;
  if (lateS !== undefined) s.lateMs = lateS * 1000;
  if (fault !== undefined) s.setFault(fault);
  if (meter !== undefined) s.setMeter(meter);
  s.tune({
    ...(responseDelayS === undefined ? {} : { responseDelayMs: responseDelayS * 1000 }),
    ...(rampWPerS === undefined ? {} : { rampWPerS }),
    ...(maxImportW === undefined ? {} : { maxImportW }),
  });
  if (externalLimitW !== undefined || externalLimit === 'none') s.limitExternally(externalLimitW);
  if (press !== undefined) s.press(press, evse);
}

/** Tells once that the CSMS has accepted all stations. */
function allAccepted(clock: Clock, stations: number, onEvent: FleetOptions['onEvent']): (identity: string) => void {
  const startMs = clock.now();
  const waiting = new Set<string>(); // bounded by: the stations of the fleet
  let told = false;
  return (identity) => {
    waiting.add(identity);
    if (told || waiting.size < stations) return;
    told = true;
    const atMs = clock.now();
    onEvent({ at: iso(atMs), station: '*', event: 'allAccepted', stations, afterMs: atMs - startMs });
  };
}

/** When power commands arrived, epoch ms per station, since the last mark. */
function commandReport(clock: Clock, station: string, hit: readonly FleetStation[]): StationEvent {
  const times = hit.flatMap(({ spec, receipts }) => {
    const list = receipts.list;
    return list.length === 0 ? [] : [[spec.identity, list.map((r) => r.atMs)] as const];
  });
  const all = times.flatMap(([, list]) => list);
  return {
    at: iso(clock.now()),
    station,
    event: 'commands',
    stations: times.length,
    commands: all.length,
    ...(all.length === 0 ? {} : { firstMs: least(all), lastMs: -least(all.map((t) => -t)) }),
    times: Object.fromEntries(times),
  };
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** An event that tells of a control message that could not be carried out. */
export function complaint(clock: Clock, station: string, error: unknown): StationEvent {
  return { at: iso(clock.now()), station, event: 'controlFailed', ...describeError(error) };
}

const JSON_LIMITS = { maxBytes: 4096, maxDepth: 4, duplicateKeys: 'reject' } as const;
/** The faults `silent` and `late` hold answers back for longer than the stack would wait. */
const LIMITS = { handlerMs: 3_600_000, maxOpenInbound: 1000 };
