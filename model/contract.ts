import {
  bool,
  duration,
  energyPerDay,
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
import { Baseline } from './baseline.ts';

export const SERVICE_TYPES = [
  'energyTransfer',
  'setpoint',
  'demandResponse',
  'droop',
  'ffr',
  'tertiary',
  'dynamicPrice',
  'congestion',
] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

export const serviceType = () => oneOf(...SERVICE_TYPES);

/** Fields a party may subscribe to (fo 3.9). */
export const telemetryField = () =>
  oneOf('powerW', 'reactiveVar', 'voltageV', 'frequencyHz', 'socPct', 'setpointW', 'importWh', 'exportWh');

export const TelemetryRule = message(
  'TelemetryRule',
  { intervalS: duration(), fields: list(telemetryField(), { min: 1, max: 8 }), maxLatencyS: duration() },
  {
    clause: 'fo 3.4',
    doc: 'What telemetry a contract promises.',
    example: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
  },
);
export type TelemetryRule = Of<typeof TelemetryRule>;

export const ProofRule = message(
  'ProofRule',
  { intervalS: duration(), signed: bool(), meterLevel: oneOf('poc', 'circuit', 'evse', 'ess', 'gen') },
  { clause: 'fo 3.4', doc: 'How delivery is proven.', example: { intervalS: 60, signed: true, meterLevel: 'evse' } },
);
export type ProofRule = Of<typeof ProofRule>;

export const Contract = message(
  'Contract',
  {
    contractId: id(),
    revision: int({ min: 0, max: 2_147_483_647 }),
    status: oneOf('draft', 'proposed', 'active', 'suspended', 'terminated', 'rejected', 'expired'),
    foId: id(),
    counterpartyId: id(),
    counterpartyKind: oneOf('evOwner', 'csp', 'cso'),
    serviceTypes: list(serviceType(), { min: 1, max: 8 }),
    scope: obj({
      resourceIds: opt(list(id(), { max: 10_000 })),
      groupIds: opt(list(id(), { max: 1000 })),
      evRefs: opt(list(id(), { max: 10_000 })),
      siteIds: opt(list(id(), { max: 1000 })),
    }),
    validFrom: time(),
    validTo: time(),
    maxImportW: opt(power()),
    maxExportW: opt(power()),
    maxExportWhPerDay: opt(energyPerDay()),
    minSocPct: opt(pct()),
    maxActivationsPerDay: opt(int({ min: 0, max: 100_000 })),
    minNoticeS: opt(duration()),
    maxDurationS: opt(duration()),
    safeImportLimitW: opt(power({ doc: 'Holds after a firm limit series ended without word from the FO.' })),
    optPolicy: obj({
      defaultOpt: oneOf('in', 'out'),
      optOutAllowed: bool(),
      optOutNoticeS: duration(),
      askUser: bool(),
      acceptPartial: bool({ doc: 'The FO takes less than asked without asking back.' }),
    }),
    stackable: opt(list(serviceType(), { max: 8 })),
    baseline: ref(Baseline),
    telemetry: ref(TelemetryRule),
    proof: ref(ProofRule),
    businessTerms: opt(obj({ ref: text({ max: 256 }), hash: text({ max: 128 }) })),
    disclosure: opt(list(text({ max: 64 }), { max: 32 })),
  },
  {
    clause: 'fo 3.4',
    doc: 'What an FO may ask of whom, and within which hard limits.',
    rules: (v) => {
      const s = v.scope;
      const any = [s.resourceIds, s.groupIds, s.evRefs, s.siteIds].some((l) => (l?.length ?? 0) > 0);
      return any ? [] : [semantic('/scope', 'scope names at least one resource, group, EV or site')];
    },
    example: {
      contractId: 'C-9',
      revision: 1,
      status: 'active',
      foId: 'fo:north',
      counterpartyId: 'cso:harbour',
      counterpartyKind: 'cso',
      serviceTypes: ['setpoint'],
      scope: { groupIds: ['g:depot'] },
      validFrom: '2026-01-01T00:00:00Z',
      validTo: '2027-01-01T00:00:00Z',
      optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
      baseline: { method: 'zero' },
      telemetry: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
      proof: { intervalS: 60, signed: false, meterLevel: 'evse' },
    },
  },
);
export type Contract = Of<typeof Contract>;
