import { duration, list, obj, oneOf, opt, pct, power, price, time } from '../core/schema.ts';

/** Where a number is meant to hold (fo 2.3): EVSE grid-side terminals, sum of a group, whole site at the POC. */
export const referencePoint = () => oneOf('evse', 'group', 'site');

/** How far a value can be trusted (fo 3.3). */
export const quality = () => oneOf(...QUALITIES);
export const QUALITIES = ['good', 'estimated', 'substituted', 'missing'] as const;
export type Quality = (typeof QUALITIES)[number];

/** A step function (fo 2.1): offsets start at 0 and strictly increase, a value holds until the next offset. */
export const limitSeries = () =>
  obj({
    start: time(),
    end: time(),
    points: list(
      obj({
        offsetS: duration(),
        importLimitW: opt(power()),
        exportLimitW: opt(power()),
        powerW: opt(power({ signed: true })),
      }),
      { min: 1, max: 1000 },
    ),
  });

/** A step function of prices, currency per kWh as decimal text (fo 2.1). */
export const priceSeries = () =>
  obj({
    start: time(),
    end: time(),
    points: list(obj({ offsetS: duration(), pricePerKWh: price() }), { min: 1, max: 1000 }),
  });

/** A step function of power, signed in load convention. */
export const powerSeries = () =>
  obj({
    start: time(),
    end: time(),
    points: list(obj({ offsetS: duration(), powerW: power({ signed: true }) }), { min: 1, max: 1000 }),
  });

/** A step function of what a group could do (fo 3.3, AvailabilityReport). */
export const availabilitySeries = () =>
  obj({
    start: time(),
    end: time(),
    points: list(
      obj({
        offsetS: duration(),
        importMaxW: power(),
        exportMaxW: power(),
        neededW: power({ signed: true }),
        confidencePct: opt(pct()),
      }),
      { min: 1, max: 1000 },
    ),
  });

/** True when the offsets of a series start at 0 and strictly increase (fo 2.1). */
export function offsetsRise(points: readonly { readonly offsetS: number }[]): boolean {
  return points.every((p, i) => (i === 0 ? p.offsetS === 0 : p.offsetS > (points[i - 1]?.offsetS ?? -1)));
}
