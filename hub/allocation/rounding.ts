import { LIMIT_EPS_W, ZONE_EPS_W } from './forest.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import type { Solver } from './solver.ts';

/** Toward zero to what the station can be told (fo 8.3.7), W signed. */
export function roundToward0(evse: SiteEvse, power: number): number {
  const steps = Math.floor((Math.abs(power) + ZONE_EPS_W) / evse.quantumW);
  return steps === 0 ? 0 : Math.sign(power) * steps * evse.quantumW;
}

/**
 * Step 7 of fo 8.3: rounds, and lowers the largest exports (imports) of nodes whose export (import) limit the rounding
 * broke. EVSEs that this pushes below their minimum are given up as in step 6: those that rounding alone pushes first,
 * one after the other; then those that a repair pushes, of each circuit the least urgent at a time.
 */
export function roundPlan(solver: Solver): {
  readonly planned: readonly (number | undefined)[];
  readonly granted: readonly (number | undefined)[];
} {
  for (;;) {
    solver.run();
    const planned = solver.powers();
    const granted = solver.tree.evses.map((evse) => {
      const power = planned[evse.index];
      return power === undefined ? undefined : roundToward0(evse, power);
    });
    const lowered = repair(solver.tree, granted, (node) => solver.limitsOf(node));
    const pushed = [...lowered].filter((evse) => isPushed(evse, planned[evse.index], granted[evse.index]));
    if (pushed.length === 0) return { planned, granted };
    for (const evse of leastUrgent(pushed)) solver.giveUp(evse);
  }
}

/** Below its minimum by what rounding or a repair took off; also when that left nothing, so that others get it. */
function isPushed(evse: SiteEvse, planned = 0, granted = 0): boolean {
  const { minImportW, minExportW } = evse.input;
  if (planned > ZONE_EPS_W && minImportW > 2 * ZONE_EPS_W) return granted < minImportW - ZONE_EPS_W;
  return planned < -ZONE_EPS_W && minExportW > 2 * ZONE_EPS_W && -granted < minExportW - ZONE_EPS_W;
}

/**
 * The same for powers that come from more than one plan, where none of them could lower what the other gave: whoever is
 * pushed below its minimum gets 0. Changes `granted`; entries that may not be moved are undefined.
 */
export function repairJoint(
  tree: SiteTree,
  planned: readonly number[],
  granted: (number | undefined)[],
  limitsOf: (node: SiteNode) => FreeLimits,
): void {
  for (;;) {
    const lowered = [...repair(tree, granted, limitsOf)].filter(({ index }) => granted[index] !== 0);
    const pushed = lowered.filter((evse) => isPushed(evse, planned[evse.index], granted[evse.index]));
    if (pushed.length === 0) return;
    for (const evse of leastUrgent(pushed)) granted[evse.index] = 0;
  }
}

/** Limits of the sum of what may be moved below a node, W signed. */
export interface FreeLimits {
  readonly lo: number;
  readonly hi: number;
}

/** The least urgent of each circuit: what happens in one hardly matters to the rounding in others. */
function leastUrgent(evses: readonly SiteEvse[]): Iterable<SiteEvse> {
  const first = new Map<SiteNode, SiteEvse>(); // bounded by: the circuits of the site
  for (const evse of evses) {
    const known = first.get(evse.node);
    if (!known || evse.rank < known.rank) first.set(evse.node, evse);
  }
  return first.values();
}

/** Deepest nodes first, and again below and above each that was repaired. Each lowering goes toward 0, so it ends. */
function repair(
  tree: SiteTree,
  granted: (number | undefined)[],
  limitsOf: (node: SiteNode) => FreeLimits,
): Set<SiteEvse> {
  const lowered = new Set<SiteEvse>(); // bounded by: the EVSEs of this call
  const sums = nodeSums(tree, granted);
  const take = (evse: SiteEvse, powerW: number): void => {
    const changeW = powerW - (granted[evse.index] ?? 0);
    granted[evse.index] = powerW;
    lowered.add(evse);
    for (let up: SiteNode | undefined = evse.node; up; up = up.parent) sums[up.index] = (sums[up.index] ?? 0) + changeW;
  };
  for (let i = tree.nodes.length - 1; i >= 0; i--) {
    const node = tree.nodes[i];
    if (!node) continue;
    const { lo, hi } = limitsOf(node);
    const sum = sums[i] ?? 0;
    const lowW = Math.min(lo, hi);
    let changed = false;
    if (sum < lowW - LIMIT_EPS_W) changed = lower(tree, node, granted, -1, lowW - sum, take);
    else if (sum > hi + LIMIT_EPS_W) changed = lower(tree, node, granted, 1, sum - hi, take);
    // What lies beside it stays as it is.
    if (changed) i = node.end;
  }
  return lowered;
}

/** Lowers the largest imports (sign 1) or exports (sign −1) below a node by whole steps until `excess` W are gone. */
function lower(
  tree: SiteTree,
  node: SiteNode,
  granted: readonly (number | undefined)[],
  sign: 1 | -1,
  excess: number,
  take: (evse: SiteEvse, powerW: number) => void,
): boolean {
  const size = (evse: SiteEvse) => sign * (granted[evse.index] ?? 0);
  const candidates = tree.evses.slice(node.from, node.to).filter((evse) => size(evse) > ZONE_EPS_W);
  candidates.sort((a, b) => size(b) - size(a) || (a.input.evseId < b.input.evseId ? 1 : -1));
  let left = excess;
  let changed = false;
  for (const evse of candidates) {
    if (left <= LIMIT_EPS_W) break;
    const has = Math.round(size(evse) / evse.quantumW);
    const steps = Math.min(has, Math.ceil((left - LIMIT_EPS_W) / evse.quantumW));
    take(evse, has === steps ? 0 : sign * (has - steps) * evse.quantumW);
    left -= steps * evse.quantumW;
    changed = true;
  }
  return changed;
}

function nodeSums(tree: SiteTree, powers: readonly (number | undefined)[]): number[] {
  const sums = new Array<number>(tree.nodes.length).fill(0);
  for (const { index, node } of tree.evses) sums[node.index] = (sums[node.index] ?? 0) + (powers[index] ?? 0);
  for (let i = tree.nodes.length - 1; i > 0; i--) {
    const parent = tree.nodes[i]?.parent;
    if (parent) sums[parent.index] = (sums[parent.index] ?? 0) + (sums[i] ?? 0);
  }
  return sums;
}
