import type { Meter, MeterReading, SiteFile } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';

/** As many ids as a sentence can name. */
const MAX_NAMED = 20;

/** The meter of a reading. Throws `meter.unknown`, naming those that the site file knows. */
export function meterOf(file: SiteFile, { meterId }: Pick<MeterReading, 'meterId'>, path = '/meterId'): Meter {
  const meters = file.meters ?? [];
  const meter = meters.find((m) => m.meterId === meterId);
  if (meter) return meter;
  const named = meters.slice(0, MAX_NAMED).map((m) => m.meterId);
  const known =
    named.length === 0 ? 'it has none' : `it has ${named.join(', ')}${meters.length > MAX_NAMED ? ' …' : ''}`;
  const what =
    meterId === undefined ? 'The reading names no meter.' : `${file.siteId} has no meter ${meterId}; ${known}.`;
  throw HUB_ERRORS.fail('meter.unknown', what, { path });
}
