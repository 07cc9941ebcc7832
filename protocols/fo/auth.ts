import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FoAuthRequest, FoClientCertificate } from './types.ts';

/** Addresses that nobody outside this machine can use. */
export const isLoopback = (address: string): boolean => /^(localhost|::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(address);

/** What an HTTP upgrade tells about who is calling. */
export function authRequestOf(req: IncomingMessage): FoAuthRequest {
  const remoteAddress = req.socket.remoteAddress ?? '';
  const credentials = credentialsOf(req.headers.authorization);
  const certificate = certificateOf(req.socket);
  return {
    remoteAddress,
    loopback: isLoopback(remoteAddress),
    ...(credentials ? { credentials } : {}),
    ...(certificate ? { certificate } : {}),
  };
}

function certificateOf(socket: IncomingMessage['socket']): FoClientCertificate | undefined {
  if (!('getPeerX509Certificate' in socket)) return undefined;
  const { authorized, getPeerCertificate } = socket as TLSSocket;
  const { fingerprint256, subject } = getPeerCertificate.call(socket);
  if (fingerprint256 === undefined) return undefined;
  const name = subject?.CN;
  const commonName = Array.isArray(name) ? undefined : name;
  return { fingerprint256, verified: authorized, ...(commonName === undefined ? {} : { commonName }) };
}

function credentialsOf(header: string | undefined): FoAuthRequest['credentials'] {
  const [, scheme, value] = /^(bearer|basic) +([^\s]{1,4096})$/i.exec(header ?? '') ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}
