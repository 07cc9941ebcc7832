import {
  bool,
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
  tellsNeeds: opt(bool({ doc: 'It speaks ISO 15118: a 2.x station tells its needs. Default: on DC.' })),
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
  version: oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'),
  evses: opt(int({ min: 1, max: 20, doc: 'EVSEs (1.6: connectors) per station. Default 1.' })),
  phases: int({ min: 0, max: 3, doc: 'AC phases; 0 = DC.' }),
  maxImportW: power(),
  maxExportW: opt(power({ doc: 'Default 0.' })),
  responseDelayS: opt(duration({ doc: 'From command to first reaction. Default 0.5.' })),
  rampWPerS: opt(ramp({ above: 0, doc: 'Default 5000.' })),
  arrivals: opt(Arrivals),
  idTags: list(text({ max: 20 }), { min: 1, max: 1000 }),
  meterIntervalS: opt(duration({ doc: 'Default 2.' })),
  statusAs: opt(oneOf('StatusNotification', 'NotifyEvent', { doc: '2.x only. Default StatusNotification.' })),
  smartCharging: opt(bool({ doc: 'False: no charging profiles, only starting and stopping. Default true.' })),
  rateUnits: opt(list(oneOf('A', 'W'), { min: 1, max: 2, doc: 'Default both; 2.1 on DC: W.' })),
  measurands: opt(list(text({ max: 50 }), { max: 20, doc: 'What it can sample. Default all that is simulated.' })),
  itemsPerMessage: opt(int({ min: 1, max: 1000, doc: 'Keys or variables per message. Default 50.' })),
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
    ...(e.smartCharging === undefined ? {} : { smartCharging: e.smartCharging }),
    ...(e.rateUnits === undefined ? {} : { rateUnits: e.rateUnits }),
    ...(e.measurands === undefined ? {} : { measurands: e.measurands }),
    ...(e.itemsPerMessage === undefined ? {} : { itemsPerMessage: e.itemsPerMessage }),
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
      tellsNeeds: c.tellsNeeds ?? c.phases === 0,
    }),
  ),
});

/** `[min, max]`, in the order given the file may have them in. */
function range([a = 0, b = a]: readonly number[], scale = 1): Range {
  return [Math.min(a, b) * scale, Math.max(a, b) * scale];
}
