import type { FlowNode } from 'node-red';
import { afterEach, describe, expect, it } from 'vitest';
import { promptSite, siteNodes, useGateway } from '../support/gateway.ts';
import { connectOperator, connectStation, type Peer, setpointRequest } from '../support/peers.ts';

const gw = useGateway({ site: promptSite });
const peers: Peer[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});

const node = (id: string, type: string, more: object, wires: string[][] = []): FlowNode => ({
  id,
  type,
  z: 't',
  version: 1,
  name: '',
  wires,
  ...more,
});
const sink = (id: string): FlowNode => ({ id, type: 'debug', z: 't', name: '', active: false, wires: [] });
const catching = [{ id: 'catch', type: 'catch', z: 't', name: '', scope: null, wires: [['caught']] }, sink('caught')];

const operator = async () => {
  const peer = await connectOperator(await gw().linkUrl('v2gate-fo-link'));
  peers.push(peer);
  return peer;
};

const chargingStation = async (identity: string) => {
  const station = await connectStation(await gw().linkUrl('v2gate-ocpp-server'), identity);
  peers.push(station);
  const timestamp = new Date().toISOString();
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp });
  await station.call('StartTransaction', { connectorId: 1, idTag: 'DEMO-1', meterStart: 0, timestamp });
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp });
  return station;
};

