import type { Request, Router } from 'express';
import type { BoundStats } from '../core/bounded.ts';
import type { Site } from '../hub/site/types.ts';
import { redacted } from '../hub/trace/redact.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import type { Gate } from './gate.ts';
import type { HealthReport } from './health.ts';
import { answered, mountRoutes, textParam } from './routes.ts';
import { publicSettings, type Settings } from './settings.ts';
import { viewOf } from './site-feed.ts';

export interface AboutApiOptions {
  readonly settings: Settings;
  readonly sites: () => readonly Site[];
  readonly links: () => readonly { readonly type: string; readonly url: string }[];
  readonly health: () => HealthReport;
  /** How full everything with a bound is. */
  readonly bounds: () => readonly BoundStats[];
  /** Versions and times of the process. */
  readonly process: () => ProcessFacts;
  readonly gate: Gate;
}

/** What the health page tells of the process. */
export interface ProcessFacts {
  readonly version: string;
  readonly node: string;
  readonly startedAt: string;
  readonly uptimeS: number;
  readonly memoryBytes: number;
}

/** Rows of {@link addAboutRoutes} in the list of routes. */
export const ABOUT_ROUTES = [
  { method: 'GET', path: '/sites', role: 'viewer', what: 'The open sites and whether they are ready.' },
  {
    method: 'GET',
    path: '/site',
    role: 'viewer',
    what: 'What a site knows now: fleet, meters, limits, services, waiting stations, warnings.',
  },
  { method: 'GET', path: '/sites/:siteId', role: 'viewer', what: 'The same for the site that is named.' },
  {
    method: 'GET',
    path: '/plot',
    role: 'viewer',
    what: 'Requested, granted and measured power of the last minutes; `?group=<groupId>` for one group. `groups` names the groups that have a plot.',
  },
  {
    method: 'GET',
    path: '/contracts',
    role: 'viewer',
    what: 'The contracts of a site with the names of their parties; `?siteId=` names the site.',
  },
  { method: 'GET', path: '/links', role: 'viewer', what: 'Where stations and operators connect to.' },
  { method: 'GET', path: '/settings', role: 'viewer', what: 'The settings in force, without secrets.' },
  {
    method: 'GET',
    path: '/health',
    role: 'viewer',
    what: 'Health part by part, the process, links, and how full every bounded queue and cache is.',
  },
] as const;

/** What runs here and how it is. */
export function addAboutRoutes(api: Router, o: AboutApiOptions): void {
  const siteOf = (req: Request): Site => chooseSite(o.sites(), req.query.site);
  mountRoutes(
    api,
    ABOUT_ROUTES,
    {
      'GET /sites': answered(() => ({ sites: o.sites().map((s) => ({ siteId: s.siteId, ready: s.ready })) })),
      'GET /site': answered((req) => viewOf(siteOf(req))),
      'GET /sites/:siteId': answered((req) => viewOf(chooseSite(o.sites(), req.params.siteId))),
      'GET /plot': answered((req) => {
        const site = siteOf(req);
        const group = textParam(req, 'group');
        const groups = site.groups();
        if (group !== undefined && !groups.includes(group))
          throw GATEWAY_ERRORS.fail('api.notFound', 'The site has no group of this id with a plot.');
        return { siteId: site.siteId, ...(group === undefined ? {} : { group }), groups, points: site.plot(group) };
      }),
      'GET /contracts': answered((req) => contractsOf(chooseSite(o.sites(), req.query.siteId ?? req.query.site))),
      'GET /links': answered(() => ({ links: o.links() })),
      'GET /settings': answered(() => ({ settings: publicSettings(o.settings) })),
      'GET /health': answered(() => ({ ...o.health(), process: o.process(), links: o.links(), bounds: o.bounds() })),
    },
    o.gate,
  );
}

/** Throws `site.absent`. */
export function chooseSite(sites: readonly Site[], wanted: unknown): Site {
  const site = wanted === undefined ? sites[0] : sites.find((s) => s.siteId === wanted);
  if (site) return site;
  throw GATEWAY_ERRORS.fail(
    'site.absent',
    sites.length === 0 ? 'No site is running.' : 'No site is running under this id.',
  );
}

/** Contracts hold no secrets; what parties prove themselves with stands elsewhere and is left there. */
function contractsOf(site: Site): object {
  const { contracts = [], parties = [], groups = [] } = site.file();
  // An address may hold a password.
  const shown = redacted({ contracts, parties, groups });
  return { siteId: site.siteId, ...(shown as object) };
}
