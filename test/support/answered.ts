import { setTimeout as sleep } from 'node:timers/promises';
import type { ManualClock } from '../../core/clock.ts';

/** Real time that an answer may take before the clock moves on, ms. */
const PATIENCE_MS = 5;

/** Waits for an answer of a gateway with a manual clock: that of a setpoint follows its commands by a moment of the clock. */
export async function answered<T>(asked: Promise<T>, clock: ManualClock): Promise<T> {
  const settled = asked.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([settled, sleep(PATIENCE_MS, false)]))) await clock.advance(1);
  return asked;
}
