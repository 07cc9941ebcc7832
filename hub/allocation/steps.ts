import type { SiteEvse } from './site.ts';
import type { Wait } from './types.ts';

/** What an EVSE may be doing, W signed. */
export interface PowerRange {
  readonly minW: number;
  readonly maxW: number;
}

export function at(power: number): PowerRange {
  return { minW: power, maxW: power };
}

/** A change of one EVSE; one that crosses 0 is two: down to 0, and on from there. */
export class Step {
  readonly evse: SiteEvse;
  readonly old: PowerRange;
  readonly newW: number;
  /** Nearer to 0 in both directions. */
  readonly reduction: boolean;
  /** Tells again what was told, so that others can wait for it. Left out where nobody does. */
  readonly repeat: boolean;
  /** The step to 0 that this one continues, and the reverse. */
  readonly after: Step | undefined;
  onward: Step | undefined;
  waits: readonly Wait[] = NO_WAITS;
  /** While the order is searched: it has its place. Later: its place among the commands. */
  taken = false;
  needed = false;
  position = -1;

  constructor(evse: SiteEvse, old: PowerRange, newW: number, o: { reduction: boolean; repeat: boolean; after?: Step }) {
    this.evse = evse;
    this.old = old;
    this.newW = newW;
    this.reduction = o.reduction;
    this.repeat = o.repeat;
    this.after = o.after;
    if (o.after) o.after.onward = this;
  }
}

const NO_WAITS: readonly Wait[] = [];

/** Adds the steps that lead from `old` to `newW`. */
export function addSteps(to: Step[], evse: SiteEvse, old: PowerRange, newW: number, repeat: boolean): void {
  const importRise = newW > 0 && newW > old.maxW;
  const exportRise = newW < 0 && newW < old.minW;
  const crosses = (importRise && old.minW < 0) || (exportRise && old.maxW > 0);
  if (!crosses) {
    to.push(new Step(evse, old, newW, { reduction: !importRise && !exportRise, repeat }));
    return;
  }
  const after = new Step(evse, old, 0, { reduction: true, repeat });
  to.push(after, new Step(evse, at(0), newW, { reduction: false, repeat, after }));
}
