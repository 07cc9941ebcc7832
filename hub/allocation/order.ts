import { LIMIT_EPS_W, real } from './forest.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import { at, type PowerRange, type Step } from './steps.ts';
import type { Wait } from './types.ts';

/** Passes over what does not fit yet, before the rest goes without regard to transients at `measured` nodes. */
const MAX_PASSES = 8;

/** The limits of one node for all EVSEs below it, magnitudes (may be negative at the POC). */
export interface AllLimits {
  readonly importW: number;
  readonly exportW: number;
  /** No increase is sent beyond these. */
  readonly now: { readonly importW: number; readonly exportW: number };
}

/** How a limit counts power: the net sum upwards or downwards, or imports or exports apart. */
type Kind = 0 | 1 | 2 | 3;

function countAs(kind: Kind, minW: number, maxW: number): number {
  if (kind === 0) return maxW;
  if (kind === 1) return -minW;
  return kind === 2 ? Math.max(0, maxW) : Math.max(0, -minW);
}

const KINDS: readonly Kind[] = [0, 1, 2, 3];

/** Sums over the EVSEs below each node, by node index and kind. */
class Totals {
  /** With everything as it may be now, and as it is planned. */
  readonly start: Float64Array;
  readonly planned: Float64Array;
  /** All increases. */
  readonly rise: Float64Array;
  /** What EVSEs that are told nothing may use now beyond their plan. */
  readonly stale: Float64Array;

  constructor(nodes: number) {
    const size = nodes * KINDS.length;
    this.start = new Float64Array(size);
    this.planned = new Float64Array(size);
    this.rise = new Float64Array(size);
    this.stale = new Float64Array(size);
  }

  static place(node: SiteNode, kind: Kind): number {
    return node.index * KINDS.length + kind;
  }

  /** Adds the sums of a node to those of the node above it. */
  lift(from: SiteNode, to: SiteNode): void {
    for (const kind of KINDS) {
      const [below, above] = [Totals.place(from, kind), Totals.place(to, kind)];
      this.start[above] = real(this.start, above) + real(this.start, below);
      this.planned[above] = real(this.planned, above) + real(this.planned, below);
      this.rise[above] = real(this.rise, above) + real(this.rise, below);
      this.stale[above] = real(this.stale, above) + real(this.stale, below);
    }
  }
}

function totalsOf(
  tree: SiteTree,
  steps: readonly Step[],
  present: readonly PowerRange[],
  planned: readonly PowerRange[],
): Totals {
  const totals = new Totals(tree.nodes.length);
  const told = new Uint8Array(tree.evses.length);
  for (const { evse, old, newW } of steps) {
    told[evse.index] = 1;
    addMore(totals.rise, Totals.place(evse.node, 0), at(newW), old);
  }
  for (const { index, node } of tree.evses) {
    const [before, then] = [present[index], planned[index]];
    if (!before || !then) continue;
    const place = Totals.place(node, 0);
    addUse(totals.start, place, before);
    addUse(totals.planned, place, then);
    if (told[index] === 0) addMore(totals.stale, place, before, then);
  }
  for (const node of tree.nodes.toReversed()) if (node.parent) totals.lift(node, node.parent);
  return totals;
}

/** Adds what a range counts as, each kind at its place. */
function addUse(list: Float64Array, place: number, { minW, maxW }: PowerRange): void {
  list[place] = real(list, place) + maxW;
  list[place + 1] = real(list, place + 1) - minW;
  list[place + 2] = real(list, place + 2) + Math.max(0, maxW);
  list[place + 3] = real(list, place + 3) + Math.max(0, -minW);
}

/** The same for what a range counts above another one. */
function addMore(list: Float64Array, place: number, a: PowerRange, b: PowerRange): void {
  list[place] = real(list, place) + Math.max(0, a.maxW - b.maxW);
  list[place + 1] = real(list, place + 1) + Math.max(0, b.minW - a.minW);
  list[place + 2] = real(list, place + 2) + Math.max(0, Math.max(0, a.maxW) - Math.max(0, b.maxW));
  list[place + 3] = real(list, place + 3) + Math.max(0, Math.max(0, -a.minW) - Math.max(0, -b.minW));
}

