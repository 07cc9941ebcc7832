import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { FleetEntry, FleetSnapshot, SiteFile } from '../../model/index.ts';
import type { FoBodies, FoClient, FoInbound, FoType } from '../../protocols/fo/index.ts';
import { openLink } from '../../simulators/fo/link.ts';
import type { FleetFile } from '../../simulators/stations/index.ts';
import { callApi } from './support/api.ts';
import { eventually } from './support/child.ts';
import { startFleet } from './support/fleet-process.ts';
import { GatewayProcess } from './support/gateway.ts';
import { sayOnce } from './support/raw-operator.ts';
import { FO, GATEWAY, MEMBERS, OTHER_FO, RECOVERY_FLEET, RECOVERY_SITE } from './support/recovery-site.ts';

const clock = realClock();
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
const inMs = (ms: number): string => iso(clock.now() + ms);

/** A station that knows no charging profiles. */
const PLAIN = 'RPLAIN';
const SITE: SiteFile = {
  ...RECOVERY_SITE,
  poc: { ...RECOVERY_SITE.poc, gridNode: 'node:7' },
  stations: RECOVERY_SITE.stations.flatMap((s) => (s.identity === 'R16' ? [s, { ...s, identity: PLAIN }] : [s])),
  contracts: (RECOVERY_SITE.contracts ?? []).map((c) => ({
    ...c,
    serviceTypes: ['setpoint', 'congestion'],
    scope: { siteIds: [RECOVERY_SITE.siteId] },
  })),
  defaultStayS: 86_400,
};
const FLEET: FleetFile = {
  stations: RECOVERY_FLEET.stations.flatMap((s) =>
    s.identity === 'R16' ? [s, { ...s, identity: PLAIN, smartCharging: false, idTags: [`${PLAIN}-TAG`] }] : [s],
  ),
};

type View = (path: string, body?: object) => Promise<{ readonly status: number; readonly body: unknown }>;

const viewOf =
  ({ url }: GatewayProcess, ca?: string): View =>
  (path, body) =>
    callApi(`${url}/v2gate/api${path}`, { ca, ...(body === undefined ? {} : { body }) });

async function rows(view: View): Promise<readonly FleetEntry[]> {
  return ((await view('/site')).body as { readonly snapshot: FleetSnapshot }).snapshot.resources;
}

/** The row of a resource once it is as wanted. */
const row = (view: View, id: string, what: string, is: (r: FleetEntry) => boolean, ms = 30_000): Promise<FleetEntry> =>
  eventually(`${id} ${what}`, async () => (await rows(view)).find((r) => r.resourceId === id && is(r)), ms);

const charging = (view: View, ids: readonly string[]): Promise<boolean> =>
  eventually(
    'all charge',
    async () => {
      const now = (await rows(view)).map((r) => ({
        id: r.resourceId,
        state: r.state,
        powerW: r.measuredW,
        why: r.outcome,
      }));
      if (ids.every((id) => now.some((r) => r.id === id && r.state === 'charging'))) return true;
      throw new Error(JSON.stringify(now));
    },
    40_000,
  );

interface Operator {
  readonly client: FoClient;
  readonly events: readonly FoInbound[];
  ask<T extends FoType>(type: T, body: FoBodies[T]): ReturnType<FoClient['request']>;
}

function operator(url: string, ca?: string): Operator {
  const events: FoInbound[] = [];
  const onMessage = (m: FoInbound): void => {
    events.push(m);
    if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
  };
  const options = { url, partyId: FO, to: GATEWAY, log: silentLog, ...(ca === undefined ? {} : { ca }) };
  const client: FoClient = openLink(options, { clock, lastEventSeq: 0, handlers: { onMessage } });
  open.push(() => client.close());
  const ask: Operator['ask'] = (type, body) => client.request(type, body, { expiresAt: clock.now() + 20_000 });
  return { client, events, ask };
}

