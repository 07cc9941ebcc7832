import type { V2gateError } from '../../core/errors.ts';
import {
  type EvcsConfiguration,
  type QueryResources,
  type ResourcePage,
  type ResourceState,
  type ResultBody,
  SERVICE_ERRORS,
  type SiteFile,
} from '../../model/index.ts';
import { refused } from '../services/results.ts';
import type { Skills } from './functions.ts';
import type { Sight } from './scope.ts';

const MAX_STATES = 100;
/** A page stays well below the message limit (fo 4.2), bytes. */
const MAX_BYTES = 160 * 1024;

export interface QuerySources {
  readonly file: SiteFile;
  readonly sight: Sight;
  readonly revision: number;
  readonly evcs: readonly EvcsConfiguration[];
  readonly skills: (resourceId: string) => Skills;
  readonly state: (resourceId: string) => ResourceState | undefined;
}

/** Where the next page begins: at an EVCS, or after a resource. */
interface Place {
  readonly evcs: number;
  readonly after: string;
}

/** Answers `QueryResources` (fo 4.3 no. 7): only what active contracts cover, at most 100 states a page. */
export function answerQuery(s: QuerySources, query: QueryResources): ResultBody {
  if (s.sight.contracts.length === 0)
    return refused(SERVICE_ERRORS.fail('contract.inactive', 'There is no active contract with you at this site.'));
  const place = placeOf(query.page);
  if (!place) {
    const what = 'This page is not one that was offered.';
    return refused(SERVICE_ERRORS.fail('param.invalid', what, { path: '/page', remedy: 'Send nextPage unchanged.' }));
  }
  const wanted = wantedOf(s, query);
  if (isRefusal(wanted)) return refused(wanted);
  const since = query.sinceRevision ?? -1;
  if (s.revision <= since) return ok({ revision: s.revision, evcs: [], states: [] });
  const configurations = s.evcs.filter((c) => c.revision > since && c.evses.some((e) => wanted.has(e.evseId)));
  return ok(pageOf(s, configurations, [...wanted].sort(), place));
}

function pageOf(s: QuerySources, all: readonly EvcsConfiguration[], ids: readonly string[], from: Place): ResourcePage {
  const evcs: EvcsConfiguration[] = [];
  let bytes = 0;
  for (let i = from.evcs; i < all.length; i++) {
    const one = all[i];
    if (!one) break;
    const size = JSON.stringify(one).length;
    if (bytes > 0 && bytes + size > MAX_BYTES) return { revision: s.revision, evcs, states: [], nextPage: `${i}/` };
    bytes += size;
    evcs.push(one);
  }
  const room = Math.min(MAX_STATES, Math.floor((1.25 * MAX_BYTES - bytes) / STATE_BYTES));
  const rest = ids.filter((id) => id > from.after);
  const states = rest.slice(0, room).flatMap((id) => s.state(id) ?? []);
  const nextPage = rest.length > room ? { nextPage: `${all.length}/${rest[room - 1] ?? from.after}` } : {};
  return { revision: s.revision, evcs, states, ...nextPage };
}

/** A state with every field, bytes. */
const STATE_BYTES = 400;

function placeOf(page: string | undefined): Place | undefined {
  if (page === undefined) return { evcs: 0, after: '' };
  const [, evcs, after = ''] = /^(\d{1,6})\/(.*)$/.exec(page) ?? [];
  return evcs === undefined ? undefined : { evcs: Number(evcs), after };
}

/** The resources that are asked for, or why not: what the contracts do not cover does not exist for the party (fo 9.4). */
function wantedOf(s: QuerySources, q: QueryResources): ReadonlySet<string> | V2gateError {
  const { file, sight } = s;
  const unknown = (field: string): V2gateError =>
    SERVICE_ERRORS.fail('resource.unknown', `No contract of yours covers this ${field}.`, { path: `/${field}` });
  if (q.siteId !== undefined && q.siteId !== file.siteId) return unknown('siteId');
  const group = sight.groups.find((g) => g.groupId === q.groupId);
  if (q.groupId !== undefined && !group) return unknown('groupId');
  const nodes = q.gridNode === undefined ? undefined : atNode(s, q.gridNode);
  if (q.gridNode !== undefined && !nodes) return unknown('gridNode');
  const members = group && new Set(group.members); // bounded by: the site file
  const fits = (id: string): boolean =>
    (!members || members.has(id)) &&
    (!nodes || nodes.has(id)) &&
    (q.function === undefined || s.skills(id).functions.includes(q.function));
  return new Set([...sight.resources].filter(fits)); // bounded by: the resources of the site
}

/** Resources in a congestion area: the whole site, or groups of it (fo 3.2, fo 3.3). */
function atNode({ file, sight }: QuerySources, gridNode: string): ReadonlySet<string> | undefined {
  if (file.poc.gridNode === gridNode) return sight.resources;
  const groups = sight.groups.filter((g) => g.gridNode === gridNode);
  if (groups.length === 0) return undefined;
  return new Set(groups.flatMap((g) => g.members)); // bounded by: the site file
}

const ok = (page: ResourcePage): ResultBody => ({ status: 'ok', data: { ...page } });

const isRefusal = (x: ReadonlySet<string> | V2gateError): x is V2gateError => 'code' in x;
