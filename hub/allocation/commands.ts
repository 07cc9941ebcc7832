import { LIMIT_EPS_W } from './forest.ts';
import { type AllLimits, orderSteps } from './order.ts';
import type { Plan } from './plan.ts';
import type { SiteEvse, SiteNode, SiteTree } from './site.ts';
import { addSteps, at, type PowerRange, type Step } from './steps.ts';
import type { AllocationCommand, AllocationResult } from './types.ts';

type Commands = Pick<AllocationResult, 'commands' | 'gates' | 'transient' | 'skipped' | 'deferred'>;

/** Step 8 of fo 8.3: which changes are sent, in which order, and what the increases wait for. */
export function commandsOf(tree: SiteTree, plan: Plan, limits: readonly AllLimits[]): Commands {
  const present = tree.evses.map((evse) => presentRange(evse, plan));
  const skipped = chooseSkipped(tree, plan, present, limits);
  const planned = tree.evses.map((evse, i) => (evse.input.fixed ? present[i] : at(evse.input.presentW)) ?? at(0));
  const steps: Step[] = [];
  // The most urgent first.
  for (const evse of tree.byRank.toReversed()) {
    const { index, input } = evse;
    if (!movable(evse, plan)) continue;
    const old = present[index] ?? at(0);
    const newW = plan.granted[index] ?? 0;
    if (newW !== input.presentW && !skipped.has(evse)) {
      planned[index] = at(newW);
      addSteps(steps, evse, old, newW, false);
    } else if (old.minW < old.maxW) {
      // An earlier command is still under way; others may have to wait for it.
      addSteps(steps, evse, old, input.presentW, true);
    }
  }
  const { steps: ordered, gates, transient, deferred } = orderSteps(tree, steps, present, planned, limits);
  return {
    ...merge(ordered, gates),
    transient: transient.map((node) => node.id),
    skipped: idsOf([...skipped]),
    deferred: idsOf(deferred.map((step) => step.evse)),
  };
}

function idsOf(evses: readonly SiteEvse[]): string[] {
  return evses.map((evse) => evse.input.evseId).sort();
}

/** Crossing 0 takes one command where the way on from 0 has nothing of its own to wait for. */
function merge(ordered: readonly Step[], gates: readonly (readonly Step[])[]): Pick<Commands, 'commands' | 'gates'> {
  const commands: AllocationCommand[] = [];
  for (const step of ordered) {
    if (step.after && isDirect(step)) {
      // Confirming the one command confirms both steps.
      step.position = step.after.position;
      continue;
    }
    const told = step.onward?.taken && isDirect(step.onward) ? step.onward : step;
    step.position = commands.length;
    const phase = told.waits.length > 0 ? 'waits' : told.reduction ? 'reduction' : 'free';
    commands.push({ evseId: step.evse.input.evseId, powerW: told.newW, phase, waitsFor: told.waits });
  }
  return { commands, gates: gates.map((gate) => gate.map((step) => step.position)) };
}

/** True when the step on from 0 waits for nothing that the step to 0 did not wait for. */
function isDirect(step: Step): boolean {
  if (step.waits.length !== (step.after?.waits.length ?? 0)) return false;
  return step.waits.every((w) => step.after?.waits.some((v) => v.gate === w.gate && v.count === w.count));
}

function movable(evse: SiteEvse, plan: Plan): boolean {
  return evse.input.pinnedW !== undefined || (plan.bounds[evse.index]?.free ?? false);
}

function presentRange(evse: SiteEvse, plan: Plan): PowerRange {
  const bound = plan.bounds[evse.index];
  if (evse.input.fixed && bound && !bound.free) return { minW: bound.minW, maxW: bound.maxW };
  const { presentW, inFlight } = evse.input;
  if (!inFlight) return at(presentW);
  return { minW: Math.min(inFlight.minW, presentW), maxW: Math.max(inFlight.maxW, presentW) };
}

