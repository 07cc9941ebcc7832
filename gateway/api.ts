import { json, type NextFunction, type Request, type Response, Router } from 'express';
import type { Clock, ManualClock } from '../core/clock.ts';
import { codeOf, describeError, type Issue } from '../core/errors.ts';
import type { PublicJwk } from '../core/signing.ts';
import type { Site } from '../hub/site/types.ts';
import { SetLimit } from '../model/index.ts';
import { CONTROL_ROUTES, controlApi } from './control-api.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { EventStreams } from './event-streams.ts';
import { EVIDENCE_ROUTES, evidenceApi } from './evidence-api.ts';
import { checkMeterSender, takeReadings } from './meter-api.ts';
import type { SecretSource } from './secrets.ts';
import { isLoopback, publicSettings, type Settings } from './settings.ts';
import { viewOf } from './site-feed.ts';

export interface ApiOptions {
  readonly settings: Settings;
  readonly clock: Clock | ManualClock;
  readonly sites: () => readonly Site[];
  readonly links: () => readonly { readonly type: string; readonly url: string }[];
  readonly streams: EventStreams;
  readonly publicKeys: () => readonly PublicJwk[];
  readonly secret: SecretSource;
}

/** What `GET /v2gate/api` lists; a test compares it with what is served. */
export const API_ROUTES: readonly { readonly method: 'GET' | 'POST'; readonly path: string; readonly what: string }[] =
  [
    { method: 'GET', path: '/', what: 'This list.' },
    { method: 'GET', path: '/sites', what: 'The open sites and whether they are ready.' },
    { method: 'GET', path: '/site', what: 'What a site knows now: fleet, meters, limits, services, waiting stations.' },
    { method: 'GET', path: '/plot', what: 'Requested, granted and measured power of the last minutes.' },
    { method: 'GET', path: '/links', what: 'Where stations and operators connect to.' },
    { method: 'GET', path: '/settings', what: 'The settings in force, without secrets.' },
    { method: 'GET', path: '/events', what: 'Server-sent events: everything that the console shows, as it changes.' },
    ...EVIDENCE_ROUTES,
    ...CONTROL_ROUTES,
    { method: 'POST', path: '/stations/:identity/accept', what: 'Accepts an unknown station that waits.' },
    { method: 'POST', path: '/limit', what: 'Sets or lifts a limit: one hub/SetLimit.' },
    { method: 'POST', path: '/meter', what: 'Takes values of meters of the site: one hub/MeterReading, or up to 100.' },
    { method: 'POST', path: '/clock/advance', what: 'Moves the manual clock by {ms}, for tests.' },
  ];

const MAX_BODY = '64kb';
const MAX_ADVANCE_MS = 86_400_000;

/**
 * `/v2gate/api`. Answers are JSON; errors are `{error: {code, what, remedy, retry, details?}}`. Where several sites run,
 * `?site=<siteId>` names one.
 */
export function createApi(o: ApiOptions): Router {
  const api = Router();
  api.use((_req, res, next) => {
    res.set('cache-control', 'no-store');
    next();
  });
  api.use(json({ limit: MAX_BODY }));
  const siteOf = (req: Request): Site => chooseSite(o.sites(), req.query.site);

  api.get('/', (_req, res) => void res.json({ routes: API_ROUTES }));
  api.get(
    '/sites',
    (_req, res) => void res.json({ sites: o.sites().map((s) => ({ siteId: s.siteId, ready: s.ready })) }),
  );
  api.use(evidenceApi({ site: (siteId) => chooseSite(o.sites(), siteId), publicKeys: o.publicKeys }));
  api.use(controlApi({ site: (siteId) => chooseSite(o.sites(), siteId) }));
  api.get('/site', (req, res) => void res.json(viewOf(siteOf(req))));
  api.get('/plot', (req, res) => {
    const site = siteOf(req);
    res.json({ siteId: site.siteId, points: site.plot() });
  });
  api.get('/links', (_req, res) => void res.json({ links: o.links() }));
  api.get('/settings', (_req, res) => void res.json({ settings: publicSettings(o.settings) }));
  api.get('/events', (req, res) => o.streams.open(req, res));

  api.post(
    '/stations/:identity/accept',
    answer(async (req) => ({ station: await siteOf(req).stations.accept(req.params.identity ?? '') })),
  );
  api.post(
    '/limit',
    answer(async (req) => {
      const limit = SetLimit.parse(bodyOf(req));
      await siteOf(req).setLimit(limit);
      return { limit };
    }),
  );
  api.post(
    '/meter',
    answer(async (req) => {
      checkMeterSender(req, o.secret);
      return takeReadings(siteOf(req), bodyOf(req), o.clock);
    }),
  );
  api.post(
    '/clock/advance',
    answer(async (req) => advance(o.clock, req)),
  );
  api.use((_req, _res, next) => next(GATEWAY_ERRORS.fail('api.notFound')));
  return api;
}

