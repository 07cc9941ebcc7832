import { expect } from 'vitest';
import type { FailPoint } from '../../../core/failpoint.ts';
import type { RecordKind } from '../../../hub/ports.ts';
import type { Rig } from './recovery.ts';
import { FO, NEWCOMER, OPTS_OUT, STATIONS } from './recovery-site.ts';
import { type LeftBehind, type Row, unrecorded } from './recovery-store.ts';

/** What a dead gateway has left, who lived through it, and the how-manieth passage it died at. */
export interface Scene {
  readonly store: LeftBehind;
  readonly rig: Rig;
  readonly hit: number;
}

const ofService = (store: LeftBehind, fsrId: string): Row[] =>
  store.rows('service').filter((r) => r.key.endsWith(`/${FO}/${fsrId}`));
const some = (rows: readonly unknown[], what: string): void => expect(rows.length, what).toBeGreaterThan(0);
const body = (row: Row | undefined): Record<string, unknown> => (row?.body ?? {}) as Record<string, unknown>;
const documents = (store: LeftBehind, kind: RecordKind): Row[] => store.rows(kind).filter((r) => /\/doc\//.test(r.key));
const seqsHeard = (rig: Rig): number[] => rig.events.flatMap((e) => e.eventSeq ?? []);
const taken = (rig: Rig): number =>
  rig.stationEvents.filter((e) => e.event === 'profile' && e.purpose === 'TxProfile').length;
const accepted = (store: LeftBehind): number => store.outcomes().filter((o) => o.state === 'accepted').length;
const sequence = (row: Row): number => Number(body(row).seq);

/** Between which two steps the process died, point by point: as the table of the points says it. */
export const AT_DEATH: Readonly<Record<FailPoint, (s: Scene) => void>> = {
  'request.decided': ({ store, rig, hit }) => {
    // The second time the same is asked for again: nothing new is stored then.
    expect(ofService(store, 'N-1')).toHaveLength(hit - 1);
    expect(rig.services['N-1']).toBe(hit === 1 ? undefined : 'requested');
  },
  'request.stored': ({ store }) => {
    expect(ofService(store, 'N-1')).toHaveLength(1);
    some(body(ofService(store, 'N-1')[0]).outgoing as unknown[], 'what is owed');
  },
  'result.stored': ({ store, rig, hit }) => {
    some(store.rows('request'), 'Results');
    if (hit === 1) expect(rig.services['N-1']).toBeUndefined();
  },
  'result.sent': ({ store }) => some(store.rows('request'), 'Results'),
  'notice.told': ({ store, hit }) => {
    const last = store.rows('sequence').find((r) => r.key === `fo/${FO}`);
    expect(last === undefined ? 0 : sequence(last)).toBeLessThan(hit);
  },
  'event.stored': ({ store, rig }) => {
    const newest = Math.max(...store.rows('outbox').map(sequence));
    expect(seqsHeard(rig)).not.toContain(newest);
  },
  'event.sent': ({ store, hit }) => expect(Math.max(...store.rows('outbox').map(sequence))).toBeGreaterThanOrEqual(hit),
  'event.acked': ({ store, rig }) => expect(seqsHeard(rig)).toContain(Math.min(...store.rows('outbox').map(sequence))),
  'setpoint.stored': ({ store, rig, hit }) => {
    expect(store.rows('setpoint').map(sequence)).toEqual([hit]);
    expect(rig.targetsW['N-1']).toBe(hit === 1 ? undefined : 12_000);
  },
  'batch.made': ({ store, rig }) => {
    expect(store.batches()).toEqual([]);
    expect(taken(rig)).toBe(0);
  },
  'batch.stored': ({ store, rig }) => {
    expect(store.batches()).toHaveLength(1);
    expect(taken(rig)).toBe(0);
  },
  'command.sent': ({ store, hit }) => {
    some(store.batches(), 'batches');
    expect(accepted(store)).toBeLessThan(hit);
  },
  'command.answered': ({ store, rig, hit }) => {
    expect(taken(rig)).toBeGreaterThanOrEqual(hit);
    expect(accepted(store)).toBeLessThan(hit);
  },
  'outcome.stored': ({ store, hit }) => expect(store.outcomes().length).toBeGreaterThanOrEqual(hit),
  'transaction.stored': ({ store }) => some(store.rows('transaction'), 'transactions'),
  'transaction.answered': ({ store }) => some(store.rows('transaction'), 'transactions'),
  'limit.stored': ({ store, rig }) => {
    some(store.rows('limit'), 'limits');
    expect(rig.limitW).toBeUndefined();
  },
  'opt.stored': ({ store, rig }) => {
    expect(store.rows('opt').map((r) => body(r).resourceId)).toEqual([OPTS_OUT]);
    expect(rig.optedOut).toEqual([]);
  },
  'station.stored': ({ store }) => expect(JSON.stringify(store.rows('station'))).toContain(NEWCOMER),
  'log.stored': ({ store }) => some(store.rows('log'), 'entries'),
  'record.signed': ({ store }) => {
    expect(documents(store, 'record')).toEqual([]);
    expect(documents(store, 'proof')).toEqual([]);
  },
  'record.stored': ({ store, rig }) => {
    expect([documents(store, 'record').length, documents(store, 'proof').length]).toEqual([1, 1]);
    expect(rig.events.filter((e) => e.type === 'ServiceRecord')).toEqual([]);
  },
  'commit.open': () => undefined,
  'telemetry.flushed': ({ store }) => some(store.rows('meter'), 'values'),
};

/** Wherever it died: what was acknowledged in class A or B is in the store, and the chains hold. */
export function judgeDeath({ store, rig }: Scene): void {
  expect(store.chainFaults(), 'chains at the death').toEqual([]);
  for (const fsrId of Object.keys(rig.services)) expect(ofService(store, fsrId), fsrId).toHaveLength(1);
  for (const [fsrId, targetW] of Object.entries(rig.targetsW)) {
    const row = store.rows('setpoint').find((r) => r.key.endsWith(`/${fsrId}`));
    if (rig.services[fsrId] === 'requested')
      expect([targetW, rig.askedW[fsrId]], `setpoint of ${fsrId}`).toContain(body(row).targetW);
  }
  if (rig.limitW !== undefined) expect(store.rows('limit').map((r) => body(r).importLimitW)).toContain(rig.limitW);
  for (const id of rig.optedOut) expect(store.rows('opt').map((r) => body(r).resourceId)).toContain(id);
  // The id of a transaction of 1.6 is known to its station once it was answered.
  const told = rig.transactions()[`${STATIONS['ocpp1.6']}.1`];
  if (told !== undefined) expect(store.rows('transaction').map((r) => String(body(r).transactionId))).toContain(told);
  expect(unrecorded(store, rig.stationEvents, rig.death?.at ?? 0), 'commands that the store does not know').toEqual([]);
}

/** Kinds of which nothing that was once stored is ever changed or lost (design 5). */
const LASTING: readonly RecordKind[] = ['request', 'log', 'batch', 'outcome', 'proof', 'record'];

/** What was stored at the death and is gone or another one at the end. */
export function notLasting(atDeath: ReadonlyMap<string, string>, end: LeftBehind): string[] {
  const now = lasting(end);
  return [...atDeath].filter(([key, text]) => now.get(key) !== text).map(([key]) => key);
}

/** The rows that last, by kind and key. */
export function lasting(store: LeftBehind): Map<string, string> {
  const rows = LASTING.flatMap((kind) =>
    store.rows(kind).map((r) => [`${kind} ${r.key}`, JSON.stringify(r.body)] as const),
  );
  // Which documents nobody has taken yet changes.
  return new Map(rows.filter(([key]) => !/^record .*\/open\//.test(key)));
}

/** Numbers of the outbox at the death, with the message that each must reach the operator as. */
export const owed = (store: LeftBehind): Map<number, string> =>
  new Map(
    store.rows('outbox').flatMap((r) => (r.key.startsWith(`${FO}/`) ? [[sequence(r), String(body(r).messageId)]] : [])),
  );
