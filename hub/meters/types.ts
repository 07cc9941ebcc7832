import type { Quality } from '../../model/index.ts';

/**
 * `waiting`: none has come since the start; `good`; `substituted`: the newest value could not be believed, an older one
 * stands in for it; `lost`: there is no value that could be used (fo 6.4).
 */
export type MeterState = 'waiting' | 'good' | 'substituted' | 'lost';

/** Why a value is not used, or a meter lost. */
export type MeterFault = 'silent' | 'stale' | 'frozen' | 'implausible' | 'register' | 'missing';

/** What a meter said last. Times are epoch ms. */
export interface MeterValue {
  readonly at: number;
  /** W, load convention: import of its subject minus export. */
  readonly powerW: number;
  readonly quality: Quality;
}

/** What may be flowing through an EVSE, W signed, load convention. */
export interface PowerSpan {
  readonly lowW: number;
  readonly highW: number;
}

/** The connection point as an allocation sees it; what is not EV is taken off by `usedW − generationW` (fo 8.2). */
export interface PocBasis {
  readonly importLimitW: number;
  readonly exportLimitW: number;
  readonly netting: 'none' | 'measured';
  readonly usedW: number;
  readonly generationW: number;
  /** The limits once it is known what the EVs do; absent: the same. */
  readonly later?: { readonly importLimitW: number; readonly exportLimitW: number };
}
