import { type NextFunction, type Request, type Response, Router } from 'express';
import type { PluginAPI } from 'node-red';
import { realClock } from '../../core/clock.ts';
import { SESSION_COOKIE } from '../access.ts';
import { errorResponse } from '../api.ts';
import { Attempts } from '../attempts.ts';
import { GATEWAY_ERRORS } from '../errors.ts';
import { createGuard } from '../guard.ts';
import { pagesOf } from '../live.ts';
import { gatewayPages } from '../pages.ts';
import { bodyOf, fieldOf, handled, isFromHere } from '../routes.ts';
import { isUserName } from '../users.ts';
import { hasUsers, type NodeRedToken, nodeRedGate, nodeRedLogin } from './gate.ts';
import type { PackageHost } from './host.ts';

/** What belongs to v2gate below the admin root of Node-RED; everything else there is its own. */
const OWN = ['/console', '/v2gate/api', '/v2gate/health', '/v2gate/metrics', '/.well-known/jwks.json'];
const LOGIN = '/v2gate/api/login';
const FROM_EDITOR = '/v2gate/api/login/editor';

/**
 * Serves console and API beside the editor of Node-RED, to its users: `v2gate.read`, `v2gate.operate` and
 * `v2gate.engineer` are the permissions. A Node-RED without users serves them to this machine only. The result ends it.
 */
export function servePages(RED: PluginAPI, { runtime, live }: PackageHost): () => void {
  const gate = nodeRedGate(RED);
  const wall = realClock();
  const paths = { health: '/v2gate/health', metrics: '/v2gate/metrics' };
  const secure = 'setSecureContext' in RED.server;
  const pages = Router();
  const guard = createGuard(gate.required || runtime.settings.insecure ? '0.0.0.0' : '127.0.0.1', {
    required: gate.required,
    identifyNow: () => undefined,
  });
  pages.use(OWN, guard.middleware, (req, _res, next) =>
    next(gate.required ? undefined : tooFar(req, runtime.settings)),
  );
  if (gate.required) addLogin(pages, RED, secure);
  pages.use(gatewayPages({ ...pagesOf(runtime, live, wall), gate, secure, paths }));
  pages.use(OWN, errorResponse);
  let closed = false;
  RED.httpAdmin.use((req: Request, res: Response, next: NextFunction) => (closed ? next() : pages(req, res, next)));
  return () => {
    closed = true;
  };
}

/** Whoever reaches a Node-RED without users may change its flows; that is no reason to let them at the stations, too. */
function tooFar(req: Request, settings: { readonly insecure: boolean }): Error | undefined {
  if (settings.insecure || isFromHere(req)) return undefined;
  return GATEWAY_ERRORS.fail(
    'api.loopbackOnly',
    'This Node-RED has no users, so v2gate answers to this machine only.',
    {
      remedy: 'Set adminAuth in settings.js of Node-RED, then log in.',
    },
  );
}

/** People log in with what they have in Node-RED: by their password, or from the editor where they are logged in. */
function addLogin(pages: Router, RED: PluginAPI, secure: boolean): void {
  const attempts = new Attempts(realClock());
  const open = (res: Response, { token, seconds }: NodeRedToken): void => {
    const end = secure ? '; Secure' : '';
    res.set(
      'set-cookie',
      `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.min(seconds, 43_200)}${end}`,
    );
  };
  pages.post(
    LOGIN,
    handled(async (req, res) => {
      const [name, password] = [fieldOf(bodyOf(req), 'name'), fieldOf(bodyOf(req), 'password')];
      if (typeof name !== 'string' || typeof password !== 'string') throw GATEWAY_ERRORS.fail('api.badLogin');
      const attempt = attempts.begin(req.socket.remoteAddress ?? 'unknown', isUserName(name) ? name : '?');
      const found = await nodeRedLogin(RED, name, password);
      if (!found) throw GATEWAY_ERRORS.fail('api.badLogin', 'This Node-RED does not let you in with that password.');
      attempt.succeeded();
      open(res, found);
      res.json({ authRequired: true });
    }),
  );
  pages.post(FROM_EDITOR, RED.auth.needsPermission('v2gate.read'), (req, res) => {
    const token = /^Bearer ([\w.~+/=-]+)$/.exec(req.headers.authorization ?? '')?.[1];
    if (token) open(res, { token, seconds: 43_200 });
    res.json({ authRequired: hasUsers(RED) });
  });
}
