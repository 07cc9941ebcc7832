import { defaultResourceId, type EvseRecord, type Poc, type SiteFile, type StationRecord } from '../../model/index.ts';

/** One EVSE with every default of the site file filled in. Watts, seconds, volts; limits are magnitudes. */
export interface Resource {
  readonly resourceId: string;
  readonly identity: string;
  /** EVSE number at the station; connector number in OCPP 1.6. */
  readonly evse: number;
  readonly circuitId?: string;
  readonly current: 'ac' | 'dc';
  readonly phases: number;
  readonly voltageV: number;
  readonly maxImportW: number;
  readonly maxExportW: number;
  readonly minImportW: number;
  readonly minExportW: number;
  readonly stepW: number;
  /** Absent: unknown. */
  readonly responseTimeS?: number;
  readonly rampWPerS?: number;
  readonly accuracyW: number;
  readonly minOnS: number;
  readonly minOffS: number;
  /** Absent: by protocol version (fo 8.3.8). */
  readonly minCommandIntervalS?: number;
  /** What it may draw and feed while nobody can reach it (fo 6.4). */
  readonly offlineImportW: number;
  readonly offlineExportW: number;
  /** True when the site allows export and nothing speaks against its conformity (fo 8.4 G8). */
  readonly exportAllowed: boolean;
  /** The most it may ever draw and feed; a shared object, because limits are looked up often. */
  readonly limits: { readonly importLimitW: number; readonly exportLimitW: number };
}

/** Least current of a charging EV (IEC 61851), used where the site file names no least import. */
const MIN_CHARGING_A = 6;

export function resourceOf(station: StationRecord, record: EvseRecord, file: SiteFile): Resource {
  const phases = record.current === 'dc' ? 1 : (record.phases ?? 3);
  const voltageV = record.nominalVoltageV ?? file.poc.nominalVoltageV;
  const ac = record.current === 'ac';
  const maxExportW = record.maxExportW ?? 0;
  const exportAllowed = maxExportW > 0 && conforms(record, file);
  return {
    resourceId: record.resourceId ?? defaultResourceId(station.identity, record.evse),
    identity: station.identity,
    evse: record.evse,
    ...(record.circuitId === undefined || !hasCircuit(file, record.circuitId) ? {} : { circuitId: record.circuitId }),
    current: record.current,
    phases,
    voltageV,
    maxImportW: record.maxImportW,
    maxExportW,
    minImportW: record.minImportW ?? (ac ? MIN_CHARGING_A * voltageV * phases : 0),
    minExportW: record.minExportW ?? 0,
    stepW: record.stepW ?? 1,
    ...(record.responseTimeS === undefined ? {} : { responseTimeS: record.responseTimeS }),
    ...(record.rampWPerS === undefined ? {} : { rampWPerS: record.rampWPerS }),
    accuracyW: record.accuracyW ?? 100,
    minOnS: record.minOnS ?? (ac ? 120 : 0),
    minOffS: record.minOffS ?? (ac ? 120 : 0),
    ...(record.minCommandIntervalS === undefined ? {} : { minCommandIntervalS: record.minCommandIntervalS }),
    offlineImportW: record.offlineImportW ?? record.maxImportW,
    offlineExportW: record.offlineExportW ?? 0,
    exportAllowed,
    limits: { importLimitW: record.maxImportW, exportLimitW: exportAllowed ? maxExportW : 0 },
  };
}

/** Stations that were accepted at run time may outlive the circuit they were on; they then count at the POC. */
const hasCircuit = (file: SiteFile, circuitId: string): boolean =>
  file.circuits?.some((c) => c.circuitId === circuitId) ?? false;

function conforms(record: EvseRecord, file: SiteFile): boolean {
  if (record.conformity === undefined) return true;
  return file.credentials?.some((c) => c.credentialId === record.conformity && c.status === 'valid') ?? false;
}

export function resourcesOf(file: SiteFile, extra: readonly StationRecord[] = []): Resource[] {
  return [...file.stations, ...extra].flatMap((s) => s.evses.map((e) => resourceOf(s, e, file)));
}

/** Values of an EVSE beyond so many times what it is built for, and this on top, are not believed (fo 6.4), W. */
const BEYOND = 1.5;
const BEYOND_W = 1_000;

/** The greatest power that is believed of an EVSE, W. */
export const evseMostW = (maxImportW: number, maxExportW: number): number =>
  BEYOND * Math.max(maxImportW, maxExportW) + BEYOND_W;

/** Netting of a node: `measured` at the POC, `none` at a fuse, unless the file says otherwise (fo 8.2). */
export const nettingOfPoc = (poc: Poc): 'none' | 'measured' => poc.netting ?? 'measured';
