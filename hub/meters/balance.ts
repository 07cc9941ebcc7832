import type { PocBasis } from './types.ts';

/** What flows at a place beside the EVs, W, load convention. */
export interface Flows {
  /** What counts against imports and against exports that are in force. */
  readonly upW: number;
  readonly downW: number;
  /** The same against what would come on top. */
  readonly riseW: number;
  readonly fallW: number;
  /** What is likely. */
  readonly netW: number;
  /** Part of it that is known to be generated, W ≥ 0: it may vanish, and so may the loads that use it. */
  readonly sourcesW: number;
}

export interface NodeLimits {
  readonly importLimitW: number;
  readonly exportLimitW: number;
}

export type Netting = 'none' | 'measured';

/** What EVs may be doing at a node in the worst case, W. */
export interface Worst {
  readonly importW: number;
  readonly exportW: number;
}

/**
 * Room for the EVs of a node, W, by direction (fo 8.2). What is in force (`worst`) keeps its room while the reading may
 * be explained by it; more than that is given only where there is room whatever explains it. With `measured` netting what others
 * generate makes room for imports and what they use for exports; with `none` it only takes room away, because it may vanish at any time. A
 * margin alone never asks EVs to take power or to give it: for that the limit must be broken by what is likely.
 */
export function roomOf(limits: NodeLimits, netting: Netting, f: Flows, worst: () => Worst): Worst {
  const least = laterRoomOf(limits, netting, {
    ...f,
    upW: Math.max(f.riseW, f.upW),
    downW: Math.min(f.fallW, f.downW),
  });
  const most = laterRoomOf(limits, netting, f);
  // Costs a look at every EVSE, and is seldom needed.
  const doubt = least.importW < most.importW || least.exportW < most.exportW ? worst() : NO_DOUBT;
  return {
    importW: between(least.importW, doubt.importW, most.importW),
    exportW: between(least.exportW, doubt.exportW, most.exportW),
  };
}

/** The room there will be once the margin is gone, if what is likely turns out to be true. */
export function laterRoomOf({ importLimitW, exportLimitW }: NodeLimits, netting: Netting, f: Flows): Worst {
  const used = (w: number) => (netting === 'measured' ? w : Math.max(0, w + f.sourcesW));
  const given = (w: number) => (netting === 'measured' ? -w : Math.max(0, -w, f.sourcesW));
  return {
    importW: Math.max(importLimitW - used(f.upW), Math.min(0, importLimitW - f.netW)),
    exportW: Math.max(exportLimitW - given(f.downW), Math.min(0, exportLimitW + f.netW)),
  };
}

const NO_DOUBT: Worst = { importW: 0, exportW: 0 };

const between = (least: number, value: number, most: number): number => Math.min(Math.max(value, least), most);

/**
 * The connection point with the other loads. Its limits are such that together with `usedW − generationW` they leave
 * exactly the room; they may be negative, when others alone are beyond the limit.
 */
export function pocBasis(limits: NodeLimits, netting: Netting, f: Flows, worst: () => Worst): PocBasis {
  const room = roomOf(limits, netting, f, worst);
  const later = laterRoomOf(limits, netting, f);
  const usedW = Math.max(0, f.netW + f.sourcesW);
  return {
    importLimitW: room.importW + f.netW,
    exportLimitW: room.exportW - f.netW,
    netting,
    usedW,
    generationW: usedW - f.netW,
    later: { importLimitW: later.importW + f.netW, exportLimitW: later.exportW - f.netW },
  };
}

/**
 * While nobody knows what flows there (fo 6.4): the EVs together stay within the static share, whatever each of them does,
 * and nothing is exported.
 */
export function blindBasis(limits: NodeLimits, baseLoadW: number, staticShareW = Number.POSITIVE_INFINITY): PocBasis {
  const shareW = Math.max(0, Math.min(limits.importLimitW - baseLoadW, staticShareW));
  return {
    importLimitW: shareW + baseLoadW,
    exportLimitW: -baseLoadW,
    netting: 'none',
    usedW: baseLoadW,
    generationW: 0,
  };
}
