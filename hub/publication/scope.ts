import type { Contract, FlexGroup, SiteFile } from '../../model/index.ts';
import { inScope, stands } from '../services/checks.ts';

/** What a party may see of a site: what its active contracts cover (fo 9.4: default deny). */
export interface Sight {
  readonly foId: string;
  readonly contracts: readonly Contract[];
  readonly resources: ReadonlySet<string>;
  readonly groups: readonly FlexGroup[];
  /** A contract covers the whole site: with storage, generation and meters. */
  readonly wholeSite: boolean;
  /** Personal and local fields that were agreed (fo 3.4 `disclosure`). */
  readonly disclosed: ReadonlySet<string>;
}

/** What the active contracts of a party cover now; `all` are the resources of the site. */
export function sightOf(foId: string, file: SiteFile, all: Iterable<string>, now: number): Sight {
  const contracts = (file.contracts ?? []).filter((c) => c.foId === foId && stands(c, now));
  const wholeSite = contracts.some((c) => c.scope.siteIds?.includes(file.siteId));
  const groups = (file.groups ?? []).filter((g) => contracts.some((c) => inScope({ groupId: g.groupId }, c, file)));
  const named = new Set([...contracts.flatMap((c) => c.scope.resourceIds ?? []), ...groups.flatMap((g) => g.members)]); // bounded by: the site file
  const resources = new Set([...all].filter((id) => wholeSite || named.has(id))); // bounded by: the resources of the site
  const disclosed = new Set(contracts.flatMap((c) => c.disclosure ?? [])); // bounded by: the contracts of one party
  return { foId, contracts, resources, groups, wholeSite, disclosed };
}

/** The contract under which a party sees a resource, if any. */
export function contractFor(sight: Sight, resourceId: string, file: SiteFile): Contract | undefined {
  return sight.contracts.find((c) => inScope({ resourceIds: [resourceId] }, c, file));
}
