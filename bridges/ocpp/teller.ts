import { BoundedQueue, type BoundStats } from '../../core/bounded.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { isOwn } from '../../hub/site/standing.ts';
import type { OutcomeMessage, Site } from '../../hub/site/types.ts';
import type { CommandOutcome } from '../../model/index.ts';
import { type WireSource, wireMessage } from './wire.ts';

export interface TellerOptions {
  readonly clock: Clock;
  readonly wire: WireSource;
  readonly site: Pick<Site, 'outcomes' | 'isCounted'>;
  /** Takes a message to the flows. */
  readonly emit: (message: OutcomeMessage) => void;
}

interface Waiting {
  readonly outcome: CommandOutcome;
  readonly identity: string | undefined;
}

/** From so many commands on, frames go out before outcomes are told. */
const MANY = 32;
/** Outcomes wait this long for the rest of their batch, ms: a base, and a part for each command. Unsent counts after 5 s. */
const BASE_MS = 20;
const PER_COMMAND_MS = 0.2;
const MOST_MS = 2_000;
/** After the last answer, ms: what arrived together with it is read first. */
const QUIET_MS = 2;
/** So many are told in one go; meanwhile stations are heard. */
const AT_ONCE = 512;
const MAX_WAITING = 65_536;

/**
 * Tells site and flows what became of commands, in the order in which it happened: at once, but for the expected
 * outcomes of a large batch, which wait until its frames are out and answered, for two seconds at most.
 */
export class Teller {
  readonly #o: TellerOptions;
  readonly #waiting = new BoundedQueue<Waiting>({ name: 'ocpp.outcomes', max: MAX_WAITING, overflow: 'refuse' });
  /** Large batches that are under way. */
  #batches = 0;
  #timer: TimerHandle | undefined;

  constructor(o: TellerOptions) {
    this.#o = o;
  }

  /** Sends a batch of `size` commands; `send` answers what settles when each of them is answered. */
  together(size: number, send: () => readonly Promise<unknown>[]): void {
    if (size < MANY) {
      send();
      return;
    }
    this.#batches++;
    let answers: readonly Promise<unknown>[] = [];
    try {
      answers = send();
    } finally {
      // What waits from before waits no longer for this one.
      if (this.#timer === undefined) this.#arm(Math.min(BASE_MS + PER_COMMAND_MS * size, MOST_MS));
      void Promise.allSettled(answers).then(() => {
        if (--this.#batches === 0) this.#arm(QUIET_MS);
      });
    }
  }

  tell(outcome: CommandOutcome, identity: string | undefined): void {
    const others = this.#batches > 0 || this.#waiting.size > 0;
    if (others && this.#mayWait(outcome) && this.#waiting.push({ outcome, identity })) {
      if (this.#timer === undefined && this.#batches > 0) this.#arm(BASE_MS);
      return;
    }
    this.flush();
    this.#say([{ outcome, identity }]);
  }

  /** Tells all that waits, now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.size > 0) this.#some();
  }

  stats(): BoundStats {
    return this.#waiting.stats();
  }

  /** What goes as it should; everything else may change what is done next. */
  #mayWait(outcome: CommandOutcome): boolean {
    const { state, commandId } = outcome;
    if (state === 'sent') return this.#o.site.isCounted(outcome);
    // The power was told, or waits before this.
    return (state === 'accepted' || state === 'superseded') && isOwn(commandId);
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#o.clock.after(ms, () => {
      this.#timer = undefined;
      this.#some();
      if (this.#waiting.size > 0) this.#arm(0);
    });
  }

  #some(): void {
    const some: Waiting[] = [];
    for (let w = this.#waiting.shift(); w !== undefined; w = this.#waiting.shift()) {
      some.push(w);
      if (some.length === AT_ONCE) break;
    }
    this.#say(some);
  }

  #say(some: readonly Waiting[]): void {
    const { emit, site, wire } = this.#o;
    const told = some.map(({ outcome, identity }) =>
      wireMessage(wire, 'hub/CommandOutcome', outcome, identity, outcome.commandId),
    );
    site.outcomes(told);
    for (const message of told) emit(message);
  }
}
