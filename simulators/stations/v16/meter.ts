import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import { currentA, NOMINAL_V, offeredImportW, voltageV } from '../../core/index.ts';
import type { Unit } from '../unit.ts';
import type { Measurand } from './config.ts';

export type MeterValue16 = Request<'ocpp1.6', 'MeterValues'>['meterValue'][number];
type Sample = MeterValue16['sampledValue'][number];
type Context = NonNullable<Sample['context']>;

const PHASES = [
  { phase: 1, line: 'L1', toNeutral: 'L1-N' },
  { phase: 2, line: 'L2', toNeutral: 'L2-N' },
  { phase: 3, line: 'L3', toNeutral: 'L3-N' },
] as const;

/** One reading of the meter; 1.6 writes numbers as strings (ocpp 5.1). Undefined when nothing is to be sampled. */
export function meterValue(unit: Unit, measurands: readonly Measurand[], context: Context): MeterValue16 | undefined {
  const sampledValue = measurands.flatMap((m) => samples(unit, m, context));
  return sampledValue.length === 0 ? undefined : { timestamp: iso(unit.evse.nowMs), sampledValue };
}

function samples(unit: Unit, measurand: Measurand, context: Context): Sample[] {
  const { metered: evse } = unit;
  if (!evse) return [];
  const phases = PHASES.slice(0, evse.spec.phases);
  const base = { context, measurand, format: 'Raw' } as const;
  switch (measurand) {
    case 'Power.Active.Import':
      return [{ ...base, value: Math.max(0, evse.powerW).toFixed(1), unit: 'W' }];
    case 'Current.Import':
      return phases.map(({ phase, line }) => ({
        ...base,
        value: Math.max(0, currentA(evse, phase)).toFixed(2),
        phase: line,
        unit: 'A',
      }));
    case 'Current.Offered':
      return [
        { ...base, value: (offeredImportW(evse) / NOMINAL_V / Math.max(1, phases.length)).toFixed(1), unit: 'A' },
      ];
    case 'Power.Offered':
      return [{ ...base, value: offeredImportW(evse).toFixed(0), unit: 'W' }];
    case 'Voltage':
      return phases.map(({ phase, toNeutral }) => ({
        ...base,
        value: voltageV(evse, phase).toFixed(1),
        phase: toNeutral,
        unit: 'V',
      }));
    case 'Energy.Active.Import.Register':
      return [{ ...base, value: evse.importWh.toFixed(2), unit: 'Wh' }];
  }
}
