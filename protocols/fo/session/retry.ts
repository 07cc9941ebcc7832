/** How long a Result may take before the message is sent again (fo 4.2). */
export const RESULT_WAIT_MS = 10_000;
/** The same for setpoints (T1). */
export const FAST_RESULT_WAIT_MS = 2_000;
/** How long a message without a time of its own is worth sending. */
export const DEFAULT_EXPIRY_MS = 120_000;

/** The pause before repetition number `attempt` (from 0): 1, 2, 4 … 60 s, ±20 % (fo 4.2). */
export function backoffMs(attempt: number, random: () => number): number {
  const base = Math.min(60_000, 1000 * 2 ** Math.min(attempt, 6));
  return Math.round(base * (0.8 + 0.4 * random()));
}
