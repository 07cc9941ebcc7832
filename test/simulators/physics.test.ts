import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArrivalSpec,
  type ArrivalState,
  activity,
  BATTERY_DEFAULTS,
  type BatterySpec,
  chargeLimitW,
  command,
  contactor,
  createEvse,
  createPrng,
  currentA,
  dischargeLimitW,
  type Ev,
  type EvseState,
  energyOf,
  nextArrivalEvent,
  type PowerRequest,
  plug,
  SUBSTEP_MS,
  startArrivals,
  step,
  unplug,
  voltageV,
} from '../../simulators/core/index.ts';

const START = Date.UTC(2026, 0, 1);
const battery: BatterySpec = { ...BATTERY_DEFAULTS, capacityWh: 2000, maxChargeW: 11_000, maxDischargeW: 11_000 };
const v2g: Ev = {
  idTag: 'DEMO-1',
  battery,
  arrivalPct: 50,
  targetPct: 60,
  phases: 0,
  minCurrentA: 0,
  maxImportW: 11_000,
  maxExportW: 11_000,
  isV2G: true,
};
const acCar: Ev = { ...v2g, phases: 3, minCurrentA: 6, maxExportW: 0, isV2G: false, targetPct: 90 };
const dc = { seed: 1, phases: 0, maxImportW: 11_000, maxExportW: 11_000, responseDelayMs: 300, rampWPerS: 10_000 };
const ac = { ...dc, phases: 3, maxImportW: 11_040, maxExportW: 0 };

const charging = (spec: typeof dc, ev: Ev): EvseState => contactor(plug(createEvse(spec, START), ev), true);

const aRequest: fc.Arbitrary<PowerRequest> = fc.record(
  {
    importLimitW: fc.integer({ min: 0, max: 15_000 }),
    exportLimitW: fc.integer({ min: 0, max: 15_000 }),
    setpointW: fc.integer({ min: -15_000, max: 15_000 }),
  },
  { requiredKeys: ['importLimitW', 'exportLimitW'] },
);
const aRun = fc.record({
  arrivalPct: fc.double({ min: 0, max: 100, noNaN: true }),
  targetPct: fc.double({ min: 0, max: 100, noNaN: true }),
  capacityWh: fc.integer({ min: 50, max: 100_000 }),
  requests: fc.array(fc.tuple(aRequest, fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 12 }),
});

