import { createServer } from 'node:net';
import RED, { type FlowNode } from 'node-red';
import { afterEach, describe, expect, it } from 'vitest';
import { PATIENT, siteNodes, useGateway } from '../support/gateway.ts';
import { connectOperator, connectStation, type Peer, setpointRequest } from '../support/peers.ts';

const gw = useGateway();
const peers: Peer[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});

/** The whole path of a setpoint, with a comment that can change. */
function path(comment: string, server: Readonly<Record<string, unknown>> = {}): FlowNode[] {
  const node = (id: string, type: string, more: object, wires: string[][]): FlowNode => ({
    id,
    type,
    z: 't',
    version: 1,
    name: '',
    wires,
    ...more,
  });
  return [
    ...siteNodes(server),
    { id: 'note', type: 'comment', z: 't', name: comment, info: comment, wires: [] },
    node('fo-in', 'v2gate-fo-in', { link: 'c-fo' }, [['service']]),
    node('service', 'v2gate-service', { site: 'c-site' }, [['fo-out'], ['allocate']]),
    node('fo-out', 'v2gate-fo-out', { link: 'c-fo' }, []),
    node('allocate', 'v2gate-allocate', { site: 'c-site' }, [['ocpp-out']]),
    node('ocpp-out', 'v2gate-ocpp-out', { server: 'c-ocpp' }, [[], []]),
    node('ocpp-in', 'v2gate-ocpp-in', { server: 'c-ocpp' }, [['fleet']]),
    node('fleet', 'v2gate-fleet', { site: 'c-site' }, [['fo-out'], []]),
  ];
}

const linkUrl = (type: string): Promise<string> => gw().linkUrl(type);

/** A port that nobody listens on right now. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? String(address.port) : '';
}

async function connectBoth() {
  const station = await connectStation(await linkUrl('v2gate-ocpp-server'), 'DEMO-AC-1');
  const operator = await connectOperator(await linkUrl('v2gate-fo-link'));
  peers.push(station, operator);
  return { station, operator };
}

const services = async (): Promise<unknown> => {
  const view = (await (await gw().get('/v2gate/api/site')).json()) as {
    snapshot: { services: { fsrId: string; phase: string }[] };
  };
  return view.snapshot.services.map((s) => s.fsrId);
};

/** What must not grow with the number of deploys. */
const counts = () => ({
  timers: gw().gateway.runtime.clock.pending,
  listeners: RED.events.eventNames().map((e) => [String(e), RED.events.listenerCount(e)]),
  leases: gw().gateway.runtime.leases.stats().size,
});

