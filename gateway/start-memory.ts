import type { Clock, TimerHandle } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { LinkBook } from './link-book.ts';

/** Links of a flow are up by then. */
const AFTER_MS = 1_500;

/**
 * Gives back what only the start took, a fifth of the memory, where nothing would make the engine do so: it collects when
 * it needs room, and a gateway that no link is configured in never does. One that serves a link is left alone, for the
 * pause of about 0.1 s would fall into the boots of its stations.
 */
export function releaseStartMemory(o: {
  readonly clock: Clock;
  readonly log: Log;
  readonly links: Pick<LinkBook, 'list'>;
  readonly collect?: () => Promise<void>;
}): TimerHandle {
  const { clock, log, links, collect = collectGarbage } = o;
  return clock.after(AFTER_MS, () => {
    if (links.list().length > 0) return;
    collect().catch((e: unknown) => log.debug('gateway.memoryKept', describeError(e)));
  });
}

/** The engine's own way to be asked; absent from a Node that was built without inspector. */
async function collectGarbage(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}
