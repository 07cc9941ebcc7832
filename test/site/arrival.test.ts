import { afterEach, describe, expect, it } from 'vitest';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld } from '../support/site-world.ts';

let w: SiteWorld;
afterEach(() => w.close());

const row = (resourceId: string) => w.site.snapshot().resources.find((r) => r.resourceId === resourceId);

/** The outlets as a site file without minOnS and minOffS has them. */
function usual() {
  const { stations } = siteFile();
  return stations.map((s) => ({ ...s, evses: s.evses.map(({ minOnS: _on, minOffS: _off, ...e }) => e) }));
}

describe('a vehicle that arrives', () => {
  it('does not wait because its outlet was granted nothing while nobody was there', async () => {
    w = await siteWorld({ stations: usual() });
    w.say('hub/StationStatus', { resourceId: 'AC-1.1', state: 'available', protocol: 'ocpp1.6' });
    await w.clock.advance(20_000);
    w.plug('AC-1.1');
    await w.clock.advance(5_000);
    expect(row('AC-1.1')?.grantedW).toBeGreaterThan(4_140);
  });
});

describe('what people see of an outlet and of limits', () => {
  it('an outlet that was put out of service is told from one with a fault', async () => {
    w = await siteWorld();
    const say = (state: string, errorCode?: string) =>
      w.say('hub/StationStatus', { resourceId: 'AC-1.1', state, ...(errorCode === undefined ? {} : { errorCode }) });
    say('faulted', 'Unavailable');
    expect(row('AC-1.1')).toMatchObject({ state: 'faulted', errorCode: 'Unavailable' });
    say('faulted', 'GroundFailure');
    expect(row('AC-1.1')).toMatchObject({ errorCode: 'GroundFailure' });
    say('available');
    expect(row('AC-1.1')).not.toHaveProperty('errorCode');
  });

  it('a limit that cannot be held is a warning with a remedy, as long as that is so', async () => {
    w = await siteWorld();
    for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r);
    await w.clock.advance(90_000);
    w.say('hub/StationStatus', { resourceId: 'AC-2.1', state: 'offline' });
    await w.site.setLimit({ nodeId: 'poc', source: 'scada', importLimitW: 1_000 });
    await w.clock.advance(5_000);
    const told = () => (w.site.snapshot().warnings ?? []).filter((x) => x.code === 'limit.unreachable');
    expect(told()).toEqual([expect.objectContaining({ subject: 'poc import' })]);
    expect(told()[0]?.text).toMatch(
      /^The import limit of 1.00 kW at the connection point cannot be held: .*bring them back/,
    );
    await w.site.setLimit({ nodeId: 'poc', source: 'scada', lift: true });
    await w.clock.advance(5_000);
    expect(told()).toEqual([]);
  });
});
