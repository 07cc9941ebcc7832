/** The allocator (fo 8): splits a target over EVSEs below a tree of limits. Pure functions without clock or I/O. */
import { commandsOf } from './commands.ts';
import { LIMIT_EPS_W } from './forest.ts';
import type { AllLimits } from './order.ts';
import { type Plan, plan } from './plan.ts';
import { pocLimits } from './root.ts';
import { type SiteEvse, type SiteTree, siteTree } from './site.ts';
import { at } from './steps.ts';
import type { AllocationResult, Basis, Grant, LimitAlarm, SiteInput } from './types.ts';
import { Usage } from './usage.ts';

export { type Availability, availability } from './availability.ts';
export { type BoundsFlag, type BoundsInput, bounds, type EvseBounds } from './bounds.ts';
export { ALLOCATION_ERRORS } from './errors.ts';
export * from './types.ts';

/**
 * Splits the target of a site over its EVSEs (fo 8.3) and says what to send in which order. Same input, same output,
 * whatever the order of the lists. Limits win over needs, needs over the target, the target over wishes.
 *
 * With `target.members` the target is for those EVSEs alone: everybody's need comes before it, the wishes of the others
 * after it. Without a target everyone gets what is wished within the limits.
 * @throws allocation.input when the site is not consistent.
 */
export function allocate(input: SiteInput): AllocationResult {
  const tree = siteTree(input);
  const made = plan(tree);
  const limits = limitsForAll(tree, made);
  const grants = tree.byId.map((evse) => grantOf(evse, made));
  const misses = tree.evses.map((evse) => shortfallOf(evse, made));
  const { limitedBy } = made;
  return {
    grants,
    targetW: made.targetW + 0,
    sumW: total(tree.evses.map((evse) => (made.serves[evse.index] ? (made.granted[evse.index] ?? 0) : 0))),
    ...(limitedBy === undefined ? {} : { limitedBy }),
    shortfallW: total(misses),
    essW: 0 - made.solver.root.essGenW,
    alarms: alarmsOf(tree, made, limits),
    scaled: made.solver.scaled.map(({ node, direction }) => ({ nodeId: node.id, direction })),
    ...commandsOf(tree, made, limits),
  };
}

/** Limits for the sum over all EVSEs of each node; at the POC base load, generation and ESS are taken off. */
function limitsForAll(tree: SiteTree, { solver }: Plan): AllLimits[] {
  const { input } = tree;
  const { essGenW } = solver.root;
  return tree.nodes.map((node) =>
    node.parent ? node : { ...pocLimits(input, essGenW), now: pocLimits(input, essGenW, input.poc.now) },
  );
}

function alarmsOf(tree: SiteTree, made: Plan, limits: readonly AllLimits[]): LimitAlarm[] {
  const alarms: LimitAlarm[] = [];
  const usage = new Usage(tree, ({ index, input }) => {
    const bound = made.bounds[index];
    return input.fixed && bound && !bound.free ? bound : at(made.granted[index] ?? 0);
  });
  for (const node of tree.nodes) {
    for (const direction of ['import', 'export'] as const) {
      const valueW = direction === 'import' ? usage.importsOf(node) : usage.exportsOf(node);
      const limitW = limits[node.index]?.[`${direction}W`] ?? 0;
      if (valueW > limitW + 10 * LIMIT_EPS_W)
        alarms.push({ code: 'limit.unreachable', nodeId: node.id, direction, limitW, valueW });
    }
  }
  return alarms;
}

function grantOf(evse: SiteEvse, made: Plan): Grant {
  const { index, input, neededW, wishedW } = evse;
  return {
    evseId: input.evseId,
    grantedW: (made.granted[index] ?? 0) + 0,
    plannedW: (made.planned[index] ?? 0) + 0,
    neededW: neededW + 0,
    wishedW,
    basis: basisOf(evse, made),
  };
}

function basisOf(evse: SiteEvse, made: Plan): Basis {
  const { index, input, wishedW, quantumW } = evse;
  const bound = made.bounds[index];
  const planned = made.planned[index] ?? 0;
  if (input.fixed) return 'fixed';
  if (!bound?.free && input.pinnedW === undefined) return 'held';
  if (made.zero[index]) return 'zone';
  if (shortfallOf(evse, made) > 0) return 'shortfall';
  if (Math.abs(planned - wishedW) < quantumW) return 'wished';
  return bound?.free && Math.abs(planned - bound.need) < quantumW ? 'needed' : 'share';
}

/** What an EVSE misses of its need, if that is more than one step. */
function shortfallOf({ index, input, neededW, quantumW }: SiteEvse, made: Plan): number {
  if (input.fixed) return 0;
  const missing = neededW - (made.granted[index] ?? 0);
  return missing > quantumW ? missing : 0;
}

function total(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
