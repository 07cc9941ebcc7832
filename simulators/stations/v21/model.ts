import type { OperationMode } from '../../core/index.ts';
import type { StationSpec } from '../types.ts';
import type { Unit } from '../unit.ts';

export const VENDOR = 'v2gate';
export const MODEL_21 = 'SimV2G21';

export const MAX_PERIODS = 24;
export const MAX_STACK_LEVEL = 10;
/** Every V2X station supports at least the first three (Q01.FR.31). */
export const OPERATION_MODES = [
  'ChargingOnly',
  'CentralSetpoint',
  'CentralFrequency',
  'Idle',
] as const satisfies OperationMode[];

/** Measurands that this station can sample. */
export const MEASURANDS = [
  'Power.Active.Import',
  'Power.Active.Export',
  'Energy.Active.Import.Register',
  'Energy.Active.Export.Register',
  'SoC',
  'Voltage',
  'Power.Active.Setpoint',
] as const;
export type Measurand = (typeof MEASURANDS)[number];

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
const isMeasurandList = (v: string): boolean =>
  v === '' || v.split(',').every((m) => MEASURANDS.some((known) => known === m.trim()));

type Place = Pick<Row, 'component' | 'variable' | 'instance' | 'unit'>;
const place = (path: string, unit?: string): Place => {
  const [, component = '', variable = '', instance] = /^(\w+)\.([\w.]+)(?:\[(.+)\])?$/.exec(path) ?? [];
  return {
    component,
    variable,
    ...(instance === undefined ? {} : { instance }),
    ...(unit === undefined ? {} : { unit }),
  };
};
const whole = (path: string, value: number, unit?: string): Row => ({
  ...place(path, unit),
  dataType: 'integer',
  value: String(value),
  check: isWhole,
});
const flag = (path: string, value: boolean): Row => ({
  ...place(path),
  dataType: 'boolean',
  value: String(value),
  check: isBool,
});
const measurands = (path: string, value: string): Row => ({
  ...place(path),
  dataType: 'MemberList',
  value,
  check: isMeasurandList,
});
const fixed = (path: string, dataType: DataType, value: string | number | boolean, unit?: string): Row => ({
  ...place(path, unit),
  dataType,
  value: String(value),
});

const SAMPLED =
  'Power.Active.Import,Power.Active.Export,Energy.Active.Import.Register,Energy.Active.Export.Register,SoC,Voltage';

/** The whole device model of a station; path syntax `Component.Variable[Instance]`. */
export function rowsOf(spec: StationSpec, units: readonly Unit[], statusOf: (unit: Unit) => string): readonly Row[] {
  return [
    fixed('ChargingStation.VendorName', 'string', VENDOR),
    fixed('ChargingStation.Model', 'string', MODEL_21),
    fixed('ChargingStation.SupplyPhases', 'integer', 3),
    { ...fixed('ChargingStation.AvailabilityState', 'OptionList', ''), value: () => stationState(units) },
    whole('OCPPCommCtrlr.HeartbeatInterval', 60, 's'),
    fixed('OCPPCommCtrlr.MessageTimeout[Default]', 'integer', 10, 's'),
    whole('OCPPCommCtrlr.MessageAttempts[TransactionEvent]', 3),
    whole('OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]', 5, 's'),
    whole('OCPPCommCtrlr.OfflineThreshold', 30, 's'),
    { ...whole('OCPPCommCtrlr.WebSocketPingInterval', 0, 's'), rebootRequired: true },
    fixed('TxCtrlr.TxStartPoint', 'MemberList', 'Authorized'),
    fixed('TxCtrlr.TxStopPoint', 'MemberList', 'Authorized,EVConnected'),
    whole('TxCtrlr.EVConnectionTimeOut', 60, 's'),
    fixed('TxCtrlr.StopTxOnEVSideDisconnect', 'boolean', true),
    flag('TxCtrlr.StopTxOnInvalidId', true),
    flag('AuthCtrlr.AuthorizeRemoteStart', false),
    whole('SampledDataCtrlr.TxUpdatedInterval', spec.meterIntervalS, 's'),
    measurands('SampledDataCtrlr.TxUpdatedMeasurands', SAMPLED),
    measurands(
      'SampledDataCtrlr.TxStartedMeasurands',
      'Energy.Active.Import.Register,Energy.Active.Export.Register,SoC',
    ),
    measurands('SampledDataCtrlr.TxEndedMeasurands', 'Energy.Active.Import.Register,Energy.Active.Export.Register,SoC'),
    ...smartCharging(),
    ...units.flatMap((unit) => perEvse(spec, unit, statusOf)),
  ];
}

function smartCharging(): Row[] {
  return [
    fixed('SmartChargingCtrlr.Available', 'boolean', true),
    fixed('SmartChargingCtrlr.Enabled', 'boolean', true),
    fixed('SmartChargingCtrlr.ProfileStackLevel', 'integer', MAX_STACK_LEVEL),
    fixed('SmartChargingCtrlr.RateUnit', 'MemberList', 'W'),
    fixed('SmartChargingCtrlr.PeriodsPerSchedule', 'integer', MAX_PERIODS),
    fixed('SmartChargingCtrlr.Entries[ChargingProfiles]', 'integer', 20),
    fixed('SmartChargingCtrlr.Phases3to1', 'boolean', false),
    fixed('SmartChargingCtrlr.SupportsDynamicProfiles', 'boolean', true),
    fixed('SmartChargingCtrlr.SupportsMaxOfflineDuration', 'boolean', true),
    fixed('SmartChargingCtrlr.SupportsLimitAtSoC', 'boolean', true),
    fixed('SmartChargingCtrlr.SupportsUseLocalTime', 'boolean', false),
    fixed('SmartChargingCtrlr.SupportsRandomizedDelay', 'boolean', false),
    fixed('SmartChargingCtrlr.SupportsEvseSleep', 'boolean', false),
    fixed('SmartChargingCtrlr.SupportedAdditionalPurposes', 'MemberList', ''),
    fixed('SmartChargingCtrlr.ExternalControlSignalsEnabled', 'boolean', false),
  ];
}

function perEvse(spec: StationSpec, unit: Unit, statusOf: (unit: Unit) => string): Row[] {
  const rows: Row[] = [
    { ...fixed('EVSE.AvailabilityState', 'OptionList', ''), value: () => statusOf(unit) },
    { ...fixed('EVSE.Power', 'decimal', '', 'W'), value: () => unit.evse.powerW.toFixed(0), maxLimit: spec.maxImportW },
    fixed('V2XChargingCtrlr.Available', 'boolean', true),
    fixed('V2XChargingCtrlr.Enabled', 'boolean', true),
    fixed('V2XChargingCtrlr.SupportedEnergyTransferModes', 'MemberList', 'DC,DC_BPT'),
    fixed('V2XChargingCtrlr.SupportedOperationModes', 'MemberList', OPERATION_MODES.join(',')),
    { ...fixed('ConnectedEV.StateOfCharge', 'decimal', '', 'Percent'), value: () => unit.evse.socPct.toFixed(1) },
    {
      ...fixed('ConnectedEV.BatteryCapacity', 'decimal', '', 'Wh'),
      value: () => String(unit.ev?.battery.capacityWh ?? 0),
    },
  ];
  return rows.map((row) => ({ ...row, evseId: unit.id }));
}

const stationState = (units: readonly Unit[]): string => (units.some((u) => u.operative) ? 'Available' : 'Unavailable');