function chooseSite(sites: readonly Site[], wanted: unknown): Site {
  const site = wanted === undefined ? sites[0] : sites.find((s) => s.siteId === wanted);
  if (site) return site;
  throw GATEWAY_ERRORS.fail(
    'site.absent',
    sites.length === 0 ? 'No site is running.' : 'No site is running under this id.',
  );
}

function bodyOf(req: Request): unknown {
  if (req.is('application/json')) return req.body;
  throw GATEWAY_ERRORS.fail('api.badRequest', 'The request has no JSON body.');
}

async function advance(clock: Clock | ManualClock, req: Request): Promise<{ now: number }> {
  if (!isLoopback(req.socket.remoteAddress ?? '')) throw GATEWAY_ERRORS.fail('api.loopbackOnly');
  if (!('advance' in clock)) throw GATEWAY_ERRORS.fail('clock.real');
  const body = bodyOf(req);
  const ms: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'ms') : undefined;
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 0 || ms > MAX_ADVANCE_MS) {
    throw GATEWAY_ERRORS.fail('api.badRequest', `“ms” must be a whole number from 0 to ${MAX_ADVANCE_MS}.`);
  }
  await clock.advance(ms);
  return { now: clock.now() };
}

function answer(act: (req: Request) => Promise<object>): (req: Request, res: Response, next: NextFunction) => void {
  return (req, res, next) => {
    act(req).then((body) => void res.json(body), next);
  };
}

const STATUS: Readonly<Record<string, number>> = {
  'api.notFound': 404,
  'site.absent': 404,
  'station.unknown': 404,
  'limit.unknownNode': 404,
  'meter.unknown': 404,
  'api.unauthorised': 401,
  'api.method': 405,
  'api.tooLarge': 413,
  'api.badRequest': 400,
  'schema.invalid': 400,
  'schema.semantic': 400,
  'api.forbiddenHost': 403,
  'api.forbiddenOrigin': 403,
  'api.loopbackOnly': 403,
  'clock.real': 409,
  'internal.permanent': 500,
};

/** The last middleware: turns whatever was thrown into the JSON form of an error. */
export function errorResponse(thrown: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) {
    next(thrown);
    return;
  }
  const error = fromExpress(thrown);
  const shown = describeError(error);
  const status = STATUS[shown.code] ?? (shown.retry === 'yes' || shown.retry === 'later' ? 503 : 409);
  const details = detailsOf(error);
  res.status(status).json({ error: { ...shown, ...(details ? { details } : {}) } });
}

/** Express and express.json report what is wrong with a path or a body in their own way. */
function fromExpress(thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null || codeOf(thrown) !== undefined) return thrown;
  const type: unknown = Reflect.get(thrown, 'type');
  if (type === 'entity.too.large') return GATEWAY_ERRORS.fail('api.tooLarge');
  if (typeof type === 'string') return GATEWAY_ERRORS.fail('api.badRequest', 'The body is not JSON.');
  if (Reflect.get(thrown, 'status') === 400)
    return GATEWAY_ERRORS.fail('api.badRequest', 'The path is not percent-encoded UTF-8.');
  return thrown;
}

function detailsOf(error: unknown): readonly Issue[] | undefined {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const details: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'details') : undefined;
  return Array.isArray(details) ? details : undefined;
}
