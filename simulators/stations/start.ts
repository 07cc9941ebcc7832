import { type Clock, every } from '../../core/clock.ts';
import { type RunningFleet, runFleet } from './run.ts';
import type { Settings } from './settings.ts';
import { summaryOf } from './summary.ts';
import type { StationEvent } from './types.ts';

/** What a quiet program still prints of single stations. */
const LOUD = /Failed$|Lost$|^internalError$/;

/** Starts the fleet that the settings of a program describe; `stamp` gives epoch ms with fractions. */
export function startFleet(
  o: Settings,
  clock: Clock,
  stamp: () => number,
  print: (event: StationEvent) => void,
): RunningFleet {
  const { fleet: file, url, seed, tickMs, connectWithinMs, password, ca, quiet } = o;
  const fleet = runFleet({
    fleet: file,
    url,
    clock,
    seed,
    tickMs,
    connectWithinMs,
    stamp,
    onEvent(event) {
      if (!quiet || event.station === '*' || LOUD.test(event.event)) print(event);
    },
    ...(password === undefined ? {} : { password: () => password }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  });
  for (const fault of o.faults) fleet.control(fault);
  if (o.summaryS === 0) return fleet;
  const summary = every(clock, o.summaryS * 1000, () => print(summaryOf(clock, fleet.stations)));
  return {
    ...fleet,
    stop() {
      summary.cancel();
      fleet.stop();
    },
  };
}
