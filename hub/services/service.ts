import { parseTime } from '../../core/clock.ts';
import type {
  Congestion,
  ServiceDecision,
  ServiceRequest,
  Setpoint,
  SetpointService,
  Signature,
} from '../../model/index.ts';
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
  /** What it was to become, with the ramp and inside the contract. */
  readonly askedW?: number;
  /** Members that a service above it leads (fo 6.3). */
  readonly taken?: readonly string[];
  /** `minimum`: an EVSE can only do nothing or at least its minimum (fo 8.3.6). */
  readonly limitedBy?: 'needed' | 'wished' | 'fuse' | 'poc' | 'minimum';
  readonly shortfallW: number;
  readonly at: number;
}

/** A message for a party that has not reached its outbox yet. */
export interface Notice {
  readonly id: string;
  readonly topic:
    | 'hub/ServiceDecision'
    | 'hub/ExecutionNotice'
    | 'hub/CancelService'
    | 'hub/OptChoice'
    | 'hub/ServiceRecordEvent'
    | 'hub/ProofEvent';
  readonly payload: unknown;
  /** Of a signed body, made over `id` (fo 9.4). */
  readonly signature?: Signature;
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
  /** `declared`: what is expected without the service, frozen (fo 3.8); `baselineW` is its first value. */
  readonly baselineSeries?: NonNullable<NonNullable<ServiceDecision['baseline']>['series']>;
  /** `initialW` of the request is in force until then. */
  readonly initialUntil?: number;
  /** The FO wants it to end earlier than its window. */
  readonly cancel?: { readonly at: number; readonly reason: string; readonly rampS?: number };
  /** The fallback that the FO was told about; gone when it was told `resumed`. */
  readonly fallback?: FallbackState;
  readonly outgoing: readonly Notice[];
  readonly pending?: Pending;
  readonly activation?: Activation;
  /** `reduceByW` counts from here, W; known from the begin on. */
  readonly reduceFromW?: number;
  /** Since when a credential of its FO cannot be verified, epoch ms (fo 6.1). */
  readonly unverifiableSince?: number;
  /** Epoch ms of begin and end, for the record (fo 3.9). */
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly amendments?: readonly { readonly revision: number; readonly at: number }[];
  /** The last amendment that was decided as rejected: its revision is used up, and it is not decided again (fo 4.3 no. 12). */
  readonly refusedAmendment?: { readonly revision: number; readonly digest: string };
  readonly optEvents?: readonly { readonly at: number; readonly actor: string; readonly choice: 'in' | 'out' }[];
  readonly deviations?: readonly { readonly at: number; readonly shortfallW: number; readonly cause?: string }[];
  /** When members joined and left, and why; a member without an entry was there from the start to the end. */
  readonly presence?: Readonly<Record<string, Presence>>;
}

export interface Presence {
  readonly joinedAt: number;
  readonly leftAt?: number;
  readonly leaveReason?: LeaveReason;
}

/** Why a member left: nobody can reach it, its driver or owner opted out, or it does not do what it is told (fo 6.4). */
export type LeaveReason = 'lost' | 'optOut' | 'excluded';

/** Something is still to be said before it is accepted; its capacity is held (fo 4.2). */
export interface Pending {
  /** `confirm`: by the FO, about a part. `opt`: by drivers or owners. */
  readonly why: 'confirm' | 'opt';
  /** Epoch ms. */
  readonly until: number;
}

/** What `ActivateService` made of a service that can be activated (fo 4.3 no. 15). */
export interface Activation {
  readonly state: 'armed' | 'delivering' | 'off';
  readonly next?: { readonly action: 'arm' | 'disarm' | 'activate' | 'deactivate'; readonly at: number };
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
  /** Members that a service above it has taken, and what of that was told. */
  takenTold?: readonly string[];
  /** Since when setpoints come that no target on the wire follows; told once. */
  unreached?: { readonly since: number; told: boolean };
  /** Members that do not do what they are told, to be excluded from this service (fo 6.4). */
  excluding?: readonly string[];
  /** How often members have refused, or did not do what they accepted, in a row. */
  refused?: Record<string, number>;
  ignored?: Record<string, number>;
  /** What was measured in the present minute, for means (fo 3.9). */
  minute?: {
    readonly from: number;
    readonly at: number;
    readonly sumW: number;
    readonly count: number;
    readonly limitW: number;
  };
  /** The last whole minute was beyond the limit, W. */
  over?: { readonly meanW: number; readonly limitW: number };
  /** Members that the FO knows as lost. */
  lost: readonly string[];
  /** Whether a vehicle is at a member, as far as the FO knows. */
  vehicles?: Record<string, boolean>;
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

/** The congestion parameters of a request that is known to be of that type. */
export function congestionParameters(fsr: ServiceRequest): Congestion | undefined {
  return fsr.serviceType === 'congestion' && 'gridNode' in fsr.parameters ? fsr.parameters : undefined;
}

/** Members that still take part: those that opted out or were excluded leave target and measurement (fo 6.4, fo 8.3.1). */
export function remaining({ members, presence }: Service): readonly string[] {
  if (!presence) return members;
  return members.filter((m) => {
    const p = presence[m];
    return p?.leftAt === undefined || p.leaveReason === 'lost';
  });
}

/** How long a setpoint holds when nothing else is said (fo 3.6): default 60 s, at most 300 s. */
export const validityMs = (p: SetpointService): number => Math.min(p.validityS ?? 60, 300) * 1000;

/** A relative value counts from the frozen baseline (fo 3.6) of `now`, epoch ms. */
export function absoluteW(service: Service, targetW: number, now: number): number {
  const relative = setpointParameters(service.fsr)?.mode === 'relative';
  return relative ? (baselineAt(service, now) ?? 0) + targetW : targetW;
}

/** The baseline at `now`, W; undefined where it cannot be told (fo 3.8). */
export function baselineAt({ baselineW, baselineSeries: series }: Service, now: number): number | undefined {
  if (!series || baselineW === undefined) return baselineW;
  const offsetS = (now - parseTime(series.start)) / 1000;
  let powerW = series.points[0]?.powerW;
  for (const p of series.points) {
    if (p.offsetS > offsetS) break;
    powerW = p.powerW;
  }
  return powerW ?? baselineW;
}
