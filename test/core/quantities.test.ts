import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import {
  amps,
  ampsPerPhaseToWatts,
  type FramedProtocol,
  fromLoadFrame,
  fromSi,
  hertz,
  percent,
  round3,
  round4,
  roundHalfUp,
  roundToStep,
  SIGN_FRAMES,
  seconds,
  signFrame,
  toLoadFrame,
  toSi,
  UNITS,
  vars,
  volts,
  wattHours,
  watts,
  wattsToAmpsPerPhase,
} from '../../core/quantities.ts';

function failure(fn: () => unknown): string | undefined {
  try {
    fn();
  } catch (e) {
    return codeOf(e);
  }
  return undefined;
}

/** Decimals as people and meters write them: up to 9 digits, up to 4 after the point. */
const decimal = fc
  .tuple(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.integer({ min: 0, max: 4 }))
  .map(([n, d]) => Number(`${n}e-${d}`));

describe('quantities', () => {
  it('refuse what is not a finite number', () => {
    for (const make of [watts, wattHours, amps, volts, vars, hertz, seconds, percent]) {
      for (const n of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(failure(() => make(n))).toBe('quantity.invalid');
      }
      expect(make(1)).toBe(1);
    }
    expect(failure(() => percent(100.1))).toBe('quantity.invalid');
    expect(failure(() => percent(-1))).toBe('quantity.invalid');
  });
});

describe('foreign units', () => {
  it.each([
    [11, 'kW', 11_000, 'W'],
    [1.005, 'kW', 1005, 'W'],
    [4.35, 'kWh', 4350, 'Wh'],
    [-3.3, 'kvar', -3300, 'var'],
    [0.1, 'kvarh', 100, 'varh'],
    [22, 'kVA', 22_000, 'VA'],
    [50_000, 'mHz', 50, 'Hz'],
    [55, 'Percent', 55, 'Pct'],
    [21.5, 'Celsius', 21.5, 'C'],
    [21.5, 'Celcius', 21.5, 'C'],
    [212, 'Fahrenheit', 100, 'C'],
    [273.15, 'K', 0, 'C'],
    [1.5, 'h', 5400, 's'],
  ])('%s %s is %s %s', (value, unit, si, siUnit) => {
    expect(toSi(value, unit)).toEqual({ value: si, unit: siUnit });
    expect(fromSi(si, unit)).toBe(value);
  });

  it('come back as they were, for every unit and decimal', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(UNITS)), decimal, (unit, value) => {
        const back = fromSi(toSi(value, unit).value, unit);
        if (unit === 'K' || unit === 'Fahrenheit')
          expect(Math.abs(back - value)).toBeLessThan(1e-6 + 1e-12 * Math.abs(value));
        else expect(back).toBe(value + 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('keep the order of values', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(UNITS)), decimal, decimal, (unit, a, b) => {
        if (a <= b) expect(toSi(a, unit).value).toBeLessThanOrEqual(toSi(b, unit).value);
      }),
    );
  });

  it.each(['kw', 'KW', 'WH', '', 'toString', '__proto__', 'dBm'])('%j is refused', (unit) => {
    expect(failure(() => toSi(1, unit))).toBe('quantity.unit');
    expect(failure(() => fromSi(1, unit))).toBe('quantity.unit');
  });

  it('refuse NaN', () => {
    expect(failure(() => toSi(Number.NaN, 'kW'))).toBe('quantity.invalid');
  });
});

