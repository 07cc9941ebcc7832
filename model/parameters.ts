import {
  bool,
  duration,
  energy,
  freq,
  id,
  int,
  list,
  message,
  num,
  type Of,
  obj,
  oneOf,
  opt,
  pct,
  power,
  ramp,
  reactive,
  rocof,
  semantic,
  text,
  time,
} from '../core/schema.ts';
import { limitSeries, offsetsRise, priceSeries } from './common.ts';

export const EnergyTransfer = message(
  'EnergyTransfer',
  {
    energyWh: opt(energy()),
    targetSocPct: opt(pct()),
    by: time(),
    minSocPct: opt(pct()),
    allowExport: bool(),
    maxImportW: opt(power()),
    maxExportW: opt(power()),
    objective: oneOf('asap', 'cheapest', 'greenest', 'flat', 'foSchedule'),
    schedule: opt(limitSeries()),
  },
  {
    clause: 'fo 3.6',
    doc: 'Energy by a time. Exactly one of energyWh and targetSocPct.',
    rules: (v) =>
      (v.energyWh === undefined) === (v.targetSocPct === undefined)
        ? [semantic('/energyWh', 'give exactly one of energyWh and targetSocPct')]
        : [],
    example: { energyWh: 20000, by: '2026-03-03T06:00:00Z', allowExport: false, objective: 'flat' },
  },
);
export type EnergyTransfer = Of<typeof EnergyTransfer>;

export const SetpointService = message(
  'SetpointService',
  {
    mode: oneOf('absolute', 'relative'),
    initialW: opt(power({ signed: true })),
    minW: power({ signed: true, doc: 'Lowest setpoint that will be sent.' }),
    maxW: power({ signed: true, doc: 'Highest setpoint that will be sent.' }),
    rampWPerS: opt(ramp()),
    toleranceW: power(),
    updateIntervalS: duration(),
    validityS: opt(duration({ doc: 'Default 60, at most 300.' })),
    reactiveVar: opt(reactive({ signed: true })),
  },
  {
    clause: 'fo 3.6, fo 7.2 UC 2.1',
    doc: 'Parameters of setpoint following.',
    rules: (v) => {
      const issues = [];
      if (v.minW > v.maxW) issues.push(semantic('/minW', 'minW is above maxW'));
      if (v.initialW !== undefined && (v.initialW < v.minW || v.initialW > v.maxW)) {
        issues.push(semantic('/initialW', 'initialW lies outside minW … maxW'));
      }
      if ((v.validityS ?? 60) > 300) issues.push(semantic('/validityS', 'validityS is at most 300'));
      return issues;
    },
    example: {
      mode: 'absolute',
      initialW: 20000,
      minW: -20000,
      maxW: 44000,
      toleranceW: 500,
      updateIntervalS: 10,
      validityS: 60,
    },
  },
);
export type SetpointService = Of<typeof SetpointService>;

export const DemandResponse = message(
  'DemandResponse',
  {
    level: opt(int({ min: 0, max: 3 })),
    limits: opt(limitSeries()),
    prices: opt(priceSeries()),
    voluntary: bool(),
    expectedDeltaW: opt(power({ signed: true })),
  },
  { clause: 'fo 3.6', doc: 'Price or level signals.', example: { level: 1, voluntary: true } },
);
export type DemandResponse = Of<typeof DemandResponse>;

