import type { SiteFile } from '../../../model/index.ts';
import type { FleetFile } from '../../../simulators/stations/index.ts';

/** One station of each version, in the site file, and one that is not. */
export const STATIONS = { 'ocpp1.6': 'R16', 'ocpp2.0.1': 'R201', 'ocpp2.1': 'R21' } as const;
export const NEWCOMER = 'RNEW';
export const MEMBERS = Object.values(STATIONS).map((identity) => `${identity}.1`);
export const OPTS_OUT = `${STATIONS['ocpp2.0.1']}.1`;
/** A vehicle that can give power stands there. */
export const GIVES = `${STATIONS['ocpp2.1']}.1`;
export const FO = 'fo:north';
export const OTHER_FO = 'fo:south';
export const GATEWAY = 'cso:harbour';

const ac = { evse: 1, circuitId: 'ac', current: 'ac', phases: 3, maxImportW: 11_040, offlineImportW: 4_600 } as const;
const quick = { responseTimeS: 2, rampWPerS: 10_000, accuracyW: 200, minCommandIntervalS: 1, minOnS: 0, minOffS: 0 };
const dc = { ...ac, current: 'dc', phases: 0, maxImportW: 11_000, maxExportW: 11_000, offlineImportW: 0 } as const;

export const RECOVERY_SITE: SiteFile = {
  siteId: 'site:recovery',
  name: 'Recovery',
  operatorId: GATEWAY,
  poc: { importLimitW: 60_000, exportLimitW: 40_000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
  circuits: [{ circuitId: 'ac', importLimitW: 50_000, exportLimitW: 20_000 }],
  stations: [
    { identity: STATIONS['ocpp1.6'], evses: [{ ...ac, ...quick }] },
    { identity: STATIONS['ocpp2.0.1'], evses: [{ ...ac, ...quick }] },
    { identity: STATIONS['ocpp2.1'], evses: [{ ...withoutPhases(dc), ...quick }] },
  ],
  unknownStations: 'pending',
  unknownStationDefaults: ac,
  idTokens: { policy: 'any' },
  groups: [{ groupId: 'g:depot', members: MEMBERS, referencePoint: 'group' }],
  parties: [
    { partyId: GATEWAY, role: 'cso' },
    { partyId: FO, role: 'fo' },
    { partyId: OTHER_FO, role: 'fo' },
  ],
  contracts: [contract('C-1', FO), contract('C-2', OTHER_FO)],
  planningStepS: 30,
  defaultStayS: 600,
};

function contract(contractId: string, foId: string): NonNullable<SiteFile['contracts']>[number] {
  return {
    contractId,
    revision: 1,
    status: 'active',
    foId,
    counterpartyId: GATEWAY,
    counterpartyKind: 'cso',
    serviceTypes: ['setpoint'],
    scope: { groupIds: ['g:depot'] },
    validFrom: '2026-01-01T00:00:00Z',
    validTo: '2046-01-01T00:00:00Z',
    optPolicy: { defaultOpt: 'in', optOutAllowed: true, optOutNoticeS: 0, askUser: false, acceptPartial: true },
    baseline: { method: 'zero' },
    telemetry: { intervalS: 1, fields: ['powerW'], maxLatencyS: 5 },
    proof: { intervalS: 60, signed: true, meterLevel: 'evse' },
  };
}

function withoutPhases<T extends { readonly phases: number }>({ phases: _, ...rest }: T): Omit<T, 'phases'> {
  return rest;
}

export const RECOVERY_FLEET: FleetFile = {
  stations: [
    station(STATIONS['ocpp1.6'], 'ocpp1.6'),
    station(STATIONS['ocpp2.0.1'], 'ocpp2.0.1'),
    station(STATIONS['ocpp2.1'], 'ocpp2.1'),
    { ...station(NEWCOMER, 'ocpp1.6'), arrivals: undefined },
  ].map(({ arrivals, ...rest }) => (arrivals === undefined ? rest : { ...rest, arrivals })),
};

/** A car is there after a second and stays. */
function station(identity: string, version: keyof typeof STATIONS) {
  const isDc = version === 'ocpp2.1';
  const power = { maxImportW: isDc ? 11_000 : 11_040, ...(isDc ? { maxExportW: 11_000 } : {}) };
  return {
    identity,
    version,
    phases: isDc ? 0 : 3,
    ...power,
    responseDelayS: 0.2,
    rampWPerS: 10_000,
    idTags: [`${identity}-TAG`],
    meterIntervalS: 1,
    arrivals: {
      firstS: [1, 1],
      gapS: [5, 5],
      stayS: [86_400, 86_400],
      arrivalPct: [30, 30],
      targetPct: [90, 90],
      cars: [{ capacityWh: 80_000, phases: isDc ? 0 : 3, ...power }],
    },
  };
}
