import { LIMIT_EPS_W } from './forest.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import type { Wait } from './types.ts';

/** Passes over what does not fit yet, before the rest goes without regard to transients at `measured` nodes. */
const MAX_PASSES = 8;

/** What an EVSE may be doing, W signed. */
export interface PowerRange {
  readonly minW: number;
  readonly maxW: number;
}

/** A change of one EVSE; one that crosses 0 is two: down to 0, and on from there. */
export interface Step {
  readonly evse: SiteEvse;
  readonly old: PowerRange;
  readonly newW: number;
  /** Nearer to 0 in both directions. */
  readonly reduction: boolean;
  /** Tells again what was told, so that others can wait for it. Left out where nobody does. */
  readonly repeat: boolean;
  /** The step to 0 that this one continues. */
  readonly after: Step | undefined;
  waits: Wait[];
}

/** The limits of one node for all EVSEs below it, magnitudes (may be negative at the POC). */
export interface AllLimits {
  readonly importW: number;
  readonly exportW: number;
}

/** One limit of one node: how much of it is used, counting the worst of every member. */
class Constraint {
  readonly node: SiteNode;
  readonly exporting: boolean;
  limit: number;
  /** Of what is confirmed while the order is searched. */
  used = 0;
  /** With everything as it may be now, and as it is planned. */
  start = 0;
  planned = 0;
  /** What EVSEs that are told nothing may use now beyond their plan. */
  stale = 0;
  /** Σ of all increases. */
  rise = 0;
  gate: number | undefined;
  readonly relief: number[] = [];
  cumulated = 0;
  opened = 0;
  count = 0;

  constructor(node: SiteNode, exporting: boolean, limit: number) {
    this.node = node;
    this.exporting = exporting;
    this.limit = limit;
  }

  valueOf(range: PowerRange): number {
    const value = this.exporting ? -range.minW : range.maxW;
    return this.node.separate ? Math.max(0, value) : value;
  }

  deltaOf(step: Step): number {
    return this.valueOf(at(step.newW)) - this.valueOf(step.old);
  }
}

export function at(power: number): PowerRange {
  return { minW: power, maxW: power };
}

/** The steps that lead from `old` to `newW`. */
export function stepsOf(evse: SiteEvse, old: PowerRange, newW: number, repeat: boolean): Step[] {
  const importRise = Math.max(newW, 0) > Math.max(old.maxW, 0);
  const exportRise = Math.max(-newW, 0) > Math.max(-old.minW, 0);
  const crosses = (importRise && old.minW < 0) || (exportRise && old.maxW > 0);
  const step = { evse, repeat, after: undefined, waits: [] };
  if (!crosses) return [{ ...step, old, newW, reduction: !importRise && !exportRise }];
  const down: Step = { ...step, old, newW: 0, reduction: true, waits: [] };
  return [down, { ...step, old: at(0), newW, reduction: false, after: down, waits: [] }];
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
  const constraints = tree.nodes.map((node): [Constraint, Constraint] => [
    new Constraint(node, false, limits[node.index]?.importW ?? 0),
    new Constraint(node, true, limits[node.index]?.exportW ?? 0),
  ]);
  const lists: Constraint[][] = [];
  for (const { index, parent } of tree.nodes) {
    lists[index] = [...(constraints[index] ?? []), ...(parent ? (lists[parent.index] ?? []) : [])];
  }
  const above = (evse: SiteEvse): readonly Constraint[] => lists[evse.node.index] ?? [];
  const told = new Set(steps.map((step) => step.evse)); // bounded by: the EVSEs of this call
  for (const evse of tree.evses) {
    for (const c of above(evse)) {
      const now = c.valueOf(present[evse.index] ?? at(0));
      const then = c.valueOf(planned[evse.index] ?? at(0));
      c.start += now;
      c.planned += then;
      if (!told.has(evse)) c.stale += Math.max(0, now - then);
    }
  }
  for (const pair of constraints) {
    for (const c of pair) {
      c.limit = Math.max(c.limit, c.planned) + LIMIT_EPS_W;
      c.used = c.start;
    }
  }
  const { ordered, deferred } = searchOrder(steps, above);
  for (const step of ordered) for (const c of above(step.evse)) c.rise += Math.max(0, c.deltaOf(step));
  return { ...gate(ordered, above), deferred };
}

function searchOrder(
  steps: readonly Step[],
  above: (evse: SiteEvse) => readonly Constraint[],
): { ordered: Step[]; deferred: Step[] } {
  const ordered: Step[] = [];
  const deferred: Step[] = [];
  const taken = new Set<Step>(); // bounded by: the steps of this call
  const tooMuchFor = (step: Step) =>
    above(step.evse).filter((c) => {
      const delta = c.deltaOf(step);
      return delta > 0 && c.used + delta > c.limit;
    });
  const fits = (step: Step) => (!step.after || taken.has(step.after)) && tooMuchFor(step).length === 0;
  const take = (step: Step) => {
    taken.add(step);
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
    if (tooMuchFor(step).some((c) => c.stale > LIMIT_EPS_W)) deferred.push(step);
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

function gate(ordered: readonly Step[], above: (evse: SiteEvse) => readonly Constraint[]): Omit<Ordered, 'deferred'> {
  const gates: Step[][] = [];
  const transient = new Set<SiteNode>(); // bounded by: the nodes of the site
  for (const step of ordered) {
    for (const c of above(step.evse)) {
      const room = c.limit - c.start;
      if (c.rise <= room) continue;
      const delta = c.deltaOf(step);
      if (delta === 0) continue;
      c.gate ??= gates.push([]) - 1;
      if (delta < 0) {
        gates[c.gate]?.push(step);
        c.relief.push(-delta);
        continue;
      }
      c.cumulated += delta;
      while (c.cumulated > room + c.opened && c.count < c.relief.length) c.opened += c.relief[c.count++] ?? 0;
      if (c.cumulated > room + c.opened + LIMIT_EPS_W) transient.add(c.node);
      if (c.count > 0) step.waits.push({ gate: c.gate, count: c.count });
    }
  }
  for (const step of ordered) if (step.after) step.waits = mergeWaits(step.waits, step.after.waits);
  return { ...trim(ordered, gates), transient: [...transient] };
}

/** Leaves out what nobody waits for. */
function trim(ordered: readonly Step[], gates: readonly Step[][]): Pick<Ordered, 'steps' | 'gates'> {
  const counts = gates.map(() => 0);
  for (const { waits } of ordered)
    for (const { gate, count } of waits) counts[gate] = Math.max(counts[gate] ?? 0, count);
  const trimmed = gates.map((list, i) => list.slice(0, counts[i]));
  const needed = new Set(trimmed.flat()); // bounded by: the steps of this call
  return { steps: ordered.filter((s) => !s.repeat || needed.has(s)), gates: trimmed };
}

function mergeWaits(a: readonly Wait[], b: readonly Wait[]): Wait[] {
  const counts = new Map<number, number>(); // bounded by: the gates of this call
  for (const { gate, count } of [...a, ...b]) counts.set(gate, Math.max(count, counts.get(gate) ?? 0));
  return [...counts].map(([gate, count]) => ({ gate, count }));
}
