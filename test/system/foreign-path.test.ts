import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cable } from './support/cable.ts';
import { eventually } from './support/child.ts';
import type { ForeignStation } from './support/foreign.ts';
import { ForeignOperator } from './support/foreign-operator.ts';
import {
  FO,
  FO_TOKEN,
  type ForeignMember,
  foreignSite,
  GATEWAY,
  GROUP,
  limitRequest,
  SECRETS,
  setpoint,
  setpointRequest,
} from './support/foreign-site.ts';
import { GatewayProcess } from './support/gateway.ts';
import { goStation, goStationProgram } from './support/go.ts';
import { pythonStation, pythonWithPackages } from './support/python.ts';
import { verifyDownloads } from './support/verify.ts';

const MEMBERS = [
  { identity: 'PY-16', kind: 'ac', meterS: 2, on: 'station16.py' },
  { identity: 'PY-201', kind: 'ac', meterS: 1, on: 'station201.py' },
  { identity: 'PY-21', kind: 'v2g', meterS: 1, on: 'station21.py' },
  { identity: 'GO-16', kind: 'ac', meterS: 2, on: 'ocpp1.6' },
  { identity: 'GO-201', kind: 'ac', meterS: 1, on: 'ocpp2.0.1' },
] as const satisfies readonly (ForeignMember & { readonly on: string })[];
/** Who loses its connection, and for how long. */
const OUTAGES_MS = [3_000, 6_000, 1_500, 3_000, 4_000] as const;

const WINDOW_MS = 75_000;
const LIMIT_W = 15_000;
const TOLERANCE_W = 300;
/** Of what was moved in either direction. */
const ENERGY_TOLERANCE = 0.01;

