import type { Router } from 'express';
import type { Clock } from '../core/clock.ts';
import { uuidv7 } from '../core/ids.ts';
import type { Site } from '../hub/site/types.ts';
import { StationOrder, type StationOrderOutcome } from '../model/index.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { type Gate, refusal } from './gate.ts';
import { answered, bodyOf, mountRoutes, textParam } from './routes.ts';

export interface OrderApiOptions {
  readonly sites: () => readonly Site[];
  /** The machine's. */
  readonly clock: Clock;
  readonly gate: Gate;
}

/** Rows of {@link addOrderRoutes} in the list of routes. */
export const ORDER_ROUTES = [
  {
    method: 'POST',
    path: '/stations/:identity/orders',
    role: 'operator',
    what: 'Orders a station to do something: one hub/StationOrder, whose orderId and identity may be left out (start, stop, availability, trigger, reset, unlock, priorityCharging, getConfiguration; setConfiguration needs an engineer). The answer `{outcome}` is what the station said, a hub/StationOrderOutcome; after 15 s without an answer it is 504.',
  },
] as const;

/** A station has 10 s for its answer, and may have another message to answer before. */
const PATIENCE_MS = 15_000;

/** What people order stations to do beside their power. */
export function addOrderRoutes(api: Router, { sites, clock, gate }: OrderApiOptions): void {
  mountRoutes(
    api,
    ORDER_ROUTES,
    {
      'POST /stations/:identity/orders': answered(async (req) => {
        const identity = String(req.params.identity);
        const order = orderOf(bodyOf(req), identity, clock);
        const site = siteWith(sites(), identity, textParam(req, 'site'));
        const resources = site.stations.resources(identity).map((r) => r.resourceId);
        if (order.resourceId !== undefined && !resources.includes(order.resourceId))
          throw GATEWAY_ERRORS.fail('api.badRequest', `${identity} has no resource ${order.resourceId}.`);
        const who = await gate.who(req);
        const refused = order.action === 'setConfiguration' ? refusal(who, 'engineer') : undefined;
        if (refused !== undefined) throw refused;
        const by = who?.name ?? 'anybody';
        return { outcome: await within(clock, site.order(order, by), identity) };
      }),
    },
    gate,
  );
}

function orderOf(body: unknown, identity: string, clock: Clock): StationOrder {
  const given = typeof body === 'object' && body !== null ? body : {};
  return StationOrder.parse({ orderId: `order:${uuidv7(clock)}`, ...given, identity });
}

function siteWith(sites: readonly Site[], identity: string, wanted: string | undefined): Site {
  const among = wanted === undefined ? sites : sites.filter((s) => s.siteId === wanted);
  const site = among.find((s) => s.stations.verdict(identity) === 'known');
  if (site) return site;
  throw GATEWAY_ERRORS.fail('api.notFound', `No site has a station ${identity.slice(0, 64)}.`, {
    remedy: 'Name a station of the site file, or accept it first.',
  });
}

function within(clock: Clock, asked: Promise<StationOrderOutcome>, identity: string): Promise<StationOrderOutcome> {
  return new Promise((resolve, reject) => {
    const late = clock.after(PATIENCE_MS, () =>
      reject(GATEWAY_ERRORS.fail('order.noAnswer', `${identity} has not answered within ${PATIENCE_MS / 1_000} s.`)),
    );
    asked.then(resolve, reject).finally(() => late.cancel());
  });
}
