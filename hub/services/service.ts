import type { ServiceDecision, ServiceRequest, Setpoint, SetpointService } from '../../model/index.ts';
import type { StoreOp } from '../ports.ts';
import type { ServiceState } from './machine.ts';

/** What a target in force looks like: it came over the wire from `service` to `allocate`, or from the request. */
export interface TargetInForce {
  readonly targetW: number;
  /** Epoch ms. */
  readonly validUntil: number;
  readonly seq?: number;
}

/** What the last allocation made of the target (fo 8.3.4). */
export interface Applied {
  readonly targetW: number;
  readonly limitedBy?: 'needed' | 'wished' | 'fuse' | 'poc';
  readonly shortfallW: number;
  readonly at: number;
}

/** A message for a party that has not reached its outbox yet. */
export interface Notice {
  readonly id: string;
  readonly topic: 'hub/ServiceDecision' | 'hub/ExecutionNotice' | 'hub/CancelService';
  readonly payload: unknown;
  readonly at: number;
}

/** One flexibility service with everything that survives a restart. Plain data. */
export interface Service {
  readonly foId: string;
  readonly fsr: ServiceRequest;
  /** Canonical form of the request, to tell a repetition from a conflict (fo 4.2). */
  readonly digest: string;
  readonly state: ServiceState;
  /** Epoch ms of the acceptance; orders services of the same priority (fo 6.3). */
  readonly acceptedAt?: number;
  readonly members: readonly string[];
  readonly decision?: ServiceDecision;
  /** Frozen at acceptance (fo 6.2); absent where it cannot be computed (fo 3.8). */
  readonly baselineW?: number;
  /** The newest setpoint that was accepted, by `seq`. */
  readonly setpoint?: Setpoint;
  readonly inForce?: TargetInForce;
  /** Set while the last target has expired: since when, and from which power the ramp starts. */
  readonly fallback?: { readonly since: number; readonly fromW: number };
  readonly applied?: Applied;
  /** Since when the measured power is off by more than the tolerance; cleared when it is back. */
  readonly offSince?: number;
  readonly deviationTold?: boolean;
  /** Since when no member can be reached. */
  readonly allLostSince?: number;
  readonly outgoing: readonly Notice[];
}

export const serviceKey = (foId: string, fsrId: string): string => `${foId}/${fsrId}`;

/** The setpoint parameters of a request that is known to be of that type. */
export function setpointParameters(fsr: ServiceRequest): SetpointService | undefined {
  return fsr.serviceType === 'setpoint' && 'mode' in fsr.parameters ? fsr.parameters : undefined;
}

/** How long a setpoint holds when nothing else is said (fo 3.6): default 60 s, at most 300 s. */
export const validityMs = (p: SetpointService): number => Math.min(p.validityS ?? 60, 300) * 1000;

export function persist(service: Service, at: number): StoreOp {
  return { op: 'put', kind: 'service', key: serviceKey(service.foId, service.fsr.fsrId), at, body: service };
}