/**
 * Changes below max(1 % of maxW, 100 W) are not sent, except those without which a limit would be exceeded: largest
 * first, until it holds.
 */
function chooseSkipped(
  tree: SiteTree,
  plan: Plan,
  present: readonly PowerRange[],
  limits: readonly AllLimits[],
): Set<SiteEvse> {
  const skipped = new Set<SiteEvse>(); // bounded by: the EVSEs of this call
  for (const evse of tree.evses) {
    const change = Math.abs((plan.granted[evse.index] ?? 0) - evse.input.presentW);
    const small = change < Math.max(0.01 * evse.input.maxW, 100);
    if (movable(evse, plan) && change > 0 && small) skipped.add(evse);
  }
  for (let sent = skipped.size > 0; sent; ) {
    sent = false;
    const usage = usageOf(tree, (evse) => (skipped.has(evse) ? present[evse.index] : rangeAfter(evse, plan, present)));
    for (const node of tree.nodes) {
      for (const exporting of [false, true]) {
        const used = usage[node.index]?.[exporting ? 'exports' : 'imports'] ?? 0;
        const limit = limits[node.index]?.[exporting ? 'exportW' : 'importW'] ?? 0;
        if (used > limit + LIMIT_EPS_W && sendLargest(tree, node, exporting, used - limit, plan, skipped)) sent = true;
      }
      if (sent) break;
    }
  }
  return skipped;
}

function rangeAfter(evse: SiteEvse, plan: Plan, present: readonly PowerRange[]): PowerRange | undefined {
  return movable(evse, plan) ? at(plan.granted[evse.index] ?? 0) : present[evse.index];
}

function sendLargest(
  tree: SiteTree,
  node: SiteNode,
  exporting: boolean,
  excess: number,
  plan: Plan,
  skipped: Set<SiteEvse>,
): boolean {
  const size = (power: number) => {
    const value = exporting ? -power : power;
    return node.separate ? Math.max(0, value) : value;
  };
  const relief = (evse: SiteEvse) => size(evse.input.presentW) - size(plan.granted[evse.index] ?? 0);
  const small = tree.evses.slice(node.from, node.to).filter((evse) => skipped.has(evse) && relief(evse) > 0);
  small.sort((a, b) => relief(b) - relief(a) || b.index - a.index);
  let left = excess;
  for (const evse of small) {
    if (left <= LIMIT_EPS_W) break;
    left -= relief(evse);
    skipped.delete(evse);
  }
  return small.length > 0;
}

export interface Usage {
  imports: number;
  exports: number;
}

/** What counts against the import and the export limit of each node, by node index, worst case of every EVSE. */
export function usageOf(tree: SiteTree, rangeOf: (evse: SiteEvse) => PowerRange | undefined): Usage[] {
  const usage = tree.nodes.map((): Usage & { importsApart: number; exportsApart: number } => ({
    imports: 0,
    exports: 0,
    importsApart: 0,
    exportsApart: 0,
  }));
  for (const evse of tree.evses) {
    const range = rangeOf(evse) ?? at(0);
    const sum = usage[evse.node.index];
    if (!sum) continue;
    sum.imports += range.maxW;
    sum.exports -= range.minW;
    sum.importsApart += Math.max(0, range.maxW);
    sum.exportsApart += Math.max(0, -range.minW);
  }
  for (let i = tree.nodes.length - 1; i > 0; i--) {
    const from = usage[i];
    const to = usage[tree.nodes[i]?.parent?.index ?? 0];
    if (!from || !to) continue;
    to.imports += from.imports;
    to.exports += from.exports;
    to.importsApart += from.importsApart;
    to.exportsApart += from.exportsApart;
  }
  return usage.map((u, i) =>
    tree.nodes[i]?.separate
      ? { imports: u.importsApart, exports: u.exportsApart }
      : { imports: u.imports, exports: u.exports },
  );
}
