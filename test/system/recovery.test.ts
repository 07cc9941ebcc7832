import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { FAIL_POINTS, type FailPoint } from '../../core/failpoint.ts';
import type { FoInbound } from '../../protocols/fo/index.ts';
import { sayOnce } from './support/raw-operator.ts';
import { inMs, Rig, type RigOptions } from './support/recovery.ts';
import { AT_DEATH, judgeDeath, lasting, notLasting, owed } from './support/recovery-points.ts';
import { FO, GIVES, MEMBERS, NEWCOMER, OPTS_OUT, OTHER_FO } from './support/recovery-site.ts';
import { LeftBehind, replayed, unrecorded, unstated } from './support/recovery-store.ts';

const FIRST_PORT = 23_000;
/** Room for all stations at their worst, or nothing may rise until that is over (fo 6.4). */
const LIMIT_W = 40_000;
const BAND = { minW: -5_000, maxW: 25_000 };

/** Where the process dies, and at which passage; every point once at least. */
const CASES: readonly (readonly [FailPoint, number])[] = [
  ['transaction.stored', 2],
  ['transaction.answered', 2],
  ['station.stored', 1],
  ['request.decided', 1],
  ['request.decided', 2],
  ['request.stored', 1],
  ['request.stored', 2],
  ['result.stored', 1],
  ['result.stored', 2],
  ['result.sent', 1],
  ['result.sent', 2],
  ['notice.told', 2],
  ['event.stored', 1],
  ['event.stored', 3],
  ['event.sent', 1],
  ['event.sent', 3],
  ['event.acked', 2],
  ['setpoint.stored', 1],
  ['setpoint.stored', 2],
  ['batch.made', 1],
  ['batch.stored', 1],
  ['command.sent', 1],
  ['command.sent', 3],
  ['command.answered', 1],
  ['command.answered', 3],
  ['outcome.stored', 2],
  ['limit.stored', 1],
  ['opt.stored', 1],
  ['log.stored', 4],
  ['record.signed', 1],
  ['record.stored', 1],
  ['commit.open', 12],
  ['telemetry.flushed', 3],
];

let port = FIRST_PORT;
const open: Rig[] = [];
afterAll(async () => {
  for (const rig of open.splice(0)) await rig.close();
});

async function start(o: Omit<RigOptions, 'port' | 'onBack'> & Partial<RigOptions>): Promise<Rig> {
  port += 3;
  const rig = await Rig.start({ port, onBack: nothingIsLost, ...o });
  open.push(rig);
  return rig;
}

async function close(rig: Rig): Promise<void> {
  open.splice(open.indexOf(rig), 1);
  await rig.close();
}

/** As soon as the site is open again, it knows everything that was acknowledged. */
async function nothingIsLost(rig: Rig): Promise<void> {
  const { services, targetsW, askedW, optedOut, limitW } = rig.death?.acknowledged ?? {};
  const { snapshot } = await rig.site();
  for (const [fsrId, said] of Object.entries(services ?? {})) {
    const found = snapshot.services.find((s) => s.fsrId === fsrId);
    // What is over and told is no longer shown.
    expect(found?.state ?? 'aborted', `${fsrId} is known`).toMatch(
      said === 'cancelled' ? /aborted/ : /accepted|scheduled|active/,
    );
    if (said === 'cancelled') continue;
    const newest = [targetsW?.[fsrId], askedW?.[fsrId]];
    if (targetsW?.[fsrId] !== undefined) expect(newest, `newest setpoint of ${fsrId}`).toContain(found?.requestedW);
    if (targetsW?.[fsrId] !== undefined && found?.state === 'active')
      expect(newest, `in force for ${fsrId}`).toContain(found.targetW);
  }
  // The choice is about services of this operator, and nobody is out while none runs.
  const isLed = snapshot.services.some((s) => s.state === 'active');
  for (const id of isLed ? (optedOut ?? []) : [])
    expect(snapshot.resources.find((r) => r.resourceId === id)?.optState, `${id} is out`).toBe('out');
  if (limitW !== undefined) expect(snapshot.limits.find((l) => l.nodeId === 'poc')?.importLimitW).toBe(limitW);
}

