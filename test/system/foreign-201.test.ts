import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOcppLink } from '../../bridges/ocpp/index.ts';
import { iso, realClock } from '../../core/clock.ts';
import { LeaseRegistry } from '../../core/lease.ts';
import { silentLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { createMetrics } from '../../core/metrics.ts';
import { fileSource } from '../../gateway/mapping-files.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { GatewayRuntime, Link } from '../../hub/ports.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import type { Site } from '../../hub/site/types.ts';
import type { CommandOutcome, PowerCommand, StationOrderOutcome } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { eventually } from './support/child.ts';
import type { ForeignStation } from './support/foreign.ts';
import { pythonStation, pythonWithPackages } from './support/python.ts';

const MAPPINGS = new URL('../../mappings', import.meta.url).pathname;

/** The bridge alone on a real port and in real time: a 2.0.1 station that was not written here. */
describe('a foreign station of OCPP 2.0.1 at the bridge', () => {
  const clock = realClock();
  const outcomes: CommandOutcome[] = [];
  const orders: StationOrderOutcome[] = [];
  let site: Site;
  let link: Link;
  let station: ForeignStation;
  let shut: () => Promise<void>;

  beforeAll(async () => {
    const metrics = createMetrics();
    const store = await openStore({ path: ':memory:', clock, log: silentLog, metrics });
    // It meters every 10 s, so its commands are judged within 15 s.
    const stations = siteFile().stations.map((s) => ({
      ...s,
      evses: s.evses.map((e) => ({ ...e, responseTimeS: 5 })),
    }));
    const file = { ...siteFile(), stations, idTokens: { policy: 'list' as const, list: ['FOREIGN-1'] } };
    const files = { read: async () => JSON.stringify(file), watch: () => () => undefined };
    const sites = new SiteRegistry({ clock, log: silentLog, metrics, store, files });
    site = await sites.open({ file: 'site.json' });
    const runtime: GatewayRuntime = {
      clock,
      log: silentLog,
      metrics,
      store,
      sites,
      leases: new LeaseRegistry({ clock, log: silentLog }),
      mappings: createMappingLibrary({ roots: [MAPPINGS], files: fileSource(), log: silentLog }),
      settings: {
        siteFile: 'site.json',
        gatewayId: 'gw',
        host: '127.0.0.1',
        ocppPort: 0,
        foPort: 0,
        mqttPort: 0,
        portSearch: false,
        demo: false,
      },
      secret: () => undefined,
      health: () => undefined,
    };
    const where = { linkId: 'ocpp:test', siteId: file.siteId, host: '127.0.0.1', port: 0, path: '/ocpp' };
    link = await openOcppLink({ ...where, portSearch: false, speaks: 'hub' }, runtime);
    link.on('outcome', (m) => {
      if (m.topic === 'hub/CommandOutcome') outcomes.push(m.payload as CommandOutcome);
      if (m.topic === 'hub/StationOrderOutcome') orders.push(m.payload as StationOrderOutcome);
    });
    station = pythonStation(pythonWithPackages(), 'station201.py', {
      url: link.url,
      identity: 'AC-1',
      maxImportW: 11_040,
      meterS: 60,
    });
    await station.next('started');
    shut = async () => {
      await station.stop();
      await link.close();
      await site.close();
      await store.close();
    };
  }, 240_000);
  afterAll(() => shut());

  const row = () => site.snapshot().resources.find((r) => r.resourceId === 'AC-1.1');
  const send = (topic: string, payload: object) =>
    link.send({ topic, payload, v2gate: { id: 'm', at: iso(clock.now()), link: 'test' } });
  const command = (what: Partial<PowerCommand> & { commandId: string }, validS = 60) =>
    send('hub/PowerCommand', {
      resourceId: 'AC-1.1',
      kind: what.importLimitW === undefined ? 'setpoint' : 'limit',
      validUntil: iso(clock.now() + 1000 * validS),
      level: 6,
      ...what,
    });
  const states = (id: string) => outcomes.filter((o) => o.commandId === id).map((o) => o.state);

  it('is probed, and its metering is set to what is needed', async () => {
    await station.next('variable', (e) => e.name === 'SampledDataCtrlr.TxUpdatedInterval' && e.value === '10');
    const list = await station.next('variable', (e) => e.name === 'SampledDataCtrlr.TxUpdatedMeasurands');
    expect(list.value).toBe('Energy.Active.Import.Register,Power.Active.Import,Voltage');
    await station.next('profile', (e) => e.purpose === 'TxDefaultProfile' && e.status === 'Accepted');
  });

  it('follows a setpoint as a limit in W, and it counts when the meter shows it', async () => {
    await command({ commandId: 'c1', powerW: 6900 });
    await eventually('the setpoint is effective', () => states('c1').includes('effective') || undefined, 15_000);
    expect(states('c1')).toEqual(['sent', 'accepted', 'effective']);
    expect(row()).toMatchObject({ protocol: 'ocpp2.0.1', state: 'charging', shape: 'limitW' });
  });

  it('is not asked to discharge', async () => {
    await command({ commandId: 'c2', powerW: -10_000 });
    expect(outcomes.at(-1)).toMatchObject({ state: 'refused', code: 'capability.unsupported' });
  });

  it('falls back to its default when a command ends', async () => {
    await command({ commandId: 'c3', importLimitW: 5000 }, 4);
    await station.next('meter', (e) => e.powerW === 5000);
    await station.next('meter', (e) => (e.powerW ?? 0) > 10_000, 15_000, station.mark);
  });

  it('is stopped by an order', async () => {
    await send('hub/StationOrder', { orderId: 'o1', resourceId: 'AC-1.1', action: 'stop' });
    await station.next('stopped', (e) => e.reason === 'Remote');
    expect(orders).toMatchObject([{ orderId: 'o1', state: 'accepted' }]);
    await eventually('the session is over', () => row()?.sessionId === undefined || undefined, 5_000);
  });
});
