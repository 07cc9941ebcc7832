import { LIMIT_EPS_W } from './forest.ts';
import type { AllLimits } from './order.ts';
import type { Plan } from './plan.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import { at, type PowerRange } from './steps.ts';
import { Usage } from './usage.ts';

/** A change below this part of the greatest power of an EVSE, and below so many W, is small (fo 8.3.8). */
const SMALL_PART = 0.01;
const SMALL_W = 100;
/** The same for a change that only moves shares to and fro, while the sum stays. */
const MINOR_PART = 0.05;
const MINOR_W = 500;
/** What is skipped together may move the sum by this part of it, and so many W. */
const SUM_PART = 0.01;
const SUM_W = 100;

type RangeOf = (evse: SiteEvse) => PowerRange;

export interface SkipOptions {
  /** What an EVSE may be doing now. */
  readonly present: RangeOf;
  readonly movable: (evse: SiteEvse) => boolean;
  /** By node index. */
  readonly limits: readonly AllLimits[];
  /** Their increases are planned but cannot be sent now: room is made for them, but nobody else's share is. */
  readonly late: ReadonlySet<SiteEvse>;
}

/**
 * Changes that are not sent (fo 8.3.8). Small ones, and minor ones that only level shares: each command keeps others
 * waiting until it is confirmed, so an EVSE that has its share nearly is left alone. While somebody is held by a command
 * interval, or waits for others, the shares of the rest are not what they will be, so all levelling waits. Sent all the same, the largest
 * first, are those without which a limit would be exceeded (also by the increases of this run), and those without which
 * the EVSEs that serve the target, or those that do not, would together miss what is planned for them by more than
 * 1 %, at least 100 W.
 */
export function chooseSkipped(tree: SiteTree, plan: Plan, o: SkipOptions): Set<SiteEvse> {
  const { present, movable, limits, late } = o;
  const skipped = new Set<SiteEvse>(); // bounded by: the EVSEs of this call
  const waiting = [false, false];
  for (const { index, input } of tree.evses)
    if (input.commandRunning && !input.fixed && !plan.bounds[index]?.free) waiting[plan.serves[index] ? 1 : 0] = true;
  for (const { index } of late) waiting[plan.serves[index] ? 1 : 0] = true;
  for (const evse of tree.evses) {
    if (late.has(evse)) continue;
    const isLevelled = waiting[plan.serves[evse.index] ? 1 : 0] !== true;
    if (movable(evse) && isMinor(evse, plan.granted[evse.index] ?? 0, isLevelled)) skipped.add(evse);
  }
  if (skipped.size === 0) return skipped;
  const granted: RangeOf = (evse) => at(plan.granted[evse.index] ?? 0);
  const isSent = (e: SiteEvse) => movable(e) && !skipped.has(e);
  const worst = new Usage(tree, (e) => (isSent(e) && !late.has(e) ? granted(e) : present(e)));
  // Those that are late find their room once everybody does what he was told last.
  const settled = new Usage(tree, (e) => (isSent(e) ? granted(e) : (e.input.fixed ?? at(e.input.presentW))));
  const send = (evse: SiteEvse) => {
    skipped.delete(evse);
    worst.move(evse, present(evse), granted(evse));
    settled.move(evse, at(evse.input.presentW), granted(evse));
  };
  const deltaOf = (evse: SiteEvse) => (plan.granted[evse.index] ?? 0) - evse.input.presentW;
  for (let before = -1; before !== skipped.size; ) {
    before = skipped.size;
    for (const serving of [true, false]) {
      const delta = (e: SiteEvse) => (plan.serves[e.index] === serving ? deltaOf(e) : 0);
      keepSum(tree, skipped, late, delta, sumOf(tree, plan, serving), send);
    }
    for (const usage of late.size > 0 ? [worst, settled] : [worst])
      for (const node of tree.nodes) keepLimits(tree, node, skipped, usage, limits[node.index], deltaOf, send);
  }
  return skipped;
}

/**
 * True when a change is small, or inside all that the EVSE itself needs and may have, and minor unless all levelling
 * waits.
 */
function isMinor({ input, neededW, wishedW }: SiteEvse, grantedW: number, isLevelled: boolean): boolean {
  const { presentW, maxW, pinnedW, minImportW, minExportW } = input;
  const change = Math.abs(grantedW - presentW);
  if (change === 0) return false;
  if (change < Math.max(SMALL_PART * maxW, SMALL_W)) return true;
  if (pinnedW !== undefined || (isLevelled && change >= Math.max(MINOR_PART * maxW, MINOR_W))) return false;
  const inZone = presentW > 0 ? presentW < minImportW : presentW < 0 && -presentW < minExportW;
  return !inZone && presentW <= wishedW && presentW >= Math.min(neededW, grantedW);
}

/** What is planned for those that serve the target, or for those that do not, W. */
function sumOf(tree: SiteTree, plan: Plan, serving: boolean): number {
  let sum = 0;
  for (const { index } of tree.evses) if (plan.serves[index] === serving) sum += plan.granted[index] ?? 0;
  return sum;
}

function keepSum(
  tree: SiteTree,
  skipped: ReadonlySet<SiteEvse>,
  late: ReadonlySet<SiteEvse>,
  deltaOf: (evse: SiteEvse) => number,
  plannedW: number,
  send: (evse: SiteEvse) => void,
): void {
  let missing = 0;
  for (const evse of skipped) missing += deltaOf(evse);
  for (const evse of late) missing += deltaOf(evse);
  const most = Math.max(SUM_PART * Math.abs(plannedW), SUM_W);
  if (Math.abs(missing) <= most) return;
  const sign = Math.sign(missing);
  const size = (evse: SiteEvse) => sign * deltaOf(evse);
  const helping = tree.evses.filter((evse) => skipped.has(evse) && size(evse) > 0);
  helping.sort((a, b) => size(b) - size(a) || b.rank - a.rank);
  for (const evse of helping) {
    if (sign * missing <= most) return;
    missing -= deltaOf(evse);
    send(evse);
  }
}

function keepLimits(
  tree: SiteTree,
  node: SiteNode,
  skipped: ReadonlySet<SiteEvse>,
  usage: Usage,
  limits: AllLimits | undefined,
  deltaOf: (evse: SiteEvse) => number,
  send: (evse: SiteEvse) => void,
): void {
  for (const sign of [1, -1] as const) {
    const limit = (sign === 1 ? limits?.importW : limits?.exportW) ?? 0;
    let excess = (sign === 1 ? usage.importsOf(node) : usage.exportsOf(node)) - limit;
    if (excess <= LIMIT_EPS_W) continue;
    const counted = (power: number) => (node.separate ? Math.max(0, sign * power) : sign * power);
    const relief = (e: SiteEvse) => counted(e.input.presentW) - counted(e.input.presentW + deltaOf(e));
    const helping = tree.evses.slice(node.from, node.to).filter((evse) => skipped.has(evse) && relief(evse) > 0);
    helping.sort((a, b) => relief(b) - relief(a) || b.index - a.index);
    for (const evse of helping) {
      if (excess <= LIMIT_EPS_W) break;
      excess -= relief(evse);
      send(evse);
    }
  }
}
