import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import { currentA, NOMINAL_V, noise, offeredImportW, voltageV } from '../../core/index.ts';
import { DC_NOMINAL_V } from '../regulator.ts';
import type { Unit } from '../unit.ts';

export type MeterValue2 = Request<'ocpp2.0.1', 'MeterValues'>['meterValue'][number];
type Sample = MeterValue2['sampledValue'][number];
type Context = NonNullable<Sample['context']>;

/** Measurands that a station of 2.0.1 can sample, of those that 2.1 knows too. */
export const MEASURANDS = [
  'Power.Active.Import',
  'Power.Active.Export',
  'Energy.Active.Import.Register',
  'Energy.Active.Export.Register',
  'SoC',
  'Voltage',
  'Current.Import',
  'Current.Offered',
  'Power.Offered',
] as const;
/** Only 2.1 has it. */
export const SETPOINT_MEASURAND = 'Power.Active.Setpoint';
export type Measurand = (typeof MEASURANDS)[number] | typeof SETPOINT_MEASURAND;

interface Value {
  readonly value: number;
  readonly unit: string;
  readonly phase?: NonNullable<Sample['phase']>;
}

/** One reading of the meter (ocpp 5.1): import and export are both ≥ 0. Undefined when nothing is to be sampled. */
export function meterValue(unit: Unit, measurands: readonly Measurand[], context: Context): MeterValue2 | undefined {
  const sampledValue = measurands.flatMap((measurand) =>
    valuesOf(unit, measurand).map(({ value, unit: name, phase }) => ({
      // Only a 2.1 station has a measurand beyond those of 2.0.1 in its lists.
      measurand: measurand as Sample['measurand'] & string,
      context,
      value,
      ...(phase === undefined ? {} : { phase }),
      unitOfMeasure: { unit: name },
    })),
  );
  return sampledValue.length === 0 ? undefined : { timestamp: iso(unit.evse.nowMs), sampledValue };
}

function valuesOf(unit: Unit, measurand: Measurand): Value[] {
  const { ev, metered: evse } = unit;
  if (!evse) return [];
  const dc = evse.spec.phases === 0;
  switch (measurand) {
    case 'Power.Active.Import':
      return [{ value: rounded(Math.max(0, evse.powerW), 1), unit: 'W' }];
    case 'Power.Active.Export':
      return [{ value: rounded(Math.max(0, -evse.powerW), 1), unit: 'W' }];
    case 'Energy.Active.Import.Register':
      return [{ value: rounded(evse.importWh, 2), unit: 'Wh' }];
    case 'Energy.Active.Export.Register':
      return [{ value: rounded(evse.exportWh, 2), unit: 'Wh' }];
    case 'SoC':
      // An AC car tells no state of charge before ISO 15118.
      return ev && dc ? [{ value: rounded(evse.socPct, 1), unit: 'Percent' }] : [];
    case 'Voltage':
      return dc ? [{ value: rounded(dcVoltageV(unit), 1), unit: 'V' }] : phases(unit, 'V');
    case 'Current.Import':
      return dc ? [{ value: rounded(Math.max(0, evse.powerW) / dcVoltageV(unit), 2), unit: 'A' }] : phases(unit, 'A');
    case 'Current.Offered':
      return [{ value: rounded(offeredImportW(evse) / offeredVoltageV(unit), 1), unit: 'A' }];
    case 'Power.Offered':
      return [{ value: rounded(offeredImportW(evse), 0), unit: 'W' }];
    case SETPOINT_MEASURAND: {
      const { setpointW } = evse.request;
      return setpointW === undefined ? [] : [{ value: rounded(setpointW, 1), unit: 'W' }];
    }
  }
}

const LINES = ['L1', 'L2', 'L3'] as const;

function phases({ metered: evse }: Unit, unit: 'A' | 'V'): Value[] {
  if (!evse) return [];
  return LINES.slice(0, evse.spec.phases).map((line, i): Value => {
    if (unit === 'V') return { value: rounded(voltageV(evse, i + 1), 1), unit, phase: `${line}-N` };
    return { value: rounded(Math.max(0, currentA(evse, i + 1)), 2), unit, phase: line };
  });
}

/** Volts by which an offered power is divided to give amperes per phase. */
const offeredVoltageV = ({ evse: { spec } }: Unit): number =>
  spec.phases === 0 ? DC_NOMINAL_V : NOMINAL_V * spec.phases;

/** Voltage at the outlet: nominal, rising a little with the state of charge, with noise of ±1 V. */
const dcVoltageV = ({ evse }: Unit): number =>
  DC_NOMINAL_V + (evse.socPct - 50) / 5 + noise(evse.spec.seed, 0, Math.floor(evse.nowMs / 1000));

const rounded = (x: number, digits: number): number => Math.round(x * 10 ** digits) / 10 ** digits;
