import type { AllocationResult, EvseInput, SiteInput } from '../../hub/allocation/index.ts';

export interface Range {
  readonly minW: number;
  readonly maxW: number;
}

/** How much of a limit is used, and the limit, both as fo 8.2 defines them. */
export interface LimitUse {
  readonly nodeId: string;
  readonly direction: 'import' | 'export';
  readonly separate: boolean;
  readonly used: number;
  readonly limit: number;
}

/** Every limit of a site with what the given ranges use of it. Written anew, from the input alone. */
export function limitUse(site: SiteInput, essW: number, rangeOf: (e: EvseInput) => Range): LimitUse[] {
  const uses: LimitUse[] = [];
  const parentOf = new Map(site.circuits.map((c) => [c.circuitId, c.parentId]));
  const below = (e: EvseInput, nodeId: string): boolean => {
    for (let id = e.circuitId; id !== undefined; id = parentOf.get(id)) if (id === nodeId) return true;
    return nodeId === 'poc';
  };
  const others = site.generationW - site.usedW - essW;
  const { poc } = site;
  const nodes = [
    { id: 'poc', imp: poc.importLimitW + others, exp: poc.exportLimitW - others, netting: poc.netting },
    ...site.circuits.map((c) => ({ id: c.circuitId, imp: c.importLimitW, exp: c.exportLimitW, netting: c.netting })),
  ];
  for (const { id, imp, exp, netting } of nodes) {
    const separate = netting === 'none';
    const keep = (w: number) => (separate ? Math.max(0, w) : w);
    let imports = 0;
    let exports = 0;
    for (const e of site.evses) {
      if (!below(e, id)) continue;
      const { minW, maxW } = rangeOf(e);
      imports += keep(maxW);
      exports += keep(-minW);
    }
    uses.push({ nodeId: id, direction: 'import', separate, used: imports, limit: imp });
    uses.push({ nodeId: id, direction: 'export', separate, used: exports, limit: exp });
  }
  return uses;
}

/** What each EVSE counts with when everything granted is in force. */
export function grantedRange(result: AllocationResult): (e: EvseInput) => Range {
  const granted = new Map(result.grants.map((g) => [g.evseId, g.grantedW]));
  return (e) => e.fixed ?? { minW: granted.get(e.evseId) ?? 0, maxW: granted.get(e.evseId) ?? 0 };
}

export function quantum(e: EvseInput): number {
  return e.amps ? 0.1 * e.amps.voltageV * e.amps.phases : (e.stepW ?? 1);
}

/** True when doing nothing keeps every limit, so that no alarm has an excuse. */
export function zeroIsFeasible(site: SiteInput): boolean {
  const others = site.generationW - site.usedW;
  const quiet = site.evses.every((e) => !e.fixed && !e.commandRunning && e.keepSide === undefined);
  return quiet && !site.ess && site.poc.importLimitW + others >= 0 && site.poc.exportLimitW - others >= 0;
}
