import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/child.ts';
import type { ForeignEvent, ForeignStation } from './support/foreign.ts';
import { ForeignOperator } from './support/foreign-operator.ts';
import {
  FO,
  FO_TOKEN,
  foreignSite,
  GATEWAY,
  OFFLINE_W,
  SECRETS,
  setpoint,
  setpointRequest,
} from './support/foreign-site.ts';
import { GatewayProcess } from './support/gateway.ts';
import { pythonStation, pythonWithPackages } from './support/python.ts';

/** Within rounding to 0.1 A over three phases, and the accuracy of a station. */
const TOLERANCE_W = 150;

describe('foreign stations behind the gateway', () => {
  let gateway: GatewayProcess;
  let python: string;
  const stations: ForeignStation[] = [];
  let operator: ForeignOperator | undefined;

  beforeAll(async () => {
    python = pythonWithPackages();
    gateway = await GatewayProcess.start({
      env: SECRETS,
      site: foreignSite([{ identity: 'PY-16', kind: 'ac', meterS: 1 }]),
    });
    await gateway.ready();
  });
  afterEach(async () => {
    await operator?.stop();
    await Promise.all(stations.splice(0).map((s) => s.stop()));
  });
  afterAll(() => gateway?.stop());

  async function connect(identity: string): Promise<ForeignStation> {
    const url = await gateway.link('stations');
    const station = pythonStation(python, 'station16.py', { url, identity, offlineSpeed: 10 });
    stations.push(station);
    return station;
  }

  it('that are unknown are not served: boot stays pending and no transaction starts', async () => {
    const stranger = await connect('STRANGER');
    const first = await stranger.next('boot', (e) => e.status === 'Pending');
    await stranger.next('boot', (e) => e.status === 'Pending' && e.at > first.at);
    expect(stranger.events.map((e) => e.event)).not.toContain('started');
  });

  it('fall back by themselves when the gateway dies: what was commanded ends at the station', async () => {
    const ac = await connect('PY-16');
    await ac.next('started');
    const url = await gateway.link('operators');
    const jwks = `${gateway.url}/.well-known/jwks.json`;
    const fo = new ForeignOperator(python, { url, party: FO, to: GATEWAY, token: FO_TOKEN, jwks });
    operator = fo;
    await fo.next('up');
    const start = Date.now() + 500;
    const asked = setpointRequest('F-2', { start, end: start + 600_000 });
    expect(await fo.request('RequestService', asked)).toMatchObject({ status: 'ok' });
    await fo.heard('ExecutionNotice', (b) => b.fsrId === 'F-2' && b.phase === 'active');
    expect(await fo.request('UpdateSetpoint', setpoint('F-2', 1, 6_000))).toMatchObject({ status: 'ok' });
    const near = (powerW: number) => (e: ForeignEvent | undefined) =>
      Math.abs((e?.powerW ?? 0) - powerW) <= TOLERANCE_W ? true : undefined;
    await eventually('6 kW flow', () => near(6_000)(ac.last('meter')), 15_000);
    await gateway.child.stop('SIGKILL');
    await ac.next('offline');
    const still = await ac.next('meter', () => true, 5_000, ac.mark);
    expect(near(6_000)(still)).toBe(true);
    const settled = await ac.next('meter', (e) => near(OFFLINE_W)(e) === true, 30_000, ac.mark);
    expect(settled.targetW).toBeLessThanOrEqual(OFFLINE_W);
  });
});
