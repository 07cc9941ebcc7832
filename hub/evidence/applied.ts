import { absoluteW, type ServiceEntry } from '../services/service.ts';
import type { AppliedPoint } from './types.ts';

/** What a service is led to at `now` (epoch ms), after an allocation run has put it into its course. */
export function appliedPoint({ service, course }: ServiceEntry, now: number): AppliedPoint {
  const { applied, inForce } = course;
  const asked = inForce && inForce.validUntil > now ? absoluteW(service, inForce.targetW, now) : undefined;
  return {
    at: now,
    ...(asked === undefined ? {} : { requestedW: asked }),
    ...(applied === undefined ? {} : { appliedW: applied.targetW }),
    ...(applied?.limitedBy === undefined ? {} : { limitedBy: applied.limitedBy }),
  };
}
