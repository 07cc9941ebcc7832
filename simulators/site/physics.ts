import { noise } from '../core/index.ts';
import type { SiteScenario } from './scenario-file.ts';

type Base = SiteScenario['base'];
type Pv = NonNullable<SiteScenario['pv']>;
type Ess = NonNullable<SiteScenario['ess']>;

const DAY_S = 86_400;

/** Load of everything but the stations `tS` seconds after the start, W, ≥ 0. A pure function of its arguments. */
export function baseW({ points, repeatS = DAY_S, noisePct = 2 }: Base, tS: number, seed: number): number {
  const phase = ((tS % repeatS) + repeatS) % repeatS;
  const k = points.findLastIndex((p) => p.atS <= phase);
  const from = points[k] ?? { atS: 0, powerW: 0 };
  const [first] = points;
  // After the last point the line leads to the first one of the next round.
  const to = points[k + 1] ?? { atS: repeatS, powerW: first?.powerW ?? 0 };
  const share = (phase - from.atS) / Math.max(1e-9, to.atS - from.atS);
  const smooth = from.powerW + (to.powerW - from.powerW) * share;
  return smooth * (1 + (noisePct / 100) * smoothNoise(tS / 5, seed, 1));
}

/** Power of the sun `tS` seconds after the start, W, ≥ 0: a clear day, less what the clouds take. Pure. */
export function pvW(pv: Pv, tS: number, seed: number): number {
  const { peakW, dayS = DAY_S, startS = dayS / 2, cloudPct = 60, cloudS = 30 } = pv;
  const day = (((tS + startS) % dayS) + dayS) % dayS;
  const clear = Math.max(0, -Math.cos((2 * Math.PI * day) / dayS));
  // Two sizes of clouds; below 0 the sky is clear.
  const cover = 0.7 * smoothNoise(tS / cloudS, seed, 2) + 0.3 * smoothNoise((4 * tS) / cloudS, seed, 3);
  return peakW * clear * (1 - (cloudPct / 100) * Math.min(1, Math.max(0, 1.5 * cover)));
}

/** A storage: its power now (positive = charging) and its state of charge. */
export interface EssState {
  readonly powerW: number;
  readonly socPct: number;
}

export const startEss = (ess: Ess): EssState => ({ powerW: 0, socPct: ess.startPct ?? 50 });

/** Moves a storage on by `dtS` and lets it bring `restW`, the power of everything else, to its target. 95 % each way. */
export function stepEss(ess: Ess, s: EssState, restW: number, dtS: number): EssState {
  const storedWh = ((s.powerW * dtS) / 3600) * (s.powerW > 0 ? EFFICIENCY : 1 / EFFICIENCY);
  const socPct = Math.min(100, Math.max(0, s.socPct + (storedWh / ess.capacityWh) * 100));
  const wantedW = (ess.targetW ?? 0) - restW;
  const canCharge = socPct < 99.9 ? ess.maxW : 0;
  const canDischarge = socPct > 0.1 ? ess.maxW : 0;
  return { socPct, powerW: Math.min(canCharge, Math.max(-canDischarge, wantedW)) };
}

const EFFICIENCY = 0.95;

/** Noise in [−1, 1) that changes smoothly: one value per whole number, cosine in between. */
function smoothNoise(x: number, seed: number, stream: number): number {
  const cell = Math.floor(x);
  const share = (1 - Math.cos(Math.PI * (x - cell))) / 2;
  return noise(seed, stream, cell) * (1 - share) + noise(seed, stream, cell + 1) * share;
}
