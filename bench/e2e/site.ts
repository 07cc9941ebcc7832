import { iso } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { manyFleet } from '../../simulators/stations/many.ts';

export const FO_ID = 'fo:bench';
export const GATEWAY_ID = 'cso:bench';
export const GROUP_ID = 'g:all';
export const VERSIONS = ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'] as const;
const CIRCUITS = 20;
const DAY_MS = 86_400_000;

/** Identities as the station simulator deals them out for `--count`, with what each can do. */
function stations(count: number): { readonly identity: string; readonly dc: boolean }[] {
  const fleet = manyFleet({ count, versions: VERSIONS, meterIntervalS: 10, carsWithinS: 5 });
  return fleet.stations.flatMap((row) =>
    Array.from({ length: row.count ?? 1 }, (_, i) => ({
      identity: `${row.identity}-${i + 1}`,
      dc: row.version === 'ocpp2.1',
    })),
  );
}

/** A site of `count` stations on twenty circuits that all serve one operator; no command interval holds a station back. */
export function benchSite(count: number, now: number): SiteFile {
  const all = stations(count);
  return {
    siteId: 'site:bench',
    operatorId: GATEWAY_ID,
    poc: {
      importLimitW: count * 23_000,
      exportLimitW: count * 23_000,
      nominalVoltageV: 230,
      phases: 3,
      nominalFrequencyHz: 50,
    },
    circuits: Array.from({ length: CIRCUITS }, (_, i) => ({
      circuitId: `k${i}`,
      importLimitW: (count * 23_000) / CIRCUITS,
      exportLimitW: (count * 23_000) / CIRCUITS,
    })),
    stations: all.map(({ identity, dc }, i) => ({
      identity,
      evses: [
        {
          evse: 1,
          circuitId: `k${i % CIRCUITS}`,
          responseTimeS: 10,
          minOnS: 0,
          minOffS: 0,
          minCommandIntervalS: 1,
          ...(dc
            ? { current: 'dc', maxImportW: 22_000, maxExportW: 22_000, conformity: 'cred:v2g' }
            : { current: 'ac', phases: 3, maxImportW: 11_040 }),
        },
      ],
    })),
    idTokens: { policy: 'any' },
    groups: [{ groupId: GROUP_ID, members: all.map(({ identity }) => `${identity}.1`), referencePoint: 'group' }],
    parties: [{ partyId: FO_ID, role: 'fo' }],
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
    contracts: [
      {
        contractId: 'C-bench',
        revision: 1,
        status: 'active',
        foId: FO_ID,
        counterpartyId: GATEWAY_ID,
        counterpartyKind: 'cso',
        serviceTypes: ['setpoint'],
        scope: { groupIds: [GROUP_ID] },
        validFrom: iso(now - DAY_MS),
        validTo: iso(now + DAY_MS),
        optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
        baseline: { method: 'zero' },
        telemetry: { intervalS: 10, fields: ['powerW'], maxLatencyS: 10 },
        proof: { intervalS: 60, signed: true, meterLevel: 'evse' },
      },
    ],
  };
}
