import { copyFile, mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseTime } from '../../../core/clock.ts';
import { type ChainHead, chainFault } from '../../../hub/evidence/chain.ts';
import type { RecordKind } from '../../../hub/ports.ts';
import type { CommandBatch, CommandOutcome, EventEntry } from '../../../model/index.ts';
import type { StationEvent } from '../../../simulators/stations/index.ts';

export interface Row {
  readonly key: string;
  readonly at: number;
  readonly body: unknown;
}

/** What a gateway has left behind. */
export class LeftBehind {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Of a gateway that was stopped in order. */
  static of(dataDir: string): LeftBehind {
    return new LeftBehind(new DatabaseSync(join(dataDir, 'store.sqlite'), { readOnly: true }));
  }

  /** Of a gateway that has died: a copy, so that what it left is found by the next one as it was. */
  static async atDeath(dataDir: string): Promise<LeftBehind> {
    const copy = await mkdtemp(join(dataDir, 'at-death-'));
    for (const name of await readdir(dataDir))
      if (name.startsWith('store.sqlite')) await copyFile(join(dataDir, name), join(copy, name));
    return new LeftBehind(new DatabaseSync(join(copy, 'store.sqlite')));
  }

  rows(kind: RecordKind): Row[] {
    return this.#db
      .prepare('SELECT key, at, body FROM record WHERE kind = ? ORDER BY key')
      .all(kind)
      .map((r) => ({ key: String(r.key), at: Number(r.at), body: JSON.parse(String(r.body)) }));
  }

  close(): void {
    this.#db.close();
  }

  /** What is wrong with the chains of the event log: gaps, forks, heads beside the end. */
  chainFaults(): string[] {
    const chains = new Map<string, { entries: EventEntry[] }>();
    for (const { key, body } of this.rows('log')) {
      const chain = key.slice(0, key.lastIndexOf('/'));
      const known = chains.get(chain) ?? { entries: [] };
      known.entries.push(body as EventEntry);
      chains.set(chain, known);
    }
    const faults: string[] = [];
    const heads = new Map(this.rows('chain').map((r) => [r.key, r.body as ChainHead]));
    for (const [chain, { entries }] of chains) {
      let head: ChainHead | undefined = { logSeq: 0, hash: '0'.repeat(64) };
      for (const entry of entries) {
        const fault = chainFault(head, entry);
        if (fault) faults.push(`${chain} ${fault.logSeq}: ${fault.what}`);
        head = { logSeq: entry.logSeq, hash: entry.hash };
      }
      if (heads.get(chain)?.hash !== head?.hash) faults.push(`${chain}: the stored head is not its end`);
    }
    return faults;
  }

  entries(chain: string): EventEntry[] {
    return this.rows('log')
      .filter((r) => r.key.slice(0, r.key.lastIndexOf('/')).endsWith(chain))
      .map((r) => r.body as EventEntry);
  }

  batches(): (CommandBatch & { readonly storedAt: number })[] {
    return this.rows('batch').map((r) => ({ ...(r.body as CommandBatch), storedAt: r.at }));
  }

  outcomes(): CommandOutcome[] {
    return this.rows('outcome').map((r) => r.body as CommandOutcome);
  }
}

const FINAL: readonly string[] = ['effective', 'notEffective', 'refused', 'superseded', 'expired', 'unknown'];

/** Commands that were made before `diedAt` and of which nobody says what became of them, nor a later one that replaced it. */
export function unstated(store: LeftBehind, diedAt: number): string[] {
  const stated = new Set(
    store
      .outcomes()
      .filter((o) => FINAL.includes(o.state))
      .map((o) => o.commandId),
  );
  const made = store.batches().flatMap((b) => (b.storedAt <= diedAt ? b.commands : []));
  const newest = new Map(made.map((c) => [c.resourceId, c.commandId])); // batches come oldest first
  return made
    .filter((c) => !stated.has(c.commandId) && newest.get(c.resourceId) === c.commandId)
    .map((c) => `${c.resourceId} ${c.commandId}`);
}

/** Commands from before `diedAt` that a station was told of after `backAt`. */
export function replayed(store: LeftBehind, diedAt: number, backAt: number): string[] {
  const old = new Set(store.batches().flatMap((b) => (b.storedAt <= diedAt ? b.commands.map((c) => c.commandId) : [])));
  return store
    .outcomes()
    .filter((o) => old.has(o.commandId) && parseTime(o.at) >= backAt && !['unknown', 'superseded'].includes(o.state))
    .map((o) => `${o.resourceId} ${o.commandId} ${o.state}`);
}

/** Stations that took more commands for a session before `diedAt` than the store knows of. */
export function unrecorded(store: LeftBehind, events: readonly StationEvent[], diedAt: number): string[] {
  const made = store.batches().flatMap((b) => (b.storedAt <= diedAt ? b.commands : []));
  const count = (list: readonly string[], id: string): number => list.filter((x) => x === id).length;
  const known = made.map((c) => c.resourceId);
  const taken = events
    .filter((e) => e.event === 'profile' && e.purpose === 'TxProfile' && parseTime(e.at) <= diedAt)
    .map((e) => `${e.station}.1`);
  return [...new Set(taken)].filter((id) => count(taken, id) > count(known, id));
}
