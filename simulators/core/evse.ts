import type { BatterySpec } from './battery.ts';
import { afterEnergy, chargeLimitW, dischargeLimitW } from './battery.ts';
import { noise } from './prng.ts';

/** Nominal voltage between phase and neutral, V. */
export const NOMINAL_V = 230;

/** A vehicle with what it can and wants to do. */
export interface Ev {
  readonly idTag: string;
  readonly battery: BatterySpec;
  /** State of charge on arrival, %. */
  readonly arrivalPct: number;
  /** Without a setpoint it stops charging here, %. */
  readonly targetPct: number;
  /** AC phases it uses, 1–3; 0 on DC. */
  readonly phases: number;
  /** Least current per phase it can charge with, A; 0 on DC. */
  readonly minCurrentA: number;
  readonly maxImportW: number;
  /** 0 unless `isV2G`. */
  readonly maxExportW: number;
  readonly isV2G: boolean;
  /** Whether it speaks ISO 15118, so that a 2.x station can tell its needs. Default: on DC. */
  readonly tellsNeeds?: boolean;
}

/** What an EVSE is built for. */
export interface EvseSpec {
  /** Seed of the voltage noise. */
  readonly seed: number;
  /** AC phases, 0 = DC. */
  readonly phases: number;
  readonly maxImportW: number;
  readonly maxExportW: number;
  /** From the command to the first reaction of the power, ms. */
  readonly responseDelayMs: number;
  readonly rampWPerS: number;
}

/** What the station allows its EVSE, load convention; the limits are magnitudes. */
export interface PowerRequest {
  readonly importLimitW: number;
  readonly exportLimitW: number;
  /** With a setpoint the EV follows it (+ charge, − discharge); without one it takes what it wants. */
  readonly setpointW?: number;
  /** AC phases that are switched on, at most; default all. */
  readonly phases?: number;
}

export interface EvseState {
  readonly spec: EvseSpec;
  /** Epoch ms up to which the state is computed. */
  readonly nowMs: number;
  readonly ev?: Ev;
  /** State of charge of the plugged EV, %; 0 without one. */
  readonly socPct: number;
  /** Contactor: energy flows only while closed. */
  readonly closed: boolean;
  readonly request: PowerRequest;
  /** Requests that wait out the response delay, in order. */
  readonly pending: readonly { readonly dueMs: number; readonly request: PowerRequest }[];
  /** Actual power at the meter, W, load convention. */
  readonly powerW: number;
  /** Registers of the meter, Wh; they never fall. */
  readonly importWh: number;
  readonly exportWh: number;
}

/** Within a step of this length the power moves in a straight line, which makes the energy exact. */
export const SUBSTEP_MS = 100;
const MAX_PENDING = 32;

/** An EVSE with nothing plugged in and everything allowed. */
export function createEvse(spec: EvseSpec, nowMs: number): EvseState {
  const request = { importLimitW: spec.maxImportW, exportLimitW: 0 };
  return { spec, nowMs, socPct: 0, closed: false, request, pending: [], powerW: 0, importWh: 0, exportWh: 0 };
}

export const plug = (s: EvseState, ev: Ev): EvseState => ({
  ...s,
  ev,
  socPct: ev.arrivalPct,
  closed: false,
  powerW: 0,
});

export function unplug(s: EvseState): EvseState {
  const { ev: _gone, ...rest } = s;
  return { ...rest, socPct: 0, closed: false, powerW: 0 };
}

/** Opens or closes the contactor; opening ends the flow at once. */
export const contactor = (s: EvseState, closed: boolean): EvseState => ({
  ...s,
  closed: closed && s.ev !== undefined,
  powerW: closed ? s.powerW : 0,
});

/** Gives a new request; it takes effect after the response delay. */
export function command(s: EvseState, request: PowerRequest): EvseState {
  const last = s.pending.at(-1)?.request ?? s.request;
  if (sameRequest(last, request)) return s;
  const pending = [...s.pending, { dueMs: s.nowMs + s.spec.responseDelayMs, request }].slice(-MAX_PENDING);
  return { ...s, pending };
}

