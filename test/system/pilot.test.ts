import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { FoClient, FoInbound } from '../../protocols/fo/index.ts';
import { openLink } from '../../simulators/fo/link.ts';
import { type RunningFleet, runFleet } from '../../simulators/stations/index.ts';
import { eventually } from './support/child.ts';
import { GatewayProcess, ROOT } from './support/gateway.ts';
import { FO, GATEWAY, RECOVERY_FLEET, RECOVERY_SITE } from './support/recovery-site.ts';

const clock = realClock();
const WINDOW_MS = 24_000;
/** Of a window that is short against the second between two readings. */
const ENERGY_TOLERANCE = 0.01;
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface World {
  readonly gateway: GatewayProcess;
  readonly client: FoClient;
  readonly fleet: RunningFleet;
  readonly events: FoInbound[];
}

async function world(transport: string): Promise<World> {
  const gateway = await GatewayProcess.start({ site: RECOVERY_SITE, foLink: { transport } });
  open.push(() => gateway.stop());
  const [stations, operators] = await Promise.all([gateway.link('stations'), gateway.link('operators')]);
  const fleet = runFleet({ fleet: RECOVERY_FLEET, url: stations, clock, seed: 1, onEvent: () => undefined });
  open.push(() => fleet.stop());
  const events: FoInbound[] = [];
  const onMessage = (m: FoInbound): void => {
    events.push(m);
    if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
  };
  const handlers = { onMessage };
  const client: FoClient = openLink(
    { url: operators, partyId: FO, to: GATEWAY, log: silentLog },
    { clock, lastEventSeq: 0, handlers },
  );
  open.push(() => client.close());
  await gateway.ready();
  const charging = () => (fleet.stations.filter((s) => s.units.some((u) => u.tx)).length >= 3 ? true : undefined);
  await eventually('three cars charge', charging, 20_000);
  return { gateway, client, fleet, events };
}

/** What the meters of the stations show together, as long as it runs. */
function watchRegisters({ stations }: RunningFleet): { at(ms: number): number } {
  const seen: { readonly ms: number; readonly wh: number }[] = [];
  const look = (): void => {
    const ms = clock.now();
    let wh = 0;
    for (const unit of stations.flatMap((s) => s.units)) {
      unit.catchUp(ms);
      wh += unit.evse.importWh - unit.evse.exportWh;
    }
    seen.push({ ms, wh });
  };
  const timer = setInterval(look, 50);
  open.push(() => clearInterval(timer));
  return {
    at(ms) {
      const next = seen.findIndex((x) => x.ms >= ms);
      const [a, b] = [seen[next - 1], seen[next]];
      if (!a || !b) throw new Error('Nobody looked at the meters at that moment.');
      return a.wh + ((b.wh - a.wh) * (ms - a.ms)) / (b.ms - a.ms);
    },
  };
}
const powerW = ({ stations }: RunningFleet): number =>
  stations.flatMap((s) => s.units).reduce((sum, { evse }) => sum + evse.powerW, 0);

function request(now: number) {
  return {
    fsr: {
      fsrId: 'P-1',
      revision: 1,
      contractId: 'C-1',
      serviceType: 'setpoint' as const,
      target: { groupId: 'g:depot', referencePoint: 'group' as const },
      window: { start: iso(now + 2000), end: iso(now + 2000 + WINDOW_MS) },
      decisionBy: iso(now + 2000),
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute' as const,
        minW: -5000,
        maxW: 25_000,
        toleranceW: 500,
        updateIntervalS: 5,
        validityS: 10,
      },
      fallback: { onExpiry: 'zero' as const, rampS: 0 },
    },
  };
}

/** `npx v2gate verify` over what the gateway hands out; rejects when it finds something. */
async function verify({ url }: GatewayProcess, recordId: string, proofId: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'v2gate-pilot-'));
  open.push(() => rm(dir, { recursive: true, force: true }));
  const site = `${url}/v2gate/api/sites/${RECOVERY_SITE.siteId}`;
  const files = {
    'record.json': `${site}/records/${recordId}`,
    'proof.json': `${site}/proofs/${proofId}`,
    'events.jsonl': `${site}/events?fo=${FO}`,
    'jwks.json': `${url}/.well-known/jwks.json`,
  };
  for (const [name, from] of Object.entries(files))
    await writeFile(join(dir, name), await (await fetch(from, { signal: AbortSignal.timeout(5000) })).text());
  const paths = ['record.json', 'proof.json', 'events.jsonl'].map((name) => join(dir, name));
  const args = [join(ROOT, 'gateway/cli/main.ts'), 'verify', ...paths, '--jwks', join(dir, 'jwks.json')];
  return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout;
}

describe('a pilot of UC 2.1 with stations of all versions', () => {
  it.each(['websocket', 'mqtt'])(
    'over %s: setpoints through zero, then a proof that tells what flowed',
    async (way) => {
      const { gateway, client, fleet, events } = await world(way);
      const expiry = () => ({ expiresAt: clock.now() + 10_000 });
      const registers = watchRegisters(fleet);
      const body = request(clock.now());
      expect(await client.request('RequestService', body, expiry())).toMatchObject({ status: 'ok' });
      const phase = (name: string) => () => events.find((m) => Reflect.get(m.body, 'phase') === name);
      await eventually('it begins', phase('active'), 10_000, 20);
      for (const [i, targetW] of [12_000, -4000, 8000, 20_000].entries()) {
        const setpoint = { fsrId: 'P-1', seq: i + 1, targetW, validUntil: iso(clock.now() + 10_000) };
        const told = await client.request('UpdateSetpoint', { setpoint }, expiry());
        expect(told).toMatchObject({ status: 'ok', data: { appliedW: targetW } });
        const near = () => (Math.abs(powerW(fleet) - targetW) <= 500 ? true : undefined);
        await eventually(`${targetW} W flow`, near, 6000);
      }
      const reactive = { fsrId: 'P-1', seq: 9, targetW: 0, reactiveVar: 2000, validUntil: iso(clock.now() + 10_000) };
      expect(await client.request('UpdateSetpoint', { setpoint: reactive }, expiry())).toMatchObject({
        status: 'rejected',
        code: 'capability.unsupported',
      });
      await eventually('it ends', phase('completed'), WINDOW_MS, 20);
      const sent = <T extends 'ServiceRecord' | 'Proof'>(type: T) =>
        eventually(type, () => events.find((m): m is Extract<FoInbound, { type: T }> => m.type === type), 20_000);
      const { record } = (await sent('ServiceRecord')).body;
      const { proof } = (await sent('Proof')).body;
      const { start, end } = body.fsr.window;
      const movedWh = registers.at(Date.parse(end)) - registers.at(Date.parse(start));
      const provenWh = proof.intervals.reduce((sum, i) => sum + (i.importWh ?? 0) - (i.exportWh ?? 0), 0);
      expect(Math.abs(provenWh - movedWh)).toBeLessThan(ENERGY_TOLERANCE * Math.abs(movedWh));
      expect(await verify(gateway, record.recordId, proof.proofId)).toContain('Everything that was checked holds.');
    },
    80_000,
  );
});
