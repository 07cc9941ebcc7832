import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Version } from './versions.ts';
import { isVersion } from './versions.ts';

/** HTTP Basic credentials as bytes: a 1.6 key is random binary, not text (ocpp 1.5). */
export interface Credentials {
  readonly user: string;
  readonly password: Uint8Array;
}

/** Who knocks, apart from identity and password. */
export interface Remote {
  readonly address: string;
  readonly port: number;
  readonly encrypted: boolean;
  /** Subject of the client certificate that TLS has verified (security profile 3). */
  readonly certificate?: { readonly commonName: string; readonly organization: string };
  /** The version that will be spoken; absent when there is none in common. */
  readonly version?: Version;
}

const IDENTITY = /^[^\p{C}:/\\]{1,48}$/u;

/** The identity in a request path: the last segment, percent-encoded, 1 to 48 characters, no colon (ocpp 1.1). */
export function identityOf(url: string | undefined, path: string): string | undefined {
  const [pathname = ''] = (url ?? '').split('?');
  const prefix = path === '/' ? '/' : `${path}/`;
  if (!pathname.startsWith(prefix)) return undefined;
  const segment = pathname.slice(prefix.length);
  if (segment.length > 48 * 12 || segment.includes('/')) return undefined;
  try {
    const identity = decodeURIComponent(segment);
    return IDENTITY.test(identity) && identity !== '.' && identity !== '..' ? identity : undefined;
  } catch {
    return undefined;
  }
}

/** Basic credentials of a request; undefined if there are none, null if they cannot be read. */
export function credentialsOf(req: IncomingMessage): Credentials | undefined | null {
  const header = req.headers.authorization;
  if (header === undefined) return undefined;
  const match = /^Basic +([A-Za-z0-9+/]{1,1024}={0,2}) *$/i.exec(header);
  const bytes = Buffer.from(match?.[1] ?? '', 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 1) return null;
  return { user: bytes.subarray(0, colon).toString('utf8'), password: bytes.subarray(colon + 1) };
}

/** The version that both sides speak, by the station's order of preference (ocpp 1.1). */
export function chooseVersion(header: string | undefined, versions: readonly Version[]): Version | undefined {
  const offered = (header ?? '').slice(0, 1024).split(',');
  return offered.map((name) => name.trim()).find((name): name is Version => isVersion(name) && versions.includes(name));
}

const STATUS = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  503: 'Service Unavailable',
} as const;

/** Refuses an upgrade with an HTTP status and ends the socket. */
export function refuse(socket: Duplex, status: keyof typeof STATUS): void {
  if (socket.destroyed || !socket.writable) return;
  const challenge = status === 401 ? 'WWW-Authenticate: Basic realm="ocpp", charset="UTF-8"\r\n' : '';
  socket.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

/** What TLS and TCP know about the other end. */
export function remoteOf(req: IncomingMessage): Remote {
  const { socket } = req;
  const base = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  if (!('getPeerCertificate' in socket) || typeof socket.getPeerCertificate !== 'function') {
    return { ...base, encrypted: false };
  }
  if (!('authorized' in socket) || socket.authorized !== true) return { ...base, encrypted: true };
  const certificate: unknown = socket.getPeerCertificate();
  const subject = member(certificate, 'subject');
  const [commonName, organization] = [member(subject, 'CN'), member(subject, 'O')];
  if (typeof commonName !== 'string') return { ...base, encrypted: true };
  const known = { commonName, organization: typeof organization === 'string' ? organization : '' };
  return { ...base, encrypted: true, certificate: known };
}

function member(x: unknown, key: string): unknown {
  return typeof x === 'object' && x !== null ? Reflect.get(x, key) : undefined;
}
