import { describe, expect, it } from 'vitest';
import { bootStation, openStation } from './peers.ts';
import { speakTcp, upgradeRequest } from './tcp.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const AT = '2026-03-02T12:00:00Z';
const start = (timestamp: string) => ({ connectorId: 1, idTag: 'DEMO-2', meterStart: 5, timestamp });

describe('a station that repeats an id', () => {
  it('with the same content gets the same answer, and no second transaction', async () => {
    const station = await bootStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    const first = await station.call('StartTransaction', start(AT), 'same');
    expect(await station.call('StartTransaction', start(AT), 'same')).toEqual(first);
    expect(await station.call('StartTransaction', start(AT), 'other')).toEqual(first);
    await world().unharmed();
  });

  it('twice in one breath is answered once for each id that is open', async () => {
    const station = await bootStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    const frame = JSON.stringify([2, 'twin', 'BootNotification', { chargePointVendor: 'v', chargePointModel: 'm' }]);
    station.send(frame);
    station.send(frame);
    await station.take('answer', (t) => t.startsWith('[3,"twin"'));
    await station.call('Heartbeat', {});
    await world().unharmed();
  });

  it('of a transaction event is taken once', async () => {
    const station = await bootStation(world().ocpp, 'DEMO-V2G-2', 'ocpp2.1');
    const event = (seqNo: number, id: string) =>
      station.call(
        'TransactionEvent',
        {
          eventType: seqNo === 0 ? 'Started' : 'Updated',
          triggerReason: 'CablePluggedIn',
          seqNo,
          timestamp: AT,
          transactionInfo: { transactionId: 'dup', chargingState: 'EVConnected' },
          evse: { id: 1, connectorId: 1 },
        },
        id,
      );
    for (const seqNo of [0, 0, 1, 0, 1]) expect(await event(seqNo, 'again')).toEqual({});
    const { snapshot } = await world().view();
    expect(snapshot.resources.find((r) => r.resourceId === 'DEMO-V2G-2.1')).toMatchObject({ sessionId: 'dup' });
    await world().unharmed();
  });
});

describe('a station that does not answer', () => {
  it('costs itself a time-out; its late answer is dropped and counted', async () => {
    const station = await openStation(world().ocpp, 'DEMO-V2G-2', 'ocpp2.1');
    station.obedient = false;
    await station.call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'v', model: 'm' } });
    await world().pass(1);
    const asked = JSON.parse(await station.take('CALL', (t) => t.startsWith('[2,'))) as readonly [number, string];
    const timeouts = await counted('timeouts');
    const late = await counted('lateAnswers');
    await world().pass(12);
    expect(await counted('timeouts')).toBeGreaterThan(timeouts);
    expect(await counted('lateAnswers')).toBe(late);
    station.send(JSON.stringify([3, asked[1], { status: 'Accepted' }]));
    await station.call('Heartbeat', {});
    await world().pass(2);
    expect(await counted('lateAnswers')).toBe(late + 1);
    await world().unharmed();
  });

  it.each([
    ['an answer to nothing', '[3,"nobody-asked",{}]'],
    ['an error to nothing', '[4,"nobody-asked","InternalError","",{}]'],
    ['an answer without id', '[3]'],
    ['an answer nested 100 000 levels deep', `[3,"x",${'['.repeat(1e5)}${']'.repeat(1e5)}]`],
    ['an answer of 300 000 characters', `[3,"x",{"status":"${'y'.repeat(3e5)}"}]`],
    ['an error about an error', '[5,"x","FormatViolation","",{}]'],
    ['a SEND that nobody knows', '[6,"x","FlyToTheMoon",{}]'],
  ])('but sends %s, gets no answer to it and goes on', async (_, frame) => {
    const station = await openStation(world().ocpp, 'DEMO-V2G-2', 'ocpp2.1');
    station.send(frame);
    await station.call('Heartbeat', {});
    expect(station.got.filter((t) => t.startsWith('[4') || t.startsWith('[5'))).toEqual([]);
    await world().unharmed();
  });

  it('but sends nothing readable 20 times loses its connection', async () => {
    const station = await openStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    for (let n = 0; n < 20; n++) station.send('{');
    expect(await station.closed()).toBe(1002);
    await world().unharmed();
  });

  it('but sends more than twice the limit loses its connection', async () => {
    const station = await openStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    station.send(' '.repeat(600_000));
    expect(await station.closed()).toBe(1009);
    await world().unharmed();
  });
});

