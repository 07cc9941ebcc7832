import { iso } from '../../../core/clock.ts';
import type { Request } from '../../../protocols/ocpp/index.ts';
import type { Unit } from '../unit.ts';
import { chargingNeeds, energyToWh } from '../v2/needs.ts';
import { transfersOf } from './model.ts';

type Needs = Request<'ocpp2.1', 'NotifyEVChargingNeeds'>;

/** What the plugged EV needs and can do, with its V2X limits (ocpp 2.7). Energies are signed Wh from now. */
export function needs21(unit: Unit, bidirectional: boolean, departureMs?: number): Needs | undefined {
  const { ev, evse } = unit;
  const base = chargingNeeds(unit);
  if (!ev || !base) return undefined;
  const [plain, both] = transfersOf(evse.spec);
  return {
    evseId: unit.id,
    timestamp: iso(evse.nowMs),
    chargingNeeds: {
      ...base,
      // The names of transfersOf are those of the enumeration.
      requestedEnergyTransfer: (bidirectional ? both : plain) as Needs['chargingNeeds']['requestedEnergyTransfer'],
      availableEnergyTransfer: (ev.isV2G ? [plain, both] : [plain]) as NonNullable<
        Needs['chargingNeeds']['availableEnergyTransfer']
      >,
      controlMode: 'DynamicControl',
      mobilityNeedsMode: 'EVCC',
      ...(departureMs === undefined ? {} : { departureTime: iso(departureMs) }),
      ...(bidirectional ? { v2xChargingParameters: v2xParameters(unit) } : {}),
    },
  };
}

function v2xParameters(unit: Unit): NonNullable<Needs['chargingNeeds']['v2xChargingParameters']> {
  const { ev } = unit;
  if (!ev) return {};
  const { floorPct } = ev.battery;
  return {
    minChargePower: 0,
    maxChargePower: ev.maxImportW,
    minDischargePower: 0,
    maxDischargePower: ev.maxExportW,
    evTargetEnergyRequest: energyToWh(unit, ev.targetPct),
    evMinEnergyRequest: energyToWh(unit, floorPct),
    evMaxEnergyRequest: energyToWh(unit, 100),
    evMinV2XEnergyRequest: energyToWh(unit, floorPct),
    evMaxV2XEnergyRequest: energyToWh(unit, 100),
    targetSoC: Math.round(ev.targetPct),
  };
}
