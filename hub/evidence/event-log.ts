import { BoundedMap, BoundedQueue } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { toId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { EventEntry } from '../../model/index.ts';
import type { StoreOp } from '../ports.ts';
import type { Ledger } from '../site/ledger.ts';
import { type ChainHead, EMPTY_CHAIN, nextEntry } from './chain.ts';
import type { EventNote } from './types.ts';

/** The chain in which every entry stands. */
export const LOCAL = 'local';

const MAX_CHAINS = 1_024;
const MAX_WAITING = 10_000;
/** Rows of one write: entries and heads. */
const MAX_ROWS = 256;
/** A store that fails is tried again after this. */
const RETRY_MS = 1_000;
const MAX_SUBJECTS = 64;

export interface EventLogOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  /** FOs with a contract at the site. */
  readonly parties: () => readonly string[];
}

interface Waiting {
  readonly facts: Omit<EventEntry, 'logSeq' | 'prevHash' | 'hash'>;
  readonly chains: readonly string[];
}

/**
 * The event log: one hash chain per FO and one with everything (fo 3.9, fo 9.4). Entries are numbered when they are
 * written, one batch after the other, each together with the new heads in one transaction: a chain has no gap and no
 * fork, whenever the process dies. While the store fails entries wait; what no longer fits is counted and told.
 */
export class EventLog {
  readonly #o: EventLogOptions;
  readonly #heads = new BoundedMap<string, ChainHead>({ name: 'evidence.chains', max: MAX_CHAINS, overflow: 'refuse' });
  readonly #waiting: BoundedQueue<Waiting>;
  /** Taken from the queue and not written yet. */
  #batch: readonly Waiting[] = [];
  #lost = 0;
  #open = false;
  #retryAt = 0;
  #writing: Promise<void> | undefined;

  constructor(o: EventLogOptions) {
    this.#o = o;
    this.#waiting = new BoundedQueue({
      name: 'evidence.waiting',
      max: MAX_WAITING,
      overflow: 'dropOldest',
      onDrop: () => {
        this.#lost++;
      },
    });
  }

  /** Finds the ends of the chains; from then on entries are written. */
  async restore(): Promise<void> {
    this.#heads.clear();
    for await (const { key, body } of this.#o.ledger.all('chain')) this.#heads.set(nameOf(key), body as ChainHead);
    this.#open = true;
    this.#pump();
  }

  note(event: EventNote): void {
    const at = iso(this.#o.clock.now());
    const of = event.parties === 'all' ? this.#o.parties() : (event.parties ?? []);
    this.#waiting.push({ facts: factsOf(event, at), chains: [LOCAL, ...new Set(of)] });
    this.#pump();
  }

  /** The end of a chain as it is stored. */
  head(chain: string): ChainHead {
    return this.#heads.get(chain) ?? EMPTY_CHAIN;
  }

  chains(): string[] {
    return [...this.#heads.keys()];
  }

  /** Settles when everything noted so far is written, or the store has failed. */
  async flush(): Promise<void> {
    this.#retryAt = 0;
    this.#pump();
    while (this.#writing) await this.#writing;
  }

  tick(): void {
    this.#pump();
  }

  #pump(): void {
    if (!this.#open || this.#writing || this.#isEmpty()) return;
    if (Math.abs(this.#o.clock.now() - this.#retryAt) < RETRY_MS) return;
    this.#writing = this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  #isEmpty(): boolean {
    return this.#batch.length === 0 && this.#waiting.size === 0;
  }

  async #drain(): Promise<void> {
    // What is noted in the same turn goes into the same write.
    await Promise.resolve();
    while (!this.#isEmpty()) {
      if (this.#batch.length === 0) this.#batch = this.#take();
      try {
        await this.#write(this.#batch);
        this.#batch = [];
      } catch (e) {
        this.#retryAt = this.#o.clock.now();
        await this.#reread(e);
        return;
      }
    }
  }

  #take(): Waiting[] {
    const taken: Waiting[] = [];
    if (this.#lost > 0) {
      const text = `${this.#lost} entries were lost.`;
      const event: EventNote = { kind: 'log.lost', severity: 'alarm', subject: [], text };
      taken.push({ facts: factsOf(event, iso(this.#o.clock.now())), chains: [LOCAL, ...this.#o.parties()] });
      this.#lost = 0;
    }
    let rows = 0;
    for (let w = this.#waiting.peek(); w && rows + 2 * w.chains.length <= MAX_ROWS; w = this.#waiting.peek()) {
      rows += 2 * w.chains.length;
      taken.push(w);
      this.#waiting.shift();
    }
    if (taken.length === 0) taken.push(...[this.#waiting.shift()].filter((w) => w !== undefined));
    return taken;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const heads = new Map<string, ChainHead>(); // bounded by: the rows of one write
    const at = this.#o.clock.now();
    const ops: StoreOp[] = [];
    for (const { facts, chains } of batch) {
      for (const chain of chains) {
        const entry = nextEntry(heads.get(chain) ?? this.head(chain), facts);
        heads.set(chain, { logSeq: entry.logSeq, hash: entry.hash });
        ops.push({ op: 'append', kind: 'log', key: entryKey(chain, entry.logSeq), at, body: entry });
      }
    }
    for (const [chain, head] of heads) ops.push({ op: 'put', kind: 'chain', key: folderOf(chain), at, body: head });
    await this.#o.ledger.write(ops);
    for (const [chain, head] of heads) {
      if (!this.#heads.set(chain, head)) this.#o.log.error('evidence.chains', { chain, max: MAX_CHAINS });
    }
  }

  /** A number that is taken already tells that the heads here are not those of the store. */
  async #reread(error: unknown): Promise<void> {
    if (codeOf(error) !== 'store.keyExists') return;
    this.#o.log.error('evidence.chain', { ...describeError(error) });
    try {
      for await (const { key, body } of this.#o.ledger.all('chain')) this.#heads.set(nameOf(key), body as ChainHead);
    } catch {
      // The next attempt finds out.
    }
  }
}

/** Folder of a chain in the store; parties have a folder of their own, so that none can be called `local`. */
export const folderOf = (chain: string): string => (chain === LOCAL ? LOCAL : `fo/${chain}`);

const nameOf = (folder: string): string => (folder.startsWith('fo/') ? folder.slice(3) : folder);

export const entryKey = (chain: string, logSeq: number): string =>
  `${folderOf(chain)}/${String(logSeq).padStart(16, '0')}`;

function factsOf(e: EventNote, at: string): Waiting['facts'] {
  return {
    at,
    kind: e.kind.slice(0, 64),
    severity: e.severity,
    subject: e.subject.slice(0, MAX_SUBJECTS).map(toId),
    ...(e.cause === undefined ? {} : { cause: wellFormed(e.cause, 128) }),
    ...(e.text === undefined ? {} : { text: wellFormed(e.text, 1024) }),
  };
}

/** Cutting may part a pair, and only whole characters have a canonical form. */
const wellFormed = (text: string, max: number): string => text.slice(0, max).toWellFormed();
