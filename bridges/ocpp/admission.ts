import { sameSecret } from '../../core/secrets.ts';
import type { Site } from '../../hub/site/types.ts';
import type { Admission, Credentials, Version } from '../../protocols/ocpp/index.ts';

/** The key of 1.6 as it travels in ChangeConfiguration: 8 to 20 bytes in hex digits (ocpp 1.5). */
const HEX_KEY = /^(?:[0-9a-f]{2}){8,20}$/i;

/**
 * Who may connect (ocpp 1.1, ocpp 1.5): 404 for an identity that the site refuses, 401 for a wrong password, and for
 * none where everybody must prove who he is (design 6).
 */
export function admit(
  site: Pick<Site, 'stations'>,
  secret: (ref: string) => string | undefined,
  identity: string,
  credentials: Credentials | undefined,
  o: { readonly version?: Version | undefined; readonly mustProve?: boolean } = {},
): Admission {
  const no = (reason: string, status: 401 | 404 = 401): Admission => ({ accept: false, status, reason });
  if (site.stations.verdict(identity) === 'refused')
    return no('the site file refuses stations that it does not name', 404);
  const ref = site.stations.passwordRef(identity);
  if (ref === undefined)
    return o.mustProve === true ? no('its entry in the site file has no passwordRef') : { accept: true };
  const expected = secret(ref);
  if (knows(expected, credentials?.password, o.version)) return { accept: true };
  if (expected === undefined) return no(`the secret “${ref}” is not given to the gateway`);
  return no(credentials === undefined ? 'it sent no password' : `its password is not the secret “${ref}”`);
}

/** The operator hears of a station of the site that is turned away, until it is let in or stops to try. */
export function tellAdmission(site: Pick<Site, 'stations' | 'warn'>, identity: string, admission: Admission): void {
  if (site.stations.verdict(identity) !== 'known') return;
  const about = { code: 'station.turnedAway', subject: identity };
  if (admission.accept) site.warn(about);
  else
    site.warn({
      ...about,
      text: `${identity} tries to connect and is turned away: ${admission.reason ?? 'it is not known'}. Compare the station, its passwordRef in the site file, and the secret.`,
      forS: TOLD_S,
    });
}

/** Stations try again at the latest after some minutes. */
const TOLD_S = 600;

/**
 * 2.x: the text in UTF-8 as it is. 1.6: a key in hex digits stands for the raw bytes that are in the header; stations
 * that send the digits themselves are let in as well, they know the same.
 */
function knows(expected: string | undefined, given: Uint8Array | undefined, version: Version | undefined): boolean {
  const asText = sameSecret(expected, given);
  if (version !== 'ocpp1.6' || expected === undefined || !HEX_KEY.test(expected)) return asText;
  const asBytes = sameSecret(Buffer.from(expected, 'hex'), given);
  return asText || asBytes;
}
