import { iso } from '../../core/clock.ts';
import { round3 } from '../../core/quantities.ts';
import type { Contract, ResourceState } from '../../model/index.ts';
import { hasEv, type TwinEntry } from '../fleet/twin.ts';
import { contractExports, type PlanSources, resourceBounds } from '../site/plan.ts';

/** What one resource is doing and could do now, as a party with this contract sees it (fo 3.3, fo 9.4). */
export function stateOf(s: PlanSources, entry: TwinEntry, contract: Contract | undefined): ResourceState {
  const { resource: r } = entry;
  const b = resourceBounds(s, entry, contractExports(entry, contract));
  const own = s.limits.effective(r.resourceId, r.limits);
  const n = hasEv(entry) ? entry.needs : undefined;
  const left = (wh: number | undefined, movedWh: number) => (wh === undefined ? undefined : Math.max(0, wh - movedWh));
  const energies = n && {
    energyToMinWh: left(n.body.energyToMinWh, n.movedWh),
    energyToTargetWh: left(n.body.energyToTargetWh, n.movedWh),
    energyToMaxWh: left(n.body.energyToMaxWh, n.movedWh),
    exportableWh: left(n.body.exportableWh, -n.movedWh),
    capacityWh: n.body.capacityWh,
  };
  const usable = entry.online && hasEv(entry) && entry.state !== 'faulted';
  const importMaxW = usable
    ? Math.min(own.importLimitW, n?.body.importMaxW ?? r.maxImportW, entry.learned?.maxW ?? r.maxImportW)
    : 0;
  const exportMaxW = usable ? Math.min(own.exportLimitW, -b.loW) : 0;
  const socPct = hasEv(entry) ? entry.reading?.socPct : undefined;
  return {
    resourceId: r.resourceId,
    at: iso(s.clock.now()),
    state: entry.state,
    ...(socPct === undefined ? {} : { socPct: round3(socPct) }),
    ...rounded(energies ?? {}),
    ...(n?.departureAt === undefined ? {} : { departureAt: iso(n.departureAt) }),
    ...(usable ? { importMinW: round3(Math.max(r.minImportW, n?.body.importMinW ?? 0)) } : {}),
    importMaxW: round3(importMaxW),
    exportMaxW: round3(Math.max(0, exportMaxW)),
    neededW: round3(b.neededW),
    wishedW: round3(b.wishedW),
    optState: entry.optOut ? 'out' : 'in',
    quality: s.twin.quality(entry),
  };
}

function rounded(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const known: Record<string, number> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) known[name] = round3(value);
  return known;
}
