import {
  anyObject,
  bool,
  duration,
  id,
  int,
  list,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  pct,
  power,
  ref,
  semantic,
  text,
  time,
} from '../core/schema.ts';
import { powerSeries } from './common.ts';
import { telemetryField } from './contract.ts';
import { TelemetrySample } from './evidence.ts';
import { ServiceRequest, Setpoint } from './service.ts';

export const RequestService = message(
  'RequestService',
  { fsr: ref(ServiceRequest) },
  {
    clause: 'fo 4.3 no. 11',
    doc: 'Asks for a flexibility service. Answered at once (syntax, contract, credentials); the decision follows.',
    example: { fsr: ServiceRequest.example },
  },
);
export type RequestService = Of<typeof RequestService>;

export const ServiceDecision = message(
  'ServiceDecision',
  {
    fsrId: id(),
    revision: int({ min: 1, max: 2_147_483_647 }),
    decision: oneOf('accepted', 'partial', 'rejected', 'optedOut'),
    offered: opt(obj({ importMaxW: opt(power()), exportMaxW: opt(power()) })),
    accepted: opt(list(id(), { max: 10_000 })),
    refused: opt(list(obj({ id: id(), code: text({ max: 64 }) }), { max: 10_000 })),
    code: opt(text({ max: 64, doc: 'Why, when rejected or opted out (fo 4.4).' })),
    baseline: opt(
      obj({
        method: text({ max: 16 }),
        powerW: opt(power({ signed: true })),
        series: opt(powerSeries(), { doc: 'declared: what is expected without the service, frozen (fo 3.8).' }),
      }),
    ),
    counter: opt(anyObject({ doc: 'Parameters that could be accepted, where these cannot.' })),
  },
  {
    clause: 'fo 4.3 no. 12',
    doc: 'The decision about a request, once per revision.',
    example: {
      fsrId: 'N-4711',
      revision: 1,
      decision: 'accepted',
      offered: { importMaxW: 44000, exportMaxW: 20000 },
      accepted: ['DEMO-V2G-1.1'],
    },
  },
);
export type ServiceDecision = Of<typeof ServiceDecision>;

export const UpdateSetpoint = message(
  'UpdateSetpoint',
  { setpoint: ref(Setpoint), noReply: opt(bool()) },
  { clause: 'fo 4.3 no. 16', doc: 'The next value of a setpoint stream.', example: { setpoint: Setpoint.example } },
);
export type UpdateSetpoint = Of<typeof UpdateSetpoint>;

export const CancelService = message(
  'CancelService',
  { fsrId: id(), reason: text({ max: 256 }), at: time(), rampS: opt(duration()) },
  {
    clause: 'fo 4.3 no. 17',
    doc: 'Ends a service early. From the gateway only for safety, fault or a mandate of a grid operator.',
    example: { fsrId: 'N-4711', reason: 'no longer needed', at: '2026-03-02T17:30:00Z' },
  },
);
export type CancelService = Of<typeof CancelService>;

export const SERVICE_PHASES = [
  'scheduled',
  'active',
  'armed',
  'triggered',
  'delivering',
  'recovering',
  'deviation',
  'resourceLost',
  'resourceJoined',
  'fallback',
  'resumed',
  'completed',
  'aborted',
  'failed',
] as const;
export type ServicePhase = (typeof SERVICE_PHASES)[number];

export const ExecutionNotice = message(
  'ExecutionNotice',
  {
    fsrId: id(),
    phase: oneOf(...SERVICE_PHASES),
    at: time(),
    powerW: opt(power({ signed: true })),
    deliverablePct: opt(pct()),
    shortfallW: opt(power()),
    cause: opt(text({ max: 128 })),
    resources: opt(list(id(), { max: 10_000 })),
  },
  {
    clause: 'fo 4.3 no. 18',
    doc: 'A state change of a running service, or a deviation above the tolerance for more than two intervals.',
    example: { fsrId: 'N-4711', phase: 'active', at: '2026-03-02T17:00:00Z', powerW: 20000 },
  },
);
export type ExecutionNotice = Of<typeof ExecutionNotice>;

export const SubscribeTelemetry = message(
  'SubscribeTelemetry',
  {
    subject: obj({ resourceId: opt(id()), groupId: opt(id()) }),
    fields: list(telemetryField(), { min: 1, max: 8 }),
    intervalS: duration(),
    until: time(),
    fsrId: opt(id()),
  },
  {
    clause: 'fo 4.3 no. 19',
    doc: 'Asks for a stream of measured values.',
    rules: (v) =>
      (v.subject.resourceId === undefined) === (v.subject.groupId === undefined)
        ? [semantic('/subject', 'give exactly one of resourceId and groupId')]
        : [],
    example: {
      subject: { groupId: 'g:depot' },
      fields: ['powerW', 'setpointW'],
      intervalS: 1,
      until: '2026-03-02T18:00:00Z',
      fsrId: 'N-4711',
    },
  },
);
export type SubscribeTelemetry = Of<typeof SubscribeTelemetry>;

export const Telemetry = message(
  'Telemetry',
  { subscriptionId: opt(id()), samples: list(ref(TelemetrySample), { min: 1, max: 1000 }) },
  {
    clause: 'fo 4.3 no. 20',
    doc: 'Measured values; the newest wins.',
    example: { samples: [TelemetrySample.example] },
  },
);
export type Telemetry = Of<typeof Telemetry>;

export const ResultBody = message(
  'ResultBody',
  {
    status: oneOf('ok', 'pending', 'rejected', 'error'),
    code: opt(text({ max: 64 })),
    message: opt(text({ max: 1024 })),
    details: opt(
      list(obj({ path: text({ max: 512 }), code: text({ max: 64 }), message: text({ max: 1024 }) }), { max: 100 }),
    ),
    retryAfterS: opt(duration()),
    state: opt(text({ max: 32 })),
    data: opt(anyObject()),
  },
  {
    clause: 'fo 4.1',
    doc: 'The one answer to a request: `rejected` is a business no, `error` could not be processed, `pending` decides later.',
    example: { status: 'ok', code: 'limit.clipped', data: { appliedW: -7000, limitedBy: 'needed' } },
  },
);
export type ResultBody = Of<typeof ResultBody>;

export const OptChoice = message(
  'OptChoice',
  {
    choice: oneOf('in', 'out'),
    actor: oneOf('evu', 'cso', 'csp', 'fleet'),
    scope: obj({
      fsrId: opt(id()),
      window: opt(obj({ start: time(), end: time() })),
      resources: list(id(), { min: 1, max: 10_000 }),
    }),
    reason: opt(text({ max: 256 })),
    effectiveAt: opt(time()),
  },
  {
    clause: 'fo 4.3 no. 13',
    doc: 'Somebody joins or leaves a service.',
    example: { choice: 'out', actor: 'evu', scope: { fsrId: 'N-4711', resources: ['DEMO-V2G-1.1'] } },
  },
);
export type OptChoice = Of<typeof OptChoice>;
