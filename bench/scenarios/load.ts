import { monotonicMs, type Usage, usageOf } from '../harness/accounting.ts';
import { Helper } from '../harness/children.ts';
import type { Window } from '../harness/stats.ts';
import type { Exchanged, FromLoad, ToLoad } from '../load/protocol.ts';

/** The load generator as the scenarios drive it. */
export type Load = Helper<ToLoad, FromLoad>;

export async function startLoad(): Promise<Load> {
  const { helper } = await Helper.start<ToLoad, FromLoad, object>('load/main.ts', [], 'load');
  return helper;
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
 * Waiting for a core between two readings, of the process that waited most: a late generator makes a server look slow.
 * It is judged against the time that the process wanted a core, because most of the clock nobody wants one here.
 */
export function waiting(pids: readonly number[]): () => Pick<Window, 'lengthMs' | 'waitedMs'> {
  const before = pids.map(usageOf);
  return () => {
    const spans = pids.map(usageOf).map((after, i) => between(before[i] ?? after, after));
    return spans.reduce((worst, span) =>
      span.waitedMs * worst.lengthMs > worst.waitedMs * span.lengthMs ? span : worst,
    );
  };
}

function between(before: Usage, after: Usage): Pick<Window, 'lengthMs' | 'waitedMs'> {
  const waitedMs = after.waitedMs - before.waitedMs;
  return { lengthMs: after.onCpuMs - before.onCpuMs + waitedMs, waitedMs };
}

/** Lost and wrong answers in words. */
export function troubleOf({ lost, wrong, answers }: Exchanged): { readonly failed?: string } {
  return lost > 0 || wrong > 0 ? { failed: `${lost} lost and ${wrong} wrong of ${answers} answers` } : {};
}

/** Repeats `ready` until it is true; throws after `ms`. */
export async function until(what: string, ready: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const end = monotonicMs() + ms;
  while (!(await ready())) {
    if (monotonicMs() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
