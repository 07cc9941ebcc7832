import { sameSecret } from '../../core/secrets.ts';
import type { Site } from '../../hub/site/types.ts';
import type { Admission, Credentials } from '../../protocols/ocpp/index.ts';

/** Who may connect (ocpp 1.1, ocpp 1.5): 404 for an identity that the site refuses, 401 for a wrong password. */
export function admit(
  site: Pick<Site, 'stations'>,
  secret: (ref: string) => string | undefined,
  identity: string,
  credentials: Credentials | undefined,
): Admission {
  if (site.stations.verdict(identity) === 'refused') return { accept: false, status: 404 };
  const ref = site.stations.passwordRef(identity);
  if (ref === undefined) return { accept: true };
  return sameSecret(secret(ref), credentials?.password) ? { accept: true } : { accept: false, status: 401 };
}
