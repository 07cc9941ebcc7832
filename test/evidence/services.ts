import { canonical } from '../../core/json.ts';
import type { Service } from '../../hub/services/service.ts';
import type { ServiceRequest } from '../../model/index.ts';
import type { Rig } from './rig.ts';

export interface Wish {
  readonly fsrId?: string;
  readonly start?: string;
  readonly end?: string;
  readonly intervalS?: number;
  readonly members?: readonly string[];
  readonly referencePoint?: ServiceRequest['target']['referencePoint'];
  readonly parameters?: ServiceRequest['parameters'];
  readonly serviceType?: ServiceRequest['serviceType'];
  readonly contractId?: string;
}

/** A request of `fo:test` for three minutes, ten minutes after the start of the clock. */
export function requestOf(w: Wish = {}): ServiceRequest {
  const members = w.members ?? ['V2G-1.1', 'AC-1.1'];
  return {
    fsrId: w.fsrId ?? 'N-1',
    revision: 1,
    contractId: w.contractId ?? 'C-1',
    serviceType: w.serviceType ?? 'setpoint',
    target: { resourceIds: [...members], referencePoint: w.referencePoint ?? 'group' },
    window: { start: w.start ?? '2026-01-01T00:10:00Z', end: w.end ?? '2026-01-01T00:13:00Z' },
    decisionBy: '2026-01-01T00:00:10Z',
    mandatory: false,
    priority: 5,
    parameters: w.parameters ?? { mode: 'absolute', minW: -10_000, maxW: 30_000, toleranceW: 300, updateIntervalS: 4 },
    fallback: { onExpiry: 'zero' },
    proof: { intervalS: w.intervalS ?? 60, signed: true, meterLevel: 'evse' },
  };
}

/** A service as the desk would have accepted it. */
export function accepted(r: Rig, w: Wish = {}, patch: Partial<Service> = {}): Service {
  const fsr = requestOf(w);
  const members = w.members ?? ['V2G-1.1', 'AC-1.1'];
  return r.change({
    fsr,
    digest: canonical(fsr),
    state: 'accepted',
    members,
    acceptedAt: r.clock.now(),
    baselineW: 0,
    decision: { fsrId: fsr.fsrId, revision: 1, decision: 'accepted', baseline: { method: 'zero', powerW: 0 } },
    ...patch,
  });
}

/** Ends it as the supervisor would. */
export function ended(r: Rig, service: Service, state: 'completed' | 'aborted' | 'failed' = 'completed'): Service {
  const now = r.services.get(service.fsr.fsrId) ?? service;
  return r.change({ fsr: now.fsr, state, endedAt: r.clock.now() });
}
