import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { bootStation, greetOperator, type Raw } from './peers.ts';
import { serviceRequest, setpoint, useWorld } from './world.ts';

const world = useWorld();
/** Frames per target; the long run sets it to 10 000. */
const FRAMES = Number(process.env.V2GATE_FUZZ_FRAMES ?? 300);
const SEED = Number(process.env.V2GATE_FUZZ_SEED ?? 20_260_302);
/** Frames between two looks at the others. */
const LOOK_EVERY = 50;
const AT = '2026-03-02T12:00:00.000Z';

/** Values that parsers and sums stumble over. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    -0,
    1e308,
    -1e308,
    5e-324,
    2 ** 53,
    [],
    {},
    [[]],
    '__proto__',
    '\u0000',
    '\ud800',
    '💥',
  ),
  fc.constantFrom<unknown>('1e999', 'NaN', '2026-13-45T99:99:99Z', '../../etc/passwd', 'x'.repeat(5_000), {
    ['__proto__']: 1,
  }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** One value somewhere inside is replaced, removed or doubled. */
function mutated(value: unknown, path: readonly number[], what: 'replace' | 'remove' | 'add', by: unknown): unknown {
  const [step, ...rest] = path;
  if (typeof value !== 'object' || value === null || step === undefined) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[step % keys.length] ?? '';
  const child: unknown = Reflect.get(value, key);
  const end = rest.length === 0 || typeof child !== 'object' || child === null;
  if (Array.isArray(value)) {
    if (end && what === 'remove') return value.filter((_, i) => String(i) !== key);
    if (end && what === 'add') return [...value, by];
    return value.map((x: unknown, i) => (String(i) === key ? mutated(x, end ? [] : rest, what, by) : x));
  }
  const entries = Object.entries(value);
  if (end && what === 'remove') return Object.fromEntries(entries.filter(([k]) => k !== key));
  if (end && what === 'add') return Object.fromEntries([...entries, [`${key}x`, by]]);
  return Object.fromEntries(entries.map(([k, x]) => [k, k === key ? mutated(x, end ? [] : rest, what, by) : x]));
}

/** Changes of the text itself: cut, flipped, doubled, spliced. */
const scratch = fc.oneof(
  { weight: 6, arbitrary: fc.constant((text: string) => text) },
  { weight: 1, arbitrary: fc.nat(400).map((at) => (text: string) => text.slice(0, at)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.nat(400),
        fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\u0000', '1e999', '\\u005f', '\ufeff'),
      )
      .map(
        ([at, c]) =>
          (text: string) =>
            text.slice(0, at) + c + text.slice(at + 1),
      ),
  },
  { weight: 1, arbitrary: fc.constant((text: string) => text + text) },
);

const frames = (templates: readonly (() => unknown)[]) =>
  fc
    .record({
      template: fc.constantFrom(...templates),
      path: fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }),
      what: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
      by: odd,
      scratch,
    })
    .map((m) => () => m.scratch(JSON.stringify(mutated(m.template(), m.path, m.what, m.by)) ?? ''));

const sampled16 = [{ value: '4100', measurand: 'Power.Active.Import', unit: 'W', phase: 'L1' }];
const sampled21 = [{ value: 4100, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W', multiplier: 0 } }];
const call = (action: string, payload: object) => () => [2, 'f', action, payload];

const OCPP16 = [
  call('BootNotification', { chargePointVendor: 'v', chargePointModel: 'm', chargePointSerialNumber: 's' }),
  call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp: AT }),
  call('Authorize', { idTag: 'DEMO-1' }),
  call('StartTransaction', { connectorId: 1, idTag: 'DEMO-1', meterStart: 0, timestamp: AT }),
  call('StopTransaction', { transactionId: 1, meterStop: 5, timestamp: AT, transactionData: [] }),
  call('MeterValues', { connectorId: 1, transactionId: 1, meterValue: [{ timestamp: AT, sampledValue: sampled16 }] }),
  call('DataTransfer', { vendorId: 'v', messageId: 'm', data: 'd' }),
  () => [3, 'f', { status: 'Accepted' }],
  () => [4, 'f', 'InternalError', 'no', {}],
];