const fsrOf = (fsrId: string, contractId: string) =>
  ({
    fsrId,
    revision: 1,
    contractId,
    serviceType: 'setpoint',
    target: { groupId: 'g:depot', referencePoint: 'group' },
    window: { start: inMs(300), end: inMs(180_000) },
    decisionBy: inMs(120_000),
    mandatory: false,
    priority: 5,
    fallback: { onExpiry: 'baseline', rampS: 0 },
    parameters: { mode: 'absolute', ...BAND, toleranceW: 500, updateIntervalS: 5, validityS: 60 },
  }) as const;

async function request(rig: Rig, fsrId: string, { asksTwice = true } = {}): Promise<void> {
  const fsr = fsrOf(fsrId, 'C-1');
  const result = await rig.ask('RequestService', { fsr });
  expect(result, `the answer to ${fsrId}`).toMatchObject({ status: 'ok' });
  rig.services = { ...rig.services, [fsrId]: 'requested' };
  // Whoever asks twice gets one service.
  if (asksTwice) expect(await rig.ask('RequestService', { fsr })).toMatchObject({ status: 'ok' });
}

async function setpoint(rig: Rig, fsrId: string, seq: number, targetW: number, forMs = 60_000): Promise<void> {
  await rig.up();
  rig.askedW = { ...rig.askedW, [fsrId]: targetW };
  const body = { setpoint: { fsrId, seq, targetW, validUntil: inMs(forMs) } };
  const result = await rig.ask('UpdateSetpoint', body, forMs);
  expect(result, `the answer to setpoint ${seq} of ${fsrId}`).toMatchObject({ status: 'ok' });
  rig.targetsW = { ...rig.targetsW, [fsrId]: targetW };
}

const active = (rig: Rig, fsrId: string): Promise<unknown> =>
  rig.until(`${fsrId} is active`, async () => {
    await rig.up();
    return (await rig.site()).snapshot.services.find((s) => s.fsrId === fsrId && s.state === 'active');
  });

const charging = (rig: Rig): Promise<true> =>
  rig.until('all stations charge', async () => {
    const { resources } = (await rig.site()).snapshot;
    return MEMBERS.every((id) => resources.find((r) => r.resourceId === id)?.online === true) &&
      Object.keys(rig.transactions()).length >= MEMBERS.length
      ? true
      : undefined;
  });

const canGive = async (rig: Rig): Promise<boolean> => {
  await rig.up();
  return (await rig.site()).snapshot.resources.some((r) => r.resourceId === GIVES && r.lowestW < 0);
};

/** All that an operator and a site do in a minute; every point lies on this way. */
async function drive(rig: Rig): Promise<void> {
  await charging(rig);
  await rig.until(
    'the vehicle can give power',
    async () => rig.death !== undefined || (await canGive(rig)) || undefined,
  );
  const couldGive = rig.death === undefined;
  await rig.until('the newcomer is let in', async () => {
    await rig.up();
    const { pending, snapshot } = await rig.site();
    if (snapshot.resources.some((r) => r.resourceId.startsWith(NEWCOMER))) return true;
    if (pending.some((p) => p.identity === NEWCOMER)) await rig.post(`/v2gate/api/stations/${NEWCOMER}/accept`, {});
    return undefined;
  });
  await request(rig, 'N-1');
  await active(rig, 'N-1');
  await setpoint(rig, 'N-1', 1, 12_000);
  await rig.until('a limit is set', async () => {
    await rig.up();
    return (await rig.post('/v2gate/api/limit', { nodeId: 'poc', source: 'test', importLimitW: LIMIT_W })) || undefined;
  });
  rig.limitW = LIMIT_W;
  await setpoint(rig, 'N-1', 2, 8_000);
  expect(await rig.ask('Opt', { choice: 'out', actor: 'fleet', scope: { resources: [OPTS_OUT] } })).toMatchObject({
    status: 'ok',
  });
  rig.optedOut = [OPTS_OUT];
  await rig.until('a command was seen to work', async () => {
    await rig.up();
    return (await rig.site()).snapshot.resources.find((r) => r.outcome === 'effective');
  });
  await setpoint(rig, 'N-1', 3, -2_000);
  // What a vehicle has said once outlives the gateway as well.
  if (couldGive) await rig.until('the vehicle can give power still', async () => (await canGive(rig)) || undefined);
  const cancel = { fsrId: 'N-1', reason: 'done', at: inMs(0) };
  expect(await rig.ask('CancelService', cancel)).toMatchObject({ status: 'ok' });
  rig.services = { ...rig.services, 'N-1': 'cancelled' };
  await rig.until('record and proof have come', () =>
    ['ServiceRecord', 'Proof'].every((type) => rig.events.some((e) => e.type === type)) ? true : undefined,
  );
  await request(rig, 'N-2');
  await active(rig, 'N-2');
  await setpoint(rig, 'N-2', 1, 9_000);
}

