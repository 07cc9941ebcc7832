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
  if (site.stations.verdict(identity) === 'refused') return { accept: false, status: 404 };
  const ref = site.stations.passwordRef(identity);
  if (ref === undefined) return o.mustProve === true ? { accept: false, status: 401 } : { accept: true };
  return knows(secret(ref), credentials?.password, o.version) ? { accept: true } : { accept: false, status: 401 };
}

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
