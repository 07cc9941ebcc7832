import { type Clock, iso } from '../../core/clock.ts';

/** A setpoint service of an hour for everybody, from now on, or with `patch` another one. */
export function fsrOf(w: { readonly clock: Clock }, patch: object = {}): object {
  const now = w.clock.now();
  return {
    fsrId: 'N-1',
    revision: 1,
    contractId: 'C-1',
    serviceType: 'setpoint',
    target: { groupId: 'g:all', referencePoint: 'group' },
    window: { start: iso(now), end: iso(now + 3_600_000) },
    decisionBy: iso(now + 5000),
    mandatory: false,
    priority: 5,
    parameters: { mode: 'absolute', minW: -500_000, maxW: 500_000, toleranceW: 300, updateIntervalS: 4 },
    fallback: { onExpiry: 'zero' },
    ...patch,
  };
}
