import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { ExecutionNotice, ServiceDecision, SiteFile, Telemetry } from '../../model/index.ts';
import { createFoClient, type FoClient, type FoInbound } from '../../protocols/fo/index.ts';
import { eventually } from './support/child.ts';
import { GatewayProcess } from './support/gateway.ts';
import { ForeignStation, pythonWithPackages } from './support/python.ts';

/** What the 1.6 station may draw when nobody commands it; a little above the least an AC vehicle takes. */
const OFFLINE_W = 4_600;

const SITE: SiteFile = {
  siteId: 'site:foreign',
  operatorId: 'cso:foreign',
  poc: { importLimitW: 40_000, exportLimitW: 30_000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
  stations: [
    {
      identity: 'PY-16',
      evses: [
        {
          evse: 1,
          current: 'ac',
          phases: 3,
          maxImportW: 11_000,
          minOnS: 0,
          minOffS: 0,
          minCommandIntervalS: 1,
          offlineImportW: OFFLINE_W,
        },
      ],
    },
    {
      identity: 'PY-21',
      evses: [{ evse: 1, current: 'dc', maxImportW: 11_000, maxExportW: 11_000, minCommandIntervalS: 1 }],
    },
  ],
  idTokens: { policy: 'list', list: ['FOREIGN-1'] },
  groups: [{ groupId: 'g:foreign', members: ['PY-16.1', 'PY-21.1'], referencePoint: 'group' }],
  parties: [
    { partyId: 'cso:foreign', role: 'cso' },
    { partyId: 'fo:foreign', role: 'fo' },
  ],
  contracts: [
    {
      contractId: 'C-1',
      revision: 1,
      status: 'active',
      foId: 'fo:foreign',
      counterpartyId: 'cso:foreign',
      counterpartyKind: 'cso',
      serviceTypes: ['setpoint'],
      scope: { groupIds: ['g:foreign'] },
      validFrom: '2026-01-01T00:00:00Z',
      validTo: '2046-01-01T00:00:00Z',
      optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
      baseline: { method: 'zero' },
      telemetry: { intervalS: 1, fields: ['powerW', 'setpointW'], maxLatencyS: 5 },
      proof: { intervalS: 60, signed: false, meterLevel: 'evse' },
    },
  ],
};

/** Within rounding to 0.1 A over three phases, and the accuracy of a station. */
const TOLERANCE_W = 150;

/** The operator's side: our FO stack as a client, everything it hears kept in order. */
class Operator {
  readonly heard: FoInbound[] = [];
  readonly #client: FoClient;
  #seq = 0;

  constructor(url: string) {
    this.#client = createFoClient({
      url,
      partyId: 'fo:foreign',
      to: 'cso:foreign',
      clock: realClock(),
      log: silentLog,
      heartbeatS: 5,
      handlers: {
        onMessage: (m) => {
          this.heard.push(m);
          if (m.replyTo !== undefined) this.#client.answer(m.replyTo, { status: 'ok' });
        },
      },
    });
  }

  async up(): Promise<void> {
    await eventually('the FO link is up', () => (this.#client.state === 'up' ? true : undefined), 15_000);
  }

  request(fsrId: string, initialW: number) {
    const now = Date.now();
    return this.#client.request('RequestService', {
      fsr: {
        fsrId,
        revision: 1,
        contractId: 'C-1',
        serviceType: 'setpoint',
        target: { groupId: 'g:foreign', referencePoint: 'group' },
        window: { start: iso(now), end: iso(now + 10 * 60_000) },
        decisionBy: iso(now + 10_000),
        mandatory: false,
        priority: 5,
        parameters: {
          mode: 'absolute',
          initialW,
          minW: -20_000,
          maxW: 22_000,
          toleranceW: 500,
          updateIntervalS: 2,
          validityS: 60,
        },
        fallback: { onExpiry: 'zero', rampS: 0 },
      },
    });
  }

  setpoint(fsrId: string, targetW: number) {
    const setpoint = { fsrId, seq: ++this.#seq, targetW, validUntil: iso(Date.now() + 60_000) };
    return this.#client.request('UpdateSetpoint', { setpoint });
  }

  cancel(fsrId: string) {
    return this.#client.request('CancelService', { fsrId, reason: 'the test is over', at: iso(Date.now()) });
  }

  subscribe(fsrId: string) {
    return this.#client.request('SubscribeTelemetry', {
      subject: { groupId: 'g:foreign' },
      fields: ['powerW', 'setpointW'],
      intervalS: 1,
      until: iso(Date.now() + 600_000),
      fsrId,
    });
  }

  bodies(type: 'Telemetry'): Telemetry[];
  bodies(type: 'ServiceDecision'): ServiceDecision[];
  bodies(type: 'ExecutionNotice'): ExecutionNotice[];
  bodies(type: string): unknown[] {
    return this.heard.filter((m) => m.type === type).map((m) => m.body);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

describe('foreign stations behind the gateway', () => {
  let gateway: GatewayProcess;
  let python: string;
  const stations: ForeignStation[] = [];
  let operator: Operator | undefined;

  beforeAll(async () => {
    python = pythonWithPackages();
    gateway = await GatewayProcess.start({ site: SITE });
    await gateway.ready();
  });
  afterEach(async () => {
    await operator?.close();
    await Promise.all(stations.splice(0).map((s) => s.stop()));
  });
  afterAll(() => gateway?.stop());

  async function connect(
    script: 'station16.py' | 'station21.py',
    identity: string,
    maxExportW = 0,
  ): Promise<ForeignStation> {
    const url = await gateway.link('stations');
    const station = new ForeignStation(python, script, { url, identity, maxImportW: 11_000, maxExportW });
    stations.push(station);
    await station.next('boot', (e) => e.status === 'Accepted');
    await station.next('authorize', (e) => e.status === 'Accepted');
    return station;
  }

  const powerNow = (s: ForeignStation): number => s.events.filter((e) => e.event === 'meter').at(-1)?.powerW ?? 0;

  async function delivered(targetW: number): Promise<number[]> {
    let powers: number[] = [];
    const reached = (): number[] | undefined => {
      powers = stations.map(powerNow);
      return Math.abs(powers.reduce((a, b) => a + b, 0) - targetW) <= TOLERANCE_W ? powers : undefined;
    };
    try {
      return await eventually(`the stations draw ${targetW} W`, reached, 25_000);
    } catch (e) {
      const tail = stations.flatMap((s) => s.child.lines.slice(-6));
      throw new Error(
        `${String(e)}; they draw ${powers.join(' and ')} W\n${tail.join('\n')}\n${gateway.child.lines.slice(-20).join('\n')}`,
      );
    }
  }

  it('deliver the setpoint of an operator, up, down and through zero, and telemetry brings it back', async () => {
    await connect('station16.py', 'PY-16');
    const dc = await connect('station21.py', 'PY-21', 11_000);
    for (const s of stations) await s.next('started');
    operator = new Operator(await gateway.link('operators'));
    await operator.up();
    expect(await operator.request('F-1', 9_000)).toMatchObject({ status: 'ok' });
    const asked = operator;
    const decision = await eventually(
      'a decision',
      () => asked.bodies('ServiceDecision').find((d) => d.fsrId === 'F-1'),
      15_000,
    );
    expect(decision).toMatchObject({ decision: expect.stringMatching(/^(accepted|partial)$/) });
    expect(await operator.subscribe('F-1')).toMatchObject({ status: 'ok' });
    await delivered(9_000);
    expect(await operator.setpoint('F-1', 15_000)).toMatchObject({ status: 'ok' });
    await delivered(15_000);
    expect(await operator.setpoint('F-1', -6_000)).toMatchObject({ status: 'ok' });
    const [ac, v2g] = await delivered(-6_000);
    expect(ac).toBe(0);
    expect(v2g).toBeLessThan(0);
    const exported = await dc.next('meter', (e) => (e.exportWh ?? 0) > 0);
    expect(exported.powerW).toBeLessThan(0);
    const close = (t: Telemetry): boolean =>
      t.samples.some((s) => s.powerW !== undefined && Math.abs(s.powerW + 6_000) <= TOLERANCE_W);
    await eventually('telemetry shows the discharge', () => asked.bodies('Telemetry').find(close), 15_000);
    expect(await operator.setpoint('F-1', 6_000)).toMatchObject({ status: 'ok' });
    await delivered(6_000);
    expect(await operator.cancel('F-1')).toMatchObject({ status: 'ok' });
    const ended = (n: ExecutionNotice): boolean => n.fsrId === 'F-1' && n.phase === 'aborted';
    await eventually('the end is told', () => asked.bodies('ExecutionNotice').find(ended), 10_000);
  });

  it('that are unknown are not served: boot stays pending and no transaction starts', async () => {
    const url = await gateway.link('stations');
    const stranger = new ForeignStation(python, 'station16.py', { url, identity: 'STRANGER' });
    await stranger.next('boot', (e) => e.status === 'Pending');
    await stranger.child.stop();
    expect(stranger.events.map((e) => e.event)).not.toContain('started');
  });

  it('fall back by themselves when the gateway dies: what was commanded ends at the station', async () => {
    const ac = await connect('station16.py', 'PY-16');
    operator = new Operator(await gateway.link('operators'));
    await operator.up();
    expect(await operator.request('F-2', 6_000)).toMatchObject({ status: 'ok' });
    await delivered(6_000);
    await gateway.child.stop('SIGKILL');
    await ac.next('offline');
    const still = await ac.next('meter', () => true, 5_000, ac.mark);
    expect(Math.abs((still.powerW ?? 0) - 6_000)).toBeLessThanOrEqual(TOLERANCE_W);
    const fallback = (e: { powerW?: number }): boolean => Math.abs((e.powerW ?? 0) - OFFLINE_W) <= TOLERANCE_W;
    const settled = await ac.next('meter', fallback, 30_000, ac.mark);
    expect(settled.limitW).toBeLessThanOrEqual(OFFLINE_W);
  });
});
