import type { Issue } from '../core/errors.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** The text that gives up encryption and credentials on addresses other than loopback (design 6). */
export const INSECURE_WORDS = 'everyone in this network may control my chargers';

interface GivenTls {
  readonly tls: 'off' | 'dev' | 'files' | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsOcpp: boolean | undefined;
  readonly tlsFo: boolean | undefined;
  readonly tlsHttp: boolean | undefined;
}

/** Which interfaces speak TLS, and with which certificate. */
export interface ResolvedTls {
  readonly tls: 'off' | 'dev' | 'files';
  readonly tlsOcpp: boolean;
  readonly tlsFo: boolean;
  readonly tlsHttp: boolean;
}

/** Completes what was given; `issues` tells what contradicts itself. */
export function resolveTls(given: GivenTls): ResolvedTls & { readonly issues: readonly Issue[] } {
  const { tls = given.tlsCert === undefined ? 'off' : 'files', tlsCert, tlsKey } = given;
  const on = tls !== 'off';
  const issue = (path: string, message: string): Issue => ({ path, code: 'settings.invalid', message });
  const issues: Issue[] = [];
  if (tls === 'files' && tlsCert === undefined) {
    issues.push(issue('V2GATE_TLS_CERT', 'V2GATE_TLS_CERT must name the file of the certificate chain.'));
  }
  if (tls === 'files' && tlsKey === undefined) {
    issues.push(issue('V2GATE_TLS_KEY', 'V2GATE_TLS_KEY must name the file of the private key.'));
  }
  for (const [path, wanted] of [
    ['V2GATE_TLS_OCPP', given.tlsOcpp],
    ['V2GATE_TLS_FO', given.tlsFo],
    ['V2GATE_TLS_HTTP', given.tlsHttp],
  ] as const) {
    if (wanted === true && !on)
      issues.push(issue(path, `${path} needs V2GATE_TLS=dev, or V2GATE_TLS_CERT and V2GATE_TLS_KEY.`));
  }
  const { tlsOcpp = on, tlsFo = on, tlsHttp = on } = given;
  return { tls, tlsOcpp, tlsFo, tlsHttp, issues };
}

/**
 * Other addresses than loopback need TLS on every interface and credentials, or words that give them up (design 6). Those of
 * stations and operators stand in the site file, so links look at them. Throws `listen.insecure`.
 */
export function checkListening(
  o: ResolvedTls & { host: string; insecure: boolean; httpPassword?: string | undefined; hasUsers?: boolean },
): void {
  if (isLoopback(o.host) || o.insecure) return;
  const plain = [
    ...(o.tlsHttp ? [] : ['console and editor']),
    ...(o.tlsOcpp ? [] : ['stations']),
    ...(o.tlsFo ? [] : ['operators']),
  ];
  if (plain.length > 0) {
    throw GATEWAY_ERRORS.fail(
      'listen.insecure',
      `V2GATE_HOST=${o.host} would make the gateway reachable from the network without encryption, for ${plain.join(', ')}.`,
      {
        remedy: `Use V2GATE_HOST=127.0.0.1, or V2GATE_TLS_CERT and V2GATE_TLS_KEY, or set V2GATE_INSECURE='${INSECURE_WORDS}'.`,
      },
    );
  }
  if (o.httpPassword !== undefined || o.hasUsers === true) return;
  throw GATEWAY_ERRORS.fail(
    'listen.insecure',
    `V2GATE_HOST=${o.host} would let everybody in the network into console and editor.`,
    {
      remedy: `Use V2GATE_HOST=127.0.0.1, add users with \`npx v2gate users add\`, or set V2GATE_HTTP_PASSWORD, or set V2GATE_INSECURE='${INSECURE_WORDS}'.`,
    },
  );
}

/** True for addresses that only this machine can reach. */
export function isLoopback(address: string): boolean {
  const plain = address
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/^::ffff:/, '');
  return plain === 'localhost' || plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain);
}