/** Foreign stations, a foreign operator, one window; what each side counted is compared at the end. */
describe('stations and an operator of other makes', () => {
  let gateway: GatewayProcess;
  let fo: ForeignOperator;
  const stations: ForeignStation[] = [];
  const cables: Cable[] = [];
  let start = 0;
  let end = 0;
  let seq = 0;

  beforeAll(async () => {
    const python = pythonWithPackages();
    gateway = await GatewayProcess.start({ env: SECRETS, site: foreignSite(MEMBERS) });
    await gateway.ready();
    const program = goStationProgram();
    const endpoint = await gateway.link('stations');
    for (const { identity, kind, meterS, on } of MEMBERS) {
      const { cable, url } = await Cable.to(endpoint);
      cables.push(cable);
      const maxExportW = kind === 'v2g' ? 11_000 : 0;
      const o = { url, identity, meterS };
      const isGo = on === 'ocpp1.6' || on === 'ocpp2.0.1';
      stations.push(isGo ? goStation(program, { ...o, version: on }) : pythonStation(python, on, { ...o, maxExportW }));
    }
    const jwks = `${gateway.url}/.well-known/jwks.json`;
    fo = new ForeignOperator(python, {
      url: await gateway.link('operators'),
      party: FO,
      to: GATEWAY,
      token: FO_TOKEN,
      jwks,
    });
  });
  afterAll(async () => {
    await Promise.all([...stations.map((s) => s.stop()), fo?.stop()]);
    await Promise.all(cables.map((c) => c.close()));
    await gateway?.stop();
  });

  const powerW = (): number => stations.reduce((sum, s) => sum + (s.last('meter')?.powerW ?? 0), 0);
  const until = (at: number): Promise<void> => new Promise((go) => setTimeout(go, Math.max(0, at - Date.now())));

  async function flows(targetW: number, ms = 12_000): Promise<void> {
    const near = () => (Math.abs(powerW() - targetW) <= TOLERANCE_W ? true : undefined);
    await eventually(`${targetW} W flow`, near, ms).catch((e: unknown) => {
      const powers = stations.map((s) => s.last('meter')?.powerW).join(', ');
      throw new Error(`${String(e)}; ${powers} W\n${gateway.child.lines.slice(-15).join('\n')}`);
    });
  }

  async function ask(targetW: number): Promise<unknown> {
    const told = await fo.request('UpdateSetpoint', setpoint('F-1', ++seq, targetW));
    expect(told.status).toBe('ok');
    return told.data;
  }

  it('come up: boot, authorisation, transaction, Hello, metering', async () => {
    for (const s of stations) {
      await s.next('boot', (e) => e.status === 'Accepted');
      await s.next('authorize', (e) => e.status === 'Accepted');
      await s.next('started');
    }
    await fo.next('up');
    const metered = async () => {
      const { data } = await fo.request('QueryResources', { groupId: GROUP });
      const states = [detail(data).states].flat().map(detail);
      return states.length === MEMBERS.length && states.every((r) => r.state === 'charging' && r.quality === 'good')
        ? true
        : undefined;
    };
    await eventually('the operator sees what each station draws', metered, 25_000, 1_000);
  });

  it('agree on a service; setpoints are followed and telemetry shows them', async () => {
    start = Date.now() + 2_000;
    end = start + WINDOW_MS;
    expect(await fo.request('RequestService', setpointRequest('F-1', { start, end }, 25_000))).toMatchObject({
      status: 'ok',
    });
    const { body } = await fo.heard('ServiceDecision', (b) => b.fsrId === 'F-1');
    expect(body.decision).toMatch(/^(accepted|partial)$/);
    const subject = { subject: { groupId: GROUP }, fields: ['powerW', 'setpointW'], intervalS: 1, fsrId: 'F-1' };
    const until = new Date(end).toISOString();
    expect(await fo.request('SubscribeTelemetry', { ...subject, until })).toMatchObject({ status: 'ok' });
    await fo.heard('ExecutionNotice', (b) => b.fsrId === 'F-1' && b.phase === 'active');
    await ask(25_000);
    await flows(25_000);
    const shows = (b: Readonly<Record<string, unknown>>) => JSON.stringify(b).includes('"setpointW":25000');
    await fo.heard('Telemetry', shows);
  });

  it('keep a limit of the group whatever the setpoint says, and go on after it', async () => {
    const window = { start: Date.now() + 1_500, end: Date.now() + 13_500 };
    const said = await fo.request('RequestService', limitRequest('L-1', window, LIMIT_W));
    expect(said, JSON.stringify(said)).toMatchObject({ status: 'ok' });
    await fo.heard('ServiceDecision', (b) => b.fsrId === 'L-1' && b.decision === 'accepted');
    await until(window.start);
    const kept = () => (powerW() <= LIMIT_W + TOLERANCE_W ? true : undefined);
    await eventually('the limit is kept', kept, 5_000);
    for (; Date.now() < window.end - 500; await until(Date.now() + 250))
      expect(powerW()).toBeLessThanOrEqual(LIMIT_W + TOLERANCE_W);
    expect(powerW()).toBeGreaterThan(0);
    await until(window.end);
    await flows(25_000);
  });

  it('lose their connections and come back, stations and operator', async () => {
    await Promise.all([
      fo.tell('drop', { forS: 3 }),
      ...stations.map(async (s, i) => {
        const from = s.mark;
        await until(Date.now() + 1_500 * i);
        cables[i]?.cut();
        await s.next('offline', () => true, 5_000, from);
        await until(Date.now() + (OUTAGES_MS[i] ?? 0));
        cables[i]?.mend();
        await s.next('connected', () => true, 15_000, from);
      }),
    ]);
    const isUpAgain = () => (fo.events.filter((e) => e.event === 'up').length > 1 ? true : undefined);
    await eventually('the operator is up again', isUpAgain, 10_000);
    await ask(35_000);
    await flows(35_000);
  });

  it('discharge a vehicle through zero', async () => {
    await ask(-6_000);
    await flows(-6_000);
    await until(Date.now() + 5_000);
    await ask(40_000);
    await flows(40_000);
  });

  it('have counted the same energy as the signed proof, within 1 %', async () => {
    await until(end);
    const record = await fo.heard('ServiceRecord', (b) => detail(b.record).fsrId === 'F-1', 30_000);
    const proof = await fo.heard('Proof', (b) => detail(b.proof).fsrId === 'F-1');
    expect([record.problem, proof.problem]).toEqual(['none', 'none']);
    const intervals = [detail(proof.body.proof).intervals].flat().map(detail);
    const own = await Promise.all(stations.map((x) => x.energy(start, end)));
    const [provenIn, provenOut] = [sum(intervals, 'importWh'), sum(intervals, 'exportWh')];
    const [countedIn, countedOut] = [sum(own, 'importWh'), sum(own, 'exportWh')];
    const allowed = ENERGY_TOLERANCE * (countedIn + countedOut);
    const differences: string[] = [];
    for (const i of intervals) {
      const from = Date.parse(String(i.start));
      const parts = await Promise.all(stations.map((x) => x.energy(from, from + 1000 * Number(i.durationS))));
      const [counted, proven] = [
        sum(parts, 'importWh') - sum(parts, 'exportWh'),
        Number(i.importWh) - Number(i.exportWh),
      ];
      differences.push((proven - counted).toFixed(3));
    }
    const shown = JSON.stringify({ provenIn, countedIn, provenOut, countedOut, differences });
    expect(Math.abs(provenIn - countedIn), shown).toBeLessThanOrEqual(allowed);
    expect(Math.abs(provenOut - countedOut), shown).toBeLessThanOrEqual(allowed);
    const { recordId, proofId } = { ...detail(record.body.record), ...detail(proof.body.proof) };
    const of = { siteId: 'site:foreign', foId: FO, recordId: String(recordId), proofId: String(proofId) };
    expect(await verifyDownloads(gateway, of)).toContain('Everything that was checked holds.');
    const again = await fo.request('QueryRecords', { ids: ['F-1'] });
    expect([[detail(again.data).records].flat().length, [detail(again.data).proofs].flat().length]).toEqual([1, 1]);
    expect(again.problems).toEqual([]);
    await fo.tell('audit');
    expect(fo.last('chain')).toMatchObject({ problem: 'none' });
    expect(fo.events.filter((e) => e.event === 'gap')).toEqual([]);
  });
});

/** The fields of what came from a foreign program. */
function detail(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const sum = (rows: readonly object[], field: string): number =>
  rows.reduce((all, row) => all + Number(detail(row)[field] ?? 0), 0);