describe('watts and amps per phase', () => {
  const phases = fc.constantFrom(1, 2, 3);
  const voltage = fc.integer({ min: 1000, max: 5000 }).map((n) => volts(n / 10));

  it.each([
    [11_040, 230, 3, 16],
    [7360, 230, 1, 32],
    [943, 230, 1, 4.1],
    [11_000, 230, 3, 15.9],
    [-11_000, 230, 3, -15.9],
    [68.9, 230, 1, 0.2],
    [0, 230, 3, 0],
  ])('%s W at %s V on %s phases is %s A', (p, u, n, i) => {
    expect(wattsToAmpsPerPhase(watts(p), volts(u), n)).toBe(i);
  });

  it('round trip for every current in steps of 0.1 A', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5000, max: 5000 }), voltage, phases, (tenths, u, n) => {
        const i = amps(tenths / 10);
        expect(wattsToAmpsPerPhase(ampsPerPhaseToWatts(i, u, n), u, n)).toBe(i + 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('never round the magnitude up, lose less than 0.1 A, and keep the order', () => {
    const power = fc.double({ min: -400_000, max: 400_000, noNaN: true }).map(watts);
    fc.assert(
      fc.property(power, power, voltage, phases, (p, q, u, n) => {
        const i = wattsToAmpsPerPhase(p, u, n);
        expect(Math.abs(ampsPerPhaseToWatts(i, u, n))).toBeLessThanOrEqual(Math.abs(p));
        expect(Math.abs(p) - Math.abs(i) * u * n).toBeLessThan(0.1 * u * n * (1 + 1e-9));
        expect(i * p).toBeGreaterThanOrEqual(0);
        expect(Object.is(i, -0)).toBe(false);
        const j = wattsToAmpsPerPhase(q, u, n);
        if (p <= q) expect(i).toBeLessThanOrEqual(j);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [0, 3],
    [-230, 3],
    [Number.NaN, 3],
    [230, 0],
    [230, 4],
    [230, 1.5],
  ])('refuse a supply of %s V on %s phases', (u, n) => {
    expect(failure(() => wattsToAmpsPerPhase(watts(1000), u as never, n))).toBe('quantity.invalid');
    expect(failure(() => ampsPerPhaseToWatts(amps(10), u as never, n))).toBe('quantity.invalid');
  });
});

describe('rounding', () => {
  it.each([
    [1.005, 2, 1.01],
    [-1.005, 2, -1.01],
    [2.5, 0, 3],
    [-2.5, 0, -3],
    [0.0004, 3, 0],
    [-0.0004, 3, 0],
    [1e21, 3, 1e21],
    [12_345.6785, 3, 12_345.679],
    [1e-10, 3, 0],
  ])('of %s to %s digits gives %s', (n, digits, expected) => {
    expect(roundHalfUp(n, digits)).toBe(expected);
  });

  it('is that of decimal arithmetic, halves away from zero', () => {
    const digits = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), digits, (millionths, d) => {
        const step = 10n ** BigInt(6 - d);
        const magnitude = millionths < 0n ? -millionths : millionths;
        const rounded = ((magnitude + step / 2n) / step) * step * (millionths < 0n ? -1n : 1n);
        expect(roundHalfUp(Number(`${millionths}e-6`), d)).toBe(Number(`${rounded}e-6`) + 0);
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves numbers that have at most 3 (frequencies 4) digits after the point alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (n) => {
        expect(round3(n / 1000)).toBe(n / 1000 + 0);
        expect(round4(n / 10_000)).toBe(n / 10_000 + 0);
      }),
    );
  });

  it('to a step goes toward zero and loses less than a step', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 50_000 }), (tenths, step) => {
        const n = tenths / 10;
        const rounded = roundToStep(n, step / 10);
        expect(Math.abs(rounded)).toBeLessThanOrEqual(Math.abs(n));
        expect(Math.abs(n) - Math.abs(rounded)).toBeLessThan(step / 10 + 1e-6);
        expect(roundToStep(rounded, step / 10)).toBe(rounded);
      }),
    );
    expect(roundToStep(-1400.9, 100)).toBe(-1400);
    expect(roundToStep(0.3, 0.1)).toBe(0.3);
    expect(failure(() => roundToStep(1, 0))).toBe('quantity.invalid');
  });
});

