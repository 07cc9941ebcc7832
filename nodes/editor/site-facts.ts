import type { Site } from '../../hub/site/types.ts';
import { defaultResourceId } from '../../model/index.ts';
import type { SiteList } from '../registry.ts';

/** One thing to pick: its id, and what people call it. */
export interface Pick {
  readonly id: string;
  readonly about: string;
}

/** What dialogs offer of a running site. */
export interface SiteFacts {
  readonly siteId: string;
  readonly name: string;
  readonly lists: Readonly<Record<SiteList, readonly Pick[]>>;
}

/** Of a long list the editor gets the beginning; ids can be typed in full. */
const MOST = 1_000;

/** What a site has to pick from. Names and ids only: nothing that is secret stands in a site file. */
export function siteFacts(site: Site): SiteFacts {
  const file = site.file();
  const { contracts = [], groups = [], meters = [], parties = [] } = file;
  const operators = parties.filter((p) => p.role === 'fo');
  const lists: SiteFacts['lists'] = {
    groups: groups.map((g) => ({ id: g.groupId, about: `${g.members.length}` })),
    resources: file.stations.flatMap((s) =>
      s.evses.map((e) => ({
        id: e.resourceId ?? defaultResourceId(s.identity, e.evse),
        about: `${e.current.toUpperCase()}, ${e.maxImportW / 1000} kW${e.maxExportW ? `, −${e.maxExportW / 1000} kW` : ''}`,
      })),
    ),
    stations: file.stations.map((s) => ({ id: s.identity, about: `${s.evses.length} EVSE` })),
    contracts: contracts.map((c) => ({ id: c.contractId, about: `${c.foId}: ${c.serviceTypes.join(', ')}` })),
    operators: operators.map((p) => ({ id: p.partyId, about: contractsOf(contracts, p.partyId) })),
    parties: parties.map((p) => ({ id: p.partyId, about: p.role })),
    meters: meters.map((m) => ({ id: m.meterId, about: [m.at, m.subjectRef].filter(Boolean).join(' ') })),
    chains: site.evidence.reader.chains().map((id) => ({ id, about: '' })),
  };
  return { siteId: site.siteId, name: file.name ?? site.siteId, lists: bounded(lists) };
}

const contractsOf = (contracts: readonly { foId: string; contractId: string }[], partyId: string): string =>
  contracts
    .filter((c) => c.foId === partyId)
    .map((c) => c.contractId)
    .join(', ');

function bounded(lists: SiteFacts['lists']): SiteFacts['lists'] {
  const { groups, resources, stations, contracts, operators, parties, meters, chains } = lists;
  const cut = (list: readonly Pick[]): readonly Pick[] => list.slice(0, MOST);
  return {
    groups: cut(groups),
    resources: cut(resources),
    stations: cut(stations),
    contracts: cut(contracts),
    operators: cut(operators),
    parties: cut(parties),
    meters: cut(meters),
    chains: cut(chains),
  };
}
