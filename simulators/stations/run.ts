import type { Clock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { message, oneOf, text } from '../../core/schema.ts';
import { createOcppClient, createValidators } from '../../protocols/ocpp/index.ts';
import { seedOf } from '../core/index.ts';
import { SIMULATOR_ERRORS } from './errors.ts';
import { type FleetFile, stationSpecs } from './fleet.ts';
import type { Station } from './station.ts';
import { FAULTS, type StationEvent } from './types.ts';
import { createStation16 } from './v16/station.ts';
import { createStation21 } from './v21/station.ts';

/** A line on standard input or an IPC message: switches a fault on or off. */
export const Control = message(
  'Control',
  {
    station: text({ max: 48, doc: 'Identity, or * for all.' }),
    fault: oneOf(...FAULTS, { doc: 'none ends a fault.' }),
  },
  { clause: 'simulators', doc: 'Control of a running simulator.', example: { station: 'CS1', fault: 'refuse' } },
);

export interface FleetOptions {
  readonly fleet: FleetFile;
  /** Endpoint without the identity, e.g. `ws://127.0.0.1:9220/ocpp`. */
  readonly url: string;
  readonly clock: Clock;
  readonly seed: number;
  readonly onEvent: (event: StationEvent) => void;
}

export interface RunningFleet {
  readonly stations: readonly Pick<Station, 'spec' | 'setFault' | 'stop' | 'fault' | 'busy' | 'units'>[];
  /** Carries out a control message. Throws `schema.invalid`, or `json.…` for a text that is no JSON; unknown stations are told as event. */
  control(input: unknown): void;
  stop(): void;
}

/** Starts all stations of a fleet in this process. */
export function runFleet(o: FleetOptions): RunningFleet {
  const { clock, onEvent, url } = o;
  const validators = { 'ocpp1.6': createValidators('ocpp1.6'), 'ocpp2.1': createValidators('ocpp2.1') };
  const dial =
    <V extends 'ocpp1.6' | 'ocpp2.1'>(version: V, identity: string) =>
    () =>
      createOcppClient<V>({
        url,
        identity,
        versions: [version],
        clock,
        reconnect: false,
        validators,
        limits: LIMITS,
      }).connect();
  const stations = stationSpecs(o.fleet).map((spec, i) => {
    const common = { spec, clock, onEvent, seed: seedOf(o.seed, i) };
    if (spec.version === 'ocpp1.6') return createStation16({ ...common, dial: dial('ocpp1.6', spec.identity) });
    return createStation21({ ...common, dial: dial('ocpp2.1', spec.identity) });
  });
  for (const station of stations) station.start();
  return {
    stations,
    control(input) {
      const parsed = typeof input === 'string' ? parseJson(input, JSON_LIMITS) : input;
      const { station, fault } = Control.parse(parsed);
      const hit = stations.filter((s) => station === '*' || s.spec.identity === station);
      for (const s of hit) s.setFault(fault);
      if (hit.length === 0) onEvent(complaint(clock, station, SIMULATOR_ERRORS.fail('simulator.unknownStation')));
    },
    stop() {
      for (const station of stations) station.stop();
    },
  };
}

/** An event that tells of a control message that could not be carried out. */
export function complaint(clock: Clock, station: string, error: unknown): StationEvent {
  return { at: new Date(clock.now()).toISOString(), station, event: 'controlFailed', ...describeError(error) };
}

const JSON_LIMITS = { maxBytes: 4096, maxDepth: 4, duplicateKeys: 'reject' } as const;
/** The faults `silent` and `late` hold answers back for longer than the stack would wait. */
const LIMITS = { handlerMs: 3_600_000, maxOpenInbound: 1000 };
