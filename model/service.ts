import {
  bool,
  bySibling,
  duration,
  id,
  int,
  list,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  power,
  reactive,
  ref,
  semantic,
  text,
  time,
} from '../core/schema.ts';
import { Baseline } from './baseline.ts';
import { referencePoint } from './common.ts';
import { ProofRule, serviceType, TelemetryRule } from './contract.ts';
import {
  Congestion,
  DemandResponse,
  Droop,
  DynamicPrice,
  EnergyTransfer,
  Ffr,
  SetpointService,
  Tertiary,
} from './parameters.ts';

export const Fallback = message(
  'Fallback',
  {
    onExpiry: oneOf('baseline', 'hold', 'zero', 'mobility', 'local'),
    rampS: opt(duration()),
    maxHoldS: opt(duration({ doc: 'Only with hold, at most 900.' })),
  },
  {
    clause: 'fo 3.7',
    doc: 'What to do when data stops.',
    rules: (v) => ((v.maxHoldS ?? 0) > 900 ? [semantic('/maxHoldS', 'maxHoldS is at most 900')] : []),
    example: { onExpiry: 'baseline', rampS: 30 },
  },
);
export type Fallback = Of<typeof Fallback>;

export const Target = message(
  'Target',
  {
    resourceIds: opt(list(id(), { min: 1, max: 10_000 })),
    groupId: opt(id()),
    referencePoint: referencePoint(),
  },
  {
    clause: 'fo 2.3, fo 3.5',
    doc: 'What a request acts on. Exactly one of resourceIds and groupId.',
    rules: (v) =>
      (v.resourceIds === undefined) === (v.groupId === undefined)
        ? [semantic('/groupId', 'give exactly one of resourceIds and groupId')]
        : [],
    example: { groupId: 'g:depot', referencePoint: 'group' },
  },
);
export type Target = Of<typeof Target>;

export const Setpoint = message(
  'Setpoint',
  {
    fsrId: id(),
    seq: int({ min: 0, max: Number.MAX_SAFE_INTEGER, doc: 'Only the highest counts.' }),
    targetW: power({ signed: true }),
    reactiveVar: opt(reactive({ signed: true })),
    effectiveAt: opt(time()),
    validUntil: time(),
  },
  {
    clause: 'fo 3.7',
    doc: 'One value of a setpoint stream.',
    example: { fsrId: 'N-4711', seq: 61, targetW: -8000, validUntil: '2026-03-02T17:11:00Z' },
  },
);
export type Setpoint = Of<typeof Setpoint>;

/** Parameters by service type (fo 3.6). */
export const SERVICE_PARAMETERS = {
  energyTransfer: EnergyTransfer,
  setpoint: SetpointService,
  demandResponse: DemandResponse,
  droop: Droop,
  ffr: Ffr,
  tertiary: Tertiary,
  dynamicPrice: DynamicPrice,
  congestion: Congestion,
} as const;

export const ServiceRequest = message(
  'ServiceRequest',
  {
    fsrId: id({ doc: 'Unique per FO.' }),
    revision: int({ min: 1, max: 2_147_483_647 }),
    contractId: id(),
    serviceType: serviceType(),
    target: ref(Target),
    window: obj({ start: time(), end: time() }),
    decisionBy: time({ doc: 'Silence after this means rejected (time.expired).' }),
    mandatory: bool(),
    mandateRef: opt(text({ max: 256 })),
    priority: int({ min: 0, max: 9, doc: '0 is the highest.' }),
    parameters: bySibling('serviceType', SERVICE_PARAMETERS),
    fallback: ref(Fallback),
    controlParty: opt(oneOf('vCso', 'hCsp')),
    originFsrId: opt(id({ doc: 'Set by relays.' })),
    baseline: opt(ref(Baseline)),
    telemetry: opt(ref(TelemetryRule)),
    proof: opt(ref(ProofRule)),
  },
  {
    clause: 'fo 3.5',
    doc: 'A flexibility service request (FSR).',
    rules: (v) => [
      ...(Date.parse(v.window.end) <= Date.parse(v.window.start)
        ? [semantic('/window/end', 'the window ends before it starts')]
        : []),
      ...(v.mandatory && v.mandateRef === undefined
        ? [semantic('/mandateRef', 'a mandatory request needs mandateRef')]
        : []),
    ],
    example: {
      fsrId: 'N-4711',
      revision: 1,
      contractId: 'C-9',
      serviceType: 'setpoint',
      target: { groupId: 'g:depot', referencePoint: 'group' },
      window: { start: '2026-03-02T17:00:00Z', end: '2026-03-02T18:00:00Z' },
      decisionBy: '2026-03-02T16:45:00Z',
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute',
        initialW: 20000,
        minW: -20000,
        maxW: 44000,
        toleranceW: 500,
        updateIntervalS: 10,
        validityS: 60,
      },
      fallback: { onExpiry: 'baseline', rampS: 30 },
    },
  },
);
export type ServiceRequest = Of<typeof ServiceRequest>;
