import { round3 } from '../../core/quantities.ts';
import { type AllocationResult, allocate, type SiteInput } from '../allocation/index.ts';
import type { Applied } from '../services/service.ts';
import type { Passed } from './passes.ts';

/** Power at the POC beyond the EVs, W, where the target is counted there. */
export function offsetOf({ target, usedW, generationW }: SiteInput): number {
  return target?.referencePoint === 'site' ? usedW - generationW : 0;
}

/** An allocation by itself, beside nobody. */
export const passedOf = (input: SiteInput): Passed => ({ input, result: allocate(input), taken: [] });

/** The members that services above it lead. */
export const takenOf = ({ taken }: Passed): Pick<Applied, 'taken'> => (taken.length === 0 ? {} : { taken });

/** What became of the target, at its reference point, with those that serve it without being led. */
export function appliedOf({ result, input }: Passed, aside: number, at: number): Applied {
  const { target } = input;
  const limitedBy = reasonOf(result, target?.members);
  const atPoc = target?.referencePoint === 'site';
  const allW = () => result.grants.reduce((sum, g) => sum + g.grantedW, 0) + offsetOf(input);
  const targetW = !atPoc ? result.targetW + aside : limitedBy === undefined ? target.setpointW : allW();
  return {
    targetW: round3(targetW),
    ...(limitedBy === undefined ? {} : { limitedBy }),
    shortfallW: round3(shortfallOf(result, target?.members)),
    at,
  };
}

/** The bound that decided; where members were given up because they cannot do so little, that is the reason (fo 8.3.6). */
function reasonOf(
  { limitedBy, grants }: AllocationResult,
  members: readonly string[] | undefined,
): Applied['limitedBy'] {
  if (limitedBy !== 'wished' && limitedBy !== 'needed') return limitedBy;
  const mine = members && new Set(members); // bounded by: the members of one service
  return grants.some((g) => g.basis === 'zone' && (mine?.has(g.evseId) ?? true)) ? 'minimum' : limitedBy;
}

/** What members miss of their need because of limits, W. */
function shortfallOf({ grants, shortfallW }: AllocationResult, members: readonly string[] | undefined): number {
  if (shortfallW === 0 || members === undefined) return shortfallW;
  const mine = new Set(members); // bounded by: the members of one service
  let sum = 0;
  for (const g of grants) if (g.basis === 'shortfall' && mine.has(g.evseId)) sum += g.neededW - g.grantedW;
  return sum;
}
