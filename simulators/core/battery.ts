/** A battery as the charging station sees it; powers are measured at the meter of the EVSE. */
export interface BatterySpec {
  /** Usable capacity, Wh, > 0. */
  readonly capacityWh: number;
  /** Highest charging power below the taper, W, ≥ 0. */
  readonly maxChargeW: number;
  /** Highest discharging power, W, ≥ 0. */
  readonly maxDischargeW: number;
  /** State of charge from which the charging power falls linearly, %. */
  readonly taperFromPct: number;
  /** Share of `maxChargeW` that is left just below 100 %, 0–1. */
  readonly taperToShare: number;
  /** Nothing is discharged at or below this, %. */
  readonly floorPct: number;
  /** One-way efficiency between meter and cells, 0 < η ≤ 1, the same in both directions. */
  readonly efficiency: number;
}

/** Constant power up to 80 %, then a taper to 10 %; floor at 10 %; 95 % efficient each way. */
export const BATTERY_DEFAULTS = {
  taperFromPct: 80,
  taperToShare: 0.1,
  floorPct: 10,
  efficiency: 0.95,
} as const satisfies Partial<BatterySpec>;

/** The last bit towards full or floor takes this time constant, so that a time step never runs past the end. */
const END_TIME_S = 10;
/** Closer to full or floor than this counts as there, %. */
const END_PCT = 0.1;

/** Highest charging power at this state of charge, W. */
export function chargeLimitW(b: BatterySpec, socPct: number): number {
  if (socPct >= 100 - END_PCT) return 0;
  const over = Math.max(0, (socPct - b.taperFromPct) / (100 - b.taperFromPct));
  const taperW = b.maxChargeW * (1 - over * (1 - b.taperToShare));
  const roomWh = ((100 - socPct) / 100) * b.capacityWh;
  return Math.min(taperW, (roomWh * 3600) / (END_TIME_S * b.efficiency));
}

/** Highest discharging power at this state of charge, W, ≥ 0. */
export function dischargeLimitW(b: BatterySpec, socPct: number): number {
  if (socPct <= b.floorPct + END_PCT) return 0;
  const roomWh = ((socPct - b.floorPct) / 100) * b.capacityWh;
  return Math.min(b.maxDischargeW, (roomWh * 3600 * b.efficiency) / END_TIME_S);
}

/** State of charge after these energies went through the meter, %, kept within 0–100. */
export function afterEnergy(b: BatterySpec, socPct: number, importWh: number, exportWh: number): number {
  const storedWh = importWh * b.efficiency - exportWh / b.efficiency;
  return Math.min(100, Math.max(0, socPct + (storedWh / b.capacityWh) * 100));
}