/** One limit of one node: how much of it is used, counting the worst of every member. */
class Constraint {
  readonly node: SiteNode;
  readonly #kind: Kind;
  readonly limit: number;
  readonly start: number;
  readonly stale: number;
  /** There is more room than may be used now. */
  readonly inDoubt: boolean;
  /** Not everything may be under way at once. */
  readonly tight: boolean;
  /** Of what is confirmed while the order is searched. */
  used: number;
  /** While gates are made: what waits, what relieves it, and how much of that is counted on. */
  gate: number | undefined;
  readonly relief: number[] = [];
  cumulated = 0;
  opened = 0;
  count = 0;

  constructor(node: SiteNode, exporting: boolean, limits: AllLimits | undefined, totals: Totals) {
    this.node = node;
    const limit = (exporting ? limits?.exportW : limits?.importW) ?? 0;
    const now = (exporting ? limits?.now.exportW : limits?.now.importW) ?? 0;
    this.#kind = node.separate ? (exporting ? 3 : 2) : exporting ? 1 : 0;
    const place = Totals.place(node, this.#kind);
    const planned = real(totals.planned, place);
    this.inDoubt = now < limit && planned <= limit + LIMIT_EPS_W;
    this.limit = (this.inDoubt ? now : Math.max(limit, planned)) + LIMIT_EPS_W;
    this.start = real(totals.start, place);
    this.stale = real(totals.stale, place);
    const rise = real(totals.rise, place);
    this.tight = rise > 0 && this.start + rise > this.limit;
    this.used = this.start;
  }

  /** What a step adds when it is confirmed and nothing else is under way. */
  deltaOf({ newW, old }: Step): number {
    return countAs(this.#kind, newW, newW) - countAs(this.#kind, old.minW, old.maxW);
  }
}

export interface Ordered {
  readonly steps: readonly Step[];
  readonly gates: readonly (readonly Step[])[];
  readonly transient: readonly SiteNode[];
  /** Increases that must wait for something that is under way already. */
  readonly deferred: readonly Step[];
}

/**
 * The order of sending (fo 8.3.8). First an order is searched in which every limit holds if each step is confirmed before
 * the next one goes. Then each step waits only for so many of the relieving steps before it that the worst of old and
 * new values of all members stays within every limit. Limits that are broken now or by the plan are not made worse.
 */
export function orderSteps(
  tree: SiteTree,
  steps: readonly Step[],
  present: readonly PowerRange[],
  planned: readonly PowerRange[],
  limits: readonly AllLimits[],
): Ordered {
  const totals = totalsOf(tree, steps, present, planned);
  // Whatever goes, the others cannot be exceeded.
  const lists: (readonly Constraint[])[] = [];
  let isTight = false;
  for (const node of tree.nodes) {
    const own = limits[node.index];
    const tight = [false, true].map((exporting) => new Constraint(node, exporting, own, totals)).filter((c) => c.tight);
    const above = (node.parent && lists[node.parent.index]) ?? NO_CONSTRAINTS;
    lists[node.index] = tight.length > 0 ? [...tight, ...above] : above;
    isTight ||= tight.length > 0;
  }
  if (!isTight) return allAtOnce(steps);
  const above: Above = (evse) => lists[evse.node.index] ?? NO_CONSTRAINTS;
  const { ordered, deferred } = searchOrder(steps, above);
  return { ...gate(ordered, above), deferred };
}

const NO_CONSTRAINTS: readonly Constraint[] = [];

type Above = (evse: SiteEvse) => readonly Constraint[];

/** Whatever arrives first, no limit can be exceeded. */
function allAtOnce(steps: readonly Step[]): Ordered {
  const reductions = steps.filter((s) => s.reduction && !s.repeat);
  for (const step of steps) step.taken = true;
  return { steps: [...reductions, ...steps.filter((s) => !s.reduction)], gates: [], transient: [], deferred: [] };
}

function searchOrder(steps: readonly Step[], above: Above): { ordered: Step[]; deferred: Step[] } {
  const ordered: Step[] = [];
  const deferred: Step[] = [];
  const tooMuchFor = (step: Step) =>
    above(step.evse).filter((c) => {
      const delta = c.deltaOf(step);
      return delta > 0 && c.used + delta > c.limit;
    });
  const fits = (step: Step) => {
    if (step.after && !step.after.taken) return false;
    for (const c of above(step.evse)) {
      const delta = c.deltaOf(step);
      if (delta > 0 && c.used + delta > c.limit) return false;
    }
    return true;
  };
  const take = (step: Step) => {
    step.taken = true;
    ordered.push(step);
    for (const c of above(step.evse)) c.used += c.deltaOf(step);
  };
  const reductions = steps.filter((s) => s.reduction && !s.repeat);
  let left = passes(reductions, fits, take);
  for (const step of steps) if (step.repeat) take(step);
  left = passes([...left, ...steps.filter((s) => !s.reduction)], fits, take);
  // What never fits: reductions go all the same; increases too, unless it is only for what is still under way.
  for (const step of left.filter((s) => s.reduction)) take(step);
  left = passes(
    left.filter((s) => !s.reduction),
    fits,
    take,
  );
  for (const step of left) {
    if (tooMuchFor(step).some((c) => c.inDoubt || c.stale > LIMIT_EPS_W)) deferred.push(step);
    else take(step);
  }
  return { ordered, deferred };
}

/** Takes what fits, going to and fro between steps up and steps down; answers what never fitted. */
function passes(steps: readonly Step[], fits: (s: Step) => boolean, take: (s: Step) => void): Step[] {
  let left = [...steps];
  for (let pass = 0; pass < MAX_PASSES && left.length > 0; pass++) {
    const queues = [left.filter((s) => s.newW < s.old.maxW), left.filter((s) => s.newW >= s.old.maxW)];
    const next = [0, 0];
    const aside: Step[] = [];
    let stuck = 0;
    for (let q = 0; stuck < 2 || queues.some((queue, i) => (next[i] ?? 0) < queue.length); q = 1 - q) {
      const queue = queues[q] ?? [];
      const before = next[q] ?? 0;
      let i = before;
      for (let step = queue[i]; step && fits(step); step = queue[++i]) take(step);
      stuck = i === before ? stuck + 1 : 0;
      const head = queue[i];
      if (stuck >= 2 && head) {
        aside.push(head);
        i++;
      }
      next[q] = i;
    }
    if (aside.length === left.length) return aside;
    left = aside;
  }
  return left;
}

function gate(ordered: readonly Step[], above: Above): Omit<Ordered, 'deferred'> {
  const gates: Step[][] = [];
  const transient = new Set<SiteNode>(); // bounded by: the nodes of the site
  for (const step of ordered) {
    const waits: Wait[] = [];
    for (const c of above(step.evse)) {
      const delta = c.deltaOf(step);
      if (delta === 0) continue;
      c.gate ??= gates.push([]) - 1;
      if (delta < 0) {
        gates[c.gate]?.push(step);
        c.relief.push(-delta);
        continue;
      }
      c.cumulated += delta;
      const room = c.limit - c.start;
      while (c.cumulated > room + c.opened && c.count < c.relief.length) c.opened += c.relief[c.count++] ?? 0;
      if (c.cumulated > room + c.opened + LIMIT_EPS_W) transient.add(c.node);
      if (c.count > 0) waits.push({ gate: c.gate, count: c.count });
    }
    if (waits.length > 0) step.waits = waits;
    if (step.after && step.after.waits.length > 0) step.waits = mergeWaits(step.waits, step.after.waits);
  }
  return { ...trim(ordered, gates), transient: [...transient] };
}

/** Leaves out what nobody waits for. */
function trim(ordered: readonly Step[], gates: readonly Step[][]): Pick<Ordered, 'steps' | 'gates'> {
  const counts = gates.map(() => 0);
  for (const { waits } of ordered)
    for (const { gate, count } of waits) counts[gate] = Math.max(counts[gate] ?? 0, count);
  const trimmed = gates.map((list, i) => list.slice(0, counts[i]));
  for (const list of trimmed) for (const step of list) step.needed = true;
  return { steps: ordered.filter((s) => !s.repeat || s.needed), gates: trimmed };
}

function mergeWaits(a: readonly Wait[], b: readonly Wait[]): Wait[] {
  const counts = new Map<number, number>(); // bounded by: the gates of this call
  for (const { gate, count } of [...a, ...b]) counts.set(gate, Math.max(count, counts.get(gate) ?? 0));
  return [...counts].map(([gate, count]) => ({ gate, count }));
}
