import { type Clock, every, type TimerHandle } from '../../core/clock.ts';

/** Stations that share one timer. */
export interface Ticker {
  /** Calls `fn` once per period until cancelled; what it throws goes to `onError`. */
  add(fn: () => void, onError: (e: unknown) => void): TimerHandle;
  /** Ends all. */
  stop(): void;
}

interface Member {
  readonly fn: () => void;
  readonly onError: (e: unknown) => void;
}

/** Members that tick together. */
const PER_SLOT = 25;
const MAX_SLOTS = 20;

/**
 * One timer for many stations: the period is cut into slots and each slot serves its share, so that neither hundreds of
 * timers nor one long turn of the event loop arise. `expected` is the number of members to come.
 */
export function createTicker(clock: Clock, periodMs: number, expected: number): Ticker {
  const count = Math.min(MAX_SLOTS, Math.max(1, Math.ceil(expected / PER_SLOT)));
  const slots = Array.from({ length: count }, () => new Set<Member>()); // bounded by: the stations of the fleet
  let next = 0;
  let added = 0;
  const timer = every(clock, periodMs / count, () => {
    for (const member of slots[next++ % count] ?? []) run(member);
  });
  return {
    add(fn, onError) {
      const member = { fn, onError };
      const slot = slots[added++ % count];
      slot?.add(member);
      return { cancel: () => void slot?.delete(member) };
    },
    stop: () => timer.cancel(),
  };
}

function run({ fn, onError }: Member): void {
  try {
    fn();
  } catch (e) {
    onError(e);
  }
}
