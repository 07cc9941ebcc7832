import type { Request } from 'express';
import { type Clock, iso } from '../core/clock.ts';
import { uuidv7 } from '../core/ids.ts';
import { SCHEMA_ERRORS } from '../core/schema.ts';
import { sameSecret } from '../core/secrets.ts';
import { meterOf } from '../hub/meters/known.ts';
import type { Site } from '../hub/site/types.ts';
import { MeterReading } from '../model/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { isFromHere } from './routes.ts';
import type { SecretSource } from './secrets.ts';

/** Name of the secret that lets programs on other machines send meter values. */
export const METER_TOKEN = 'meter-token';

const MAX_READINGS = 100;

/** Programs on this machine may send meter values; others show the secret `meter-token`. Throws `api.loopbackOnly`. */
export function checkMeterSender(req: Request, secret: SecretSource): void {
  if (isFromHere(req)) return;
  const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
  if (!sameSecret(secret(METER_TOKEN), token))
    throw GATEWAY_ERRORS.fail('api.unauthorised', `The Authorization header does not bring the secret ${METER_TOKEN}.`);
}

/**
 * Gives one hub/MeterReading, or a list of at most 100, to the site; either all are taken over or none. Throws
 * `schema.invalid` with the field, or `meter.unknown`.
 */
export function takeReadings(site: Site, body: unknown, clock: Clock): { readonly taken: number } {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (list.length === 0 || list.length > MAX_READINGS)
    throw GATEWAY_ERRORS.fail('api.badRequest', `Send one reading, or a list of 1 to ${MAX_READINGS}.`);
  const readings = list.map((one, i) => {
    const at = Array.isArray(body) ? `/${i}` : '';
    const reading = readingOf(one, at);
    // What stations measure comes over their own protocol, where it is known who says so.
    meterOf(site.file(), reading, `${at}/meterId`);
    return reading;
  });
  const at = iso(clock.now());
  for (const payload of readings)
    site.observe({ topic: 'hub/MeterReading', payload, v2gate: { id: uuidv7(clock), at, link: 'api' } });
  return { taken: readings.length };
}

function readingOf(value: unknown, at: string): MeterReading {
  const issues = MeterReading.check(value).map((i) => ({ ...i, path: at + i.path }));
  const [first] = issues;
  if (!first) return MeterReading.parse(value);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw SCHEMA_ERRORS.fail('schema.invalid', `${first.path || 'The body'}: ${first.message}${more}`, {
    path: first.path,
    details: issues,
  });
}
