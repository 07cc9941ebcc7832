import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import { noise } from '../../core/index.ts';
import { DC_NOMINAL_V } from '../regulator.ts';
import type { Unit } from '../unit.ts';
import type { Measurand } from './model.ts';

export type MeterValue21 = Request<'ocpp2.1', 'MeterValues'>['meterValue'][number];
type Sample = MeterValue21['sampledValue'][number];
type Context = NonNullable<Sample['context']>;

/** One reading of the meter (ocpp 5.1): import and export are both ≥ 0. Undefined when nothing is to be sampled. */
export function meterValue(unit: Unit, measurands: readonly Measurand[], context: Context): MeterValue21 | undefined {
  const sampledValue = measurands.flatMap((m): Sample[] => {
    const sample = sampleOf(unit, m);
    return sample ? [{ measurand: m, context, value: sample.value, unitOfMeasure: { unit: sample.unit } }] : [];
  });
  return sampledValue.length === 0 ? undefined : { timestamp: iso(unit.evse.nowMs), sampledValue };
}

function sampleOf(unit: Unit, measurand: Measurand): { value: number; unit: string } | undefined {
  const { evse, ev } = unit;
  switch (measurand) {
    case 'Power.Active.Import':
      return { value: rounded(Math.max(0, evse.powerW), 1), unit: 'W' };
    case 'Power.Active.Export':
      return { value: rounded(Math.max(0, -evse.powerW), 1), unit: 'W' };
    case 'Energy.Active.Import.Register':
      return { value: rounded(evse.importWh, 2), unit: 'Wh' };
    case 'Energy.Active.Export.Register':
      return { value: rounded(evse.exportWh, 2), unit: 'Wh' };
    case 'SoC':
      return ev && { value: rounded(evse.socPct, 1), unit: 'Percent' };
    case 'Voltage':
      return { value: rounded(dcVoltageV(unit), 1), unit: 'V' };
    case 'Power.Active.Setpoint':
      return evse.request.setpointW === undefined
        ? undefined
        : { value: rounded(evse.request.setpointW, 1), unit: 'W' };
  }
}

/** Voltage at the outlet: nominal, rising a little with the state of charge, with noise of ±1 V. */
const dcVoltageV = ({ evse }: Unit): number =>
  DC_NOMINAL_V + (evse.socPct - 50) / 5 + noise(evse.spec.seed, 0, Math.floor(evse.nowMs / 1000));

const rounded = (x: number, digits: number): number => Math.round(x * 10 ** digits) / 10 ** digits;