const TOLD_ONCE = ['ServiceDecision', 'ExecutionNotice', 'Opt', 'ServiceRecord', 'Proof'];

const decisions = (events: readonly FoInbound[], fsrId: string): number =>
  new Set(events.filter((e) => e.type === 'ServiceDecision' && e.body.fsrId === fsrId).map((e) => e.messageId)).size;

/** What must be so about what was left in the store and told to the operator, wherever the process died. */
function judge(rig: Rig, store: LeftBehind): void {
  const diedAt = rig.death?.at ?? 0;
  const backAt = rig.startedAt[1] ?? 0;
  expect(store.chainFaults(), 'chains').toEqual([]);
  expect(store.entries('local').filter((e) => e.kind === 'gateway.restart')).toHaveLength(2);
  expect(replayed(store, diedAt, backAt), 'commands sent again').toEqual([]);
  expect(unstated(store, diedAt), 'commands without a stated outcome').toEqual([]);
  expect(unrecorded(store, rig.stationEvents, diedAt), 'commands that the store does not know').toEqual([]);
  const seqs = rig.events.flatMap((e) => (e.eventSeq === undefined ? [] : [e.eventSeq]));
  expect(rig.gaps, 'gaps').toEqual([]);
  expect(seqs, 'eventSeq').toEqual(seqs.map((_, i) => i + 1));
  expect(store.rows('sequence').find((r) => r.key === `fo/${FO}`)?.body).toEqual({ seq: seqs.length });
  const ids = rig.events.map((e) => e.messageId);
  expect(new Set(ids).size, 'messages told twice').toBe(ids.length);
  const told = rig.events.filter((e) => TOLD_ONCE.includes(e.type)).map((e) => `${e.type} ${JSON.stringify(e.body)}`);
  expect(told, 'notices told twice').toEqual([...new Set(told)]);
  for (const fsrId of ['N-1', 'N-2']) {
    expect(store.rows('service').filter((r) => r.key.endsWith(`/${FO}/${fsrId}`))).toHaveLength(1);
    expect(decisions(rig.events, fsrId), `decisions about ${fsrId}`).toBe(1);
  }
  const ended = store.rows('service').find((r) => r.key.endsWith('/N-1'))?.body;
  expect(store.rows('opt').map((r) => (r.body as { resourceId: unknown }).resourceId)).toEqual([OPTS_OUT]);
  expect(ended).toMatchObject({ state: 'aborted', optEvents: [{ choice: 'out' }] });
  expect(rig.events.filter((e) => e.type === 'ServiceRecord')).toHaveLength(1);
  expect(rig.events.filter((e) => e.type === 'Proof')).toHaveLength(1);
  const transactions = Object.fromEntries(
    store.rows('transaction').map((r) => [r.key, String((r.body as { transactionId: unknown }).transactionId)]),
  );
  expect(transactions, 'transactions').toMatchObject(rig.death?.transactions ?? {});
  expect(rig.stationEvents.filter((e) => e.event === 'txEnded')).toEqual([]);
}

it('every point is entered', () => {
  expect([...new Set(CASES.map(([point]) => point))].sort()).toEqual(Object.keys(FAIL_POINTS).sort());
});

