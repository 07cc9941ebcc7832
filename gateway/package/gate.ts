import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { SESSION_COOKIE } from '../access.ts';
import type { Gate } from '../gate.ts';
import type { Principal, Role } from '../roles.ts';

/** What a user of Node-RED must be permitted (`adminAuth`) for each role; `*` permits all, `read` the first. */
export const PERMISSIONS: Readonly<Record<Role, string>> = {
  viewer: 'v2gate.read',
  operator: 'v2gate.operate',
  engineer: 'v2gate.engineer',
};

type Host = Pick<NodeAPI, 'auth' | 'httpAdmin' | 'settings'>;

/** The gate of a Node-RED with users of its own: they are the users of the gateway, too. */
export function nodeRedGate(RED: Host): Gate {
  const { auth } = RED;
  const required = hasUsers(RED);
  const mayDo = (req: Request, role: Role): Promise<boolean> =>
    new Promise((resolve) => {
      auth.needsPermission(PERMISSIONS[role])(
        req,
        unheard(RED, req, () => resolve(false)),
        () => resolve(true),
      );
    });
  return {
    required,
    async who(req): Promise<Principal | undefined> {
      if (!required) return { name: 'anybody', role: 'engineer' };
      takeCookie(req);
      for (const role of ['engineer', 'operator', 'viewer'] as const)
        if (await mayDo(req, role)) return { name: nameOf(req), role };
      return undefined;
    },
    needs(role): RequestHandler {
      if (role === 'open' || role === 'token') return (_req, _res, next) => next();
      const check = auth.needsPermission(PERMISSIONS[role]);
      return (req, res, next) => {
        takeCookie(req);
        check(req, res, next);
      };
    },
  };
}

/** Whether this Node-RED asks people who they are. */
export const hasUsers = ({ settings }: Pick<NodeAPI, 'settings'>): boolean =>
  typeof settings.adminAuth === 'object' && settings.adminAuth !== null;

/** Browsers show a cookie, where Node-RED expects the token of the editor. */
function takeCookie(req: Request): void {
  if (req.headers.authorization !== undefined) return;
  const cookies = req.headers.cookie?.slice(0, 16_384).split(';') ?? [];
  const own = cookies.map((c) => c.trim()).find((c) => c.startsWith(`${SESSION_COOKIE}=`));
  const token = own?.slice(SESSION_COOKIE.length + 1);
  if (token) req.headers.authorization = `Bearer ${token}`;
}

function nameOf(req: Request): string {
  const user: unknown = Reflect.get(req, 'user');
  const name: unknown = typeof user === 'object' && user !== null ? Reflect.get(user, 'username') : undefined;
  return typeof name === 'string' ? name : 'anybody';
}

/** An answer that nobody gets, for a question that Node-RED only answers to a browser. */
function unheard(
  { httpAdmin }: Pick<NodeAPI, 'httpAdmin'>,
  req: IncomingMessage,
  ended: (text: string) => void,
): Response {
  const res = new ServerResponse(req);
  Object.setPrototypeOf(res, httpAdmin.response);
  res.end = (text?: unknown) => {
    ended(typeof text === 'string' ? text : '');
    return res;
  };
  return res as Response;
}

export interface NodeRedToken {
  readonly token: string;
  readonly seconds: number;
}

/** Logs somebody in with their password of Node-RED; undefined where Node-RED says no, or asks for no password. */
export function nodeRedLogin(RED: Host, name: string, password: string): Promise<NodeRedToken | undefined> {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method: 'POST', url: '/auth/token', headers: { host: 'localhost' } });
  const body = { client_id: 'node-red-editor', grant_type: 'password', scope: '', username: name, password };
  // Marked as read, for there is nothing to be read from its socket.
  Object.assign(req, { body, _body: true });
  return new Promise((resolve) => {
    const answer = unheard(RED, req, (text) => resolve(tokenIn(text)));
    // What nodes get is mounted into the app that has the users.
    const app: unknown = Reflect.get(RED.httpAdmin, 'parent');
    if (isApp(app)) app(req, answer, () => resolve(undefined));
    else resolve(undefined);
  });
}

type App = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

const isApp = (x: unknown): x is App => typeof x === 'function';

function tokenIn(text: string): NodeRedToken | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    const of = (name: string): unknown =>
      typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : 0;
    const [token, seconds] = [of('access_token'), of('expires_in')];
    if (typeof token !== 'string' || !/^[\w.~+/=-]+$/.test(token)) return undefined;
    return { token, seconds: typeof seconds === 'number' ? seconds : 43_200 };
  } catch {
    return undefined;
  }
}
