import { LIMIT_EPS_W } from './forest.ts';
import type { StageTarget } from './root.ts';
import { clipSums, pocLimits, rootState } from './root.ts';
import { repairJoint, roundPlan } from './rounding.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import { type Bound, fixedSum, fixedSums, nodeLimits, Solver } from './solver.ts';
import type { LimitedBy } from './types.ts';

/** What steps 1–7 give, before anything is compared with what the stations do now. Lists are by EVSE index. */
export interface Plan {
  readonly planned: readonly number[];
  readonly granted: readonly number[];
  readonly bounds: readonly Bound[];
  /** Given up because of their forbidden zone. */
  readonly zero: readonly boolean[];
  /** Serve the target. */
  readonly serves: readonly boolean[];
  readonly targetW: number;
  readonly limitedBy: LimitedBy | undefined;
  readonly solver: Solver;
}

/**
 * Steps 1–7 of fo 8.3.
 *
 * A target for part of the site's EVSEs (`members`) follows fo 6.3: limits, then everybody's need, then the target, then
 * what the others wish. So the others are first planned at their need, the members then share the target beside that,
 * and what is left goes to the others. EVSEs outside of a service never export, except to keep a limit that collides
 * with needs (step 3).
 */
export function plan(tree: SiteTree): Plan {
  const { target } = tree.input;
  const names = target?.members && new Set(target.members); // bounded by: this call
  const member = tree.evses.map(({ input }) => target !== undefined && (names?.has(input.evseId) ?? true));
  const release = heldToRelease(tree, member);
  const bounds = tree.evses.map((evse) => stepOne(evse, member[evse.index] ?? false, release.get(evse)));
  const serves = tree.evses.map(({ input, index }) => !input.fixed && (!target || (member[index] ?? false)));
  const goal: StageTarget | undefined = target && {
    setpointW: target.setpointW,
    atPoc: target.referencePoint === 'site',
    deliveredW: sumOf(tree, (e) => (serves[e.index] ? fixedNow(bounds[e.index]) : 0)),
  };
  const grouped = target !== undefined && tree.evses.some(({ index }) => bounds[index]?.free && !member[index]);
  return grouped && goal
    ? planGroup(tree, bounds, member, serves, goal)
    : finish(tree, bounds, serves, goal, new Solver(tree, bounds, goal));
}

function finish(
  tree: SiteTree,
  bounds: readonly Bound[],
  serves: readonly boolean[],
  goal: StageTarget | undefined,
  solver: Solver,
): Plan {
  const { planned, granted } = roundPlan(solver);
  const either = (list: readonly (number | undefined)[]) =>
    tree.evses.map(({ index }) => list[index] ?? fixedNow(bounds[index]));
  return {
    planned: either(planned),
    granted: either(granted),
    bounds,
    zero: tree.evses.map((evse) => solver.isZero(evse)),
    serves,
    targetW: solver.root.target + (goal && !goal.atPoc ? goal.deliveredW : 0),
    limitedBy: solver.limitedBy(),
    solver,
  };
}

function planGroup(
  tree: SiteTree,
  bounds: readonly Bound[],
  member: readonly boolean[],
  serves: readonly boolean[],
  goal: StageTarget,
): Plan {
  const needs = bounds.map((b): Bound => (b.free ? { ...b, wish: b.need } : b));
  const least = finish(tree, needs, serves, undefined, new Solver(tree, needs, undefined));
  const aside = bounds.map((b, i): Bound => (b.free && !member[i] ? fixedAt(least.granted[i] ?? 0) : b));
  const service = finish(tree, aside, serves, goal, new Solver(tree, aside, goal));
  const rest = bounds.map((b, i): Bound => {
    if (!b.free) return b;
    const granted = service.granted[i] ?? 0;
    return member[i] ? fixedAt(granted) : { ...b, lo: Math.min(b.lo, granted), need: Math.min(b.need, granted) };
  });
  // A target at the POC also counts what the others take, so they only get what it leaves.
  const left = goal.atPoc ? goal : undefined;
  const others = finish(tree, rest, serves, left, new Solver(tree, rest, left));
  const pick = <T>(a: readonly T[], b: readonly T[], i: number): T => ((member[i] ? a[i] : b[i]) ?? a[i]) as T;
  const planned = tree.evses.map(({ index }) => pick(service.planned, others.planned, index));
  return {
    ...others,
    planned,
    granted: repairedTogether(tree, bounds, planned, others),
    bounds,
    zero: tree.evses.map(({ index }) => pick(service.zero, others.zero, index)),
    targetW: service.targetW,
    limitedBy: service.limitedBy,
  };
}

