import type { LimitedBy, Limits, SiteInput } from './types.ts';

/**
 * Limits of a node for what is free below it, W signed, from the room in each direction. Without netting a node that is
 * too full in one direction does not ask for power in the other.
 */
export function freeLimits(separate: boolean, imports: number, exports: number): { loLimit: number; hiLimit: number } {
  return separate
    ? { loLimit: 0 - Math.max(0, exports), hiLimit: Math.max(0, imports) }
    : { loLimit: 0 - exports, hiLimit: imports };
}

/** Import and export limit of the POC for all EVSEs: base load, generation and ESS taken off; may be negative. */
export function pocLimits(
  site: SiteInput,
  essGenW: number,
  { importLimitW, exportLimitW }: Limits = site.poc,
): { importW: number; exportW: number } {
  const others = site.generationW - site.usedW + essGenW;
  return { importW: importLimitW + others, exportW: exportLimitW - others };
}

/** The three bounds of a sum, W signed. */
export interface Sums {
  readonly lo: number;
  readonly need: number;
  readonly wish: number;
}

/** What is fixed below the POC, W: the range of its sum, the sum that is expected, and imports and exports apart. */
export interface FixedSum {
  readonly minW: number;
  readonly maxW: number;
  readonly nowW: number;
  readonly imports: number;
  readonly exports: number;
}

/** Who serves the target is asked for `setpointW` in all; part of it is fixed already. */
export interface StageTarget {
  readonly setpointW: number;
  readonly atPoc: boolean;
  /** Part of the setpoint that fixed EVSEs deliver (only where it is not counted at the POC). */
  readonly deliveredW: number;
}

export interface RootState {
  /** Limits for the sum of the EVSEs that are not fixed, W signed. */
  readonly loLimit: number;
  readonly hiLimit: number;
  /** Generation of the ESS, W, negative = charging. */
  readonly essGenW: number;
  /** `T`, W, of the EVSEs that are not fixed. */
  readonly target: number;
  readonly asked: number;
}

/** Steps 2–4 of fo 8.3 at the POC. Storage helps first when needs are beyond the import limit (fo 3.2.6.3/4). */
export function rootState(site: SiteInput, fixed: FixedSum, sums: Sums, target: StageTarget | undefined): RootState {
  const others = site.generationW - site.usedW;
  const separate = site.poc.netting === 'none';
  const room = site.poc.importLimitW + others - (separate ? fixed.imports : fixed.maxW);
  const essGenW = essPower(site, sums.need - room);
  const importLimit = room + essGenW;
  const exportLimit = site.poc.exportLimitW - others - essGenW - (separate ? fixed.exports : -fixed.minW);
  const { loLimit, hiLimit } = freeLimits(separate, importLimit, exportLimit);
  const asked = !target
    ? Number.POSITIVE_INFINITY
    : target.atPoc
      ? target.setpointW + others + essGenW - fixed.nowW
      : target.setpointW - target.deliveredW;
  const { need, wish } = clipSums(sums, loLimit, hiLimit);
  return { loLimit, hiLimit, essGenW, asked, target: Math.min(Math.max(asked, need), wish) };
}

/**
 * `L_k`, `H_k` of step 2. What no cut can bring within a limit counts as what it will really be (alarm of step 3). Where
 * the worst cases of fixed EVSEs leave no room between the limits, the import limit wins.
 */
export function clipSums(sums: Sums, loLimit: number, hiLimit: number): Sums {
  const { lo, need, wish } = sums;
  if (lo > hiLimit) return { lo, need: lo, wish: lo };
  const low = Math.min(loLimit, hiLimit);
  if (wish < low) return { lo: wish, need: wish, wish };
  return { lo: clip(lo, low, hiLimit), need: clip(need, low, hiLimit), wish: clip(wish, low, hiLimit) };
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function essPower(site: SiteInput, wantedW: number): number {
  const { ess, stepS } = site;
  if (!ess) return 0;
  const stored = Math.max(0, ((ess.availableWh - ess.minWh) * 3600) / stepS);
  const most = Math.min(ess.maxDischargeW, stored);
  const present = Math.min(-ess.powerW, most);
  return Math.min(Math.max(present, wantedW), most);
}

/** Which bound decided that the target is not what was asked (step 4). */
export function decidedBy(state: RootState, top: Sums, leaves: Sums): LimitedBy | undefined {
  const { asked, target, hiLimit, loLimit } = state;
  if (Math.abs(asked - target) <= 1e-6) return undefined;
  if (asked > target) {
    if (top.wish > hiLimit + 1e-6 || top.lo > hiLimit) return 'poc';
    return top.wish < leaves.wish - 1e-6 ? 'fuse' : 'wished';
  }
  if (top.need < loLimit - 1e-6) return 'poc';
  return Math.abs(top.need - leaves.need) > 1e-6 ? 'fuse' : 'needed';
}