describe('the nodes of the path', () => {
  const path = [
    ...siteNodes(),
    node('fo-in', 'v2gate-fo-in', { link: 'c-fo' }, [['service']]),
    node('service', 'v2gate-service', { site: 'c-site' }, [['fo-out'], ['allocate']]),
    node('fo-out', 'v2gate-fo-out', { link: 'c-fo' }),
    node('allocate', 'v2gate-allocate', { site: 'c-site' }, [['ocpp-out']]),
    node('ocpp-out', 'v2gate-ocpp-out', { server: 'c-ocpp' }, [['outcomes'], []]),
    sink('outcomes'),
    node('ocpp-in', 'v2gate-ocpp-in', { server: 'c-ocpp' }, [['fleet']]),
    node('fleet', 'v2gate-fleet', { site: 'c-site' }, [['fo-out'], ['snapshot']]),
    sink('snapshot'),
    ...catching,
  ];

  it('a setpoint becomes a target, a batch of commands, a charging profile and an outcome; each says what it came from', async () => {
    await gw().deploy(path);
    const fo = await operator();
    const station = await chargingStation('DEMO-AC-1');
    const batch = gw().next('ocpp-out');
    const outcome = gw().next('outcomes');
    const profile = station.nextCall((action) => action === 'SetChargingProfile');
    const decision = fo.next('ServiceDecision');
    const active = fo.next('ExecutionNotice', (b) => b.phase === 'active');
    expect(await fo.request('RequestService', setpointRequest('P-1', 5_000))).toMatchObject({
      status: expect.stringMatching(/ok|pending/),
    });
    expect(await decision).toMatchObject({ fsrId: 'P-1', decision: expect.stringMatching(/accepted|partial/) });

    await active;
    expect(await batch).toMatchObject({
      topic: 'hub/CommandBatch',
      payload: { siteId: 'site:harbour', commands: [{ resourceId: 'DEMO-AC-1.1' }] },
    });
    expect(await profile).toMatchObject({ connectorId: 1 });
    expect(await outcome).toMatchObject({ topic: 'hub/CommandOutcome', payload: { resourceId: 'DEMO-AC-1.1' } });

    const target = gw().next('allocate');
    const update = {
      setpoint: { fsrId: 'P-1', seq: 1, targetW: 4_500, validUntil: new Date(Date.now() + 60_000).toISOString() },
    };
    expect(await fo.request('UpdateSetpoint', update)).toMatchObject({
      status: 'ok',
      data: { appliedW: expect.any(Number) },
    });
    expect(await target).toMatchObject({
      topic: 'hub/ServiceTarget',
      payload: { fsrId: 'P-1', targetW: 4_500, seq: 1 },
      v2gate: { cause: expect.any(String), link: 'site:harbour' },
    });
  });

  it('what a station reports leaves ocpp in, and the fleet can be asked', async () => {
    await gw().deploy(path);
    const station = await chargingStation('DEMO-AC-2');
    const reading = gw().next('fleet');
    const timestamp = new Date().toISOString();
    const sampledValue = [{ value: '4100', measurand: 'Power.Active.Import', unit: 'W' }];
    await station.call('MeterValues', { connectorId: 1, transactionId: 1, meterValue: [{ timestamp, sampledValue }] });
    expect(await reading).toMatchObject({ topic: expect.stringMatching(/^hub\//), v2gate: { peer: 'DEMO-AC-2' } });
    const snapshot = gw().next('snapshot');
    gw().inject('fleet', { _msgid: 'asked', payload: '' });
    expect(await snapshot).toMatchObject({
      topic: 'hub/FleetSnapshot',
      payload: { siteId: 'site:harbour', resources: expect.any(Array) },
    });
    expect(await gw().status('fleet', /online/)).toMatch(/^\d+ of \d+ online$/);
  });

  it('a message that a node cannot use reaches the catch nodes with code, cause and remedy', async () => {
    await gw().deploy(path);
    for (const [id, message, code] of [
      ['allocate', { topic: 'hub/MeterReading', payload: {} }, 'nodes.message'],
      ['allocate', { topic: 'hub/ServiceTarget', payload: { fsrId: 1 } }, 'schema.invalid'],
      ['service', { topic: 'nonsense', payload: {} }, 'nodes.message'],
      ['fo-out', { topic: 'hub/ServiceDecision', payload: {} }, 'id.unknown'],
      ['ocpp-out', { topic: 'hub/CommandBatch', payload: {} }, 'schema.invalid'],
    ] as const) {
      const caught = gw().next('caught');
      gw().inject(id, { ...message });
      expect(await caught).toMatchObject({
        error: { code, message: expect.any(String), cause: { what: expect.any(String), remedy: expect.any(String) } },
      });
    }
  });

  it('the status of every node says in words how it is', async () => {
    await gw().deploy(path);
    for (const [id, words] of [
      ['fo-in', /port \d+/],
      ['fo-out', /port \d+/],
      ['ocpp-in', /port \d+/],
      ['ocpp-out', /port \d+/],
      ['service', /ready · site:harbour/],
      ['allocate', /ready|commands/],
      ['fleet', /ready · site:harbour/],
    ] as const) {
      expect(await gw().status(id, words)).toMatch(words);
    }
  });
});

describe('reply', () => {
  const custom = [
    ...siteNodes(),
    node('fo-in', 'v2gate-fo-in', { link: 'c-fo' }, [['decide']]),
    {
      id: 'decide',
      type: 'function',
      z: 't',
      name: '',
      func: 'msg.payload = { status: "rejected", code: "conflict.overlap" }; return msg;',
      outputs: 1,
      libs: [],
      wires: [['reply']],
    },
    node('reply', 'v2gate-reply', { site: 'c-site' }),
    ...catching,
  ];

  it('answers a request from a flow, once', async () => {
    await gw().deploy(custom);
    const fo = await operator();
    const answered = gw().next('reply');
    expect(await fo.request('RequestService', setpointRequest('R-1', 1_000))).toMatchObject({
      status: 'rejected',
      code: 'conflict.overlap',
    });
    const again = await answered;
    const caught = gw().next('caught');
    gw().inject('reply', again);
    expect(await caught).toMatchObject({ error: { code: 'nodes.replyUnknown' } });
    const nobody = gw().next('caught');
    gw().inject('reply', { topic: 'hub/ResultBody', payload: { status: 'ok' } });
    expect(await nobody).toMatchObject({ error: { code: 'nodes.message' } });
  });
});
