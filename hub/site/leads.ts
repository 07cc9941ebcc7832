import type { Contract, SiteFile } from '../../model/index.ts';
import type { FleetTwin } from '../fleet/twin.ts';
import { contractOf } from '../services/checks.ts';
import { ceilingAt, isHard } from '../services/congestion.ts';
import { absoluteW, congestionParameters, remaining, type Service, type ServiceEntry } from '../services/service.ts';
import { standingGoal } from '../services/target.ts';
import type { Pass } from './passes.ts';
import { type PlanSources, type Purpose, unledW } from './plan.ts';

/** fo 6.3. */
const LEVEL_MANDATORY = 4;
const LEVEL_NEED = 5;
const LEVEL_SERVICE = 6;
const LEVEL_LOCAL = 7;

export interface LeadSources {
  readonly plan: PlanSources;
  readonly file: () => SiteFile;
  readonly twin: FleetTwin;
  /** False when the energy that a contract lets vehicles give per day is used up (fo 3.4). */
  readonly mayExport: (contractId: string) => boolean;
}

/** What services ask of an allocation run, in the order of fo 6.3. */
export interface Leads extends Purpose {
  readonly passes: readonly Pass[];
  /** What members that cannot be led do all the same, W, by key of the service: the others make up for it. */
  readonly asideW: ReadonlyMap<string, number>;
  /** What the members were to do, W, by key: inside ramp and contract. */
  readonly askedW: ReadonlyMap<string, number>;
  /** How a resource is told: as a setpoint where a service leads it, as a limit elsewhere. */
  orderOf(resourceId: string): { readonly kind: 'setpoint' | 'limit'; readonly level: number };
}

export type Target = (entry: ServiceEntry) => number | undefined;

/** The leads of `entries`, which come in the order of fo 6.3; `targetW` says what a setpoint service asks for now. */
export function leadsOf(s: LeadSources, entries: readonly ServiceEntry[], targetW: Target): Leads {
  const passes: Pass[] = [];
  const asideW = new Map<string, number>(); // bounded by: the services of one run
  const askedW = new Map<string, number>(); // bounded by: the services of one run
  const ledBy = new Map<string, Service>(); // bounded by: the resources of the site
  const levels = new Map<string, number>(); // bounded by: the resources of the site
  for (const entry of entries) {
    const { key, service } = entry;
    const members = remaining(service).filter((m) => s.twin.get(m)?.optOut === false);
    if (congestionParameters(service.fsr)) {
      for (const m of members) levels.set(m, Math.min(levels.get(m) ?? LEVEL_LOCAL, levelOf(service)));
      const cap = isHard(service.fsr) ? undefined : capOf(s, entry, members);
      if (cap) passes.push(cap);
      continue;
    }
    const asked = members.length === 0 ? undefined : targetW(entry);
    if (asked === undefined) continue;
    const { referencePoint } = service.fsr.target;
    const wantedW = inContract(asked, contractFor(s, service));
    const aside = referencePoint === 'site' ? 0 : unledW(s.plan, members);
    for (const m of members) if (!ledBy.has(m)) ledBy.set(m, service);
    asideW.set(key, aside);
    askedW.set(key, wantedW);
    passes.push({ key, kind: 'lead', target: { setpointW: wantedW - aside, referencePoint, members } });
  }
  return {
    passes,
    asideW,
    askedW,
    contractOf(resourceId) {
      const service = ledBy.get(resourceId);
      const contract = service && contractFor(s, service);
      return contract && s.mayExport(contract.contractId) ? contract : undefined;
    },
    orderOf(resourceId) {
      const service = ledBy.get(resourceId);
      if (service) return { kind: 'setpoint', level: levelOf(service) };
      const level = s.twin.get(resourceId)?.optOut ? LEVEL_NEED : LEVEL_LOCAL;
      return { kind: 'limit', level: Math.min(level, levels.get(resourceId) ?? LEVEL_LOCAL) };
    },
  };
}

/** What a service asks for where its ramp stands, without moving it. */
export const standing =
  (now: number): Target =>
  ({ service, course }) =>
    standingGoal(service, course, now);

/** The same, but one service asks for something else; as the FO says it. */
export const asking =
  (key: string, targetW: number, now: number): Target =>
  (entry) =>
    entry.key === key ? absoluteW(entry.service, targetW, now) : standingGoal(entry.service, entry.course, now);

function capOf(s: LeadSources, { key, service }: ServiceEntry, members: readonly string[]): Pass | undefined {
  const { importLimitW, exportLimitW } = ceilingAt(service, s.plan.clock.now(), s.file()) ?? {};
  if (members.length === 0 || (importLimitW === undefined && exportLimitW === undefined)) return undefined;
  const { referencePoint } = service.fsr.target;
  const aside = referencePoint === 'site' ? 0 : unledW(s.plan, members);
  const each = referencePoint === 'evse';
  return {
    key,
    kind: 'cap',
    target: { setpointW: (importLimitW ?? BEYOND_W) - aside, referencePoint, members },
    ...(each ? { eachW: importLimitW ?? BEYOND_W } : {}),
    ...(exportLimitW === undefined ? {} : { exportCapW: exportLimitW * (each ? members.length : 1) }),
  };
}

/** Far beyond every site: as much as is wished. */
const BEYOND_W = 1e9;

export const contractFor = (s: LeadSources, { fsr, foId }: Service): Contract | undefined =>
  contractOf(fsr.contractId, foId, s.file());

const levelOf = ({ fsr }: Service): number => (fsr.mandatory ? LEVEL_MANDATORY : LEVEL_SERVICE);

/** A contract's limits hold also where a relative value or a fallback would lead beyond (fo 3.4). */
export function inContract(targetW: number, contract: Contract | undefined): number {
  const most = contract?.maxImportW ?? Number.POSITIVE_INFINITY;
  const least = 0 - (contract?.maxExportW ?? Number.POSITIVE_INFINITY);
  return Math.min(Math.max(targetW, least), most);
}
