import { type Clock, iso } from '../../core/clock.ts';
import type { FleetStation } from './run.ts';
import type { StationEvent } from './types.ts';

/** Below this nothing flows that anybody would call charging, W. */
const FLOWS_W = 50;

/** How the whole fleet is, in one line of output. */
export function summaryOf(clock: Clock, stations: readonly FleetStation[]): StationEvent {
  const units = stations.flatMap((s) => s.units);
  const powers = units.map((u) => u.evse.powerW);
  return {
    at: iso(clock.now()),
    station: '*',
    event: 'summary',
    stations: stations.length,
    online: stations.filter((s) => s.online).length,
    faulty: stations.filter((s) => s.fault !== 'none').length,
    cars: units.filter((u) => u.ev).length,
    charging: powers.filter((w) => Math.abs(w) > FLOWS_W).length,
    powerW: Math.round(powers.reduce((sum, w) => sum + w, 0)),
  };
}
