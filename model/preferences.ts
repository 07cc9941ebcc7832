import {
  bool,
  energy,
  energyPerDay,
  id,
  list,
  message,
  num,
  type Of,
  obj,
  opt,
  pct,
  semantic,
  text,
  time,
} from '../core/schema.ts';

export const Preferences = message(
  'Preferences',
  {
    evRef: id(),
    departureAt: opt(time()),
    minSocPct: opt(pct()),
    targetSocPct: opt(pct()),
    energyWh: opt(energy()),
    minRangeKm: opt(num({ min: 0, max: 10_000, doc: 'Kept as given.' })),
    allowExport: bool(),
    maxExportWhPerDay: opt(energyPerDay()),
    chargeNow: bool({ doc: 'Is an opt-out of that EV until unplug or cleared.' }),
    consents: opt(list(obj({ purpose: text({ max: 64 }), given: bool(), at: time() }), { max: 32 })),
    validUntil: time(),
    updatedAt: time({ doc: 'The later one wins.' }),
  },
  {
    clause: 'fo 3.10',
    doc: "A driver's wishes for one EV.",
    rules: (v) =>
      v.targetSocPct !== undefined && v.energyWh !== undefined
        ? [semantic('/energyWh', 'give targetSocPct or energyWh, not both')]
        : [],
    example: {
      evRef: 'ev:x7',
      departureAt: '2026-03-03T06:00:00Z',
      targetSocPct: 80,
      allowExport: true,
      chargeNow: false,
      validUntil: '2026-03-03T06:00:00Z',
      updatedAt: '2026-03-02T16:00:00Z',
    },
  },
);
export type Preferences = Of<typeof Preferences>;