const counted = (what: string): Promise<number> => world().metric('v2gate_ocpp_events_total', `what="${what}"`);

describe('a station that reports what cannot be', () => {
  const sample = (value: string, unit = 'W') => ({ value, measurand: 'Power.Active.Import', unit });
  it.each([
    ['1e999', 'W'],
    ['-1e308', 'kW'],
    ['Infinity', 'W'],
    ['NaN', 'W'],
    ['0x1F', 'W'],
    ['9'.repeat(400), 'W'],
    ['١٢٣', 'W'],
  ])('power %s %s: the site keeps numbers that can be', async (value, unit) => {
    const station = await bootStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    const meterValue = [{ timestamp: AT, sampledValue: [sample(value, unit)] }];
    expect(await station.call('MeterValues', { connectorId: 1, meterValue })).toEqual({});
    const { snapshot } = await world().view();
    for (const row of snapshot.resources) expect(Math.abs(row.measuredW ?? 0)).toBeLessThan(1e6);
    await world().unharmed();
  });

  it('10 000 times at once is answered or told to slow down', async () => {
    const station = await bootStation(world().ocpp, 'DEMO-AC-2', 'ocpp1.6');
    const meterValue = [{ timestamp: AT, sampledValue: [sample('1')] }];
    for (let n = 0; n < 10_000; n++) {
      station.send(JSON.stringify([2, `m${n}`, 'MeterValues', { connectorId: 1, meterValue }]));
    }
    await world().unharmed();
    await station.take('last answer', (t) => t.includes('"m9999"'));
    expect(station.end()).toBeUndefined();
    const refusals = station.got.filter((t) => t.startsWith('[4,"m'));
    expect(refusals.every((t) => t.includes('"GenericError"'))).toBe(true);
    await world().unharmed();
  });

  it.each([-1, 0, 1e9, Number.MAX_SAFE_INTEGER])(
    'connector %s: it is answered and nothing grows',
    async (connectorId) => {
      const station = await bootStation(world().ocpp, 'UNKNOWN-1', 'ocpp1.6');
      const report = { connectorId, errorCode: 'NoError', status: 'Available', timestamp: AT };
      await station.call('StatusNotification', report).catch(() => undefined);
      const { pending } = await world().view();
      for (const p of pending) expect(p.evses).toBeLessThanOrEqual(1_000);
      await world().unharmed();
    },
  );
});

describe('an identity', () => {
  const taken = [
    'ÄÖ é',
    'a'.repeat(48),
    '<img src=x onerror=alert(1)>',
    '__proto__',
    'constructor',
    '🔌',
    "'; DROP TABLE--",
    '%2525',
    '{{x}}',
    '$(reboot)',
  ];
  it.each(taken)('“%s” is a name like any other', async (identity) => {
    const station = await bootStation(world().ocpp, identity, 'ocpp1.6');
    expect((await world().view()).pending.map((p) => p.identity)).toContain(identity);
    station.drop();
    await expect.poll(async () => (await world().view()).pending).toEqual([]);
    await world().unharmed();
  });

  it.each([
    '/ocpp/',
    '/ocpp',
    '/ocpp//',
    '/ocpp/.',
    '/ocpp/..',
    '/ocpp/%2e%2e',
    '/ocpp/..%2f..%2fetc%2fpasswd',
    '/ocpp/../ocpp/DEMO-AC-1',
    '/ocpp/a/DEMO-AC-1',
    '/ocpp/a%5Cb',
    '/ocpp/a:b',
    '/ocpp/%00',
    '/ocpp/a%0d%0ab',
    '/ocpp/%E2%80%AEevil',
    '/ocpp/%ff%fe',
    '/ocpp/%',
    '/ocpp/%ED%A0%80',
    `/ocpp/${'a'.repeat(49)}`,
    `/ocpp/${'%61'.repeat(3_000)}`,
    'http://elsewhere/ocpp/DEMO-AC-1',
    '*',
  ])('%s is refused with 404', async (path) => {
    const request = upgradeRequest(path, ['Sec-WebSocket-Protocol: ocpp1.6']);
    expect(await speakTcp(Number(new URL(world().ocpp).port), request)).toMatch(/^HTTP\/1\.1 40[04] /);
    expect((await world().view()).pending).toEqual([]);
    await world().unharmed();
  });
});
