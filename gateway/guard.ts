import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NextFunction, Request, Response } from 'express';
import { codeOf } from '../core/errors.ts';
import { sameSecret } from '../core/secrets.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { isLoopback } from './settings.ts';

/** Paths below this belong to `http in` nodes of flows, which may serve pages of other origins. */
export const FLOW_HTTP_ROOT = '/http';

/** Where the editor of Node-RED opens its WebSocket. */
const EDITOR_SOCKET = '/comms';

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export interface Guard {
  /** Express middleware: refuses what {@link Guard.complaint} complains about. */
  middleware(req: Request, res: Response, next: NextFunction): void;
  /** The same for WebSocket upgrades; must be installed before other upgrade listeners act. */
  upgrades(server: Server): void;
  complaint(req: IncomingMessage, upgrade: boolean): Error | undefined;
}

/**
 * Protects a gateway on loopback from web pages that the same machine shows: against DNS rebinding the Host header must
 * name loopback, and what changes something (or opens a WebSocket) must come from the gateway's own origin or from a
 * program without origin.
 */
export function createGuard(listenHost: string, password?: string): Guard {
  const checkHost = isLoopback(listenHost);
  const complaint = (req: IncomingMessage, upgrade: boolean): Error | undefined => {
    const host = req.headers.host ?? '';
    if (checkHost && !isLoopback(hostName(host))) return GATEWAY_ERRORS.fail('api.forbiddenHost');
    const changes = upgrade || !SAFE_METHODS.includes(req.method ?? 'GET');
    if (changes && !isFlowPath(req.url ?? '/') && isForeign(req, host))
      return GATEWAY_ERRORS.fail('api.forbiddenOrigin');
    if (password !== undefined && !isOpen(req.url ?? '/') && !sameSecret(password, passwordOf(req)))
      return GATEWAY_ERRORS.fail('api.unauthorised', 'The password of the gateway is missing or wrong.');
    return undefined;
  };
  return {
    complaint,
    middleware(req, res, next) {
      const error = complaint(req, false);
      if (codeOf(error) === 'api.unauthorised') res.set('www-authenticate', CHALLENGE);
      next(error);
    },
    upgrades(server) {
      server.prependListener('upgrade', (req: IncomingMessage, socket: Duplex) => {
        const refused = complaint(req, true);
        if (refused === undefined && takesSockets(req.url ?? '/')) return;
        socket.on('error', () => {});
        const status = refused === undefined ? '404 Not Found' : statusOf(refused);
        socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        socket.destroy();
      });
    },
  };
}

/** What needs no password: a look at health, public keys, and meter values, which bring a token of their own. */
const OPEN: readonly string[] = ['/health', '/.well-known/jwks.json', '/v2gate/api/meter'];

const isOpen = (url: string): boolean => OPEN.includes(url.split('?', 1)[0] ?? '');

const CHALLENGE = 'Basic realm="v2gate", charset="UTF-8"';

const statusOf = (refused: Error): string =>
  codeOf(refused) === 'api.unauthorised' ? `401 Unauthorized\r\nWWW-Authenticate: ${CHALLENGE}` : '403 Forbidden';

/** The password of HTTP Basic, whatever the user name. */
function passwordOf(req: IncomingMessage): string | undefined {
  const encoded = /^Basic +(\S{1,4096})$/i.exec(req.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function hostName(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '');
}

function isFlowPath(url: string): boolean {
  return url === FLOW_HTTP_ROOT || url.startsWith(`${FLOW_HTTP_ROOT}/`);
}

/** Elsewhere nobody would answer an upgrade: its socket would wait for nothing. */
function takesSockets(url: string): boolean {
  return isFlowPath(url) || url.split('?', 1)[0] === EDITOR_SOCKET;
}

function isForeign(req: IncomingMessage, host: string): boolean {
  const { origin } = req.headers;
  if (origin === undefined) return req.headers['sec-fetch-site'] === 'cross-site';
  const page = URL.canParse(origin) ? new URL(origin).host : undefined;
  return page !== host;
}
