import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Clock, ManualClock } from '../core/clock.ts';
import { codeOf, describeError, type Issue } from '../core/errors.ts';
import type { PublicJwk } from '../core/signing.ts';
import type { Site } from '../hub/site/types.ts';
import type { Trace } from '../hub/trace/index.ts';
import { SetLimit } from '../model/index.ts';
import { ABOUT_ROUTES, type AboutApiOptions, addAboutRoutes, chooseSite } from './about-api.ts';
import type { Access } from './access.ts';
import { addControlRoutes, CONTROL_ROUTES } from './control-api.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { EventStreams } from './event-streams.ts';
import { addEvidenceRoutes, EVIDENCE_ROUTES } from './evidence-api.ts';
import { checkMeterSender, takeReadings } from './meter-api.ts';
import { addOrderRoutes, ORDER_ROUTES } from './order-api.ts';
import { answered, bodyOf, fieldOf, handled, isFromHere, mountRoutes, type RouteRow } from './routes.ts';
import type { SecretSource } from './secrets.ts';
import { addSessionRoutes, SESSION_ROUTES } from './session-api.ts';
import { addTimelineRoutes, TIMELINE_ROUTES } from './timeline-api.ts';
import type { TimelineStreams } from './timeline-streams.ts';

export interface ApiOptions extends AboutApiOptions {
  readonly clock: Clock | ManualClock;
  /** The machine's. */
  readonly wall: Clock;
  readonly streams: EventStreams;
  readonly trace: Trace;
  readonly timeline: TimelineStreams;
  readonly publicKeys: () => readonly PublicJwk[];
  readonly secret: SecretSource;
  /** With what people log in; absent where a host has its own way. */
  readonly access?: Access;
  /** The gateway is reached over TLS. */
  readonly secure: boolean;
}

const OWN_ROUTES = [
  { method: 'GET', path: '/', role: 'viewer', what: 'This list.' },
  {
    method: 'GET',
    path: '/events',
    role: 'viewer',
    what: 'Server-sent events: everything that the console shows, as it changes.',
  },
  {
    method: 'POST',
    path: '/stations/:identity/accept',
    role: 'operator',
    what: 'Accepts an unknown station that waits.',
  },
  { method: 'POST', path: '/limit', role: 'operator', what: 'Sets or lifts a limit: one hub/SetLimit.' },
  {
    method: 'POST',
    path: '/meter',
    role: 'token',
    what: 'Takes values of meters of the site: one hub/MeterReading, or up to 100.',
  },
  {
    method: 'POST',
    path: '/clock/advance',
    role: 'engineer',
    what: 'Moves the manual clock by {ms}, for tests; from this machine only.',
  },
] as const;

/** Every route of the API with its role: what `GET /v2gate/api` lists. */
export const API_ROUTES: readonly RouteRow[] = [
  ...OWN_ROUTES,
  ...SESSION_ROUTES,
  ...ABOUT_ROUTES,
  ...TIMELINE_ROUTES,
  ...EVIDENCE_ROUTES,
  ...CONTROL_ROUTES,
  ...ORDER_ROUTES,
];

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
  const { gate } = o;
  const site = (siteId: string): Site => chooseSite(o.sites(), siteId);
  const siteOf = (req: Request): Site => chooseSite(o.sites(), req.query.site);
  addSessionRoutes(api, o);
  addAboutRoutes(api, o);
  addTimelineRoutes(api, { trace: o.trace, streams: o.timeline, gate });
  addEvidenceRoutes(api, { site, publicKeys: o.publicKeys, gate });
  addControlRoutes(api, { site, gate });
  addOrderRoutes(api, { sites: o.sites, clock: o.wall, gate });
  mountRoutes(
    api,
    OWN_ROUTES,
    {
      'GET /': answered(() => ({ routes: API_ROUTES })),
      'GET /events': handled(async (req, res) =>
        o.streams.open(req, res, gate.required ? (await gate.who(req))?.name : undefined),
      ),
      'POST /stations/:identity/accept': answered(async (req) => ({
        station: await siteOf(req).stations.accept(req.params.identity ?? ''),
      })),
      'POST /limit': answered(async (req) => {
        const limit = SetLimit.parse(bodyOf(req));
        await siteOf(req).setLimit(limit);
        return { limit };
      }),
      'POST /meter': answered((req) => {
        checkMeterSender(req, o.secret);
        return takeReadings(siteOf(req), bodyOf(req), o.clock);
      }),
      'POST /clock/advance': answered((req) => advance(o.clock, req)),
    },
    gate,
  );
  api.use((_req, _res, next) => next(GATEWAY_ERRORS.fail('api.notFound')));
  return api;
}

async function advance(clock: Clock | ManualClock, req: Request): Promise<{ now: number }> {
  if (!isFromHere(req)) throw GATEWAY_ERRORS.fail('api.loopbackOnly');
  if (!('advance' in clock)) throw GATEWAY_ERRORS.fail('clock.real');
  const ms = fieldOf(bodyOf(req), 'ms');
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < 0 || ms > MAX_ADVANCE_MS) {
    throw GATEWAY_ERRORS.fail('api.badRequest', `“ms” must be a whole number from 0 to ${MAX_ADVANCE_MS}.`);
  }
  await clock.advance(ms);
  return { now: clock.now() };
}

const STATUS: Readonly<Record<string, number>> = {
  'api.notFound': 404,
  'site.absent': 404,
  'station.unknown': 404,
  'limit.unknownNode': 404,
  'meter.unknown': 404,
  'api.unauthorised': 401,
  'api.badLogin': 401,
  'api.tooManyAttempts': 429,
  'api.forbidden': 403,
  'order.noAnswer': 504,
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