/** Each part was rounded beside the other as it was; what is left of a limit's break is repaired over both. */
function repairedTogether(
  tree: SiteTree,
  bounds: readonly Bound[],
  planned: readonly number[],
  others: Plan,
): number[] {
  const { solver, granted } = others;
  const movable = bounds.map((b, i) => (b.free ? granted[i] : undefined));
  const fixed = fixedSums(tree, bounds);
  repairJoint(tree, planned, movable, (node) => {
    // Rounding lowers imports and exports, so where they count apart it breaks nothing.
    if (node.separate) return { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
    const { lo, hi } = solver.limitsOf(node);
    const [there, here] = [fixedSum(solver.fixed, node.index), fixedSum(fixed, node.index)];
    return { lo: lo + there.minW - here.minW, hi: hi + there.maxW - here.maxW };
  });
  return granted.map((power, i) => movable[i] ?? power);
}

/** Step 1: the bounds an EVSE is planned with. `comesDownW`: it is held but has to come nearer to 0 by so much. */
function stepOne(evse: SiteEvse, member: boolean, comesDownW?: number): Bound {
  const { fixed, pinnedW, commandRunning, presentW, keepSide, minImportW, minExportW } = evse.input;
  if (fixed) return { free: false, ...fixed, nowW: Math.min(Math.max(presentW, fixed.minW), fixed.maxW) };
  if (pinnedW !== undefined) return fixedAt(pinnedW);
  if (commandRunning && comesDownW === undefined) return fixedAt(presentW);
  let lo = evse.loW;
  let need = member ? evse.neededW : Math.max(evse.neededW, 0);
  let wish = evse.wishedW;
  if (keepSide === 'zero') return { free: true, lo: 0, need: 0, wish: 0 };
  if (keepSide === 'import') need = Math.max(need, Math.min(minImportW, wish));
  if (keepSide === 'export' && lo <= -minExportW) wish = Math.min(wish, -minExportW);
  if (comesDownW !== undefined && presentW > 0) {
    wish = Math.min(wish, presentW);
    const leftW = presentW - comesDownW;
    // No further than the limit needs: its share of the target has to wait like every other change.
    if (leftW > need) need = wish = Math.min(wish, leftW);
  } else if (comesDownW !== undefined) {
    lo = Math.max(lo, presentW);
    need = Math.max(lo, Math.min(0, presentW + comesDownW));
    wish = Math.min(wish, Number.isFinite(comesDownW) ? need : 0);
    if (!Number.isFinite(comesDownW)) need = lo;
  }
  need = Math.min(need, wish);
  return { free: true, lo: Math.min(lo, need), need, wish };
}

/**
 * EVSEs whose command interval is running keep their present power, except where a limit needs a reduction (fo 8.3.8):
 * where a node would be beyond a limit even with everyone else at their need. Those below it that can come down share the
 * excess; where that is not enough, or they may not be where they are, they go as far as they may (`Infinity`).
 */
function heldToRelease(tree: SiteTree, member: readonly boolean[]): Map<SiteEvse, number> {
  const released = new Map<SiteEvse, number>(); // bounded by: the EVSEs of this call
  const isHeld = ({ input }: SiteEvse) => input.commandRunning && !input.fixed && input.pinnedW === undefined;
  if (!tree.evses.some(isHeld)) return released;
  const bounds = tree.evses.map((evse) => stepOne(evse, member[evse.index] ?? false));
  for (const { node, direction, excessW } of brokenByNeeds(tree, bounds)) {
    const sign = direction === 'import' ? 1 : -1;
    const below = tree.evses.slice(node.from, node.to).filter((e) => isHeld(e) && sign * e.input.presentW > 0);
    const slackOf = ({ input, neededW }: SiteEvse) =>
      sign === 1 ? Math.max(0, input.presentW - Math.max(neededW, 0)) : -input.presentW;
    let slack = 0;
    for (const evse of below) slack += slackOf(evse);
    const part = slack >= excessW && slack > 0 ? excessW / slack : Number.POSITIVE_INFINITY;
    for (const evse of below) {
      const comesDownW = part === Number.POSITIVE_INFINITY ? part : part * slackOf(evse);
      released.set(evse, Math.max(released.get(evse) ?? 0, comesDownW));
    }
  }
  for (const evse of tree.evses)
    if (isHeld(evse) && evse.input.presentW < 0 && !evse.input.exportAllowed)
      released.set(evse, Number.POSITIVE_INFINITY);
  return released;
}

interface NodeSums {
  lo: number;
  need: number;
  wish: number;
  /** Σ max(need, 0) and Σ max(−wish, 0), for nodes without netting. */
  imports: number;
  exports: number;
}

interface BrokenNode {
  readonly node: SiteNode;
  readonly direction: 'import' | 'export';
  readonly excessW: number;
}

function brokenByNeeds(tree: SiteTree, bounds: readonly Bound[]): BrokenNode[] {
  const found: BrokenNode[] = [];
  upPass(tree, bounds, (node, sums, at) => {
    const apart = (used: number, limit: number) => (node.separate ? used - limit : 0);
    const imports = Math.max(sums.need - at.hiLimit, apart(sums.imports + at.fixedImports, at.importW));
    const exports = Math.max(
      Math.min(at.loLimit, at.hiLimit) - sums.wish,
      apart(sums.exports + at.fixedExports, at.exportW),
    );
    if (imports > LIMIT_EPS_W) found.push({ node, direction: 'import', excessW: imports });
    if (exports > LIMIT_EPS_W) found.push({ node, direction: 'export', excessW: exports });
  });
  return found;
}

/** The limits of a node: for what is free below it (W signed), and for all EVSEs below it (magnitudes). */
export interface NodeLimits {
  readonly loLimit: number;
  readonly hiLimit: number;
  readonly importW: number;
  readonly exportW: number;
  readonly fixedImports: number;
  readonly fixedExports: number;
}

/** Step 2 alone, deepest nodes first: the sums of each node's children, before they are clipped to its limits. */
export function upPass(
  tree: SiteTree,
  bounds: readonly Bound[],
  visit: (node: SiteNode, sums: NodeSums, limits: NodeLimits) => void,
): void {
  const fixed = fixedSums(tree, bounds);
  const sums = tree.nodes.map((): NodeSums => ({ lo: 0, need: 0, wish: 0, imports: 0, exports: 0 }));
  for (let i = tree.nodes.length - 1; i >= 0; i--) {
    const node = tree.nodes[i];
    const sum = sums[i];
    if (!node || !sum) continue;
    for (const { index } of node.evses) {
      const b = bounds[index];
      if (!b?.free) continue;
      addSums(sum, b);
      sum.imports += Math.max(b.need, 0);
      sum.exports += Math.max(-b.wish, 0);
    }
    const range = fixedSum(fixed, i);
    const root = node.parent ? undefined : rootState(tree.input, range, sum, undefined);
    const limits = root ?? nodeLimits(node, range);
    const all = root ? pocLimits(tree.input, root.essGenW) : node;
    visit(node, sum, {
      loLimit: limits.loLimit,
      hiLimit: limits.hiLimit,
      importW: all.importW,
      exportW: all.exportW,
      fixedImports: range.imports,
      fixedExports: range.exports,
    });
    const above = node.parent && sums[node.parent.index];
    if (!above) continue;
    addSums(above, clipSums(sum, limits.loLimit, limits.hiLimit));
    above.imports += sum.imports;
    above.exports += sum.exports;
  }
}

function addSums(to: NodeSums, b: { readonly lo: number; readonly need: number; readonly wish: number }): void {
  to.lo += b.lo;
  to.need += b.need;
  to.wish += b.wish;
}

function fixedAt(power: number): Bound {
  return { free: false, minW: power, maxW: power, nowW: power };
}

function fixedNow(bound: Bound | undefined): number {
  return bound && !bound.free ? bound.nowW : 0;
}

function sumOf(tree: SiteTree, value: (evse: SiteEvse) => number): number {
  let sum = 0;
  for (const evse of tree.evses) sum += value(evse);
  return sum;
}
