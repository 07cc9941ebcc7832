import type { Version } from '../../protocols/ocpp/index.ts';
import { BATTERY_DEFAULTS, type Ev } from '../core/index.ts';
import type { Station } from './station.ts';
import type { Press, StationSpec } from './types.ts';
import type { Unit } from './unit.ts';

/** Carries out what a person does at one EVSE; what makes no sense there is ignored. */
export function press<V extends Version>(station: Station<V>, unit: Unit, what: Exclude<Press, 'powerCycle'>): void {
  switch (what) {
    case 'priorityOn':
      station.setPriority(unit, true);
      break;
    case 'priorityOff':
      station.setPriority(unit, false);
      break;
    case 'plug':
      if (!unit.ev) station.sessions.plug(unit, unit.nextCar ?? carFor(station.spec));
      break;
    case 'unplug':
      if (unit.ev) station.sessions.unplug(unit);
      break;
    case 'stop':
      station.sessions.end(unit, { reason: 'Local' });
      break;
    case 'fault':
      unit.faulted = true;
      station.sessions.end(unit, { reason: 'Other' });
      station.sync(unit);
      break;
    case 'repair':
      unit.faulted = false;
      station.sync(unit);
      break;
  }
}

/** A car that fits the station, half full with room for hours. */
function carFor({ phases, maxImportW, maxExportW, idTags }: StationSpec): Ev {
  return {
    idTag: idTags[0] ?? 'DEMO-1',
    battery: { ...BATTERY_DEFAULTS, capacityWh: 60_000, maxChargeW: maxImportW, maxDischargeW: maxExportW },
    arrivalPct: 50,
    targetPct: 80,
    phases,
    minCurrentA: phases === 0 ? 0 : 6,
    maxImportW,
    maxExportW,
    isV2G: maxExportW > 0,
    tellsNeeds: phases === 0 || maxExportW > 0,
  };
}
