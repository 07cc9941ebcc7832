import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { type FoResult, greetOperator, type OperatorPeer, openOperator } from './peers.ts';
import { PATH, REMEDY, rivalService, useWorld } from './world.ts';

const world = useWorld();
const now = (): number => world().clock.now();
const rival = (): Promise<OperatorPeer> => greetOperator(world().fo, 'fo:rival', world().clock.now);
const service = (patch: object = {}) => rivalService(now(), patch);

describe('an operator that repeats itself', () => {
  it('gets the same Result for the same message, and id.conflict for another one under its id', async () => {
    const operator = await rival();
    const envelope = operator.envelope('RequestService', service({ contractId: 'C-404' }));
    operator.say(envelope);
    const first = await operator.result(envelope.messageId);
    operator.say(envelope);
    expect(await operator.result(envelope.messageId)).toEqual(first);
    operator.say({ ...envelope, body: service({ contractId: 'C-405' }) });
    expect(await operator.result(envelope.messageId)).toMatchObject({ status: 'error', code: 'id.conflict' });
    await world().unharmed();
  });
});

describe('an operator that wants too much', () => {
  const until = (): string => iso(now() + 60_000);
  const subscribe = (operator: OperatorPeer, subject: object, fsrId?: string): Promise<FoResult> =>
    operator.request('SubscribeTelemetry', {
      subject,
      fields: ['powerW'],
      intervalS: 1,
      until: until(),
      ...(fsrId === undefined ? {} : { fsrId }),
    });

  it.each([
    ['a resource of nobody', { resourceId: 'NOWHERE.1' }],
    ['a resource outside its contracts', { resourceId: 'DEMO-AC-1.1' }],
    ['a group outside its contracts', { groupId: 'g:depot' }],
  ])('may not watch %s', async (_, subject) => {
    const answer = await subscribe(await rival(), subject);
    expect(answer).toMatchObject({ status: 'rejected', message: expect.stringMatching(REMEDY) });
    await world().unharmed();
  });

  it('by subscriptions leaves room for the others', async () => {
    const operator = await rival();
    for (let n = 0; n < 300; n++) {
      // No faster than an operator may ask.
      if (n % 100 === 99) await world().pass(5);
      await subscribe(operator, { groupId: 'g:rival' }, `S-${n}`);
    }
    const other = await greetOperator(world().fo, 'fo:rival', world().clock.now);
    expect((await subscribe(other, { groupId: 'g:rival' }, 'S-1')).status).toMatch(/ok|rejected/);
    expect(world().clock.pending).toBeLessThan(200);
    await world().unharmed();
  });

  it('by refused messages, 600 within a minute, loses its connection', async () => {
    const operator = await rival();
    for (let n = 0; n < 700; n++) operator.say(operator.envelope('FlyToTheMoon', { n }));
    expect(await operator.closed()).toBe(4008);
    await world().unharmed();
    await world().pass(61);
    expect(await (await rival()).request('FlyToTheMoon', {})).toMatchObject({ code: 'type.unknown' });
  });

  it('in answers that nobody asked for gets none', async () => {
    const operator = await rival();
    const correlationId = randomUUID();
    operator.say(operator.envelope('Result', { status: 'ok' }, { correlationId }));
    operator.say(operator.envelope('Result', { status: 'fine' }, { correlationId }));
    operator.say(operator.envelope('Result', {}, { sentAt: 'now' }));
    expect(await operator.request('FlyToTheMoon', {})).toMatchObject({ code: 'type.unknown' });
    expect(operator.got.filter((t) => t.includes('"Result"'))).toEqual([]);
    await world().unharmed();
  });
});

describe('a flow that does not answer', () => {
  it('leaves the operator with internal.temporary after 1.5 s, and the setpoint in force', async () => {
    await world().gw.deploy(
      PATH.filter((n) => n.id !== 'service').map((n) => (n.id === 'fo-in' ? { ...n, wires: [] } : n)),
    );
    const operator = await rival();
    const asked = operator.request('RequestService', service());
    await operator.read();
    await world().pass(2);
    expect(await asked).toMatchObject({
      status: 'error',
      code: 'internal.temporary',
      message: expect.stringMatching(REMEDY),
    });
    await world().unharmed();
    await world().gw.deploy(PATH);
    expect(await operator.request('RequestService', service())).toMatchObject({ code: 'conflict.overlap' });
    await world().unharmed();
  });
});

describe('the first message of a link', () => {
  const stranger = (partyId = 'fo:rival') => openOperator(world().fo, partyId, world().clock.now);

  it.each([
    ['is no Hello', (o: OperatorPeer) => JSON.stringify(o.envelope('RequestService', service())), 'state.invalid'],
    ['is no JSON', () => '{"half":', 'schema.invalid'],
    ['has no time', (o: OperatorPeer) => JSON.stringify(o.envelope('Hello', {}, { sentAt: 'now' })), 'schema.invalid'],
  ])('that %s is answered and ends the connection', async (_, frame, code) => {
    const operator = await stranger();
    operator.send(frame(operator));
    const answer = JSON.parse(await operator.take('Result', (t) => t.includes('"Result"'))) as Record<string, unknown>;
    expect(answer.body).toMatchObject({ status: 'error', code, message: expect.stringMatching(REMEDY) });
    expect(await operator.closed()).toBe(4000);
    await world().unharmed();
  });

  it('of a party that nobody knows ends the connection', async () => {
    const operator = await stranger('fo:nobody');
    operator.say(operator.envelope('Hello', {}));
    expect(await operator.closed()).toBe(4001);
    await world().unharmed();
  });

  it('that is a Hello for another profile is answered and ends the connection', async () => {
    const operator = await stranger();
    const body = { role: 'fo', profiles: ['v2gate-fo/9'], encodings: ['json'], heartbeatS: 10, lastEventSeq: 0 };
    expect(await operator.request('Hello', body)).toMatchObject({ status: 'error', code: 'profile.unsupported' });
    expect(await operator.closed()).toBe(4000);
    await world().unharmed();
  });

  it('that never comes ends the connection after 10 s', async () => {
    const operator = await stranger();
    await world().pass(11);
    expect(await operator.closed()).toBe(4000);
    await world().unharmed();
  });
});
