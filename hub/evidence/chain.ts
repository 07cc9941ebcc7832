import { createHash } from 'node:crypto';
import { canonical } from '../../core/json.ts';
import type { EventEntry } from '../../model/index.ts';

/** `prevHash` of the first entry (fo 9.4). */
export const FIRST_PREV_HASH = '0'.repeat(64);

/** The end of a chain: the number and hash of its newest entry. */
export interface ChainHead {
  readonly logSeq: number;
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainHead = { logSeq: 0, hash: FIRST_PREV_HASH };

/** Lower-case hex SHA-256 of the canonical form of the entry without its hash (fo 9.4). */
export function entryHash(entry: Omit<EventEntry, 'hash'>): string {
  const content: Record<string, unknown> = { ...entry };
  delete content.hash;
  return createHash('sha256').update(canonical(content)).digest('hex');
}

/** The entry that follows `head`. */
export function nextEntry(head: ChainHead, facts: Omit<EventEntry, 'logSeq' | 'prevHash' | 'hash'>): EventEntry {
  const entry = { ...facts, logSeq: head.logSeq + 1, prevHash: head.hash };
  return { ...entry, hash: entryHash(entry) };
}

export interface ChainFault {
  /** Of the entry that is wrong, as it says itself. */
  readonly logSeq: number;
  readonly what: string;
}

/** What is wrong with an entry after `before`: its own hash, its number, its link. Undefined when nothing is. */
export function chainFault(before: ChainHead | undefined, entry: EventEntry): ChainFault | undefined {
  const { logSeq } = entry;
  const fault = (what: string): ChainFault => ({ logSeq, what });
  if (entryHash(entry) !== entry.hash) return fault('its hash is not that of its content');
  if (before && logSeq !== before.logSeq + 1)
    return fault(
      logSeq > before.logSeq ? `entries ${before.logSeq + 1} to ${logSeq - 1} are missing` : 'it is out of order',
    );
  if (before && entry.prevHash !== before.hash) return fault('it does not follow from the entry before');
  if (!before && logSeq === 1 && entry.prevHash !== FIRST_PREV_HASH) return fault('the first entry has a predecessor');
  return undefined;
}