const fsrOf = (fsrId: string, referencePoint: 'group' | 'site') => ({
  fsrId,
  revision: 1,
  contractId: 'C-1',
  target: { groupId: 'g:depot', referencePoint },
  window: { start: inMs(0), end: inMs(120_000) },
  decisionBy: inMs(60_000),
  mandatory: false,
  priority: 5,
  fallback: { onExpiry: 'zero', rampS: 0 } as const,
});
const band = {
  mode: 'absolute',
  minW: -5000,
  maxW: 25_000,
  toleranceW: 500,
  updateIntervalS: 5,
  validityS: 60,
} as const;
const setpointOf = (fsrId: string) =>
  ({ ...fsrOf(fsrId, 'group'), serviceType: 'setpoint', parameters: band }) as const;

describe('the whole gateway with stations that do not do as they are told', () => {
  it('over MQTT with TLS: one lies, one answers late, one knows no profiles; what is asked for is held', async () => {
    const gateway = await GatewayProcess.start({
      site: SITE,
      env: { V2GATE_TLS: 'dev' },
      foLink: { transport: 'mqtt' },
    });
    open.push(() => gateway.stop());
    const ca = await readFile(join(gateway.dataDir, 'tls', 'development-cert.pem'), 'utf8');
    const [stations, operators] = [await gateway.link('stations'), await gateway.link('operators')];
    expect([stations, operators].map((u) => u.split(':')[0])).toEqual(['wss', 'mqtts']);
    const fleet = await startFleet(FLEET, stations, ca);
    open.push(() => fleet.stop());
    const view = viewOf(gateway, ca);
    await charging(view, [...MEMBERS, `${PLAIN}.1`]);
    const fo = operator(operators, ca);

    // Without profiles only on and off are left, and off is off.
    await row(view, `${PLAIN}.1`, 'is known to take no profiles', (r) => /smart charging/.test(r.steppedDown ?? ''));
    await view('/limit', { nodeId: `${PLAIN}.1`, source: 'test', importLimitW: 0 });
    await row(view, `${PLAIN}.1`, 'is off', (r) => (r.measuredW ?? 1) < 50);

    fleet.tell('R16', { fault: 'lie' });
    fleet.tell('R201', { fault: 'late', lateS: 15 });
    expect(await fo.ask('RequestService', { fsr: setpointOf('S-1') })).toMatchObject({ status: 'ok' });
    await eventually('it runs', () => fo.events.find((m) => Reflect.get(m.body, 'phase') === 'active'), 10_000);
    const setpoint = { fsrId: 'S-1', seq: 1, targetW: 9000, validUntil: inMs(60_000) };
    expect(await fo.ask('UpdateSetpoint', { setpoint })).toMatchObject({ status: 'ok' });
    await row(view, 'R201.1', 'has not answered', (r) => r.outcome === 'unknown');
    const excluded = (m: FoInbound): boolean =>
      Reflect.get(m.body, 'cause') === 'resource.excluded' && JSON.stringify(m.body).includes('R16.1');
    await eventually('the liar is excluded, and the operator is told', () => fo.events.find(excluded), 45_000);
    const cancel = { fsrId: 'S-1', reason: 'done', at: inMs(0) };
    expect(await fo.ask('CancelService', cancel)).toMatchObject({ status: 'ok' });

    fleet.tell('*', { fault: 'none' });
    const limits = { start: inMs(0), end: inMs(100_000), points: [{ offsetS: 0, importLimitW: 8000 }] };
    const soft = { gridNode: 'node:7', limits, firm: false };
    const congestion = { ...fsrOf('L-1', 'site'), serviceType: 'congestion', parameters: soft } as const;
    expect(await fo.ask('RequestService', { fsr: congestion })).toMatchObject({ status: 'ok' });
    const total = async (): Promise<number> => (await rows(view)).reduce((sum, r) => sum + (r.measuredW ?? 0), 0);
    await eventually('the limit is kept', async () => ((await total()) <= 8300 ? true : undefined), 45_000);
  });

  it('native: a flow sees what stations say, and what it tells them stays inside the limits', async () => {
    const profile = {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 77,
        stackLevel: 5,
        chargingProfilePurpose: 'TxDefaultProfile',
        chargingProfileKind: 'Absolute',
        chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 11_000 }] },
      },
    };
    const at = { z: 'uc21', x: 200, y: 900 };
    const inject = {
      ...{ id: 'n-inject', type: 'inject', ...at, repeat: '2', once: true, onceDelay: '2', topic: '', payload: '' },
      props: [
        { p: 'topic', v: 'ocpp1.6/SetChargingProfileRequest', vt: 'str' },
        { p: 'payload', v: JSON.stringify(profile), vt: 'json' },
        { p: 'v2gate', v: JSON.stringify({ peer: 'R16' }), vt: 'json' },
      ],
      wires: [['n-out']],
    };
    const say = (word: string) => `node.warn("${word} " + msg.topic); return null;`;
    const tells = { type: 'function', ...at, outputs: 0, wires: [] };
    const nodes = [
      inject,
      { id: 'n-out', type: 'v2gate-ocpp-out', ...at, version: 1, server: 'uc21-ocpp', wires: [[], ['n-answer']] },
      { id: 'n-answer', ...tells, name: 'answer', func: say('answered') },
      { id: 'n-in', type: 'v2gate-ocpp-in', ...at, version: 1, server: 'uc21-ocpp', wires: [['n-heard']] },
      { id: 'n-heard', ...tells, name: 'heard', func: say('heard') },
    ];
    const gateway = await GatewayProcess.start({ site: SITE, ocppServer: { speaks: 'native' }, nodes });
    open.push(() => gateway.stop());
    const fleet = await startFleet(FLEET, await gateway.link('stations'));
    open.push(() => fleet.stop());
    const view = viewOf(gateway);
    await charging(view, ['R16.1']);
    const line = (what: RegExp) => gateway.child.find(String(what), (text) => what.exec(text)?.[0], 20_000);
    await line(/heard ocpp1\.6\/MeterValuesRequest/);
    await line(/heard ocpp2\.1\/TransactionEventRequest/);
    await line(/answered ocpp1\.6\/SetChargingProfileResponse/);
    await view('/limit', { nodeId: 'R16.1', source: 'test', importLimitW: 5000 });
    await row(view, 'R16.1', 'is inside its limit', (r) => (r.measuredW ?? 0) > 1000 && (r.measuredW ?? 0) <= 5100);
    // The flow goes on asking for 11 kW.
    const until = clock.now() + 5000;
    while (clock.now() < until) {
      const powerW = (await rows(view)).find((r) => r.resourceId === 'R16.1')?.measuredW;
      expect(powerW ?? 0).toBeLessThanOrEqual(5100);
      await new Promise((next) => setTimeout(next, 500));
    }
  });

  it('a store that takes no more writes: nothing is acknowledged, health says so, and it works again afterwards', async () => {
    const gateway = await GatewayProcess.start({ site: SITE });
    open.push(() => gateway.stop());
    await gateway.ready();
    const { pid = 0 } = gateway.child;
    const sizeLimit = (to: string) => promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${to}`]);
    const url = await gateway.link('operators');
    const request = (fsrId: string) => {
      const body = { fsr: { ...setpointOf(fsrId), contractId: 'C-2' } };
      return Promise.race([
        sayOnce(url, OTHER_FO, { messageId: randomUUID(), type: 'RequestService', body }),
        new Promise((resolve) => setTimeout(resolve, 5000, 'no answer')),
      ]);
    };
    const health = async () => callApi(`${gateway.url}/health`);
    await sizeLimit('0:unlimited');
    expect(await request('S-1')).not.toMatchObject({ status: 'ok' });
    const sick = await eventually(
      'health tells',
      async () => {
        const { status, body } = await health();
        return JSON.stringify(body).includes('store') && status !== 200 ? body : undefined;
      },
      15_000,
    );
    expect(JSON.stringify(sick)).toMatch(/store/);
    await sizeLimit('unlimited:unlimited');
    await eventually('it works again', async () => ((await health()).status === 200 ? true : undefined), 30_000);
    expect(await request('S-2')).toMatchObject({ status: 'ok' });
    const { snapshot } = (await viewOf(gateway)('/site')).body as { readonly snapshot: FleetSnapshot };
    expect(snapshot.services.map((s) => s.fsrId)).toEqual(['S-2']);
  });
});
