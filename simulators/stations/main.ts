/** The station simulator as a program: many stations in one process, one JSON line per notable event. */
import { realClock } from '../../core/clock.ts';
import { scaledClock } from '../core/index.ts';
import { endable, GRACE_MS, listen, printLine, run } from '../program.ts';
import { complaint } from './run.ts';
import { readSettings, USAGE } from './settings.ts';
import { startFleet } from './start.ts';

function main(): void {
  const o = readSettings(process.argv.slice(2), process.env);
  if (o.help) {
    process.stdout.write(USAGE);
    return;
  }
  const clock = scaledClock(realClock(), o.speed);
  const fleet = startFleet(o, clock, () => performance.timeOrigin + performance.now(), printLine);
  const end = endable(
    () => fleet.stop(),
    (exit) => setTimeout(exit, GRACE_MS).unref(),
  );
  listen((input) => {
    try {
      fleet.control(input);
    } catch (e) {
      printLine(complaint(clock, '', e));
    }
  }, end);
}

run(main, USAGE);
