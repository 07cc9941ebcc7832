import type { SiteFile } from '../../model/index.ts';

/** A small site: fuse k1 with a V2G station and an AC station, another AC station at the POC; one contract. */
export function siteFile(patch: Partial<SiteFile> = {}): SiteFile {
  return {
    siteId: 'site:test',
    operatorId: 'cso:test',
    poc: { importLimitW: 50_000, exportLimitW: 30_000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
    circuits: [{ circuitId: 'k1', importLimitW: 25_000, exportLimitW: 25_000 }],
    stations: [
      {
        identity: 'V2G-1',
        evses: [{ evse: 1, circuitId: 'k1', current: 'dc', maxImportW: 11_000, maxExportW: 11_000, responseTimeS: 2 }],
      },
      {
        identity: 'AC-1',
        evses: [
          {
            evse: 1,
            circuitId: 'k1',
            current: 'ac',
            phases: 3,
            maxImportW: 11_040,
            responseTimeS: 2,
            minOnS: 0,
            minOffS: 0,
          },
        ],
      },
      {
        identity: 'AC-2',
        evses: [{ evse: 1, current: 'ac', phases: 3, maxImportW: 11_040, responseTimeS: 2, minOnS: 0, minOffS: 0 }],
      },
    ],
    idTokens: { policy: 'list', list: ['RFID-1'] },
    groups: [{ groupId: 'g:all', members: ['V2G-1.1', 'AC-1.1', 'AC-2.1'], referencePoint: 'group' }],
    parties: [{ partyId: 'fo:test', role: 'fo' }],
    contracts: [
      {
        contractId: 'C-1',
        revision: 1,
        status: 'active',
        foId: 'fo:test',
        counterpartyId: 'cso:test',
        counterpartyKind: 'cso',
        serviceTypes: ['setpoint'],
        scope: { groupIds: ['g:all'] },
        validFrom: '2026-01-01T00:00:00Z',
        validTo: '2027-01-01T00:00:00Z',
        optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
        baseline: { method: 'zero' },
        telemetry: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
        proof: { intervalS: 60, signed: false, meterLevel: 'evse' },
      },
    ],
    ...patch,
  };
}
