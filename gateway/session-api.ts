import type { Router } from 'express';
import { type Access, SESSION_COOKIE } from './access.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import { answered, bodyOf, fieldOf, handled, mountRoutes } from './routes.ts';
import { SESSION_MS } from './sessions.ts';

export interface SessionApiOptions {
  readonly gate: Gate;
  /** Absent where a host has its own way to log in. */
  readonly access?: Access;
  /** The gateway is reached over TLS. */
  readonly secure: boolean;
}

/** Rows of {@link addSessionRoutes} in the list of routes. */
export const SESSION_ROUTES = [
  {
    method: 'GET',
    path: '/me',
    role: 'open',
    what: 'Who asks: `{name, role, authRequired}`; name and role are `null` for who has to log in first.',
  },
  {
    method: 'POST',
    path: '/login',
    role: 'open',
    what: 'Opens a session of 12 hours for `{name, password}`; its cookie stands for both from then on.',
  },
  { method: 'POST', path: '/logout', role: 'open', what: 'Ends the session of the cookie.' },
] as const;

const MAX_TEXT = 1_024;

/** Logging in and out of people; programs use HTTP Basic with each request. */
export function addSessionRoutes(api: Router, { gate, access, secure }: SessionApiOptions): void {
  const cookie = (token: string, seconds: number): string =>
    `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`;
  mountRoutes(
    api,
    SESSION_ROUTES,
    {
      'GET /me': answered(async (req) => {
        const who = await gate.who(req);
        return { name: who?.name ?? null, role: who?.role ?? null, authRequired: gate.required };
      }),
      'POST /login': handled(async (req, res) => {
        const body = bodyOf(req);
        const [name, password] = [textField(body, 'name'), textField(body, 'password')];
        if (access === undefined) throw GATEWAY_ERRORS.fail('api.notFound', 'One logs in at the host of the gateway.');
        const { token, principal } = await access.login(name, password, req);
        access.logout(req);
        res.set('set-cookie', cookie(token, SESSION_MS / 1_000));
        res.json({ name: principal.name, role: principal.role, authRequired: gate.required });
      }),
      'POST /logout': (req, res) => {
        access?.logout(req);
        res.set('set-cookie', cookie('', 0));
        res.json({ authRequired: gate.required });
      },
    },
    gate,
  );
}

function textField(body: unknown, name: string): string {
  const value = fieldOf(body, name);
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT) return value;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be a text with at most ${MAX_TEXT} characters.`);
}
