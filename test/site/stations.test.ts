import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { StorePort } from '../../hub/ports.ts';
import { Ledger } from '../../hub/site/ledger.ts';
import { StationDirectory } from '../../hub/site/stations.ts';
import type { SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

let clock: ManualClock;
let store: StorePort;
let events: string[];

beforeEach(async () => {
  clock = manualClock();
  store = await openStore({ path: ':memory:', clock, log: silentLog, metrics: createMetrics() });
  events = [];
});
afterEach(() => store.close());

const directory = (patch: Partial<SiteFile> = {}) =>
  new StationDirectory({
    file: siteFile(patch),
    clock,
    ledger: new Ledger({ store, log: silentLog, siteId: 'site:test' }),
    onChange: (kind, identity) => events.push(`${kind} ${identity}`),
  });

const BOOT = { protocol: 'ocpp1.6', vendor: 'Acme', model: 'Wall 1' } as const;

describe('admission of stations', () => {
  it('knows the stations of the site file and their EVSE', () => {
    const d = directory();
    expect(d.verdict('V2G-1')).toBe('known');
    expect(d.resources('V2G-1').map((r) => [r.resourceId, r.evse])).toEqual([['V2G-1.1', 1]]);
  });

  it('lets an unknown station wait with what it reports, until it leaves', async () => {
    const d = directory();
    expect(await d.report('NEW', BOOT)).toBe('pending');
    await d.report('NEW', { protocol: 'ocpp1.6', evses: 2 });
    expect(d.pending()).toMatchObject([{ identity: 'NEW', vendor: 'Acme', model: 'Wall 1', evses: 2 }]);
    d.left('NEW');
    expect(d.pending()).toEqual([]);
    expect(events).toEqual(['pending NEW', 'pending NEW', 'pending NEW']);
  });

  it('accepts a waiting station with as many EVSE as it reported, also after a restart', async () => {
    const d = directory();
    await d.report('NEW', { ...BOOT, evses: 2 });
    await d.accept('NEW');
    expect(d.verdict('NEW')).toBe('known');
    expect(d.resources('NEW').map((r) => r.resourceId)).toEqual(['NEW.1', 'NEW.2']);
    const again = directory();
    expect(again.verdict('NEW')).toBe('pending');
    await again.restore();
    expect(again.verdict('NEW')).toBe('known');
  });

  it('keeps the stations of two sites in one store apart', async () => {
    const d = directory();
    await d.report('NEW', BOOT);
    await d.accept('NEW');
    const ledger = new Ledger({ store, log: silentLog, siteId: 'site:other' });
    const other = new StationDirectory({ file: siteFile(), clock, ledger, onChange: () => {} });
    await other.restore();
    expect(other.verdict('NEW')).toBe('pending');
  });

  it('takes back an acceptance, also after a restart, and leaves stations of the site file to the file', async () => {
    const d = directory();
    await d.report('NEW', BOOT);
    await d.accept('NEW');
    expect(d.accepted().map((s) => s.identity)).toEqual(['NEW']);
    await d.remove('NEW');
    expect(events).toEqual(['pending NEW', 'accepted NEW', 'removed NEW']);
    expect([d.verdict('NEW'), d.resources('NEW')]).toEqual(['pending', []]);
    const after = directory();
    await after.restore();
    expect(after.accepted()).toEqual([]);
    for (const identity of ['NEW', 'V2G-1', 'GHOST'])
      await expect(d.remove(identity)).rejects.toMatchObject({ code: 'station.unknown' });
    expect(d.verdict('V2G-1')).toBe('known');
  });

  it('puts an accepted station at the connection point when its circuit is gone', async () => {
    const patch = { unknownStationDefaults: { evse: 1, circuitId: 'k1', current: 'ac' as const, maxImportW: 1000 } };
    const d = directory(patch);
    await d.report('NEW', BOOT);
    await d.accept('NEW');
    expect(d.resources('NEW')[0]?.circuitId).toBe('k1');
    d.configure(siteFile({ ...patch, circuits: [], stations: [] }));
    expect(d.resources('NEW')[0]).not.toHaveProperty('circuitId');
  });

  it('refuses or accepts unknown stations where the site file says so', async () => {
    expect(directory({ unknownStations: 'refuse' }).verdict('NEW')).toBe('refused');
    const open = directory({ unknownStations: 'accept' });
    expect(await open.report('NEW', BOOT)).toBe('known');
    expect(open.resources('NEW')).toHaveLength(1);
  });

  it('accepts nobody who does not wait', async () => {
    await expect(directory().accept('GHOST')).rejects.toMatchObject({ code: 'station.unknown' });
  });

  it('refuses a station whose resource id would belong to another', async () => {
    const d = directory();
    await d.report('V2G-1.1x', BOOT);
    const clash = directory({
      stations: [{ identity: 'A', evses: [{ evse: 1, resourceId: 'NEW.1', current: 'ac', maxImportW: 1 }] }],
    });
    await clash.report('NEW', BOOT);
    await expect(clash.accept('NEW')).rejects.toMatchObject({ code: 'station.clash' });
    expect(clash.verdict('NEW')).toBe('pending');
  });

  it('lets charge whom the list names, and everybody only where the policy says any', () => {
    expect([directory().mayCharge('RFID-1'), directory().mayCharge('RFID-2')]).toEqual([true, false]);
    expect(directory({ idTokens: { policy: 'any' } }).mayCharge('RFID-2')).toBe(true);
  });
});
