/** What may be known about an EVSE and its EV (fo 3.3, 8.1). Absent means unknown. Energies at the EVSE's terminals. */
export interface BoundsInput {
  /** False: nothing is plugged in, all bounds are 0. */
  readonly connected: boolean;
  /** `P_max^CP`, W ≥ 0. */
  readonly cpMaxW: number;
  /** `P_max^EV`, W ≥ 0. */
  readonly evMaxW?: number;
  /** `P_max^(SoC,T)` learned from what the EV really took, W ≥ 0. */
  readonly learnedMaxW?: number;
  readonly energyToMaxWh?: number;
  readonly energyToTargetWh?: number;
  /** Energy above the driver's floor. Unknown: nothing may be exported. */
  readonly exportableWh?: number;
  /** W ≥ 0. */
  readonly exportMaxW: number;
  /** Export needs all four (G8). */
  readonly exportAllowed: {
    readonly driver: boolean;
    readonly contract: boolean;
    readonly conformity: boolean;
    readonly site: boolean;
  };
  /** Time to departure, s; unknown: now for `asap`, else `defaultDepartureS`. */
  readonly departureInS?: number;
  /** The driver asked for "as soon as possible". */
  readonly asap: boolean;
  readonly minImportW: number;
  /** Δt, s > 0; default 900. */
  readonly planningStepS?: number;
  /** s; default 28 800. */
  readonly defaultDepartureS?: number;
}

/** `preference.infeasible`: the driver's target cannot be reached (any more), or only with less than the EVSE can do. */
export type BoundsFlag = 'preference.infeasible';

/** lo ≤ needed ≤ wished, W signed, load convention. */
export interface EvseBounds {
  readonly loW: number;
  readonly neededW: number;
  readonly wishedW: number;
  readonly flags: readonly BoundsFlag[];
}

/** The bounds of one EVSE (fo 8.1). */
export function bounds(o: BoundsInput): EvseBounds {
  if (!o.connected) return { loW: 0, neededW: 0, wishedW: 0, flags: [] };
  const stepS = o.planningStepS ?? 900;
  const powerFor = (energyWh: number) => (energyWh * 3600) / stepS;
  const wishedW = Math.max(
    0,
    Math.min(
      o.cpMaxW,
      o.evMaxW ?? Number.POSITIVE_INFINITY,
      o.learnedMaxW ?? Number.POSITIVE_INFINITY,
      o.energyToMaxWh === undefined ? Number.POSITIVE_INFINITY : powerFor(o.energyToMaxWh),
    ),
  );
  const { driver, contract, conformity, site } = o.exportAllowed;
  const mayExport = driver && contract && conformity && site;
  const loW = mayExport ? 0 - Math.max(0, Math.min(o.exportMaxW, powerFor(o.exportableWh ?? 0))) : 0;
  const neededW = Math.max(loW, leastNow(o, wishedW, stepS));
  const reachable = neededW <= wishedW + 1e-6;
  return semiContinuous(o, { loW, neededW: Math.min(neededW, wishedW), wishedW }, reachable);
}

/**
 * `(E_toTarget − P_wished·(τ − Δt)) / Δt`: the least power now such that the target stays reachable at full power later.
 * Without energy to the target there is nothing to be reached, so a departure within Δt does not make a need.
 */
function leastNow(o: BoundsInput, wishedW: number, stepS: number): number {
  const tauS = Math.max(0, o.departureInS ?? (o.asap ? 0 : (o.defaultDepartureS ?? 28_800)));
  const missingWh = o.energyToTargetWh ?? (o.asap ? (o.energyToMaxWh ?? Number.POSITIVE_INFINITY) : 0);
  const power = (missingWh * 3600 - wishedW * (tauS - stepS)) / stepS;
  return missingWh > 0 ? power : Math.min(0, power);
}

function semiContinuous(o: BoundsInput, b: Omit<EvseBounds, 'flags'>, reachable: boolean): EvseBounds {
  const flags: BoundsFlag[] = reachable || o.asap ? [] : ['preference.infeasible'];
  if (b.neededW <= 0 || b.neededW >= o.minImportW) return { ...b, flags };
  if (o.minImportW <= b.wishedW) return { ...b, neededW: o.minImportW, flags };
  return { loW: b.loW, neededW: 0, wishedW: 0, flags: ['preference.infeasible'] };
}
