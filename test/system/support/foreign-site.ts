import { iso } from '../../../core/clock.ts';
import type { Contract, SiteFile } from '../../../model/index.ts';

export const FO = 'fo:foreign';
export const GATEWAY = 'cso:foreign';
export const GROUP = 'g:foreign';
const NODE = 'node:foreign';
const CIRCUIT = 'k:foreign';
const TOKEN = 'FOREIGN-1';
/** The secret of the operator, and how the gateway gets it. */
export const FO_TOKEN = 'the-token-of-a-foreign-operator';
export const SECRETS = { V2GATE_SECRET_FOREIGN: FO_TOKEN };

/** One station of another make: 2.1 stations give power back, the others are AC. */
export interface ForeignMember {
  readonly identity: string;
  readonly kind: 'ac' | 'v2g';
  /** Its meter values come every so many seconds. */
  readonly meterS: number;
}

const POWER_W = 11_000;
/** What an AC station may draw when nobody commands it; a little above the least that an AC vehicle takes. */
export const OFFLINE_W = 4_600;

/** A site with these stations in one group; setpoints and limits may meet there. */
export function foreignSite(members: readonly ForeignMember[], patch: Partial<SiteFile> = {}): SiteFile {
  const contract: Omit<Contract, 'contractId' | 'serviceTypes'> = {
    revision: 1,
    status: 'active',
    foId: FO,
    counterpartyId: GATEWAY,
    counterpartyKind: 'cso',
    scope: { groupIds: [GROUP] },
    validFrom: '2026-01-01T00:00:00Z',
    validTo: '2046-01-01T00:00:00Z',
    optPolicy: {
      defaultOpt: 'in',
      optOutAllowed: true,
      optOutNoticeS: 0,
      askUser: false,
      acceptPartial: true,
    },
    baseline: { method: 'zero' },
    telemetry: { intervalS: 1, fields: ['powerW', 'setpointW'], maxLatencyS: 5 },
    proof: { intervalS: 15, signed: true, meterLevel: 'evse' },
  };
  return {
    siteId: 'site:foreign',
    operatorId: GATEWAY,
    poc: {
      importLimitW: 60_000,
      exportLimitW: 30_000,
      nominalVoltageV: 230,
      phases: 3,
      nominalFrequencyHz: 50,
      gridNode: NODE,
    },
    // The group is a circuit of its own, so that a limit of its sum can hold.
    circuits: [{ circuitId: CIRCUIT, importLimitW: 60_000, exportLimitW: 30_000 }],
    stations: members.map(({ identity, kind, meterS }) => {
      const responseTimeS = Math.max(2, meterS / 2);
      const common = { evse: 1, circuitId: CIRCUIT, maxImportW: POWER_W, minCommandIntervalS: 1, responseTimeS };
      const ac = { current: 'ac' as const, phases: 3 as const, minOnS: 0, minOffS: 0, offlineImportW: OFFLINE_W };
      const v2g = { current: 'dc' as const, maxExportW: POWER_W };
      return { identity, evses: [{ ...common, ...(kind === 'ac' ? ac : v2g) }] };
    }),
    idTokens: { policy: 'list', list: [TOKEN] },
    groups: [{ groupId: GROUP, members: members.map((m) => `${m.identity}.1`), referencePoint: 'group' }],
    parties: [
      { partyId: GATEWAY, role: 'cso' },
      { partyId: FO, role: 'fo' },
    ],
    partySecrets: [{ partyId: FO, tokenRef: 'foreign' }],
    contracts: [
      { ...contract, contractId: 'C-1', serviceTypes: ['setpoint'], stackable: ['congestion'] },
      { ...contract, contractId: 'C-2', serviceTypes: ['congestion'], stackable: ['setpoint'] },
    ],
    ...patch,
  };
}

interface Window {
  /** Epoch ms. */
  readonly start: number;
  readonly end: number;
}

const common = (fsrId: string, { start, end }: Window) => ({
  fsrId,
  revision: 1,
  target: { groupId: GROUP, referencePoint: 'group' },
  window: { start: iso(start), end: iso(end) },
  decisionBy: iso(start),
  mandatory: false,
  priority: 5,
});

/** A request for setpoints, the first of which comes with it; when they stay away, nothing flows. */
export const setpointRequest = (fsrId: string, window: Window, initialW = 0) => ({
  fsr: {
    ...common(fsrId, window),
    contractId: 'C-1',
    serviceType: 'setpoint',
    parameters: {
      mode: 'absolute',
      initialW,
      minW: -20_000,
      maxW: 60_000,
      toleranceW: 500,
      updateIntervalS: 10,
      validityS: 60,
    },
    fallback: { onExpiry: 'zero', rampS: 0 },
  },
});

/** A request for a firm limit of the group during its window. */
export const limitRequest = (fsrId: string, window: Window, importLimitW: number) => ({
  fsr: {
    ...common(fsrId, window),
    contractId: 'C-2',
    serviceType: 'congestion',
    parameters: {
      gridNode: NODE,
      limits: { start: iso(window.start), end: iso(window.end), points: [{ offsetS: 0, importLimitW }] },
      firm: true,
    },
    fallback: { onExpiry: 'local', rampS: 0 },
  },
});

/** The next value of a setpoint stream. */
export const setpoint = (fsrId: string, seq: number, targetW: number, validMs = 60_000) => ({
  setpoint: { fsrId, seq, targetW, validUntil: iso(Date.now() + validMs) },
});