describe.concurrent('a gateway that dies', () => {
  it.each(CASES)('at %s, the %ith time', { timeout: 120_000 }, async (point, hit) => {
    let left: ReadonlyMap<string, string> = new Map();
    let numbers: ReadonlyMap<number, string> = new Map();
    const onDeath = async (rig: Rig): Promise<void> => {
      const store = await LeftBehind.atDeath(rig.dataDir);
      AT_DEATH[point]({ store, rig, hit });
      judgeDeath({ store, rig, hit });
      left = lasting(store);
      numbers = owed(store);
      store.close();
    };
    const rig = await start({ point: `${point}:${hit}`, onDeath });
    await drive(rig).catch(async (e: unknown) => {
      // What was wrong when it died, or when it came back, says more.
      await rig.up();
      throw new Error(`${String(e)}\n${await rig.describe()}`, { cause: e });
    });
    await rig.up();
    expect(rig.ended, `${point}:${hit} was never reached`).toBe('SIGKILL');
    expect(await rig.halt()).toBe('exit code 0');
    const store = LeftBehind.of(rig.dataDir);
    judge(rig, store);
    expect(notLasting(left, store), 'what was stored and is another one').toEqual([]);
    for (const [seq, messageId] of numbers)
      expect(rig.events.find((e) => e.eventSeq === seq)?.messageId, `event ${seq}`).toBe(messageId);
    store.close();
    await close(rig);
  });

  it.each(['request.decided:1', 'request.stored:1', 'result.stored:1', 'result.sent:1'])(
    'at %s gives one Result to one messageId, however often it comes',
    { timeout: 120_000 },
    async (point) => {
      const rig = await start({ point, onBack: async () => undefined });
      const envelope = { messageId: randomUUID(), type: 'RequestService', body: { fsr: fsrOf('S-1', 'C-2') } };
      const first = await sayOnce(await rig.operators(), OTHER_FO, envelope);
      await rig.until('it is dead', () => rig.death !== undefined || undefined);
      await rig.up();
      const again = await sayOnce(await rig.operators(), OTHER_FO, envelope);
      expect(again).toMatchObject({ status: 'ok' });
      if (point.startsWith('result.')) expect(again).toMatchObject({ state: 'credentialChecked' });
      if (first !== undefined) expect(again).toEqual(first);
      expect(await sayOnce(await rig.operators(), OTHER_FO, envelope)).toEqual(again);
      const changed = { ...envelope, body: { fsr: fsrOf('S-2', 'C-2') } };
      expect(await sayOnce(await rig.operators(), OTHER_FO, changed)).toMatchObject({ code: 'id.conflict' });
      expect((await rig.site()).snapshot.services.map((x) => x.fsrId)).toEqual(['S-1']);
      await close(rig);
    },
  );

  it.each(['request.decided:2', 'setpoint.stored:1', 'result.sent:2'])(
    'at %s takes a setpoint that comes again, and it is in force',
    { timeout: 120_000 },
    async (point) => {
      const rig = await start({ point, onBack: async () => undefined });
      const request = { messageId: randomUUID(), type: 'RequestService', body: { fsr: fsrOf('S-1', 'C-2') } };
      expect(await sayOnce(await rig.operators(), OTHER_FO, request)).toMatchObject({ status: 'ok' });
      await active(rig, 'S-1');
      const body = { setpoint: { fsrId: 'S-1', seq: 1, targetW: 9_000, validUntil: inMs(60_000) } };
      const envelope = { messageId: randomUUID(), type: 'UpdateSetpoint', body };
      const first = await sayOnce(await rig.operators(), OTHER_FO, envelope);
      await rig.until('it is dead', () => rig.death !== undefined || undefined);
      await rig.up();
      const again = await sayOnce(await rig.operators(), OTHER_FO, envelope);
      // Results of setpoints are not stored: what it becomes is told by what the stations can do now.
      expect(again).toMatchObject({ status: 'ok' });
      if (first !== undefined) expect(first).toMatchObject({ status: 'ok' });
      expect(await sayOnce(await rig.operators(), OTHER_FO, envelope)).toEqual(again);
      const { services } = (await rig.site()).snapshot;
      expect(services).toMatchObject([{ fsrId: 'S-1', requestedW: 9_000, targetW: 9_000 }]);
      await close(rig);
    },
  );

  it('for longer than a setpoint is valid goes into fallback, and says so', { timeout: 120_000 }, async () => {
    const validMs = 5_000;
    const rig = await start({
      point: 'result.sent:2',
      restartAfterMs: () => validMs,
      onBack: async () => undefined,
    });
    await charging(rig);
    await request(rig, 'N-1', { asksTwice: false });
    await active(rig, 'N-1');
    await setpoint(rig, 'N-1', 1, 12_000, validMs);
    await rig.until('the fallback', async () => {
      await rig.up();
      const service = (await rig.site()).snapshot.services.find((x) => x.fsrId === 'N-1');
      return service?.state === 'active' && service.phase === 'fallback' && service.targetW === undefined
        ? true
        : undefined;
    });
    const phases = () => rig.events.flatMap((e) => (e.type === 'ExecutionNotice' ? [e.body.phase] : []));
    await rig.until('the operator hears of it', () => (phases().includes('fallback') ? true : undefined));
    await setpoint(rig, 'N-1', 2, 6_000);
    await rig.until('the operator hears that it goes on', () => (phases().includes('resumed') ? true : undefined));
    expect(rig.ended).toBe('SIGKILL');
    await close(rig);
  });
});
