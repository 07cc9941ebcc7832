import { toId } from '../../core/ids.ts';
import { round3 } from '../../core/quantities.ts';
import type { Circuit, EvcsConfiguration, Evse, SiteFile } from '../../model/index.ts';
import type { Resource } from '../fleet/resources.ts';
import type { Skills } from './functions.ts';
import type { Sight } from './scope.ts';

/** More EVSEs than this are published as several EVCS, so that each fits into a message (fo 4.2: 256 KiB). */
const MAX_EVSES = 250;
const MAX_CIRCUITS = 500;

export interface ConfigSources {
  readonly file: SiteFile;
  readonly resources: Iterable<Resource>;
  readonly skills: (resourceId: string) => Skills;
}

/** What a party sees of the layout, without revisions. */
export function configurationsOf(s: ConfigSources, sight: Sight): Omit<EvcsConfiguration, 'revision'>[] {
  const seen = [...s.resources]
    .filter((r) => sight.resources.has(r.resourceId))
    .sort((a, b) => (a.resourceId < b.resourceId ? -1 : 1));
  const parts = (['ac', 'dc'] as const).flatMap((current) =>
    chunks(seen.filter((r) => r.current === current)).map((resources, i) => ({ current, resources, i })),
  );
  return parts.map(({ current, resources, i }, at) => ({
    evcsId: toId(`${s.file.siteId}.${current}${i === 0 ? '' : `.${i + 1}`}`),
    csoId: s.file.operatorId,
    siteId: s.file.siteId,
    topology: topologyOf(current, resources.length),
    poc: pocOf(s.file, sight),
    ...circuitsOf(s.file, resources),
    evses: resources.map((r) => evseOf(r, s.skills(r.resourceId))),
    // They belong to the site and stand in one EVCS only.
    ...(at === 0 && sight.wholeSite ? surroundings(s.file) : {}),
  }));
}

/**
 * The layout of fo 3.2: several or one, AC with the converter in the car or DC with it in the station. `dcBusDc` needs
 * a shared converter, which a site file cannot say yet.
 */
const topologyOf = (current: 'ac' | 'dc', count: number): EvcsConfiguration['topology'] =>
  current === 'ac' ? (count === 1 ? 'singleAc' : 'acBusAc') : count === 1 ? 'singleDc' : 'acBusDc';

/** In even parts: a last one alone would be another layout. */
function chunks(resources: readonly Resource[]): Resource[][] {
  const size = Math.ceil(resources.length / Math.max(1, Math.ceil(resources.length / MAX_EVSES)));
  const parts: Resource[][] = [];
  for (let i = 0; i < resources.length; i += size) parts.push(resources.slice(i, i + size));
  return parts;
}

/** Where exactly it is stays at home unless disclosed (fo 9.4). */
function pocOf({ poc }: SiteFile, { disclosed }: Sight): EvcsConfiguration['poc'] {
  const { podRef, ...rest } = poc;
  return { ...rest, ...(podRef !== undefined && disclosed.has('podRef') ? { podRef } : {}) };
}

/** The circuits above these resources. */
function circuitsOf(file: SiteFile, resources: readonly Resource[]): { readonly circuits?: Circuit[] } {
  const byId = new Map((file.circuits ?? []).map((c) => [c.circuitId, c])); // bounded by: the site file
  const used = new Set<string>(); // bounded by: the site file
  for (const r of resources)
    for (let c = byId.get(r.circuitId ?? ''); c && !used.has(c.circuitId); c = byId.get(c.parentId ?? ''))
      used.add(c.circuitId);
  const circuits = (file.circuits ?? []).filter((c) => used.has(c.circuitId)).slice(0, MAX_CIRCUITS);
  return circuits.length === 0 ? {} : { circuits };
}

/** What it does not say, it does not know: timing that nobody has measured is absent (fo 3.2). */
function evseOf(r: Resource, { protocol, functions }: Skills): Evse {
  return {
    evseId: r.resourceId,
    ...(r.circuitId === undefined ? {} : { circuitId: r.circuitId }),
    current: r.current,
    converter: r.current === 'ac' ? 'onBoard' : 'offBoard',
    ...(r.current === 'ac' ? { phases: r.phases } : {}),
    maxImportW: round3(r.maxImportW),
    // Not what the device could, but what it may (fo 7.1 UC 1.7).
    maxExportW: round3(r.limits.exportLimitW),
    minImportW: round3(r.minImportW),
    minExportW: round3(r.minExportW),
    stepW: r.stepW,
    ...(r.responseTimeS === undefined ? {} : { responseTimeS: r.responseTimeS }),
    ...(r.rampWPerS === undefined ? {} : { rampWPerS: r.rampWPerS }),
    accuracyW: r.accuracyW,
    protocol,
    functions: [...functions],
    minOnS: r.minOnS,
    minOffS: r.minOffS,
    ...(r.minCommandIntervalS === undefined ? {} : { minCommandIntervalS: r.minCommandIntervalS }),
  };
}

function surroundings({ ess, generation, meters }: SiteFile): Partial<EvcsConfiguration> {
  return {
    ...(ess === undefined ? {} : { ess }),
    ...(generation === undefined ? {} : { generation }),
    ...(meters === undefined ? {} : { meters }),
  };
}
