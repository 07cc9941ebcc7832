import type { Request, Response, Router } from 'express';
import { WITHDRAW_REASONS, type WithdrawReason } from '../hub/services/notices.ts';
import type { Site } from '../hub/site/types.ts';
import { OptChoice, type ResultBody, SERVICE_ERRORS } from '../model/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import { bodyOf, fieldOf, handled, mountRoutes } from './routes.ts';

export interface ControlApiOptions {
  readonly site: (siteId: string) => Site;
  readonly gate: Gate;
}

/** Rows of {@link addControlRoutes} in the list of routes. */
export const CONTROL_ROUTES = [
  {
    method: 'GET',
    path: '/sites/:siteId/resources/:resourceId',
    role: 'viewer',
    what: 'One row of the fleet, and what was seen of its station: capabilities, and why they are not better.',
  },
  {
    method: 'POST',
    path: '/sites/:siteId/opt',
    role: 'operator',
    what: 'Opts resources out of services, or in again: one hub/OptChoice. Mandatory services refuse an opt-out.',
  },
  {
    method: 'POST',
    path: '/sites/:siteId/withdraw',
    role: 'operator',
    what: 'Takes a service back: `{foId, fsrId, reason}` with reason `safety`, `fault` or `mandate` (fo 4.3 no. 17).',
  },
  {
    method: 'POST',
    path: '/sites/:siteId/stations/:identity/remove',
    role: 'operator',
    what: 'Takes back that a station was accepted; stations of the site file stay.',
  },
] as const;

const MAX_ID = 64;

/** What the operator does with services and stations. */
export function addControlRoutes(api: Router, o: ControlApiOptions): void {
  const site = (req: Request): Site => o.site(String(req.params.siteId));
  mountRoutes(
    api,
    CONTROL_ROUTES,
    {
      'GET /sites/:siteId/resources/:resourceId': (req, res) => {
        const resourceId = String(req.params.resourceId);
        const entry = site(req)
          .snapshot()
          .resources.find((r) => r.resourceId === resourceId);
        if (!entry) throw GATEWAY_ERRORS.fail('api.notFound', 'The site has no resource of this id.');
        res.json({ entry, capabilities: site(req).capabilities(resourceId) });
      },
      'POST /sites/:siteId/opt': handled(async (req, res) =>
        sendResult(res, await site(req).opt(OptChoice.parse(bodyOf(req)), 'console')),
      ),
      'POST /sites/:siteId/withdraw': handled(async (req, res) => {
        const { foId, fsrId, reason } = withdrawalOf(bodyOf(req));
        sendResult(res, await site(req).withdraw(foId, fsrId, reason));
      }),
      'POST /sites/:siteId/stations/:identity/remove': handled(async (req, res) => {
        const identity = String(req.params.identity);
        await site(req).stations.remove(identity);
        res.json({ removed: identity });
      }),
    },
    o.gate,
  );
}

function withdrawalOf(body: unknown): { foId: string; fsrId: string; reason: WithdrawReason } {
  const id = (name: string): string => {
    const value = fieldOf(body, name);
    if (typeof value === 'string' && value !== '' && value.length <= MAX_ID) return value;
    throw GATEWAY_ERRORS.fail('api.badRequest', `“${name}” must be an id with at most ${MAX_ID} characters.`);
  };
  const reason = WITHDRAW_REASONS.find((r) => r === fieldOf(body, 'reason'));
  if (reason) return { foId: id('foId'), fsrId: id('fsrId'), reason };
  throw GATEWAY_ERRORS.fail('api.badRequest', `“reason” must be one of ${WITHDRAW_REASONS.join(', ')}.`);
}

/** A decision of the hub as an answer: a business no is 409, or 404 for what is not there; all else may be tried again. */
function sendResult(res: Response, result: ResultBody): void {
  const { status, code = 'internal.permanent', message = '', details } = result;
  if (status === 'ok' || status === 'pending') {
    res.json({ result });
    return;
  }
  const missing = code === 'id.unknown' || code === 'resource.unknown';
  res.status(status === 'error' ? 503 : missing ? 404 : 409).json({
    error: {
      code,
      ...told(code, message),
      retry: status === 'error' ? 'later' : 'no',
      ...(details === undefined ? {} : { details }),
    },
  });
}

/** A Result says in one text what happened and what to do; known codes are told apart again. */
function told(code: string, message: string): { readonly what: string; readonly remedy: string } {
  const kinds: Readonly<Record<string, { readonly remedy: string }>> = SERVICE_ERRORS.kinds;
  const remedy = Object.hasOwn(kinds, code) ? (kinds[code]?.remedy ?? '') : '';
  const what = remedy !== '' && message.endsWith(remedy) ? message.slice(0, -remedy.length).trimEnd() : message;
  return { what, remedy: what === message ? '' : remedy };
}
