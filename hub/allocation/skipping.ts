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
  const deltaOf = (evse: SiteEvse) => (plan.granted[evse.index] ?? 0) - evse.input.presentW;
  const sides = [true, false].map((serving) => new Side(tree, plan, serving, { skipped, late, deltaOf }));
  const send = (evse: SiteEvse) => {
    skipped.delete(evse);
    worst.move(evse, present(evse), granted(evse));
    settled.move(evse, at(evse.input.presentW), granted(evse));
    for (const side of sides) if (side.serving === plan.serves[evse.index]) side.missing -= deltaOf(evse);
  };
  const reliefs = new Map<number, Queue>(); // bounded by: the nodes of the site, twice
  const relief = (node: SiteNode, sign: 1 | -1): Queue => {
    const key = 2 * node.index + (sign === 1 ? 0 : 1);
    const made = reliefs.get(key) ?? reliefOf(tree.evses.slice(node.from, node.to), node, sign, deltaOf, skipped);
    reliefs.set(key, made);
    return made;
  };
  for (let before = -1; before !== skipped.size; ) {
    before = skipped.size;
    for (const side of sides) side.keepSum(send);
    for (const usage of late.size > 0 ? [worst, settled] : [worst])
      for (const node of tree.nodes) keepLimits(node, usage, limits[node.index], relief, send);
  }
  return skipped;
}

/** EVSEs whose change is skipped, those first that help most. */
class Queue {
  readonly #list: readonly SiteEvse[];
  readonly #skipped: ReadonlySet<SiteEvse>;
  readonly #sizeOf: (evse: SiteEvse) => number;
  #next = 0;

  constructor(
    evses: readonly SiteEvse[],
    skipped: ReadonlySet<SiteEvse>,
    sizeOf: (evse: SiteEvse) => number,
    tie: (a: SiteEvse, b: SiteEvse) => number,
  ) {
    const helping = evses.filter((evse) => skipped.has(evse) && sizeOf(evse) > 0);
    this.#list = helping.sort((a, b) => sizeOf(b) - sizeOf(a) || tie(a, b));
    this.#skipped = skipped;
    this.#sizeOf = sizeOf;
  }

  /** Sends them until what is left of `excess` is no more than `most`. */
  sendFor(excess: number, most: number, send: (evse: SiteEvse) => void): void {
    for (let left = excess; left > most; ) {
      const evse = this.#list[this.#next];
      if (!evse) return;
      this.#next++;
      if (!this.#skipped.has(evse)) continue;
      left -= this.#sizeOf(evse);
      send(evse);
    }
  }
}

/** Those that serve the target, or those that do not: what they miss of what is planned for them while changes are skipped. */
class Side {
  readonly serving: boolean;
  missing = 0;
  readonly #most: number;
  readonly #up: Queue;
  readonly #down: Queue;

  constructor(
    tree: SiteTree,
    plan: Plan,
    serving: boolean,
    o: Pick<SkipOptions, 'late'> & { skipped: ReadonlySet<SiteEvse>; deltaOf: (evse: SiteEvse) => number },
  ) {
    this.serving = serving;
    const mine = tree.evses.filter(({ index }) => plan.serves[index] === serving);
    let plannedW = 0;
    for (const evse of mine) {
      plannedW += plan.granted[evse.index] ?? 0;
      if (o.skipped.has(evse) || o.late.has(evse)) this.missing += o.deltaOf(evse);
    }
    this.#most = Math.max(SUM_PART * Math.abs(plannedW), SUM_W);
    const queue = (sign: 1 | -1) =>
      new Queue(
        mine,
        o.skipped,
        (evse) => sign * o.deltaOf(evse),
        (a, b) => b.rank - a.rank,
      );
    [this.#up, this.#down] = [queue(1), queue(-1)];
  }

  keepSum(send: (evse: SiteEvse) => void): void {
    const queue = this.missing > 0 ? this.#up : this.#down;
    queue.sendFor(Math.abs(this.missing), this.#most, send);
  }
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

function keepLimits(
  node: SiteNode,
  usage: Usage,
  limits: AllLimits | undefined,
  relief: (node: SiteNode, sign: 1 | -1) => Queue,
  send: (evse: SiteEvse) => void,
): void {
  for (const sign of [1, -1] as const) {
    const limit = (sign === 1 ? limits?.importW : limits?.exportW) ?? 0;
    const excess = (sign === 1 ? usage.importsOf(node) : usage.exportsOf(node)) - limit;
    if (excess > LIMIT_EPS_W) relief(node, sign).sendFor(excess, LIMIT_EPS_W, send);
  }
}

/** What takes most off the imports (sign 1) or exports (sign −1) of a node. */
function reliefOf(
  below: readonly SiteEvse[],
  node: SiteNode,
  sign: 1 | -1,
  deltaOf: (evse: SiteEvse) => number,
  skipped: ReadonlySet<SiteEvse>,
): Queue {
  const counted = (power: number) => (node.separate ? Math.max(0, sign * power) : sign * power);
  const sizeOf = (e: SiteEvse) => counted(e.input.presentW) - counted(e.input.presentW + deltaOf(e));
  return new Queue(below, skipped, sizeOf, (a, b) => b.index - a.index);
}
