import { sameSecret } from '../../core/secrets.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import type { Party } from '../../model/index.ts';
import type {
  FoAuthAnswer,
  FoAuthRequest,
  FoBrokerPrincipal,
  FoClientCertificate,
  FoSignatures,
} from '../../protocols/fo/index.ts';

/** Who may use the FO link of a site, by what its site file says at that moment. */
export class FoAccess {
  readonly #site: Site;
  readonly #runtime: GatewayRuntime;

  constructor(site: Site, runtime: GatewayRuntime) {
    this.#site = site;
    this.#runtime = runtime;
  }

  /** The parties that an FO link serves. */
  operators(): string[] {
    return (this.#site.file().parties ?? []).filter((p) => p.role === 'fo').map((p) => p.partyId);
  }

  /** True when every operator must show a token, or a certificate where that is possible: then others than loopback may connect (design 6). */
  protectsAll(byTokenOnly: boolean): boolean {
    const proves = (foId: string): boolean =>
      this.#tokenRefs(foId).length > 0 || (!byTokenOnly && this.#certificateOf(foId) !== undefined);
    return this.operators().every(proves);
  }

  /** A party with a token or a certificate must show it; others are believed on loopback only (design 6). */
  ofUpgrade(request: FoAuthRequest): FoAuthAnswer {
    const { partySecrets = [] } = this.#site.file();
    const { credentials, certificate } = request;
    const bound = certificate && this.operators().find((foId) => isBound(this.#certificateOf(foId), certificate));
    const given = credentials?.scheme === 'bearer' ? credentials.token : credentials?.password;
    if (given !== undefined) {
      const match = partySecrets.find((s) => this.#is(s.tokenRef, given));
      // Whoever shows both must be the same by both.
      const same = match !== undefined && (this.#certificateOf(match.partyId) === undefined || bound === match.partyId);
      return same ? { partyId: match.partyId } : { refuse: 'auth.failed' };
    }
    if (bound !== undefined && this.#tokenRefs(bound).length === 0) return { partyId: bound };
    const open = this.operators().filter((foId) => this.#tokenRefs(foId).length === 0 && !this.#certificateOf(foId));
    if (!request.loopback || open.length === 0) return { refuse: 'auth.failed' };
    return { fromHello: true, allows: (partyId) => open.includes(partyId) };
  }

  /** The same at the broker in this process: the user is the party, the password its token. */
  ofBroker(o: {
    readonly user: string;
    readonly password: string | undefined;
    readonly loopback: boolean;
  }): FoBrokerPrincipal | undefined {
    const { user: foId, password } = o;
    if (!this.operators().includes(foId)) return undefined;
    const tokens = this.#tokenRefs(foId);
    const welcome = tokens.length === 0 ? o.loopback : tokens.some((ref) => this.#is(ref, password));
    return welcome ? { side: 'dn', foId } : undefined;
  }

  /** What a party must sign, and with which keys. */
  signatures(foId: string, require: 'catalogue' | 'always'): FoSignatures {
    return { require, keys: () => this.#keys(foId) };
  }

  #keys(foId: string) {
    return this.#site.file().parties?.find((p) => p.partyId === foId)?.publicKeys ?? NO_KEYS;
  }

  #certificateOf(foId: string) {
    return this.#site.file().parties?.find((p) => p.partyId === foId)?.certificate;
  }

  #tokenRefs(foId: string): string[] {
    return (this.#site.file().partySecrets ?? []).filter((s) => s.partyId === foId).map((s) => s.tokenRef);
  }

  #is(tokenRef: string, given: string | undefined): boolean {
    return sameSecret(this.#runtime.secret(tokenRef), given);
  }
}

/** The certificate of the connection is that of the party (fo 9.4): pinned, or named by an issuer that we trust. */
function isBound(wanted: Party['certificate'], shown: FoClientCertificate): boolean {
  if (wanted === undefined) return false;
  const { fingerprint256, commonName } = wanted;
  if (fingerprint256 !== undefined) return plain(fingerprint256) === plain(shown.fingerprint256);
  return commonName !== undefined && shown.verified && shown.commonName === commonName;
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

const NO_KEYS = [] as const;
