import {
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
  power,
  ramp,
  ref,
  semantic,
  text,
  voltage,
} from '../core/schema.ts';
import { Contract } from './contract.ts';
import { Circuit, Ess, Generation, Meter, Poc } from './evcs.ts';
import { Credential, Party } from './party.ts';
import { FlexGroup } from './resource.ts';
import { meterIssues } from './site-meters.ts';

export const EvseRecord = message(
  'EvseRecord',
  {
    resourceId: opt(id({ doc: 'Default `<identity>.<evse>` with foreign characters replaced.' })),
    evse: int({ min: 1, max: 1000, doc: 'EVSE number at the station; in OCPP 1.6 the connector number.' }),
    circuitId: opt(id({ doc: 'Absent: directly below the POC.' })),
    current: oneOf('ac', 'dc'),
    phases: opt(int({ min: 1, max: 3 })),
    nominalVoltageV: opt(voltage({ doc: 'Line to neutral; default from the POC.' })),
    maxImportW: power(),
    maxExportW: opt(power({ doc: 'Default 0: no export.' })),
    minImportW: opt(power({ doc: 'Default 6 A · U · phases for AC, 0 for DC.' })),
    minExportW: opt(power()),
    stepW: opt(power()),
    responseTimeS: opt(duration()),
    rampWPerS: opt(ramp()),
    accuracyW: opt(power()),
    minOnS: opt(duration()),
    minOffS: opt(duration()),
    minCommandIntervalS: opt(duration()),
    offlineImportW: opt(power({ doc: 'What it may draw without connection; default maxImportW.' })),
    offlineExportW: opt(power({ doc: 'What it may feed without connection; default 0.' })),
    conformity: opt(id({ doc: 'Credential that allows export here (fo 8.4 G8).' })),
  },
  {
    clause: 'fo 3.2, fo 8.1',
    doc: 'One EVSE of a station as the site owner knows it.',
    example: { evse: 1, circuitId: 'k1', current: 'dc', maxImportW: 11000, maxExportW: 11000 },
  },
);
export type EvseRecord = Of<typeof EvseRecord>;

export const StationRecord = message(
  'StationRecord',
  {
    identity: text({ min: 1, max: 48, doc: 'As in the URL of its connection; no colon.' }),
    passwordRef: opt(text({ max: 128, doc: 'Name of the secret with its password, never the password itself.' })),
    vendor: opt(text({ max: 64 })),
    model: opt(text({ max: 64 })),
    evses: list(ref(EvseRecord), { min: 1, max: 1000 }),
  },
  {
    clause: 'ocpp 1.1',
    doc: 'One charging station of the site.',
    example: { identity: 'DEMO-V2G-1', evses: [EvseRecord.example] },
  },
);
export type StationRecord = Of<typeof StationRecord>;

