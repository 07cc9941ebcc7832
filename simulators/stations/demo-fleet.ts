import type { FleetFile } from './fleet.ts';

const AC_TAGS = [1, 2, 3, 4, 5, 6].map((n) => `DEMO-${n}`);
const AC_TAGS_201 = [7, 8].map((n) => `DEMO-${n}`);
const V2G_TAGS = [11, 12, 13, 14, 15, 16, 17, 18].map((n) => `DEMO-${n}`);

/** An AC station whose cars come empty and leave soon. */
const AC = {
  phases: 3,
  maxImportW: 11_040,
  arrivals: {
    firstS: [1, 4],
    gapS: [5, 15],
    stayS: [120, 300],
    arrivalPct: [15, 35],
    targetPct: [85, 95],
    cars: [{ capacityWh: 2000, phases: 3, maxImportW: 11_040 }],
  },
};

/**
 * The fleet of the demo: small batteries, so that minutes show what hours do in the field. The AC cars come empty and
 * leave soon; the V2G cars start half full, hold 60 % on their own and stay for several services.
 */
export const DEMO_FLEET: FleetFile = {
  stations: [
    { identity: 'DEMO-AC', count: 3, version: 'ocpp1.6', idTags: AC_TAGS, ...AC },
    { identity: 'DEMO-AC-4', version: 'ocpp2.0.1', idTags: AC_TAGS_201, ...AC },
    {
      identity: 'DEMO-V2G',
      count: 4,
      version: 'ocpp2.1',
      phases: 0,
      maxImportW: 11_000,
      maxExportW: 11_000,
      idTags: V2G_TAGS,
      meterIntervalS: 1,
      arrivals: {
        firstS: [1, 3],
        gapS: [5, 15],
        stayS: [600, 1500],
        arrivalPct: [48, 52],
        targetPct: [50, 50],
        cars: [{ capacityWh: 2000, phases: 0, maxImportW: 11_000, maxExportW: 11_000 }],
      },
    },
  ],
};
