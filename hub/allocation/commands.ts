import { type AllLimits, type Ordered, orderSteps } from './order.ts';
import type { Plan } from './plan.ts';
import type { SiteEvse, SiteTree } from './site.ts';
import { chooseSkipped } from './skipping.ts';
import { addSteps, at, type PowerRange, type Step } from './steps.ts';
import type { AllocationCommand, AllocationResult, EvseInput } from './types.ts';

type Commands = Pick<AllocationResult, 'commands' | 'gates' | 'transient' | 'skipped' | 'deferred'>;

/** Step 8 of fo 8.3: which changes are sent, in which order, and what the increases wait for. */
export function commandsOf(tree: SiteTree, plan: Plan, limits: readonly AllLimits[]): Commands {
  const present = tree.evses.map((evse) => presentRange(evse, plan));
  let made = send(tree, plan, present, limits, NOBODY);
  const late = lateOf(tree, made.ordered);
  // What is not sent now must not make others move for it already.
  if (late.size > 0) made = send(tree, plan, present, limits, late);
  const { steps, gates, transient, deferred } = made.ordered;
  return {
    ...merge(steps, gates),
    transient: transient.map((node) => node.id),
    skipped: idsOf([...made.skipped]),
    deferred: idsOf(deferred.map((step) => step.evse)),
  };
}

const NOBODY: ReadonlySet<SiteEvse> = new Set(); // bounded by: it stays empty

/** Whose increases a later run will bring. */
function lateOf(tree: SiteTree, { steps, deferred }: Ordered): Set<SiteEvse> {
  const waiting = tree.input.onlyNow === true ? steps.filter((step) => step.waits.length > 0 && !step.reduction) : [];
  return new Set([...deferred, ...waiting].map((step) => step.evse)); // bounded by: the EVSEs of this call
}

function send(
  tree: SiteTree,
  plan: Plan,
  present: readonly PowerRange[],
  limits: readonly AllLimits[],
  late: ReadonlySet<SiteEvse>,
): { readonly skipped: ReadonlySet<SiteEvse>; readonly ordered: Ordered } {
  const rangeNow = ({ index }: SiteEvse) => present[index] ?? at(0);
  const skipped = chooseSkipped(tree, plan, {
    present: rangeNow,
    movable: (evse) => movable(evse, plan),
    limits,
    late,
  });
  const planned = tree.evses.map(({ input }, i) => settledRange(input, present[i]));
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
  return { skipped, ordered: orderSteps(tree, steps, present, planned, limits) };
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

/** Once it does what it was told last, if it can be told anything. */
function settledRange({ fixed, inFlight, presentW }: EvseInput, present: PowerRange | undefined): PowerRange {
  return present && (fixed || !inFlight) ? present : at(presentW);
}

function presentRange(evse: SiteEvse, plan: Plan): PowerRange {
  const bound = plan.bounds[evse.index];
  if (evse.input.fixed && bound && !bound.free) return { minW: bound.minW, maxW: bound.maxW };
  const { presentW, inFlight } = evse.input;
  if (!inFlight) return at(presentW);
  return { minW: Math.min(inFlight.minW, presentW), maxW: Math.max(inFlight.maxW, presentW) };
}
