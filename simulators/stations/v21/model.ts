import type { OperationMode } from '../../core/index.ts';
import { type StationSpec, VENDOR } from '../types.ts';
import type { Unit } from '../unit.ts';
import { SETPOINT_MEASURAND } from '../v2/meter.ts';
import { atEvse, commonRows, fixed, type Row } from '../v2/rows.ts';

export { VENDOR };
export const MODEL_21 = 'SimV2G21';

/** Every V2X station supports at least the first three (Q01.FR.31). */
export const OPERATION_MODES = [
  'ChargingOnly',
  'CentralSetpoint',
  'CentralFrequency',
  'Idle',
] as const satisfies OperationMode[];

/** Energy transfers of a station by its phases; the last one is bidirectional. */
export const transfersOf = ({ phases }: Pick<StationSpec, 'phases'>): readonly [string, string] => {
  if (phases === 0) return ['DC', 'DC_BPT'];
  return [phases === 1 ? 'AC_single_phase' : 'AC_three_phase', 'AC_BPT'];
};

/** Whether it can give power back at all. */
export const isV2X = ({ maxExportW, smartCharging }: StationSpec): boolean => maxExportW > 0 && smartCharging !== false;

/** The whole device model of a 2.1 station. */
export function rowsOf(spec: StationSpec, units: readonly Unit[], statusOf: (unit: Unit) => string): readonly Row[] {
  const common = commonRows({ spec, name: MODEL_21, units, statusOf, measurands: [SETPOINT_MEASURAND] });
  return [
    ...common,
    ...(spec.smartCharging === false ? [] : SMART_CHARGING),
    ...units.flatMap((unit) => perEvse(spec, unit)),
  ];
}

const SMART_CHARGING: readonly Row[] = [
  fixed('SmartChargingCtrlr.SupportsDynamicProfiles', 'boolean', true),
  fixed('SmartChargingCtrlr.SupportsMaxOfflineDuration', 'boolean', true),
  fixed('SmartChargingCtrlr.SupportsLimitAtSoC', 'boolean', true),
  fixed('SmartChargingCtrlr.SupportsUseLocalTime', 'boolean', false),
  fixed('SmartChargingCtrlr.SupportsRandomizedDelay', 'boolean', false),
  fixed('SmartChargingCtrlr.SupportsEvseSleep', 'boolean', false),
  fixed('SmartChargingCtrlr.SupportedAdditionalPurposes', 'MemberList', 'PriorityCharging'),
];

function perEvse(spec: StationSpec, unit: Unit): Row[] {
  const [plain, both] = transfersOf(spec);
  const v2x = isV2X(spec);
  return atEvse(unit, [
    fixed('V2XChargingCtrlr.Available', 'boolean', v2x),
    fixed('V2XChargingCtrlr.Enabled', 'boolean', v2x),
    fixed('V2XChargingCtrlr.SupportedEnergyTransferModes', 'MemberList', v2x ? `${plain},${both}` : plain),
    fixed('V2XChargingCtrlr.SupportedOperationModes', 'MemberList', OPERATION_MODES.join(',')),
    { ...fixed('ConnectedEV.StateOfCharge', 'decimal', '', 'Percent'), value: () => unit.evse.socPct.toFixed(1) },
    {
      ...fixed('ConnectedEV.BatteryCapacity', 'decimal', '', 'Wh'),
      value: () => String(unit.ev?.battery.capacityWh ?? 0),
    },
  ]);
}