const transaction = { transactionId: 'f', chargingState: 'Charging' };
const OCPP21 = [
  call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'v', model: 'm' } }),
  call('StatusNotification', { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: AT }),
  call('Authorize', { idToken: { idToken: 'DEMO-1', type: 'ISO14443' } }),
  call('TransactionEvent', {
    eventType: 'Updated',
    triggerReason: 'MeterValuePeriodic',
    seqNo: 3,
    timestamp: AT,
    transactionInfo: transaction,
    evse: { id: 1, connectorId: 1 },
    meterValue: [{ timestamp: AT, sampledValue: sampled21 }],
  }),
  call('MeterValues', { evseId: 1, meterValue: [{ timestamp: AT, sampledValue: sampled21 }] }),
  call('NotifyEVChargingNeeds', {
    evseId: 1,
    chargingNeeds: {
      requestedEnergyTransfer: 'DC_BPT',
      departureTime: AT,
      dcChargingParameters: { evMaxCurrent: 50, evMaxVoltage: 400, stateOfCharge: 50 },
    },
  }),
  call('DataTransfer', { vendorId: 'v', data: { a: [1, { b: 2 }] }, customData: { vendorId: 'v' } }),
  () => [3, 'f', { status: 'Accepted' }],
  () => [5, 'f', 'FormatViolation', 'no', {}],
  () => [6, 'f', 'NotifyPeriodicEventStream', { id: 1, pending: 0, basetime: AT, data: [{ t: 1, v: '2' }] }],
];

/** Sends everything; a connection that the gateway ends is opened again. */
async function throwAt(open: () => Promise<Raw>, made: readonly (() => string)[]): Promise<void> {
  const before = await world().settled();
  let peer = await open();
  for (const [n, make] of made.entries()) {
    if (peer.end() !== undefined) peer = await open();
    peer.send(make());
    if ((n + 1) % LOOK_EVERY !== 0) continue;
    await peer.read();
    await world().unharmed();
  }
  await peer.read();
  peer.drop();
  await world().unharmed();
  await world().nothingGrew(before);
  expect(world().gw.log.filter((l) => FAULT.test(l))).toEqual([]);
}

/** Lines of the log that nothing from outside may cause. */
const FAULT =
  /handlerFailed|listenerFailed|frameFailed|internal\.permanent|site\.(decide|observation|store)|link\.listener/;
const sample = (templates: readonly (() => unknown)[]): (() => string)[] =>
  fc.sample(frames(templates), { seed: SEED, numRuns: FRAMES });

describe(`${FRAMES} mutated frames`, () => {
  it('of a station that speaks OCPP 1.6 harm nobody', () =>
    throwAt(() => bootStation(world().ocpp, 'DEMO-AC-4', 'ocpp1.6'), sample(OCPP16)));

  it('of a station that speaks OCPP 2.1 harm nobody', () =>
    throwAt(() => bootStation(world().ocpp, 'DEMO-V2G-2', 'ocpp2.1'), sample(OCPP21)));

  it('of an operator harm nobody', async () => {
    const now = (): number => world().clock.now();
    const operator = await greetOperator(world().fo, 'fo:rival', world().clock.now);
    const mine = { contractId: 'C-10', target: { groupId: 'g:rival', referencePoint: 'group' } };
    const bodies: readonly (readonly [string, () => unknown])[] = [
      ['RequestService', () => serviceRequest('R-1', now(), mine)],
      ['UpdateSetpoint', () => setpoint('R-1', 1, 1_000, now())],
      ['CancelService', () => ({ fsrId: 'R-1', reason: 'enough', at: iso(now()) })],
      [
        'SubscribeTelemetry',
        () => ({ subject: { groupId: 'g:rival' }, fields: ['powerW'], intervalS: 5, until: iso(now() + 3_000) }),
      ],
      ['Heartbeat', () => ({ at: iso(now()), seq: 1, ackEventSeq: 0 })],
      ['Result', () => ({ status: 'ok' })],
      ['Telemetry', () => ({ samples: [{ resourceId: 'DEMO-AC-1.1', at: iso(now()), powerW: 1, quality: 'good' }] })],
    ];
    const templates = bodies.map(
      ([type, body]) =>
        () =>
          operator.envelope(type, body()),
    );
    operator.drop();
    await throwAt(() => greetOperator(world().fo, 'fo:rival', world().clock.now), sample(templates));
  });

  it('of a console harm nobody', async () => {
    const bodies = sample([
      () => ({ nodeId: 'moon', source: 'fuzz', importLimitW: 9_000, exportLimitW: 1, until: AT }),
    ]);
    for (const make of bodies) {
      const answer = await world().gw.get('/v2gate/api/limit', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: make(),
      });
      expect([400, 404]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({ error: { code: expect.any(String), remedy: expect.any(String) } });
    }
    await world().unharmed();
  });
});