describe('EVSE physics', () => {
  it('registers are the integral of the power, and the state of charge follows them', () => {
    fc.assert(
      fc.property(aRun, ({ arrivalPct, targetPct, capacityWh, requests }) => {
        const cells = { ...battery, capacityWh };
        let s = charging(dc, { ...v2g, arrivalPct, targetPct, battery: cells });
        let [importWh, exportWh] = [0, 0];
        for (const [request, ticks] of requests) {
          s = command(s, request);
          for (let i = 0; i < ticks; i++) {
            const before = s.powerW;
            s = step(s, SUBSTEP_MS);
            const e = energyOf(before, s.powerW, SUBSTEP_MS / 3_600_000);
            importWh += e.importWh;
            exportWh += e.exportWh;
          }
        }
        expect(s.importWh).toBeCloseTo(importWh, 6);
        expect(s.exportWh).toBeCloseTo(exportWh, 6);
        const stored = (arrivalPct / 100) * capacityWh + importWh * 0.95 - exportWh / 0.95;
        expect((s.socPct / 100) * capacityWh).toBeCloseTo(stored, 3);
      }),
      { numRuns: 150 },
    );
  });

  it('power and state of charge never leave their bounds, whatever is asked', () => {
    fc.assert(
      fc.property(aRun, fc.integer({ min: 1, max: 5000 }), ({ arrivalPct, targetPct, capacityWh, requests }, dtMs) => {
        let s = charging(dc, { ...v2g, arrivalPct, targetPct, battery: { ...battery, capacityWh } });
        const floor = Math.min(arrivalPct, battery.floorPct);
        for (const [request, ticks] of requests) {
          s = command(s, request);
          for (let i = 0; i < ticks; i++) {
            const before = s;
            s = step(s, dtMs);
            expect(s.socPct).toBeGreaterThanOrEqual(floor - 1e-9);
            expect(s.socPct).toBeLessThanOrEqual(100);
            expect(Math.abs(s.powerW)).toBeLessThanOrEqual(11_000);
            expect(s.importWh).toBeGreaterThanOrEqual(before.importWh);
            expect(s.exportWh).toBeGreaterThanOrEqual(before.exportWh);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a power line through zero is split exactly', () => {
    const e = energyOf(1000, -3000, 1);
    expect(e.importWh).toBeCloseTo(125, 9);
    expect(e.exportWh).toBeCloseTo(1125, 9);
  });

  it('a setpoint waits out the response delay and then ramps', () => {
    let s = command(charging(dc, v2g), { importLimitW: 11_000, exportLimitW: 11_000, setpointW: -5000 });
    s = step(s, 300);
    expect(s.powerW).toBe(3000);
    s = step(s, 500);
    expect(s.powerW).toBe(-2000);
    s = step(s, 300);
    expect(s.powerW).toBe(-5000);
    expect(activity(s)).toBe('charging');
  });

  it('the same request again does not restart the delay', () => {
    const request = { importLimitW: 4000, exportLimitW: 0 };
    let s = step(command(charging(dc, v2g), request), 200);
    s = step(command(s, { ...request }), 100);
    expect(s.request).toEqual(request);
  });

  it('charging tapers above 80 % and ends when full; discharging ends at the floor', () => {
    expect(chargeLimitW(battery, 79)).toBe(11_000);
    expect(chargeLimitW(battery, 90)).toBeCloseTo(6050, 6);
    expect(chargeLimitW(battery, 100)).toBe(0);
    expect(dischargeLimitW(battery, 50)).toBe(11_000);
    expect(dischargeLimitW(battery, 10)).toBe(0);
  });

  it('below 6 A per phase the car pauses and the station is the one that suspends', () => {
    const start = step(charging(ac, acCar), 3000);
    expect(start.powerW).toBeCloseTo(11_000, 6);
    const sixAmps = step(command(start, { importLimitW: 6 * 690, exportLimitW: 0 }), 5000);
    expect(sixAmps.powerW).toBeCloseTo(4140, 6);
    const less = step(command(start, { importLimitW: 5.9 * 690, exportLimitW: 0 }), 5000);
    expect(less.powerW).toBe(0);
    expect(activity(less)).toBe('suspendedEVSE');
  });

  it('a car that has what it wanted is the one that suspends', () => {
    const s = step(charging(ac, { ...acCar, arrivalPct: 95 }), 3000);
    expect(s.powerW).toBe(0);
    expect(activity(s)).toBe('suspendedEV');
  });

  it('a car without V2G never discharges', () => {
    const one: Ev = { ...v2g, isV2G: false };
    const s = step(command(charging(dc, one), { importLimitW: 11_000, exportLimitW: 11_000, setpointW: -5000 }), 9000);
    expect(s.powerW).toBe(0);
    expect(activity(s)).toBe('suspendedEV');
  });

  it('opening the contactor or leaving ends the flow at once and keeps the registers', () => {
    const s = step(charging(ac, acCar), 10_000);
    expect(contactor(s, false).powerW).toBe(0);
    const gone = step(unplug(s), 1000);
    expect(gone).toMatchObject({ powerW: 0, importWh: s.importWh });
  });

  it('a single-phase car loads one phase, and voltage noise is small and repeatable', () => {
    const s = step(charging({ ...ac, maxImportW: 11_040 }, { ...acCar, phases: 1, maxImportW: 3680 }), 5000);
    expect(currentA(s, 1) * voltageV(s, 1)).toBeCloseTo(3680, 6);
    expect(currentA(s, 2)).toBe(0);
    for (const phase of [1, 2, 3]) expect(Math.abs(voltageV(s, phase) - 230)).toBeLessThanOrEqual(1);
    expect(voltageV(s, 1)).not.toBe(voltageV(step(s, 1000), 1));
    expect(voltageV(s, 1)).toBe(voltageV({ ...s }, 1));
  });
});

const spec: ArrivalSpec = {
  firstMs: [1000, 4000],
  gapMs: [5000, 15_000],
  stayMs: [120_000, 300_000],
  arrivalPct: [20, 50],
  targetPct: [80, 90],
  cars: [acCar, { ...acCar, phases: 1, maxImportW: 3680 }],
};

/** Arrivals and physics of one EVSE for an hour, one line per event. */
function trace(seed: number): string[] {
  const lines: string[] = [];
  let evse = createEvse({ ...ac, seed }, START);
  let cars: ArrivalState = startArrivals(spec, seed, START, ['DEMO-1', 'DEMO-2']);
  for (let t = START; t < START + 3_600_000; t += 250) {
    for (let e = nextArrivalEvent(cars, t, ['DEMO-1', 'DEMO-2']); e; e = nextArrivalEvent(cars, t, ['DEMO-1'])) {
      cars = e.state;
      evse = e.event.kind === 'arrive' ? contactor(plug(evse, e.event.visit.ev), true) : unplug(evse);
      lines.push(`${t - START} ${e.event.kind} ${e.event.visit.ev.idTag} ${evse.importWh} ${voltageV(evse, 1)}`);
    }
    evse = step(evse, 250);
  }
  return lines;
}

describe('a run', () => {
  it('repeats itself for a seed and differs for another', () => {
    expect(trace(1)).toEqual(trace(1));
    expect(trace(2)).not.toEqual(trace(1));
  });

  it('brings the first car within seconds and the next one soon after it left', () => {
    const at = trace(7).map((line) => ({ t: Number(line.split(' ')[0]), kind: line.split(' ')[1] }));
    expect(at[0]?.t).toBeLessThanOrEqual(4250);
    expect(at.length).toBeGreaterThan(20);
    for (const [i, e] of at.entries()) {
      const next = at[i + 1];
      if (!next) continue;
      const [min, max] = e.kind === 'arrive' ? spec.stayMs : spec.gapMs;
      expect(next.t - e.t).toBeGreaterThanOrEqual(min - 250);
      expect(next.t - e.t).toBeLessThanOrEqual(max + 250);
    }
  });

  it('draws evenly', () => {
    const random = createPrng(42);
    const draws = Array.from({ length: 4000 }, () => random.next());
    expect(draws.reduce((a, b) => a + b, 0) / 4000).toBeCloseTo(0.5, 1);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    for (const bin of [0, 1, 2, 3]) {
      const n = draws.filter((x) => Math.floor(x * 4) === bin).length;
      expect(n).toBeGreaterThan(850);
      expect(n).toBeLessThan(1150);
    }
  });
});
