import { json, type NextFunction, type Request, type RequestHandler, type Response, type Router } from 'express';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import type { RouteRole } from './roles.ts';
import { isLoopback } from './settings.ts';

/** One route of the API: what is served, listed and documented. */
export interface RouteRow {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Who may use it. */
  readonly role: RouteRole;
  readonly what: string;
}

type KeyOf<Row extends RouteRow> = Row extends RouteRow ? `${Row['method']} ${Row['path']}` : never;

/** A handler for each row, by method and path; none is missing and none is without a row, hence without a role. */
export type Handlers<Rows extends readonly RouteRow[]> = {
  readonly [Key in KeyOf<Rows[number]>]: RequestHandler;
};

const MAX_BODY = '64kb';

/** The only way in which routes come into the API: through their table, behind their role. */
export function mountRoutes<const Rows extends readonly RouteRow[]>(
  router: Router,
  rows: Rows,
  handlers: Handlers<Rows>,
  gate: Pick<Gate, 'needs'>,
): void {
  const byKey: Readonly<Record<string, RequestHandler>> = handlers;
  const body = json({ limit: MAX_BODY });
  for (const { method, path, role } of rows) {
    const handle = byKey[`${method} ${path}`];
    if (handle === undefined) continue;
    // Whoever may not ask does not make the gateway read a body either.
    if (method === 'GET') router.get(path, gate.needs(role), handle);
    else router.post(path, gate.needs(role), body, handle);
  }
}

/** With what proxies tell whom they speak for. */
const PROXIED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** Whether a program of this machine asks, for itself: behind a proxy everybody seems to be here. */
export const isFromHere = ({ socket, headers }: Pick<Request, 'socket' | 'headers'>): boolean =>
  isLoopback(socket.remoteAddress ?? '') && PROXIED.every((name) => headers[name] === undefined);

/** A handler that may fail later. */
export const handled = (act: (req: Request, res: Response) => Promise<unknown>): RequestHandler => {
  return (req: Request, res: Response, next: NextFunction) => void act(req, res).catch(next);
};

/** A handler that answers with what `act` gives. */
export const answered = (act: (req: Request) => object | Promise<object>): RequestHandler =>
  handled(async (req, res) => res.json(await act(req)));

/** Throws `api.badRequest` where there is no JSON body. */
export function bodyOf(req: Request): unknown {
  if (req.is('application/json')) return req.body;
  throw GATEWAY_ERRORS.fail('api.badRequest', 'The request has no JSON body.');
}

/** A field of a JSON body. */
export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

/** A parameter of the query. Throws `api.badRequest` where it is given twice or is too long. */
export function textParam(req: Request, name: string, max = 64): string | undefined {
  const value: unknown = req.query[name];
  if (value === undefined || (typeof value === 'string' && value.length <= max)) return value;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be given once, with at most ${max} characters.`);
}

/** A whole number of the query. Throws `api.badRequest`. */
export function numberParam(req: Request, name: string, min: number, max: number): number | undefined {
  const text = textParam(req, name);
  if (text === undefined) return undefined;
  const n = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (n >= min && n <= max) return n;
  throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be a whole number from ${min} to ${max}.`);
}
