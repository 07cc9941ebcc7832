import {
  effectiveAt,
  NOMINAL_V,
  type OperationMode,
  type PowerRequest,
  type Profile,
  type ProfileContext,
} from '../core/index.ts';
import type { StationSpec } from './types.ts';
import type { Unit } from './unit.ts';

/** Voltage at which a rate in A counts on the DC side, V. */
export const DC_NOMINAL_V = 400;

/** What the profile engine has to know of an EVSE. */
export function contextOf(unit: Unit, offlineSinceMs: number | undefined): ProfileContext {
  const { spec, ev, socPct } = unit.evse;
  const { tx } = unit;
  const dc = spec.phases === 0;
  return {
    evseId: unit.id,
    nominalV: dc ? DC_NOMINAL_V : NOMINAL_V,
    phases: dc ? 0 : Math.min(spec.phases, ev?.phases ?? spec.phases),
    ...(ev ? { socPct } : {}),
    ...(tx ? { transactionId: tx.id, energyStartMs: tx.startedMs, priorityActive: tx.priority } : {}),
    ...(offlineSinceMs === undefined ? {} : { offlineSinceMs }),
  };
}

/** Purposes that all EVSEs of a station share. */
const STATION_WIDE: readonly Profile['purpose'][] = ['ChargingStationMaxProfile', 'ChargingStationExternalConstraints'];

export interface Regulation {
  readonly unit: Unit;
  readonly request: PowerRequest;
  readonly mode: OperationMode;
}

/** What the profiles demand of each EVSE at `nowMs`, the station maximum shared among them (ocpp 2.5 step 5). */
export function regulate(
  units: readonly Unit[],
  profiles: readonly Profile[],
  nowMs: number,
  offlineSinceMs: number | undefined,
): Regulation[] {
  const wanted = units.map((unit) => regulateOne(unit, profiles, nowMs, contextOf(unit, offlineSinceMs)));
  const maxima = profiles.filter((p) => STATION_WIDE.includes(p.purpose));
  const first = units[0];
  if (!first || units.length === 1 || maxima.length === 0) return wanted;
  const capW = effectiveAt(maxima, nowMs, contextOf(first, offlineSinceMs)).limitW;
  return capW === undefined ? wanted : shared(wanted, capW);
}

function regulateOne(unit: Unit, profiles: readonly Profile[], nowMs: number, ctx: ProfileContext): Regulation {
  const { limitW, dischargeLimitW, setpointW, mode, numberPhases } = effectiveAt(profiles, nowMs, ctx);
  const { maxImportW, maxExportW } = unit.evse.spec;
  const importLimitW = Math.min(maxImportW, Math.max(0, limitW ?? maxImportW));
  const phases = ctx.phases > 0 && numberPhases !== undefined ? { phases: numberPhases } : {};
  if (setpointW === undefined) return { unit, mode, request: { importLimitW, exportLimitW: 0, ...phases } };
  const allowedW = dischargeLimitW === undefined ? maxExportW : Math.min(maxExportW, Math.max(0, -dischargeLimitW));
  const exportLimitW = unit.tx?.v2xAllowed ? allowedW : 0;
  return { unit, mode, request: { importLimitW, exportLimitW, setpointW, ...phases } };
}

/** What the fault `lie` makes of a request: half as much again and 1 kW more, as far as the station can. */
export function exaggerated(request: PowerRequest, spec: Pick<StationSpec, 'maxImportW' | 'maxExportW'>): PowerRequest {
  const more = (powerW: number): number => powerW * 1.5 + (powerW < 0 ? -1000 : 1000);
  const { importLimitW, exportLimitW, setpointW } = request;
  return {
    ...request,
    importLimitW: Math.min(spec.maxImportW, more(importLimitW)),
    exportLimitW: setpointW === undefined ? exportLimitW : Math.min(spec.maxExportW, more(exportLimitW)),
    ...(setpointW === undefined ? {} : { setpointW: more(setpointW) }),
  };
}

/** Scales what the EVSEs may charge with in proportion, so that the sum keeps the cap. */
function shared(wanted: readonly Regulation[], capW: number): Regulation[] {
  const takes = ({ unit, request }: Regulation): number =>
    unit.tx ? Math.min(request.importLimitW, Math.max(0, request.setpointW ?? request.importLimitW)) : 0;
  const sumW = wanted.reduce((sum, r) => sum + takes(r), 0);
  const share = sumW > capW ? Math.max(0, capW) / sumW : 1;
  return wanted.map((r) => ({
    ...r,
    request: { ...r.request, importLimitW: share < 1 ? takes(r) * share : r.request.importLimitW },
  }));
}
