import { upPass } from './plan.ts';
import { clipSums } from './root.ts';
import { siteTree } from './site.ts';
import type { Bound } from './solver.ts';
import { POC_ID, type SiteInput } from './types.ts';

/** What the EVSEs below a node could be made to do, W. */
export interface Available {
  /** A circuitId or {@link POC_ID}. */
  readonly nodeId: string;
  /** `L_k`, signed: the least that needs and limits allow. */
  readonly neededW: number;
  /** `H_k`, signed: the most that wishes and limits allow. */
  readonly wishedW: number;
  /** The same as magnitudes ≥ 0 by direction (fo 3.3). */
  readonly importMaxW: number;
  readonly exportMaxW: number;
}

export interface Availability {
  readonly total: Available;
  /** Circuits, in the order of their ids. */
  readonly circuits: readonly Available[];
}

/**
 * The bounds of step 2 with no target (fo 8.6), after limits. What runs at the moment (command intervals, minimum on and
 * off times) does not count; fixed EVSEs take room but offer nothing. `target.members`, if given, restricts it to those;
 * the others then keep their need.
 * @throws allocation.input when the site is not consistent.
 */
export function availability(input: SiteInput): Availability {
  const tree = siteTree(input);
  const names = input.target?.members && new Set(input.target.members); // bounded by: this call
  const bounds = tree.evses.map((evse): Bound => {
    const { fixed, presentW, evseId } = evse.input;
    if (fixed) return { free: false, ...fixed, nowW: Math.min(Math.max(presentW, fixed.minW), fixed.maxW) };
    const need = Math.max(evse.neededW, 0);
    if (names && !names.has(evseId)) return { free: false, minW: need, maxW: need, nowW: need };
    return { free: true, lo: evse.loW, need: evse.neededW, wish: evse.wishedW };
  });
  let total = available(POC_ID, 0, 0);
  const circuits: Available[] = [];
  upPass(tree, bounds, (node, sums, { loLimit, hiLimit }) => {
    const { need, wish } = clipSums(sums, loLimit, hiLimit);
    if (node.parent) circuits.push(available(node.id, need, wish));
    else total = available(node.id, need, wish);
  });
  return { total, circuits: circuits.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)) };
}

function available(nodeId: string, need: number, wish: number): Available {
  return {
    nodeId,
    neededW: need + 0,
    wishedW: wish + 0,
    importMaxW: Math.max(0, wish),
    exportMaxW: Math.max(0, 0 - need),
  };
}
