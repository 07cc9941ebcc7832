import { AfterDeeds } from '../../core/after-deeds.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import { failPoint } from '../../core/failpoint.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { AllocationRequest, CommandBatch } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import { appliedPoint } from '../evidence/applied.ts';
import type { AppliedPoint } from '../evidence/types.ts';
import type { SiteTrace } from '../trace/site-trace.ts';
import type { Rooms } from './rooms.ts';
import type { Detach } from './types.ts';

export interface AllocatorOptions {
  readonly siteId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly rooms: Rooms;
  readonly trace: SiteTrace;
}

/** Runs allocations for whoever has claimed the site, and notes what came of them. */
export class Allocator {
  readonly #o: AllocatorOptions;
  #holder: string | undefined;
  #recorded: Promise<void> = Promise.resolve();
  readonly #notes: AfterDeeds;

  constructor(o: AllocatorOptions) {
    this.#o = o;
    this.#notes = new AfterDeeds(o.clock, (e) => o.log.error('site.allocated', { ...describeError(e) }));
  }

  /** Takes down at once what was to follow the commands of the last run. */
  flush(): void {
    this.#notes.flush();
  }

  /** Throws `site.allocatorTaken` naming the holder. */
  claim(holder: string): Detach {
    if (this.#holder !== undefined && this.#holder !== holder) {
      throw HUB_ERRORS.fail('site.allocatorTaken', `${this.#holder} already allocates for ${this.#o.siteId}.`);
    }
    this.#holder = holder;
    return () => {
      if (this.#holder === holder) this.#holder = undefined;
    };
  }

  /** Settles when the commands of the last run are stored, or the store has failed. */
  get recorded(): Promise<void> {
    return this.#recorded;
  }

  /** One run (fo 8.3); undefined when no command may or need go out now. */
  run({ target, cause }: AllocationRequest): CommandBatch | undefined {
    const { clock, log, rooms, siteId, trace } = this.#o;
    const now = clock.now();
    const taken = target && rooms.book.inForce(target);
    if (target && !taken) log.info('target.ignored', { fsrId: target.fsrId });
    const led = rooms.book.led(now);
    const { commands, applied } = rooms.actuation.run(led);
    const points: [string, AppliedPoint][] = [];
    const moved = new Set(taken ? [taken.key] : []); // bounded by: the services of one run
    for (const entry of led) {
      const of = applied.get(entry.key);
      if (!of) continue;
      entry.course.applied = of;
      points.push([entry.key, appliedPoint(entry, now)]);
      if ((of.taken?.length ?? 0) > (entry.course.takenTold?.length ?? 0)) moved.add(entry.key);
    }
    const note = (): void => {
      for (const [key, point] of points) rooms.evidence.applied(key, point);
      for (const key of moved) rooms.supervisor.watch(key);
    };
    if (commands.length === 0) {
      this.#notes.flush();
      note();
      return undefined;
    }
    this.#notes.later(note);
    const batch: CommandBatch = {
      batchId: uuidv7(clock),
      siteId,
      ...(led.length === 1 && led[0] ? { fsrId: led[0].service.fsr.fsrId } : {}),
      at: iso(now),
      commands: [...commands],
    };
    trace.allocated(
      batch,
      led.map((e) => e.service.fsr.fsrId),
      cause,
    );
    this.#recorded = rooms.evidence.commanded(batch);
    failPoint('batch.made');
    return batch;
  }
}
