import type { FleetFile } from './fleet.ts';
import type { StationSpec } from './types.ts';

export interface ManyOptions {
  readonly count: number;
  /** Dealt out in turn. */
  readonly versions: readonly StationSpec['version'][];
  readonly meterIntervalS: number;
  /** Cars arrive within this time after the start and stay a day; 0 = no cars at all. */
  readonly carsWithinS: number;
}

/** Identities are `<prefix>-1`, `<prefix>-2`, … per version. */
const PREFIX = { 'ocpp1.6': 'SIM16', 'ocpp2.0.1': 'SIM201', 'ocpp2.1': 'SIM21' } as const;

/** A large fleet: AC stations of 1.6 and 2.0.1, bidirectional DC stations of 2.1, each with a driver of its own. */
export function manyFleet(o: ManyOptions): FleetFile {
  const share = (i: number): number => Math.floor((o.count + o.versions.length - 1 - i) / o.versions.length);
  const rows = o.versions.map((version, i) => entryOf(version, share(i), o)).filter((row) => row.count > 0);
  return { stations: rows };
}

function entryOf(version: StationSpec['version'], count: number, o: ManyOptions) {
  const dc = version === 'ocpp2.1';
  const maxImportW = dc ? 22_000 : 11_040;
  const maxExportW = dc ? 22_000 : 0;
  const identity = PREFIX[version];
  const car = { capacityWh: 80_000, phases: dc ? 0 : 3, maxImportW, ...(dc ? { maxExportW } : {}) };
  return {
    identity,
    count,
    version,
    phases: dc ? 0 : 3,
    maxImportW,
    maxExportW,
    idTags: Array.from({ length: Math.min(count, MAX_TAGS) }, (_, i) => `${identity}-T${i + 1}`),
    meterIntervalS: o.meterIntervalS,
    ...(o.carsWithinS > 0
      ? {
          arrivals: {
            firstS: [0, o.carsWithinS],
            gapS: [5, 15],
            stayS: [86_400, 86_400],
            arrivalPct: [30, 50],
            targetPct: [90, 90],
            cars: [car],
          },
        }
      : {}),
  };
}

/** More tags than a fleet file takes per entry are not needed: without enough, drivers share. */
const MAX_TAGS = 1000;