export const SiteFile = message(
  'SiteFile',
  {
    siteId: id(),
    name: opt(text({ max: 128 })),
    operatorId: id({ doc: 'Party that runs the gateway; `to` of messages from an FO.' }),
    poc: ref(Poc),
    circuits: opt(list(ref(Circuit), { max: 10_000 })),
    stations: list(ref(StationRecord), { max: 10_000 }),
    unknownStations: opt(oneOf('refuse', 'pending', 'accept'), { doc: 'Default pending.' }),
    unknownStationDefaults: opt(ref(EvseRecord)),
    idTokens: obj(
      { policy: oneOf('list', 'any'), list: opt(list(text({ min: 1, max: 64 }), { max: 100_000 })) },
      { doc: 'Who may charge; `any` only in a demo.' },
    ),
    groups: opt(list(ref(FlexGroup), { max: 1000 })),
    parties: opt(list(ref(Party), { max: 10_000 })),
    partySecrets: opt(
      list(obj({ partyId: id(), tokenRef: text({ max: 128, doc: 'Name of the secret with its bearer token.' }) }), {
        max: 10_000,
      }),
    ),
    contracts: opt(list(ref(Contract), { max: 10_000 })),
    credentials: opt(list(ref(Credential), { max: 10_000 })),
    mandateIssuers: opt(
      list(
        obj({
          issuerId: id(),
          refPrefix: text({ min: 1, max: 64, doc: 'A mandateRef of this issuer begins so.' }),
          foIds: opt(list(id(), { max: 1000, doc: 'FOs that may pass its mandates on; absent: all of the site.' })),
        }),
        { max: 64 },
      ),
      { doc: 'Who may make a request mandatory (fo 9.4); without one, nobody may.' },
    ),
    keys: opt(
      list(
        obj({
          keyId: id(),
          use: oneOf('sign', 'tls'),
          keyRef: text({ max: 512, doc: 'Name or path, never the key.' }),
        }),
        {
          max: 64,
        },
      ),
    ),
    ess: opt(list(ref(Ess), { max: 64 })),
    generation: opt(list(ref(Generation), { max: 64 })),
    meters: opt(list(ref(Meter), { max: 10_000 })),
    baseLoadW: opt(power({ doc: 'Load of the site without EVs while no POC meter tells it; default 0.' })),
    staticShareW: opt(
      power({
        doc: 'What all EVs together may draw while the POC meter is lost (fo 6.4); default POC limit − baseLoadW.',
      }),
    ),
    planningStepS: opt(duration({ doc: 'fo 8.1; default 900.' })),
    defaultStayS: opt(duration({ doc: 'Assumed stay where no departure is known (fo 8.1); default 28 800.' })),
    chargeAsap: opt(bool({ doc: 'Drivers ask for as soon as possible unless they say otherwise; default false.' })),
  },
  {
    clause: 'design 2, fo 3.1–3.4',
    doc: 'Everything that the gateway must know about one site, in one file.',
    rules: siteIssues,
    example: {
      siteId: 'site:harbour',
      operatorId: 'cso:harbour',
      poc: { importLimitW: 50000, exportLimitW: 30000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
      circuits: [{ circuitId: 'k1', importLimitW: 25000, exportLimitW: 25000 }],
      stations: [StationRecord.example],
      idTokens: { policy: 'list', list: ['RFID-1'] },
    },
  },
);
export type SiteFile = Of<typeof SiteFile>;

interface SiteFacts {
  readonly circuits?: readonly { readonly circuitId: string; readonly parentId?: string }[];
  readonly stations: readonly {
    readonly identity: string;
    readonly evses: readonly {
      readonly evse: number;
      readonly resourceId?: string;
      readonly circuitId?: string;
      readonly conformity?: string;
    }[];
  }[];
  readonly groups?: readonly { readonly groupId: string; readonly members: readonly string[] }[];
  readonly contracts?: readonly { readonly contractId: string; readonly foId: string }[];
  readonly parties?: readonly { readonly partyId: string }[];
  readonly credentials?: readonly { readonly credentialId: string }[];
  readonly meters?: readonly Meter[];
  readonly ess?: readonly { readonly essId: string }[];
  readonly generation?: readonly { readonly genId: string }[];
}

/** `<identity>.<evse>` with foreign characters replaced (house rule for resource ids). */
export function defaultResourceId(identity: string, evse: number): string {
  const safe = identity.replace(/[^A-Za-z0-9._:-]/g, '_');
  return `${safe.slice(0, 58)}.${evse}`;
}

function siteIssues(v: SiteFacts): ReturnType<typeof semantic>[] {
  const meters = meterIssues(v.meters ?? [], {
    circuits: new Set((v.circuits ?? []).map((c) => c.circuitId)),
    resources: new Set(
      v.stations.flatMap((s) => s.evses.map((e) => e.resourceId ?? defaultResourceId(s.identity, e.evse))),
    ),
    ess: new Set((v.ess ?? []).map((e) => e.essId)),
    generation: new Set((v.generation ?? []).map((g) => g.genId)),
  });
  return [...circuitIssues(v), ...stationIssues(v), ...contractIssues(v), ...meters];
}

function circuitIssues(v: SiteFacts): ReturnType<typeof semantic>[] {
  const circuits = v.circuits ?? [];
  const parentOf = new Map(circuits.map((c) => [c.circuitId, c.parentId]));
  return circuits.flatMap((c, i) => {
    const at = `/circuits/${i}`;
    if (c.circuitId === 'poc') return [semantic(`${at}/circuitId`, "'poc' is the name of the connection point itself")];
    if (circuits.findIndex((o) => o.circuitId === c.circuitId) !== i) {
      return [semantic(`${at}/circuitId`, `${c.circuitId} is declared twice`)];
    }
    if (c.parentId !== undefined && !parentOf.has(c.parentId)) {
      return [semantic(`${at}/parentId`, `no circuit is called ${c.parentId}`)];
    }
    let above = c.parentId;
    for (let depth = 0; above !== undefined; depth++) {
      if (above === c.circuitId || depth > circuits.length) {
        return [semantic(`${at}/parentId`, `${c.circuitId} is its own ancestor`)];
      }
      above = parentOf.get(above);
    }
    return [];
  });
}

function stationIssues(v: SiteFacts): ReturnType<typeof semantic>[] {
  const circuits = new Set((v.circuits ?? []).map((c) => c.circuitId));
  const credentials = new Set((v.credentials ?? []).map((c) => c.credentialId));
  const seen = new Map<string, string>();
  const identities = new Set<string>();
  return v.stations.flatMap((s, i) => {
    const issues = [];
    if (s.identity.includes(':'))
      issues.push(semantic(`/stations/${i}/identity`, 'an identity has no colon (ocpp 1.1)'));
    if (identities.has(s.identity)) issues.push(semantic(`/stations/${i}/identity`, `${s.identity} is declared twice`));
    identities.add(s.identity);
    s.evses.forEach((e, j) => {
      const at = `/stations/${i}/evses/${j}`;
      const resourceId = e.resourceId ?? defaultResourceId(s.identity, e.evse);
      const other = seen.get(resourceId);
      if (other !== undefined) {
        issues.push(
          semantic(
            `${at}/resourceId`,
            `${resourceId} is already the id of ${other}; give one of them another resourceId`,
          ),
        );
      }
      seen.set(resourceId, `${s.identity} EVSE ${e.evse}`);
      if (e.circuitId !== undefined && !circuits.has(e.circuitId)) {
        issues.push(semantic(`${at}/circuitId`, `no circuit is called ${e.circuitId}`));
      }
      if (e.conformity !== undefined && !credentials.has(e.conformity)) {
        issues.push(semantic(`${at}/conformity`, `no credential is called ${e.conformity}`));
      }
    });
    return issues;
  });
}

function contractIssues(v: SiteFacts): ReturnType<typeof semantic>[] {
  const resources = new Set(
    v.stations.flatMap((s) => s.evses.map((e) => e.resourceId ?? defaultResourceId(s.identity, e.evse))),
  );
  const parties = new Set((v.parties ?? []).map((p) => p.partyId));
  const groups = (v.groups ?? []).flatMap((g, i) =>
    g.members.flatMap((m, j) =>
      resources.has(m) ? [] : [semantic(`/groups/${i}/members/${j}`, `${g.groupId} names the unknown resource ${m}`)],
    ),
  );
  const contracts = (v.contracts ?? []).flatMap((c, i) =>
    parties.has(c.foId) ? [] : [semantic(`/contracts/${i}/foId`, `${c.contractId} names the unknown party ${c.foId}`)],
  );
  return [...groups, ...contracts];
}
