import type { Clock, TimerHandle } from '../../core/clock.ts';

/** A clock for a link whose timers can be held back. */
export interface LinkClock extends Clock {
  /** While on, no timer of the link fires: it says nothing of its own, heartbeats included. */
  mute(on: boolean): void;
}

/** The time of `clock`, `shiftMs` ahead; timers that fall due while muted fire when it is over. */
export function linkClock(clock: Clock, shiftMs = 0): LinkClock {
  let muted = false;
  const held = new Map<object, () => void>(); // bounded by: the timers of one link
  return {
    now: () => clock.now() + shiftMs,
    after(delayMs, fn): TimerHandle {
      const key = {};
      const timer = clock.after(delayMs, () => {
        if (muted) held.set(key, fn);
        else fn();
      });
      return {
        cancel() {
          timer.cancel();
          held.delete(key);
        },
      };
    },
    get pending() {
      return clock.pending + held.size;
    },
    mute(on) {
      muted = on;
      if (on) return;
      // One of them may cancel another.
      for (const [key, fn] of [...held]) if (held.delete(key)) fn();
    },
  };
}
