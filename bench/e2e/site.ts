import type { SiteFile } from '../../model/index.ts';
import { manyFleet } from '../../simulators/stations/many.ts';
import { siteOf } from '../product/site.ts';

export { FO_ID, GATEWAY_ID, GROUP_ID } from '../product/site.ts';

export const VERSIONS = ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'] as const;

/** A site for the stations that the simulator plays for `--count`; those of 2.1 can discharge. */
export function benchSite(count: number, now: number): SiteFile {
  const fleet = manyFleet({ count, versions: VERSIONS, meterIntervalS: 10, carsWithinS: 5 });
  const stations = fleet.stations.flatMap((row) =>
    Array.from({ length: row.count ?? 1 }, (_, i) => {
      const dc = row.version === 'ocpp2.1';
      return { identity: `${row.identity}-${i + 1}`, kind: dc ? ('dc' as const) : ('ac' as const), exports: dc };
    }),
  );
  return siteOf({ stations, now });
}
