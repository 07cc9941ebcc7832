import { MAX_PROFILES } from '../station.ts';
import { type RateUnit, rateUnitsOf, type StationSpec, VENDOR } from '../types.ts';
import type { Unit } from '../unit.ts';
import { MEASURANDS } from './meter.ts';

export const MAX_PERIODS = 24;
export const MAX_STACK_LEVEL = 10;
export const DEFAULT_ITEMS = 50;

export type DataType = 'string' | 'integer' | 'decimal' | 'boolean' | 'OptionList' | 'MemberList';

/** One variable of the device model (ocpp 6). */
export interface Row {
  readonly component: string;
  readonly evseId?: number;
  readonly variable: string;
  readonly instance?: string;
  readonly dataType: DataType;
  readonly unit?: string;
  readonly maxLimit?: number;
  /** The value from the factory, or the value of the moment. */
  readonly value: string | (() => string);
  /** Absent = read-only. */
  readonly check?: (value: string) => boolean;
  readonly rebootRequired?: boolean;
}

const isWhole = (v: string): boolean => /^\d{1,9}$/.test(v);
const isBool = (v: string): boolean => v === 'true' || v === 'false';
const isListOf =
  (known: readonly string[]) =>
  (v: string): boolean =>
    v === '' || v.split(',').every((m) => known.includes(m.trim()));

type Place = Pick<Row, 'component' | 'variable' | 'instance' | 'unit'>;

/** Path syntax: `Component.Variable[Instance]`. */
const place = (path: string, unit?: string): Place => {
  const [, component = '', variable = '', instance] = /^(\w+)\.([\w.]+)(?:\[(.+)\])?$/.exec(path) ?? [];
  return {
    component,
    variable,
    ...(instance === undefined ? {} : { instance }),
    ...(unit === undefined ? {} : { unit }),
  };
};

export const whole = (path: string, value: number, unit?: string): Row => ({
  ...place(path, unit),
  dataType: 'integer',
  value: String(value),
  check: isWhole,
});

export const flag = (path: string, value: boolean): Row => ({
  ...place(path),
  dataType: 'boolean',
  value: String(value),
  check: isBool,
});

export const fixed = (path: string, dataType: DataType, value: string | number | boolean, unit?: string): Row => ({
  ...place(path, unit),
  dataType,
  value: String(value),
});

/** The measurands that a station samples, of those that its version knows. */
export const sampleable = (spec: StationSpec, more: readonly string[] = []): readonly string[] =>
  [...MEASURANDS, ...more].filter((m) => !spec.measurands || spec.measurands.includes(m));

export interface Model {
  readonly spec: StationSpec;
  readonly name: string;
  readonly units: readonly Unit[];
  readonly statusOf: (unit: Unit) => string;
  /** Measurands beyond {@link MEASURANDS}. */
  readonly measurands?: readonly string[];
}

/** The part of the device model that 2.0.1 and 2.1 share. */
export function commonRows({ spec, name, units, statusOf, measurands: more }: Model): readonly Row[] {
  return [
    fixed('ChargingStation.VendorName', 'string', VENDOR),
    fixed('ChargingStation.Model', 'string', name),
    fixed('ChargingStation.SupplyPhases', 'integer', spec.phases === 0 ? 3 : spec.phases),
    { ...fixed('ChargingStation.AvailabilityState', 'OptionList', ''), value: () => stationState(units) },
    ...communication(spec),
    fixed('TxCtrlr.TxStartPoint', 'MemberList', 'Authorized'),
    fixed('TxCtrlr.TxStopPoint', 'MemberList', 'Authorized,EVConnected'),
    whole('TxCtrlr.EVConnectionTimeOut', 60, 's'),
    fixed('TxCtrlr.StopTxOnEVSideDisconnect', 'boolean', true),
    flag('TxCtrlr.StopTxOnInvalidId', true),
    flag('AuthCtrlr.AuthorizeRemoteStart', false),
    ...sampling(spec, sampleable(spec, more)),
    ...smartCharging(spec.smartCharging !== false, rateUnitsOf(spec)),
    ...units.flatMap((unit) => perEvse(spec, unit, statusOf)),
  ];
}

function communication(spec: StationSpec): Row[] {
  const items = spec.itemsPerMessage ?? DEFAULT_ITEMS;
  return [
    whole('OCPPCommCtrlr.HeartbeatInterval', 60, 's'),
    fixed('OCPPCommCtrlr.MessageTimeout[Default]', 'integer', 10, 's'),
    whole('OCPPCommCtrlr.MessageAttempts[TransactionEvent]', 3),
    whole('OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]', 5, 's'),
    whole('OCPPCommCtrlr.OfflineThreshold', 30, 's'),
    { ...whole('OCPPCommCtrlr.WebSocketPingInterval', 0, 's'), rebootRequired: true },
    fixed('DeviceDataCtrlr.ItemsPerMessage[GetVariables]', 'integer', items),
    fixed('DeviceDataCtrlr.ItemsPerMessage[SetVariables]', 'integer', items),
  ];
}

function sampling(spec: StationSpec, known: readonly string[]): Row[] {
  const row = (path: string, wanted: readonly string[]): Row => ({
    ...fixed(path, 'MemberList', wanted.filter((m) => known.includes(m)).join(',')),
    check: isListOf(known),
  });
  const energy = ['Energy.Active.Import.Register', 'Energy.Active.Export.Register', 'SoC'];
  const power = ['Power.Active.Import', 'Power.Active.Export'];
  return [
    whole('SampledDataCtrlr.TxUpdatedInterval', spec.meterIntervalS, 's'),
    row('SampledDataCtrlr.TxUpdatedMeasurands', [...power, ...energy, 'Voltage']),
    row('SampledDataCtrlr.TxStartedMeasurands', energy),
    row('SampledDataCtrlr.TxEndedMeasurands', energy),
  ];
}

function smartCharging(available: boolean, units: readonly RateUnit[]): Row[] {
  const known = fixed('SmartChargingCtrlr.Available', 'boolean', available);
  const enabled = fixed('SmartChargingCtrlr.Enabled', 'boolean', available);
  if (!available) return [known, enabled];
  return [
    known,
    enabled,
    fixed('SmartChargingCtrlr.ProfileStackLevel', 'integer', MAX_STACK_LEVEL),
    fixed('SmartChargingCtrlr.RateUnit', 'MemberList', units.join(',')),
    fixed('SmartChargingCtrlr.PeriodsPerSchedule', 'integer', MAX_PERIODS),
    fixed('SmartChargingCtrlr.Entries[ChargingProfiles]', 'integer', MAX_PROFILES),
    fixed('SmartChargingCtrlr.Phases3to1', 'boolean', false),
    fixed('SmartChargingCtrlr.ExternalControlSignalsEnabled', 'boolean', false),
  ];
}

/** The same rows for one EVSE. */
export const atEvse = (unit: Unit, rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, evseId: unit.id }));

function perEvse(spec: StationSpec, unit: Unit, statusOf: (unit: Unit) => string): Row[] {
  return atEvse(unit, [
    { ...fixed('EVSE.AvailabilityState', 'OptionList', ''), value: () => statusOf(unit) },
    { ...fixed('EVSE.Power', 'decimal', '', 'W'), value: () => unit.evse.powerW.toFixed(0), maxLimit: spec.maxImportW },
    fixed('EVSE.SupplyPhases', 'integer', spec.phases),
  ]);
}

const stationState = (units: readonly Unit[]): string => (units.some((u) => u.operative) ? 'Available' : 'Unavailable');
