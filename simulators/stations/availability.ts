import type { Unit } from './unit.ts';

/** Takes EVSEs in or out of service; running transactions are finished first. The caller tells the new states. */
export function changeAvailability(units: readonly Unit[], operative: boolean): 'Accepted' | 'Scheduled' {
  for (const unit of units) {
    unit.inoperativeAfterTx = !operative && unit.tx !== undefined;
    if (!unit.inoperativeAfterTx) unit.operative = operative;
  }
  return units.some((u) => u.inoperativeAfterTx) ? 'Scheduled' : 'Accepted';
}