describe('deploys', () => {
  it('100 full deploys that change only a comment interrupt no station, no operator and no service', async () => {
    await gw().deploy(path('0'));
    const { station, operator } = await connectBoth();
    expect(await operator.request('RequestService', setpointRequest('N-1', 5_000))).toMatchObject({ status: 'ok' });
    await expect.poll(services, PATIENT).toContain('N-1');
    const url = await linkUrl('v2gate-ocpp-server');
    let early: unknown;
    for (let n = 1; n <= 100; n++) {
      await gw().deploy(path(String(n)));
      if (n === 10) early = counts();
    }
    expect(counts()).toEqual(early);
    expect(station.ends()).toBe(0);
    expect(operator.ends()).toBe(0);
    expect(await linkUrl('v2gate-ocpp-server')).toBe(url);
    expect(await station.call('Heartbeat', {})).toHaveProperty('currentTime');
    const update = {
      setpoint: { fsrId: 'N-1', seq: 1, targetW: 6_000, validUntil: new Date(Date.now() + 60_000).toISOString() },
    };
    expect(await operator.request('UpdateSetpoint', update)).toMatchObject({ status: 'ok' });
    expect(await services()).toContain('N-1');
  });

  it('a message that comes during a deploy is not lost', async () => {
    await gw().deploy(path('a'));
    const { operator } = await connectBoth();
    const deploying = gw().deploy(path('b'));
    const asked = operator.request('RequestService', setpointRequest('N-2', 1_000));
    await deploying;
    expect((await asked).status).toMatch(/ok|pending|rejected/);
  });

  it('what was told while its wire was missing reaches the operator with the deploy that restores it', async () => {
    const cut = path('a').map((n) => (n.id === 'service' ? { ...n, wires: [[], ['allocate']] } : n));
    await gw().deploy(cut);
    const { operator } = await connectBoth();
    const before = { fsrId: 'N-1', reason: 'over', at: new Date().toISOString() };
    await operator.request('CancelService', before);
    expect(await operator.request('RequestService', setpointRequest('N-3', 1_000))).toMatchObject({ status: 'ok' });
    await expect.poll(services, PATIENT).toContain('N-3');
    const told = operator.next('ServiceDecision', (b) => b.fsrId === 'N-3');
    const begun = operator.next('ExecutionNotice', (b) => b.fsrId === 'N-3' && b.phase === 'active');
    await gw().deploy(path('a'), 'nodes');
    expect(await told).toMatchObject({ revision: 1, decision: expect.any(String) });
    await begun;
  });

  it('another port of the server closes its stations and nobody else', async () => {
    await gw().deploy(path('a'));
    const { station, operator } = await connectBoth();
    const port = await freePort();
    await gw().deploy(path('a', { port }));
    await station.ended;
    await expect.poll(() => linkUrl('v2gate-ocpp-server'), PATIENT).toContain(`:${port}/`);
    const again = await connectStation(await linkUrl('v2gate-ocpp-server'), 'DEMO-AC-1');
    peers.push(again);
    expect(operator.ends()).toBe(0);
    expect(station.ends()).toBe(1);
  });

  it('a second allocator says who is it already and does nothing', async () => {
    const second: FlowNode = {
      id: 'second',
      type: 'v2gate-allocate',
      z: 't',
      version: 1,
      name: '',
      site: 'c-site',
      wires: [[]],
    };
    await gw().deploy([...path('a'), second]);
    expect(await gw().status('second', /allocat/i)).toMatch(/^allocate \(allocate\) already/);
    await gw().deploy([...path('a').filter((n) => n.id !== 'allocate'), second], 'nodes');
    expect(await gw().status('second', /ready|commands/)).toMatch(/ready|commands/);
  });

  it('a server whose port is taken says so, costs nobody anything, and comes up once the port is free', async () => {
    await gw().deploy(path('a'));
    const { station } = await connectBoth();
    const { port } = new URL(await linkUrl('v2gate-ocpp-server'));
    const rival: FlowNode[] = [
      {
        id: 'c-rival',
        type: 'v2gate-ocpp-server',
        name: 'rival',
        version: 1,
        site: 'c-site',
        port,
        path: '/ocpp',
        speaks: 'hub',
      },
      { id: 'rival-in', type: 'v2gate-ocpp-in', z: 't', version: 1, name: '', server: 'c-rival', wires: [[]] },
    ];
    await gw().deploy([...path('a'), ...rival]);
    expect(await gw().status('rival-in', /taken|in use/)).toContain(port);
    const health = (await (await gw().get('/health')).json()) as { components: Record<string, unknown> };
    expect(health.components['link rival']).toMatchObject({ state: 'down', text: expect.stringContaining(port) });
    expect(await station.call('Heartbeat', {})).toHaveProperty('currentTime');
    await gw().deploy([
      ...path('a', { path: '/moved', port: '' }).map((n) => (n.id === 'c-ocpp' ? { ...n, port: '0' } : n)),
      ...rival,
    ]);
    expect(await gw().status('rival-in', /stations? ·|no station/)).toContain(port);
    await gw().deploy([]);
    expect(gw().gateway.links.list()).toEqual([]);
  });

  it('removal closes everything', async () => {
    await gw().deploy(path('a'));
    const { station, operator } = await connectBoth();
    await gw().deploy([]);
    await Promise.all([station.ended, operator.ended]);
    expect(gw().gateway.runtime.leases.stats()).toMatchObject({ size: 0, held: 0 });
    expect(gw().gateway.runtime.sites.all()).toEqual([]);
  });
});