/** Moves the physics on by `dtMs` (≥ 0). Pure: the same state and time give the same result. */
export function step(s: EvseState, dtMs: number): EvseState {
  const endMs = s.nowMs + Math.max(0, dtMs);
  let state = applyDue(s);
  while (state.nowMs < endMs) {
    const nextDue = state.pending[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    state = applyDue(substep(state, Math.min(SUBSTEP_MS, endMs - state.nowMs, nextDue - state.nowMs)));
  }
  return state;
}

function substep(s: EvseState, dtMs: number): EvseState {
  const nowMs = s.nowMs + dtMs;
  if (!s.ev) return { ...s, nowMs };
  const hours = dtMs / 3_600_000;
  const from = s.powerW;
  const to = ramped(s, dtMs);
  const { importWh, exportWh } = energyOf(from, to, hours);
  return {
    ...s,
    nowMs,
    powerW: to,
    importWh: s.importWh + importWh,
    exportWh: s.exportWh + exportWh,
    socPct: afterEnergy(s.ev.battery, s.socPct, importWh, exportWh),
  };
}

/** Energy of a straight power line from `fromW` to `toW`, split at zero. */
export function energyOf(fromW: number, toW: number, hours: number): { importWh: number; exportWh: number } {
  if (fromW >= 0 && toW >= 0) return { importWh: ((fromW + toW) / 2) * hours, exportWh: 0 };
  if (fromW <= 0 && toW <= 0) return { importWh: 0, exportWh: (-(fromW + toW) / 2) * hours };
  const positive = Math.max(fromW, toW);
  const negative = -Math.min(fromW, toW);
  const span = positive + negative;
  return {
    importWh: (((positive / 2) * positive) / span) * hours,
    exportWh: (((negative / 2) * negative) / span) * hours,
  };
}

/** The power at the end of a substep: the ramp towards the target, at once down to what the battery still takes. */
function ramped(s: EvseState, dtMs: number): number {
  const target = targetW(s);
  const most = (s.spec.rampWPerS * dtMs) / 1000;
  const p = s.powerW + Math.min(most, Math.max(-most, target - s.powerW));
  if (!s.ev) return 0;
  const { battery } = s.ev;
  return Math.min(chargeLimitW(battery, s.socPct), Math.max(-dischargeLimitW(battery, s.socPct), p));
}

/** The power that the EVSE is heading for, W. */
export function targetW(s: EvseState): number {
  if (!s.ev || !s.closed) return 0;
  const { battery } = s.ev;
  const importW = Math.min(offeredImportW(s), s.ev.maxImportW, chargeLimitW(battery, s.socPct));
  const exportW = Math.min(s.request.exportLimitW, s.spec.maxExportW, exportAbilityW(s.ev, s.socPct));
  if (s.request.setpointW !== undefined) return Math.min(importW, Math.max(-exportW, s.request.setpointW));
  return s.socPct < s.ev.targetPct ? importW : 0;
}

/** What the station offers the EV for charging, W; 0 when it is less than the EV can charge with. */
export function offeredImportW(s: EvseState): number {
  const offered = Math.max(0, Math.min(s.request.importLimitW, s.spec.maxImportW));
  if (!s.ev || s.spec.phases === 0) return offered;
  const phases = phasesInUse(s);
  // 1 mA of tolerance: limits travel with one decimal.
  return offered / (NOMINAL_V * phases) < s.ev.minCurrentA - 0.001 ? 0 : offered;
}

const phasesInUse = ({ ev, spec, request }: EvseState): number =>
  Math.min(ev?.phases ?? 0, spec.phases, request.phases ?? spec.phases);

const exportAbilityW = (ev: Ev, socPct: number): number =>
  ev.isV2G ? Math.min(ev.maxExportW, dischargeLimitW(ev.battery, socPct)) : 0;

export type Activity = 'idle' | 'charging' | 'suspendedEV' | 'suspendedEVSE';

/** Who holds the energy back, if anybody does (OCPP SuspendedEV, SuspendedEVSE). Discharging counts as charging. */
export function activity(s: EvseState): Activity {
  if (!s.ev || !s.closed) return 'idle';
  if (targetW(s) !== 0) return 'charging';
  if (s.request.setpointW !== undefined) {
    const held = s.request.setpointW === 0 || (s.request.setpointW > 0 && offeredImportW(s) === 0);
    return held ? 'suspendedEVSE' : 'suspendedEV';
  }
  return offeredImportW(s) === 0 ? 'suspendedEVSE' : 'suspendedEV';
}

/** Voltage of a phase (1–3), V: nominal with noise of ±1 V that changes once a second. DC stations show their AC side. */
export const voltageV = (s: EvseState, phase: number): number =>
  NOMINAL_V + noise(s.spec.seed, phase, Math.floor(s.nowMs / 1000));

/** Current of a phase (1–3), A, load convention, at the actual voltage; 0 on phases the EV does not use. */
export function currentA(s: EvseState, phase: number): number {
  const phases = phasesInUse(s);
  return phase > phases ? 0 : s.powerW / phases / voltageV(s, phase);
}

function applyDue(s: EvseState): EvseState {
  const next = s.pending[0];
  if (!next || next.dueMs > s.nowMs) return s;
  return applyDue({ ...s, request: next.request, pending: s.pending.slice(1) });
}

const sameRequest = (a: PowerRequest, b: PowerRequest): boolean =>
  a.importLimitW === b.importLimitW &&
  a.exportLimitW === b.exportLimitW &&
  a.setpointW === b.setpointW &&
  a.phases === b.phases;
