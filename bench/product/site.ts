import { iso } from '../../core/clock.ts';
import type { EvseRecord, SiteFile } from '../../model/index.ts';

export const SITE_ID = 'site:bench';
export const FO_ID = 'fo:bench';
export const GATEWAY_ID = 'cso:bench';
export const GROUP_ID = 'g:all';
export const CONTRACT_ID = 'C-bench';
const MANDATE_ISSUER = 'dso:bench';
const DAY_MS = 86_400_000;
/** The connection carries what all stations can draw, so that no limit holds a command back. */
const PER_STATION_W = 23_000;

/** What a station of the bench can do. */
export type StationKind = 'ac' | 'dc';

const EVSE: Readonly<Record<StationKind, Pick<EvseRecord, 'current' | 'phases' | 'maxImportW'>>> = {
  ac: { current: 'ac', phases: 3, maxImportW: 11_040 },
  dc: { current: 'dc', maxImportW: 22_000 },
};

export interface SiteOptions {
  readonly stations: readonly { readonly identity: string; readonly kind: StationKind; readonly exports?: boolean }[];
  /** Default 20. */
  readonly circuits?: number;
  /** A group of its own for each station, `g:<identity>`, beside the one of all. */
  readonly groupPerStation?: boolean;
  /** Least time between two commands of a station, s; default 1. */
  readonly commandIntervalS?: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Name of the circuit that a station is on. */
export const circuitOf = (station: number, circuits: number): string => `k${station % circuits}`;

/** A site whose stations all serve one operator; no command interval holds a station back. */
export function siteOf({
  stations,
  circuits = 20,
  groupPerStation = false,
  commandIntervalS = 1,
  now,
}: SiteOptions): SiteFile {
  const wholeW = stations.length * PER_STATION_W;
  const perCircuitW = Math.ceil(stations.length / circuits) * PER_STATION_W;
  const members = stations.map(({ identity }) => `${identity}.1`);
  const single = groupPerStation
    ? stations.map(({ identity }) => ({
        groupId: `g:${identity}`,
        members: [`${identity}.1`],
        referencePoint: 'group' as const,
      }))
    : [];
  return {
    siteId: SITE_ID,
    operatorId: GATEWAY_ID,
    poc: {
      importLimitW: wholeW,
      exportLimitW: wholeW,
      nominalVoltageV: 230,
      phases: 3,
      nominalFrequencyHz: 50,
    },
    circuits: Array.from({ length: circuits }, (_, i) => ({
      circuitId: `k${i}`,
      importLimitW: perCircuitW,
      exportLimitW: perCircuitW,
    })),
    stations: stations.map(({ identity, kind, exports = false }, i) => ({
      identity,
      evses: [
        {
          evse: 1,
          circuitId: circuitOf(i, circuits),
          responseTimeS: 10,
          minOnS: 0,
          minOffS: 0,
          minCommandIntervalS: commandIntervalS,
          ...EVSE[kind],
          ...(exports ? { maxExportW: EVSE[kind].maxImportW, conformity: 'cred:v2g' } : {}),
        },
      ],
    })),
    idTokens: { policy: 'any' },
    groups: [{ groupId: GROUP_ID, members, referencePoint: 'group' }, ...single],
    parties: [{ partyId: FO_ID, role: 'fo' }],
    mandateIssuers: [{ issuerId: MANDATE_ISSUER, refPrefix: 'mandate:' }],
    credentials: [
      {
        credentialId: 'cred:v2g',
        kind: 'conformity',
        subjectRef: GATEWAY_ID,
        issuer: 'reg:bench',
        validFrom: iso(now - DAY_MS),
        validTo: iso(now + DAY_MS),
        form: 'reference',
        status: 'valid',
      },
    ],
    contracts: [contract(now, [GROUP_ID, ...single.map((g) => g.groupId)])],
  };
}

function contract(now: number, groupIds: string[]): NonNullable<SiteFile['contracts']>[number] {
  return {
    contractId: CONTRACT_ID,
    revision: 1,
    status: 'active',
    foId: FO_ID,
    counterpartyId: GATEWAY_ID,
    counterpartyKind: 'cso',
    serviceTypes: ['setpoint', 'congestion'],
    scope: { groupIds },
    validFrom: iso(now - DAY_MS),
    validTo: iso(now + DAY_MS),
    optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
    baseline: { method: 'zero' },
    telemetry: { intervalS: 10, fields: ['powerW'], maxLatencyS: 10 },
    proof: { intervalS: 60, signed: true, meterLevel: 'evse' },
  };
}

/** The stations that a load generator connects under this prefix. */
export function rawStations(prefix: string, count: number, kind: StationKind): SiteOptions['stations'] {
  return Array.from({ length: count }, (_, i) => ({ identity: `${prefix}-${i + 1}`, kind }));
}