export const Droop = message(
  'Droop',
  {
    curve: oneOf('pf', 'qu', 'pu'),
    points: list(obj({ x: num({ min: 0, max: 100_000 }), y: num({ min: -1e9, max: 1e9 }) }), { min: 2, max: 20 }),
    yMode: oneOf('absoluteW', 'relativeW', 'absoluteVar'),
    deadband: opt(obj({ low: num({ min: 0, max: 100_000 }), high: num({ min: 0, max: 100_000 }) })),
    hysteresis: opt(num({ min: 0, max: 100_000 })),
    delayS: opt(duration()),
    responseTimeS: duration(),
    measurement: oneOf('local', 'central'),
    rampWPerS: opt(ramp()),
  },
  {
    clause: 'fo 3.6',
    doc: 'Curve that a device follows by itself; x in Hz (pf) or volts line-to-neutral (qu, pu). A falling curve is refused as unstable.',
    rules: (v) => {
      const rising = v.points.every((p, i) => i === 0 || p.x > (v.points[i - 1]?.x ?? p.x));
      const stable = v.points.every((p, i) => i === 0 || p.y >= (v.points[i - 1]?.y ?? p.y));
      return [
        ...(rising ? [] : [semantic('/points', 'x must strictly increase')]),
        ...(stable ? [] : [{ path: '/points', code: 'param.unstable', message: 'y must not decrease with x' }]),
      ];
    },
    example: {
      curve: 'pf',
      points: [
        { x: 49.8, y: -10000 },
        { x: 49.99, y: 0 },
        { x: 50.01, y: 0 },
        { x: 50.2, y: 10000 },
      ],
      yMode: 'absoluteW',
      responseTimeS: 2,
      measurement: 'local',
    },
  },
);
export type Droop = Of<typeof Droop>;

export const Ffr = message(
  'Ffr',
  {
    side: oneOf('under', 'over'),
    triggerHz: freq(),
    rocofHzPerS: opt(rocof()),
    deltaW: power({ signed: true }),
    activationTimeS: duration(),
    supportS: duration(),
    deactivateWPerS: opt(ramp()),
    recovery: obj({ delayS: duration(), maxAbsW: power(), completeByS: duration() }),
    rearmS: duration(),
  },
  {
    clause: 'fo 3.6',
    doc: 'Fast frequency response, armed ahead and triggered locally.',
    example: {
      side: 'under',
      triggerHz: 49.7,
      deltaW: -10000,
      activationTimeS: 1.3,
      supportS: 30,
      recovery: { delayS: 10, maxAbsW: 2500, completeByS: 900 },
      rearmS: 900,
    },
  },
);
export type Ffr = Of<typeof Ffr>;

export const Tertiary = message(
  'Tertiary',
  {
    upW: opt(power()),
    downW: opt(power()),
    blockS: duration(),
    fullActivationS: duration(),
    sustainS: duration(),
    minNoticeS: duration(),
    bidRef: opt(text({ max: 128 })),
  },
  {
    clause: 'fo 3.6',
    doc: 'Reserved power that is activated on demand.',
    example: { upW: 20000, blockS: 1800, fullActivationS: 900, sustainS: 1800, minNoticeS: 300 },
  },
);
export type Tertiary = Of<typeof Tertiary>;

export const DynamicPrice = message(
  'DynamicPrice',
  {
    currency: text({ max: 3 }),
    import: priceSeries(),
    export: opt(priceSeries()),
    publishedAt: time(),
    source: text({ max: 128 }),
    autonomy: oneOf('gateway', 'ev', 'inform'),
  },
  {
    clause: 'fo 3.6',
    doc: 'Prices to which gateway, EMS or EV react. Negative prices are valid.',
    example: {
      currency: 'EUR',
      import: {
        start: '2026-03-02T00:00:00Z',
        end: '2026-03-03T00:00:00Z',
        points: [{ offsetS: 0, pricePerKWh: '0.21' }],
      },
      publishedAt: '2026-03-01T13:00:00Z',
      source: 'day-ahead',
      autonomy: 'gateway',
    },
  },
);
export type DynamicPrice = Of<typeof DynamicPrice>;

export const Congestion = message(
  'Congestion',
  {
    gridNode: id(),
    limits: limitSeries(),
    reduceByW: opt(power()),
    firm: bool({ doc: 'A ceiling that must hold at every instant.' }),
  },
  {
    clause: 'fo 3.6, fo 7.2 UC 2.7',
    doc: 'Limits over time for a congested grid node.',
    rules: (v) =>
      offsetsRise(v.limits.points) ? [] : [semantic('/limits/points', 'offsets start at 0 and strictly increase')],
    example: {
      gridNode: 'node:7',
      limits: {
        start: '2026-03-02T17:00:00Z',
        end: '2026-03-02T19:00:00Z',
        points: [{ offsetS: 0, importLimitW: 20000 }],
      },
      firm: true,
    },
  },
);
export type Congestion = Of<typeof Congestion>;
