import { type EvseInput, type Limits, POC_ID, type SiteInput } from '../allocation/index.ts';

/**
 * True when no limit can be in anybody's way, whatever is granted to whom: everybody may do the most of what is wished,
 * done now or under way, at once. Storage is left out of this: it moves the limits.
 */
export function hasRoomForAll(site: SiteInput): boolean {
  if (site.ess) return false;
  const parents = new Map(site.circuits.map((c) => [c.circuitId, c.parentId ?? POC_ID])); // bounded by: the circuits
  const sums = new Map<string, { importW: number; exportW: number }>(); // bounded by: the circuits, and the POC
  for (const evse of site.evses) {
    const importW = mostImportW(evse);
    const exportW = mostExportW(evse);
    let node: string | undefined = evse.circuitId ?? POC_ID;
    // A circuit that is its own parent is refused by the allocator.
    for (let level = 0; node !== undefined && level <= parents.size; level++) {
      const sum = sums.get(node) ?? { importW: 0, exportW: 0 };
      sums.set(node, { importW: sum.importW + importW, exportW: sum.exportW + exportW });
      node = parents.get(node);
    }
  }
  const fits = (node: string, limits: Limits & { readonly now?: Limits }, othersW: number): boolean => {
    const { importW, exportW } = sums.get(node) ?? { importW: 0, exportW: 0 };
    return [limits, limits.now ?? limits].every(
      (l) => importW <= l.importLimitW + othersW && exportW <= l.exportLimitW - othersW,
    );
  };
  return fits(POC_ID, site.poc, site.generationW - site.usedW) && site.circuits.every((c) => fits(c.circuitId, c, 0));
}

const mostImportW = (e: EvseInput): number =>
  Math.max(0, e.wishedW, e.neededW, e.presentW, e.inFlight?.maxW ?? 0, e.fixed?.maxW ?? 0);

const mostExportW = (e: EvseInput): number =>
  0 - Math.min(0, e.loW, e.neededW, e.presentW, e.inFlight?.minW ?? 0, e.fixed?.minW ?? 0);
