import type { Site } from '../../hub/site/types.ts';
import { type Admission, type Credentials, samePassword } from '../../protocols/ocpp/index.ts';

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
  const password = secret(ref);
  // A secret that is missing or empty opens nothing.
  const right = !!password && credentials !== undefined && samePassword(credentials.password, password);
  return right ? { accept: true } : { accept: false, status: 401 };
}
