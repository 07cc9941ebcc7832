import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Access } from './access.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { mayDo, type Principal, type Role, type RouteRole } from './roles.ts';

/** Who lets requests of people and programs pass: this gateway by its users, another host by its own. */
export interface Gate {
  /** Whether people have to say who they are. */
  readonly required: boolean;
  /** Who asks. Rejects with `api.tooManyAttempts`. */
  who(req: Request): Promise<Principal | undefined>;
  /** Lets those pass who have this role. */
  needs(role: RouteRole): RequestHandler;
}

/** Paths beside the API, and what they need; what is not listed belongs to the editor. The first that fits counts. */
export const AREAS: readonly {
  readonly path: string;
  /** Everything below it, too. */
  readonly below?: true;
  readonly role: RouteRole | 'routes';
  /** For what changes something, where that needs another role. */
  readonly change?: Role;
  readonly what: string;
}[] = [
  { path: '/health', role: 'open', what: 'Whether the gateway works.' },
  { path: '/.well-known/jwks.json', role: 'open', what: 'The public keys for records and proofs.' },
  {
    path: '/console',
    below: true,
    role: 'open',
    what: 'The console: its files only, everything it shows comes from the API.',
  },
  { path: '/v2gate/api', below: true, role: 'routes', what: 'The API: each route has its role.' },
  { path: '/metrics', role: 'viewer', what: 'Metrics.' },
  { path: '/http', below: true, role: 'viewer', change: 'operator', what: 'What `http in` nodes of flows answer.' },
  { path: '/', below: true, role: 'engineer', what: 'The editor.' },
];

/** What a request outside of the API needs; `routes`: the table of the API says it. */
export function areaRole(method: string, url: string): RouteRole | 'routes' {
  const path = url.split('?', 1)[0] ?? '';
  const area = AREAS.find(
    (a) => path === a.path || (a.below === true && path.startsWith(a.path === '/' ? '/' : `${a.path}/`)),
  );
  return (SAFE.includes(method) ? area?.role : (area?.change ?? area?.role)) ?? 'engineer';
}

/** Methods that change nothing. */
export const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export const CHALLENGE = 'Basic realm="v2gate", charset="UTF-8"';

/** The gate of a gateway with its own users. `log` hears who changes what. */
export function createGate(access: Access, log?: Log): Gate {
  const needs =
    (role: RouteRole): RequestHandler =>
    (req, res, next) => {
      if (role === 'open' || role === 'token') return next();
      access.identify(req).then((principal) => {
        const refused = refusal(principal, role);
        if (refused === undefined) {
          if (principal !== undefined && access.required && !SAFE.includes(req.method))
            log?.info('access.used', { ...principal, method: req.method, path: pathOf(req) });
          return next();
        }
        if (principal === undefined && !isScript(req)) res.set('www-authenticate', CHALLENGE);
        next(refused);
      }, next);
    };
  return {
    get required() {
      return access.required;
    },
    who: (req) => access.identify(req),
    needs,
  };
}

/** Guards what is not the API. People who have to say who they are go to the console, which asks them. */
export function guardAreas(access: Access, gate: Gate): RequestHandler {
  return (req: Request, res: Response, next: NextFunction) => {
    const role = areaRole(req.method, req.path);
    if (role === 'routes') return next();
    if (!isPage(req) || role === 'open') return gate.needs(role)(req, res, next);
    access.identify(req).then((principal) => {
      const refused = principal === undefined || role === 'token' ? undefined : refusal(principal, role);
      if (refused !== undefined) {
        const { what, remedy } = describeError(refused);
        res.status(403).type('text/plain').send(`${what} ${remedy} The console is at /console/.`);
      } else if (principal !== undefined) gate.needs(role)(req, res, next);
      else res.redirect(303, `/console/?next=${encodeURIComponent(req.originalUrl.slice(0, 1_024))}`);
    }, next);
  };
}

/** Why somebody may not do what needs this role: `api.unauthorised` or `api.forbidden`. */
export function refusal(principal: Principal | undefined, role: Role): Error | undefined {
  if (principal === undefined) return GATEWAY_ERRORS.fail('api.unauthorised');
  if (mayDo(principal.role, role)) return undefined;
  return GATEWAY_ERRORS.fail('api.forbidden', `This needs the role ${role}; ${principal.name} is ${principal.role}.`);
}

/** Whether a browser opens a page for somebody. */
const isPage = (req: IncomingMessage): boolean =>
  req.headers['sec-fetch-mode'] === 'navigate' && req.headers.authorization === undefined;

/** Ids of what is changed are told, queries are not. */
const pathOf = (req: Request): string => req.originalUrl.split('?', 1)[0]?.slice(0, 256) ?? '';

/** Scripts of pages show what is wrong themselves; the browser shall not ask for a password on top. */
const isScript = (req: IncomingMessage): boolean => {
  const mode = req.headers['sec-fetch-mode'];
  return mode !== undefined && mode !== 'navigate';
};
