import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NextFunction, Request, Response } from 'express';
import { BoundedSet } from '../core/bounded.ts';
import { codeOf } from '../core/errors.ts';
import type { Access } from './access.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { areaRole, CHALLENGE, refusal, SAFE } from './gate.ts';
import { isLoopback } from './settings.ts';

/** Paths below this belong to `http in` nodes of flows; where nobody logs in they may serve pages of other origins. */
export const FLOW_HTTP_ROOT = '/http';

/** Where the editor of Node-RED opens its WebSocket. */
const EDITOR_SOCKET = '/comms';

/** WebSockets of editors and flows at once. */
const MAX_SOCKETS = 1_024;

export interface Guard {
  /** Express middleware: refuses what {@link Guard.complaint} complains about. */
  middleware(req: Request, res: Response, next: NextFunction): void;
  /** The same for WebSocket upgrades, with their roles; must be installed before other upgrade listeners act. */
  upgrades(server: Server): void;
  /** Closes the WebSockets of those who may not have them any more; `sessions`: only of those who came by a cookie. */
  recheck(which: 'all' | 'sessions'): void;
  complaint(req: IncomingMessage, upgrade: boolean): Error | undefined;
}

/**
 * Protects a gateway on loopback from web pages that the same machine shows: against DNS rebinding the Host header must
 * name loopback, and what changes something (or opens a WebSocket) must come from the gateway's own origin or from a
 * program without origin.
 */
export function createGuard(listenHost: string, access: Pick<Access, 'identifyNow' | 'required'>): Guard {
  const checkHost = isLoopback(listenHost);
  const complaint = (req: IncomingMessage, upgrade: boolean): Error | undefined => {
    const host = req.headers.host ?? '';
    if (checkHost && !isLoopback(hostName(host))) return GATEWAY_ERRORS.fail('api.forbiddenHost');
    const changes = upgrade || !SAFE.includes(req.method ?? 'GET');
    // Where people log in, their browser would show who they are for the page of another origin, too.
    const anyOrigin = isFlowPath(req.url ?? '/') && !access.required;
    if (changes && !anyOrigin && isForeign(req, host)) return GATEWAY_ERRORS.fail('api.forbiddenOrigin');
    if (!upgrade) return undefined;
    // A socket goes both ways: it needs what changing something needs.
    const role = areaRole('POST', req.url ?? '/');
    return role === 'open' || role === 'token' || role === 'routes'
      ? undefined
      : refusal(access.identifyNow(req), role);
  };
  const sockets = new BoundedSet<{ readonly req: IncomingMessage; readonly socket: Duplex }>({
    name: 'gateway.sockets',
    max: MAX_SOCKETS,
    overflow: 'dropOldest',
    onDrop: ({ socket }) => socket.destroy(),
  });
  return {
    complaint,
    recheck(which) {
      for (const { req, socket } of [...sockets])
        if ((which === 'all' || req.headers.authorization === undefined) && complaint(req, true)) socket.destroy();
    },
    middleware: (req, _res, next) => next(complaint(req, false)),
    upgrades(server) {
      server.prependListener('upgrade', (req: IncomingMessage, socket: Duplex) => {
        const refused = complaint(req, true);
        if (refused === undefined && takesSockets(req.url ?? '/')) {
          const open = { req, socket };
          if (sockets.add(open)) socket.on('close', () => sockets.delete(open));
          return;
        }
        socket.on('error', () => {});
        const status = refused === undefined ? '404 Not Found' : statusOf(refused);
        socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        socket.destroy();
      });
    },
  };
}

const statusOf = (refused: Error): string =>
  codeOf(refused) === 'api.unauthorised' ? `401 Unauthorized\r\nWWW-Authenticate: ${CHALLENGE}` : '403 Forbidden';

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
