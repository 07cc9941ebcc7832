import { monotonicMs, type Usage, usageOf } from '../harness/accounting.ts';
import { Helper, prefer } from '../harness/children.ts';
import type { Window } from '../harness/stats.ts';
import type { Exchanged, FromLoad, Reached, ToLoad } from '../load/protocol.ts';

/** The load generator as the scenarios drive it. */
export type Load = Helper<ToLoad, FromLoad>;

export async function startLoad(): Promise<Load> {
  const { helper } = await Helper.start<ToLoad, FromLoad, object>('load/main.ts', [], 'load');
  return helper;
}

/**
 * A second generator for those whose round trips count while the first one is busy: it goes first on their core, or it
 * would measure its neighbour.
 */
export async function startWitnesses(): Promise<Load> {
  const load = await startLoad();
  prefer(load.pid, 'PRIORITY_HIGH');
  return load;
}

/** What a server spent while `act` ran: the value is CPU in µs per unit of work that `act` answers. */
export async function cpuWindow(
  pid: number,
  act: () => Promise<{ readonly work: number; readonly failed?: string }>,
): Promise<Window> {
  const before = usageOf(pid);
  const { work, failed } = await act();
  const after = usageOf(pid);
  return {
    value: ((after.onCpuMs - before.onCpuMs) * 1000) / work,
    lengthMs: after.atMs - before.atMs,
    waitedMs: after.waitedMs - before.waitedMs,
    ...(failed === undefined ? {} : { failed }),
  };
}

/**
 * Waiting for a core since now. The server's is judged against the time that it wanted a core, because most of the clock
 * it wants none here; the generator's against what was measured, because it makes a server look slow by so much at most.
 */
export function waiting(server: number, load?: number): (measuredMs?: number) => Pick<Window, 'lengthMs' | 'waitedMs'> {
  const before = usageOf(server);
  const loadBefore = load === undefined ? undefined : usageOf(load);
  return (measuredMs = 0) => {
    const span = between(before, usageOf(server));
    if (load === undefined || loadBefore === undefined) return span;
    const late = usageOf(load).waitedMs - loadBefore.waitedMs;
    return late * span.lengthMs > span.waitedMs * measuredMs ? { waitedMs: late, lengthMs: measuredMs } : span;
  };
}

function between(before: Usage, after: Usage): Pick<Window, 'lengthMs' | 'waitedMs'> {
  const waitedMs = after.waitedMs - before.waitedMs;
  return { lengthMs: after.onCpuMs - before.onCpuMs + waitedMs, waitedMs };
}

/** What was measured in all, as far as it is a number. */
export const sumOf = (delays: readonly number[]): number =>
  delays.reduce((sum, d) => (Number.isFinite(d) ? sum + d : sum), 0);

/** Lost and wrong answers in words. */
export function troubleOf({ lost, wrong, answers }: Exchanged): { readonly failed?: string } {
  return lost > 0 || wrong > 0 ? { failed: `${lost} lost and ${wrong} wrong of ${answers} answers` } : {};
}

/** Longer than a gateway holds back what stations need when many come at once. */
const UNASKED_MS = 1_500;

/** Waits until the server has nothing more to tell the stations of a set by itself: their default profiles are in place. */
export function prepared(load: Load, set: string): Promise<void> {
  return until(`the stations of ${set} are left alone`, async () => {
    await load.ask({ do: 'mark', set });
    return (await load.ask<Reached>({ do: 'reached', set, withinMs: UNASKED_MS })).commands === 0;
  });
}

/** Repeats `ready` until it is true; throws after `ms`. */
export async function until(what: string, ready: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const end = monotonicMs() + ms;
  while (!(await ready())) {
    if (monotonicMs() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
