import {
  current,
  duration,
  energy,
  int,
  list,
  message,
  num,
  type Of,
  obj,
  oneOf,
  opt,
  pct,
  power,
  ramp,
  semantic,
  text,
} from '../../core/schema.ts';
import { type ArrivalSpec, BATTERY_DEFAULTS, type CarSpec, type Range } from '../core/index.ts';
import { FAULTS, type StationSpec } from './types.ts';

/** A seconds or percent range `[min, max]`. */
const seconds = () => list(duration(), { min: 2, max: 2 });
const percents = () => list(pct(), { min: 2, max: 2 });

const Car = obj({
  capacityWh: energy({ above: 0, doc: 'Usable capacity.' }),
  phases: int({ min: 0, max: 3, doc: 'AC phases it uses; 0 on DC.' }),
  minCurrentA: opt(current({ doc: 'Least charging current per phase; default 6 on AC.' })),
  maxImportW: power(),
  maxExportW: opt(power({ doc: 'Above 0 makes it bidirectional. Default 0.' })),
  taperFromPct: opt(pct({ doc: 'Default 80.' })),
  floorPct: opt(pct({ doc: 'Nothing is discharged below. Default 10.' })),
  efficiency: opt(num({ above: 0, max: 1, doc: 'One way. Default 0.95.' })),
});

const Arrivals = obj({
  firstS: seconds(),
  gapS: seconds(),
  stayS: seconds(),
  arrivalPct: percents(),
  targetPct: percents(),
  cars: list(Car, { min: 1, max: 20 }),
});

const StationEntry = obj({
  identity: text({ max: 40, doc: 'With `count` the identities are <identity>-1, <identity>-2, …' }),
  count: opt(int({ min: 1, max: 5000 })),
  version: oneOf('ocpp1.6', 'ocpp2.1'),
  evses: opt(int({ min: 1, max: 20, doc: 'EVSEs (1.6: connectors) per station. Default 1.' })),
  phases: int({ min: 0, max: 3, doc: 'AC phases; 0 = DC.' }),
  maxImportW: power(),
  maxExportW: opt(power({ doc: 'Default 0.' })),
  responseDelayS: opt(duration({ doc: 'From command to first reaction. Default 0.5.' })),
  rampWPerS: opt(ramp({ above: 0, doc: 'Default 5000.' })),
  arrivals: opt(Arrivals),
  idTags: list(text({ max: 20 }), { min: 1, max: 100 }),
  meterIntervalS: opt(duration({ doc: 'Default 2.' })),
  statusAs: opt(oneOf('StatusNotification', 'NotifyEvent', { doc: '2.1 only. Default StatusNotification.' })),
  fault: opt(oneOf(...FAULTS)),
  lateS: opt(duration({ doc: 'Delay of the fault `late`. Default 15.' })),
});

/** Which stations a simulator process plays. */
export const FleetFile = message(
  'FleetFile',
  { stations: list(StationEntry, { min: 1, max: 1000 }) },
  {
    clause: 'simulators',
    doc: 'The fleet of the station simulator.',
    example: {
      stations: [{ identity: 'CS1', version: 'ocpp1.6', phases: 3, maxImportW: 11040, idTags: ['DEMO-1'] }],
    },
    rules: ({ stations }) =>
      stations.flatMap((s, i) => {
        const at = `/stations/${i}`;
        const dc16 = s.version === 'ocpp1.6' && s.phases === 0;
        const ac21 = s.version === 'ocpp2.1' && s.phases > 0;
        return [
          ...(dc16 ? [semantic(`${at}/phases`, 'A simulated 1.6 station is AC: give it 1 to 3 phases.')] : []),
          ...(ac21 ? [semantic(`${at}/phases`, 'A simulated 2.1 station is DC: give it 0 phases.')] : []),
        ];
      }),
  },
);
export type FleetFile = Of<typeof FleetFile>;
type Entry = FleetFile['stations'][number];

/** All stations of a fleet file, with defaults filled in. */
export function stationSpecs(fleet: FleetFile): StationSpec[] {
  return fleet.stations.flatMap((entry) => {
    const { count } = entry;
    if (count === undefined) return [specOf(entry, entry.identity, entry.idTags)];
    return Array.from({ length: count }, (_, i) =>
      specOf(entry, `${entry.identity}-${i + 1}`, tagsOf(entry.idTags, i, count)),
    );
  });
}

/** Deals the tags out, so that nobody charges at two stations at once; all get all where there are too few. */
const tagsOf = (idTags: readonly string[], index: number, count: number): readonly string[] =>
  idTags.length < count ? idTags : idTags.filter((_tag, i) => i % count === index);

function specOf(e: Entry, identity: string, idTags: readonly string[]): StationSpec {
  return {
    identity,
    version: e.version,
    evses: e.evses ?? 1,
    phases: e.phases,
    maxImportW: e.maxImportW,
    maxExportW: e.maxExportW ?? 0,
    responseDelayMs: (e.responseDelayS ?? 0.5) * 1000,
    rampWPerS: e.rampWPerS ?? 5000,
    idTags,
    meterIntervalS: e.meterIntervalS ?? 2,
    statusAs: e.statusAs ?? 'StatusNotification',
    fault: e.fault ?? 'none',
    lateMs: (e.lateS ?? 15) * 1000,
    ...(e.arrivals ? { arrivals: arrivalsOf(e.arrivals) } : {}),
  };
}

const arrivalsOf = (a: NonNullable<Entry['arrivals']>): ArrivalSpec => ({
  firstMs: range(a.firstS, 1000),
  gapMs: range(a.gapS, 1000),
  stayMs: range(a.stayS, 1000),
  arrivalPct: range(a.arrivalPct),
  targetPct: range(a.targetPct),
  cars: a.cars.map(
    (c): CarSpec => ({
      battery: {
        ...BATTERY_DEFAULTS,
        capacityWh: c.capacityWh,
        maxChargeW: c.maxImportW,
        maxDischargeW: c.maxExportW ?? 0,
        ...(c.taperFromPct === undefined ? {} : { taperFromPct: c.taperFromPct }),
        ...(c.floorPct === undefined ? {} : { floorPct: c.floorPct }),
        ...(c.efficiency === undefined ? {} : { efficiency: c.efficiency }),
      },
      phases: c.phases,
      minCurrentA: c.minCurrentA ?? (c.phases === 0 ? 0 : 6),
      maxImportW: c.maxImportW,
      maxExportW: c.maxExportW ?? 0,
    }),
  ),
});

/** `[min, max]`, in the order given the file may have them in. */
function range([a = 0, b = a]: readonly number[], scale = 1): Range {
  return [Math.min(a, b) * scale, Math.max(a, b) * scale];
}

const AC_TAGS = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `DEMO-${n}`);
const V2G_TAGS = [11, 12, 13, 14, 15, 16, 17, 18].map((n) => `DEMO-${n}`);

/**
 * The fleet of the demo: small batteries, so that minutes show what hours do in the field. The AC cars come empty and
 * leave soon; the V2G cars start half full, hold 60 % on their own and stay for several services.
 */
export const DEMO_FLEET: FleetFile = {
  stations: [
    {
      identity: 'DEMO-AC',
      count: 4,
      version: 'ocpp1.6',
      phases: 3,
      maxImportW: 11_040,
      idTags: AC_TAGS,
      arrivals: {
        firstS: [1, 4],
        gapS: [5, 15],
        stayS: [120, 300],
        arrivalPct: [15, 35],
        targetPct: [85, 95],
        cars: [{ capacityWh: 2000, phases: 3, maxImportW: 11_040 }],
      },
    },
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
