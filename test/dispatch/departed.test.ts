import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { type Plant, type PlantEvse, plant } from './plant.ts';

const evse = (evseId: string): PlantEvse => ({
  evseId,
  dc: true,
  maxImportW: 11_000,
  maxExportW: 0,
  minImportW: 0,
  evMaxW: 11_000,
  responseTimeS: 1,
  minCommandIntervalS: 1,
  meterIntervalS: 1,
});

let p: Plant;
afterEach(() => p.close());

/** Two vehicles at a connection that has room for one and a half. */
async function charging(): Promise<SiteFile> {
  const evses = [evse('V2G-1.1'), evse('V2G-2.1')];
  const o = { seed: 1, evses, poc: { importLimitW: 16_000, exportLimitW: 0, netting: 'none' as const } };
  p = await plant(o);
  for (const e of evses) p.plug(e.evseId);
  await p.run(20);
  expect(p.powerOf('V2G-1.1')).toBe(8_000);
  expect(p.powerOf('V2G-2.1')).toBe(8_000);
  return p.file;
}

const without = (file: SiteFile, identity: string): SiteFile => ({
  ...file,
  stations: file.stations.filter((s) => s.identity !== identity),
  groups: (file.groups ?? []).map((g) => ({ ...g, members: g.members.filter((m) => m !== `${identity}.1`) })),
});

describe('a station that is taken out of the site file', () => {
  it('counts in every limit until what it was told has ended: its vehicle may go on', async () => {
    const file = await charging();
    await p.site.reload(without(file, 'V2G-2'));
    const untilS = 115;
    await p.run(untilS, (s) => expect(p.powerOf('V2G-1.1'), `${s} s`).toBeLessThanOrEqual(8_000));
    await p.run(20);
    expect(p.powerOf('V2G-1.1')).toBe(11_000);
  });

  it('is told to stop, and is no longer shown', async () => {
    const file = await charging();
    await p.site.reload(without(file, 'V2G-2'));
    expect(p.envelopeOf('V2G-2.1')).toMatchObject({ importLimitW: 0, exportLimitW: 0 });
    await p.run(2);
    expect(p.site.snapshot().resources.map((r) => r.resourceId)).toEqual(['V2G-1.1']);
  });

  it('counts with all that it can do when it is back before that, until something is known of it', async () => {
    const file = await charging();
    await p.site.reload(without(file, 'V2G-2'));
    await p.run(5);
    await p.site.reload(file);
    await p.run(30, (s) => expect(p.powerOf('V2G-1.1'), `${s} s`).toBeLessThanOrEqual(8_000));
  });

  it('frees its room at once when nobody was there', async () => {
    const file = await charging();
    const at = iso(p.clock.now());
    const end = { at, resourceId: 'V2G-2.1', sessionId: 'tx-V2G-2.1', kind: 'ended' };
    p.site.observe({ topic: 'hub/SessionEvent', payload: end, v2gate: { id: 'm', at, link: 'plant' } });
    const status = { at, resourceId: 'V2G-2.1', state: 'available' };
    p.site.observe({ topic: 'hub/StationStatus', payload: status, v2gate: { id: 'm', at, link: 'plant' } });
    await p.site.reload(without(file, 'V2G-2'));
    await p.run(10);
    expect(p.powerOf('V2G-1.1')).toBe(11_000);
  });
});
