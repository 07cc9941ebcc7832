import type { Request } from '../../../protocols/ocpp/index.ts';
import { NOMINAL_V } from '../../core/index.ts';
import { DC_NOMINAL_V } from '../regulator.ts';
import type { Unit } from '../unit.ts';

type Needs = Request<'ocpp2.0.1', 'NotifyEVChargingNeeds'>['chargingNeeds'];

const AC_MODES = ['AC_single_phase', 'AC_single_phase', 'AC_two_phase', 'AC_three_phase'] as const;

/** Wh from the state of charge now to `pct`, signed. */
export const energyToWh = ({ ev, evse }: Unit, pct: number): number =>
  ev ? Math.round(((pct - evse.socPct) / 100) * ev.battery.capacityWh) : 0;

/** What the plugged EV asks for, as 2.0.1 writes it; the amounts are whole numbers there. */
export function chargingNeeds(unit: Unit): Needs | undefined {
  const { ev, evse } = unit;
  if (!ev) return undefined;
  const energyAmount = Math.max(0, energyToWh(unit, ev.targetPct));
  const phases = Math.min(ev.phases, evse.spec.phases);
  if (phases > 0) {
    return {
      requestedEnergyTransfer: AC_MODES[phases] ?? 'AC_three_phase',
      acChargingParameters: {
        energyAmount,
        evMinCurrent: Math.ceil(ev.minCurrentA),
        evMaxCurrent: Math.floor(ev.maxImportW / NOMINAL_V / phases),
        evMaxVoltage: NOMINAL_V,
      },
    };
  }
  return {
    requestedEnergyTransfer: 'DC',
    dcChargingParameters: {
      evMaxCurrent: Math.floor(ev.maxImportW / DC_NOMINAL_V),
      evMaxVoltage: 500,
      evMaxPower: Math.round(ev.maxImportW),
      evEnergyCapacity: Math.round(ev.battery.capacityWh),
      energyAmount,
      stateOfCharge: Math.round(evse.socPct),
    },
  };
}
