import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../core/json.ts';
import { type ChainHead, chainFault } from '../../hub/evidence/chain.ts';
import type { Evidence, KeptDocument } from '../../hub/evidence/types.ts';
import type { ChainStatus, EventEntry, EventPage, RecordPage } from '../../model/index.ts';
import { NODE_ERRORS } from '../base/errors.ts';

/** What is asked. */
export interface Question {
  readonly ask: 'chains' | 'events' | 'records' | 'proofs';
  /** Only what concerns this operator. */
  readonly operator?: string;
  /** recordId, proofId or fsrId. */
  readonly id?: string;
  /** The first logSeq; without it the newest events. */
  readonly from?: number;
  /** Entries or documents, 1–1000. */
  readonly limit: number;
}

/** Chain of the gateway itself: every event stands in it. */
const LOCAL = 'local';
/** Hashes that one answer computes per chain; a whole one is checked by `npx v2gate verify`. */
const MOST_CHECKED = 10_000;
/** Documents of one answer, as RecordPage has them. */
const MOST_DOCUMENTS = 100;
/** After so many entries others have their turn. */
const TURN = 500;

/** Whether the logs are unbroken, from the hashes of their newest entries. */
export async function chainStatus(evidence: Reading, { operator }: Question): Promise<ChainStatus> {
  await evidence.flush();
  const { reader } = evidence;
  const all = reader.chains();
  if (operator !== undefined && !all.includes(operator)) throw noChain(operator);
  const chains: ChainStatus['chains'][number][] = [];
  for (const chain of operator === undefined ? all : [operator]) chains.push(await checked(reader, chain));
  return { chains };
}

async function checked(reader: Evidence['reader'], chain: string): Promise<ChainStatus['chains'][number]> {
  const entries = reader.newest(chain);
  let before: ChainHead | undefined;
  let count = 0;
  for await (const entry of reader.events(chain, Math.max(1, entries - MOST_CHECKED + 1))) {
    const fault = chainFault(before, entry);
    if (fault) return { chain, entries, checked: count, ok: false, fault: `entry ${fault.logSeq}: ${fault.what}` };
    before = entry;
    if (++count % TURN === 0) await setImmediate();
  }
  if (before === undefined || before.logSeq >= entries) return { chain, entries, checked: count, ok: true };
  return { chain, entries, checked: count, ok: false, fault: `entries after ${before.logSeq} are missing` };
}

/** The newest entries of a log, or those from a number on, in their order. */
export async function eventsOf(evidence: Reading, question: Question): Promise<EventPage> {
  const { operator: chain = LOCAL, limit, from } = question;
  await evidence.flush();
  const { reader } = evidence;
  const newest = reader.newest(chain);
  if (newest === 0) throw noChain(chain);
  const entries: EventEntry[] = [];
  let next: number | undefined;
  for await (const entry of reader.events(chain, from ?? Math.max(1, newest - limit + 1))) {
    if (entries.length === limit) {
      next = entry.logSeq;
      break;
    }
    entries.push(entry);
  }
  const head = entries.at(-1);
  const headHash = next === undefined && head ? head.hash : await hashOf(reader, chain, newest);
  return { entries, headHash, ...(next === undefined ? {} : { nextPage: String(next) }) };
}

async function hashOf(reader: Evidence['reader'], chain: string, logSeq: number): Promise<string> {
  for await (const entry of reader.events(chain, logSeq)) return entry.hash;
  return '';
}

/** Records or proofs, the newest first, exactly as they were sent. */
export async function documentsOf({ reader }: Reading, question: Question): Promise<RecordPage> {
  const { ask, operator, id, limit } = question;
  const type: KeptDocument['type'] = ask === 'proofs' ? 'Proof' : 'ServiceRecord';
  const found = await reader.documents(type, {
    limit: Math.min(limit, MOST_DOCUMENTS),
    ...(operator === undefined ? {} : { foId: operator }),
    ...(id === undefined ? {} : { id }),
  });
  const documents = found.map(({ text }) => JSON.parse(text) as RecordPage['records'][number] & Json);
  return type === 'Proof' ? { records: [], proofs: documents } : { records: documents, proofs: [] };
}

/** The part of the evidence that is needed. */
export type Reading = Pick<Evidence, 'reader' | 'flush'>;

const noChain = (chain: string): Error =>
  NODE_ERRORS.fail('nodes.message', `The site has no event log of “${chain}”.`, {
    remedy: 'Name an operator that has a contract here, or nobody.',
  });
