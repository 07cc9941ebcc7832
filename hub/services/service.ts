import type { ServiceDecision, ServiceRequest, Setpoint, SetpointService } from '../../model/index.ts';
import type { ServiceState } from './machine.ts';

/** What a target in force looks like: it came over the wire from `service` to `allocate`, or from the request. */
export interface TargetInForce {
  /** As the FO said it: relative services count from the baseline. */
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

/** Since when the last target has expired, and from which power the ramp of the fallback starts. */
export interface FallbackState {
  readonly since: number;
  readonly fromW: number;
}

/** The record of one flexibility service: what is stored before anybody is told. Plain data. */
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
  /** Frozen at acceptance (fo 6.2), W; absent where it cannot be computed (fo 3.8). */
  readonly baselineW?: number;
  /** `initialW` of the request is in force until then. */
  readonly initialUntil?: number;
  /** The FO wants it to end earlier than its window. */
  readonly cancel?: { readonly at: number; readonly reason: string; readonly rampS?: number };
  /** The fallback that the FO was told about; gone when it was told `resumed`. */
  readonly fallback?: FallbackState;
  readonly outgoing: readonly Notice[];
}

/** What moves while a service runs. After a restart it is found again from the record, the newest setpoint and meters. */
export interface Course {
  /** The newest setpoint that was accepted, by `seq`; stored beside the record. */
  setpoint?: Setpoint;
  inForce?: TargetInForce;
  fallback?: FallbackState;
  applied?: Applied;
  /** What the FO was told that its setpoint would become, W. */
  promise?: { readonly seq: number; readonly targetW: number };
  /** Where the ramp of the request stands. */
  ramp?: { readonly targetW: number; readonly at: number };
  /** The way to the fallback after an early end; over at `until`. */
  tail?: { readonly since: number; readonly until: number; readonly fromW: number; readonly toW: number };
  /** Since when the measured power is off by more than the tolerance. */
  offSince?: number;
  deviationTold?: boolean;
  /** Members that the FO knows as lost. */
  lost: readonly string[];
}

export interface ServiceEntry {
  readonly key: string;
  readonly service: Service;
  readonly course: Course;
}

export const serviceKey = (foId: string, fsrId: string): string => `${foId}/${fsrId}`;

/** The setpoint parameters of a request that is known to be of that type. */
export function setpointParameters(fsr: ServiceRequest): SetpointService | undefined {
  return fsr.serviceType === 'setpoint' && 'mode' in fsr.parameters ? fsr.parameters : undefined;
}

/** How long a setpoint holds when nothing else is said (fo 3.6): default 60 s, at most 300 s. */
export const validityMs = (p: SetpointService): number => Math.min(p.validityS ?? 60, 300) * 1000;

/** A relative value counts from the frozen baseline (fo 3.6). */
export function absoluteW(service: Service, targetW: number): number {
  const relative = setpointParameters(service.fsr)?.mode === 'relative';
  return relative ? (service.baselineW ?? 0) + targetW : targetW;
}