describe('sign frames', () => {
  /** Discharging at 10 kW; positive reactive power is absorbed (fo 2.2). */
  const DISCHARGE_W = -10_000;

  it.each([
    ['hub', 'power', -10_000, 'W'],
    ['fo1', 'power', -10_000, 'W'],
    ['ocpp2.1', 'power', -10_000, 'W'],
    ['ocpp2.1', 'curvePower', -10_000, 'W'],
    ['ocpp2.1-der', 'FixedVar.setpoint', 10_000, 'var'],
    ['ocpp2.1-der', 'FreqWatt.y', 10_000, 'W'],
    ['ocpp1.6', 'meter.export', 10, 'kW'],
    ['ocpp2.0.1', 'meter.export', 10, 'kW'],
    ['ocpp2.1', 'meter.net', -10, 'kW'],
    ['eebus', 'power', -10_000, 'W'],
    ['openadr3.0', 'power', -10, 'kW'],
    ['openadr3.1', 'power', -10, 'kW'],
    ['iec61850', 'power', 10, 'kW'],
    ['ieee2030.5', 'power', 10_000, 'W'],
    ['sunspec', 'power', 10_000, 'W'],
    ['s2', 'power', -10_000, 'W'],
    ['shapeshifter', 'power', -10_000, 'W'],
  ] as const)(
    '10 kW discharge in %s as %s is %s %s',
    <P extends FramedProtocol>(protocol: P, quantity: string, wire: number, unit: string) => {
      const q = quantity as never;
      expect(fromSi(fromLoadFrame(protocol, q, DISCHARGE_W), unit)).toBe(wire);
      expect(toLoadFrame(protocol, q, toSi(wire, unit).value)).toBe(DISCHARGE_W);
    },
  );

  it('10 kW discharge cannot be said as a ceiling, only as an export limit where there is one', () => {
    for (const protocol of ['ocpp1.6', 'ocpp2.0.1', 'ocpi', 'oscp'] as const) {
      expect(signFrame(protocol, 'power')).toBeUndefined();
      expect(failure(() => fromLoadFrame(protocol, 'importLimit', DISCHARGE_W))).toBe('quantity.direction');
    }
    expect(fromLoadFrame('oscp', 'exportLimit', 10_000)).toBe(10_000);
    expect(fromLoadFrame('ocpp2.1', 'exportLimit', 10_000)).toBe(-10_000);
    expect(toLoadFrame('ocpp2.1', 'exportLimit', -10_000)).toBe(10_000);
    expect(toLoadFrame('eebus', 'exportLimit', -10_000)).toBe(10_000);
  });

  it('absorbed vars are positive here and negative for a producer, but a positive power factor absorbs (ocpp 3.4)', () => {
    expect(fromLoadFrame('ocpp2.1', 'reactive', 2000)).toBe(2000);
    expect(fromLoadFrame('ocpp2.1-der', 'FixedVar.setpoint', 2000)).toBe(-2000);
    expect(fromLoadFrame('iec61850', 'reactive', 2000)).toBe(-2000);
    expect(fromLoadFrame('ocpp2.1-der', 'WattPF.y', 0.95)).toBe(0.95);
  });

  const frames = Object.entries(SIGN_FRAMES).flatMap(([p, qs]) =>
    Object.entries(qs).map(([q, frame]) => ({ p: p as FramedProtocol, q: q as never, frame })),
  );

  it('round trip, keep or turn the order, keep the magnitude and know no −0', () => {
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...frames), value, value, ({ p, q, frame }, a, b) => {
        const v = frame === 'magnitude' ? Math.abs(a) : a;
        const wire = fromLoadFrame(p, q, v);
        expect(Math.abs(wire)).toBe(Math.abs(v));
        expect(Object.is(wire, -0)).toBe(false);
        expect(toLoadFrame(p, q, wire)).toBe(v + 0);
        const w = frame === 'magnitude' ? Math.abs(b) : b;
        const rising = (wire - fromLoadFrame(p, q, w)) * (v - w);
        expect(frame === -1 ? -rising : rising).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('refuse what a protocol does not have, and NaN', () => {
    expect(failure(() => toLoadFrame('ocpi', 'power' as never, 1))).toBe('quantity.direction');
    expect(failure(() => toLoadFrame('modbus' as never, 'power' as never, 1))).toBe('quantity.direction');
    expect(failure(() => toLoadFrame('hub', 'toString' as never, 1))).toBe('quantity.direction');
    expect(failure(() => fromLoadFrame('hub', 'power', Number.NaN))).toBe('quantity.invalid');
  });
});
