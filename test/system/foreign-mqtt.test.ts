import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/child.ts';
import type { ForeignStation } from './support/foreign.ts';
import { ForeignOperator } from './support/foreign-operator.ts';
import {
  FO,
  FO_TOKEN,
  foreignSite,
  GATEWAY,
  GROUP,
  SECRETS,
  setpoint,
  setpointRequest,
} from './support/foreign-site.ts';
import { GatewayProcess } from './support/gateway.ts';
import { MOSQUITTO, Mosquitto } from './support/mosquitto.ts';
import { pythonStation, pythonWithPackages } from './support/python.ts';

const SITE = foreignSite([{ identity: 'PY-21', kind: 'v2g', meterS: 1 }]);

/** An operator on the Python package paho-mqtt, with the gateway's own broker and with one of another make. */
describe.each(['the broker of the gateway', 'mosquitto'])('an operator on paho over %s', (where) => {
  let broker: Mosquitto | undefined;
  let gateway: GatewayProcess;
  let station: ForeignStation;
  let url: string;
  let python: string;
  let fo: ForeignOperator | undefined;

  beforeAll(async () => {
    python = pythonWithPackages();
    if (where === 'mosquitto') {
      if (MOSQUITTO === undefined) throw new Error('mosquitto is not installed: apt-get install mosquitto');
      broker = await Mosquitto.start();
    }
    const brokerUrl = broker === undefined ? {} : { brokerUrl: broker.url };
    gateway = await GatewayProcess.start({ env: SECRETS, site: SITE, foLink: { transport: 'mqtt', ...brokerUrl } });
    const stations = await gateway.link('stations');
    station = pythonStation(python, 'station21.py', { url: stations, identity: 'PY-21', maxExportW: 11_000 });
    await gateway.ready();
    await station.next('started');
    url = broker?.url ?? (await gateway.link('operators'));
  });
  afterEach(async () => {
    if (fo?.child.running === true) await fo.tell('stop').catch(() => undefined);
    await fo?.stop();
    fo = undefined;
  });
  afterAll(async () => {
    await station?.stop();
    await gateway?.stop();
    await broker?.close();
  });

  function join(mqttVersion: 4 | 5): ForeignOperator {
    const jwks = `${gateway.url}/.well-known/jwks.json`;
    fo = new ForeignOperator(python, { url, party: FO, to: GATEWAY, token: FO_TOKEN, jwks, mqttVersion });
    return fo;
  }

  async function path(operator: ForeignOperator, fsrId: string): Promise<void> {
    await operator.next('up');
    const start = Date.now() + 1_000;
    expect(
      await operator.request('RequestService', setpointRequest(fsrId, { start, end: start + 60_000 })),
    ).toMatchObject({ status: 'ok' });
    await operator.heard('ExecutionNotice', (b) => b.fsrId === fsrId && b.phase === 'active');
    const until = new Date(start + 60_000).toISOString();
    const wanted = { subject: { groupId: GROUP }, fields: ['powerW'], intervalS: 1, fsrId, until };
    expect(await operator.request('SubscribeTelemetry', wanted)).toMatchObject({ status: 'ok' });
    expect(await operator.request('UpdateSetpoint', setpoint(fsrId, 1, -4_000))).toMatchObject({ status: 'ok' });
    await operator.heard('Telemetry', (b) => JSON.stringify(b).includes('"powerW":-4000'));
    await operator.tell('drop', { forS: 2 });
    await operator.next('up', () => true, 15_000, operator.mark);
    expect(await operator.request('UpdateSetpoint', setpoint(fsrId, 2, 6_000))).toMatchObject({ status: 'ok' });
    await station.next('meter', (e) => e.powerW === 6_000, 10_000);
    const cancel = { fsrId, reason: 'the test is over', at: new Date().toISOString() };
    expect(await operator.request('CancelService', cancel)).toMatchObject({ status: 'ok' });
    for (const type of ['ServiceRecord', 'Proof']) {
      const of = type === 'Proof' ? 'proof' : 'record';
      expect(await operator.heard(type, (b) => JSON.stringify(b[of]).includes(`"${fsrId}"`), 30_000)).toMatchObject({
        problem: 'none',
      });
    }
    expect(operator.events.filter((e) => e.event === 'gap')).toEqual([]);
  }

  it('with MQTT 3.1.1: service, setpoints, telemetry, a lost connection, signed record and proof', async () => {
    await path(join(4), 'M-4');
  });

  if (where === 'mosquitto') {
    it('with MQTT 5: the same', async () => {
      await path(join(5), 'M-5');
    });
  } else {
    it('with MQTT 5 it is told that this version is not spoken, and the broker goes on', async () => {
      const five = join(5);
      expect((await five.next('down')).why).toMatch(/protocol version/i);
      expect(five.last('up')).toBeUndefined();
      await five.stop();
      const four = join(4);
      await eventually('an operator of 3.1.1 is up', () => four.last('up'), 15_000);
    });
  }
});
