import {
  bool,
  current,
  duration,
  energy,
  freq,
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
  ramp,
  reactive,
  ref,
  text,
  voltage,
} from '../core/schema.ts';

export const Poc = message(
  'Poc',
  {
    importLimitW: power({ doc: 'P_max^grid towards the site.' }),
    exportLimitW: power({ doc: 'P_max^grid from the site.' }),
    netting: opt(oneOf('none', 'measured')),
    nominalVoltageV: voltage({ doc: 'Line to neutral.' }),
    phases: int({ min: 1, max: 3 }),
    nominalFrequencyHz: freq(),
    gridNode: opt(id({ doc: 'Congestion area.' })),
    podRef: opt(id({ doc: 'Delivery point; travels only where disclosed (fo 9.4).' })),
    dsoId: opt(id()),
    gridCode: opt(text({ max: 64 })),
  },
  {
    clause: 'fo 3.2',
    doc: 'Point of connection of a site. `netting` defaults to `measured` (fo 8.2).',
    example: { importLimitW: 50000, exportLimitW: 30000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
  },
);
export type Poc = Of<typeof Poc>;

export const Circuit = message(
  'Circuit',
  {
    circuitId: id(),
    parentId: opt(id({ doc: 'Absent: directly below the POC.' })),
    importLimitW: power({ doc: 'P_fuse(k), import.' }),
    exportLimitW: power({ doc: 'P_fuse(k), export.' }),
    perPhaseA: opt(current()),
    netting: opt(oneOf('none', 'measured')),
  },
  {
    clause: 'fo 3.2, fo 8.2',
    doc: 'One node of the circuit tree below the POC. `netting` defaults to `none`.',
    example: { circuitId: 'k1', importLimitW: 25000, exportLimitW: 25000 },
  },
);
export type Circuit = Of<typeof Circuit>;

export const EVSE_FUNCTIONS = [
  'limit',
  'setpoint',
  'schedule',
  'droopPf',
  'droopQu',
  'droopPu',
  'ffr',
  'price',
  'island',
] as const;

export const Evse = message(
  'Evse',
  {
    evseId: id({ doc: 'Is also the resourceId.' }),
    circuitId: opt(id({ doc: 'Absent: directly below the POC.' })),
    current: oneOf('ac', 'dc'),
    converter: oneOf('offBoard', 'onBoard'),
    phases: opt(int({ min: 1, max: 3 })),
    maxImportW: power(),
    maxExportW: power(),
    minImportW: power({ doc: 'Above 0 means: nothing, or at least this.' }),
    minExportW: power({ doc: 'Above 0 means: nothing, or at least this.' }),
    stepW: opt(power({ doc: 'Granularity; absent: 1 W.' })),
    responseTimeS: opt(duration()),
    localResponseTimeS: opt(duration()),
    rampWPerS: opt(ramp()),
    accuracyW: opt(power()),
    reactiveMaxAbsorbVar: opt(reactive()),
    reactiveMaxInjectVar: opt(reactive()),
    localFrequency: opt(bool()),
    localVoltage: opt(bool()),
    protocol: oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1', 'eebus', 'iec61850', 'other'),
    functions: opt(
      list(oneOf(...EVSE_FUNCTIONS), {
        max: 9,
      }),
    ),
    minOnS: opt(duration({ doc: 'fo 8.1; default 120 s for AC, 0 for DC.' })),
    minOffS: opt(duration({ doc: 'fo 8.1; default 120 s for AC, 0 for DC.' })),
    minCommandIntervalS: opt(duration({ doc: 'fo 8.3.8; default by protocol version.' })),
  },
  {
    clause: 'fo 3.2',
    doc: 'One EVSE as a controllable resource. Absent timing values are unknown.',
    example: {
      evseId: 'DEMO-V2G-1.1',
      circuitId: 'k1',
      current: 'dc',
      converter: 'offBoard',
      maxImportW: 11000,
      maxExportW: 11000,
      minImportW: 0,
      minExportW: 0,
      protocol: 'ocpp2.1',
      functions: ['setpoint'],
    },
  },
);
export type Evse = Of<typeof Evse>;

export const Ess = message(
  'Ess',
  { essId: id(), capacityWh: energy(), minWh: energy(), maxChargeW: power(), maxDischargeW: power() },
  {
    clause: 'fo 3.2',
    doc: 'A stationary storage of the site.',
    example: { essId: 'ess1', capacityWh: 100000, minWh: 10000, maxChargeW: 50000, maxDischargeW: 50000 },
  },
);
export type Ess = Of<typeof Ess>;

export const Generation = message(
  'Generation',
  { genId: id(), kind: oneOf('pv', 'wind', 'chp', 'other'), peakW: power(), curtailable: bool() },
  {
    clause: 'fo 3.2',
    doc: 'Generation behind the POC.',
    example: { genId: 'pv1', kind: 'pv', peakW: 20000, curtailable: true },
  },
);
export type Generation = Of<typeof Generation>;

export const Meter = message(
  'Meter',
  {
    meterId: id(),
    at: oneOf('poc', 'circuit', 'evse', 'ess', 'gen'),
    subjectRef: opt(id({ doc: 'Circuit, EVSE, storage or generator that it measures.' })),
    class: opt(text({ max: 16 })),
    signedValues: bool(),
    intervalS: duration(),
  },
  {
    clause: 'fo 3.2',
    doc: 'A meter of the site.',
    example: { meterId: 'm:poc', at: 'poc', class: 'MID-B', signedValues: false, intervalS: 10 },
  },
);
export type Meter = Of<typeof Meter>;

export const EvcsConfiguration = message(
  'EvcsConfiguration',
  {
    evcsId: id(),
    revision: int({ min: 0, max: 2_147_483_647 }),
    csoId: id(),
    siteId: id(),
    topology: oneOf('dcBusDc', 'acBusDc', 'acBusAc', 'singleAc', 'singleDc'),
    poc: ref(Poc),
    circuits: opt(list(ref(Circuit), { max: 10_000 })),
    sharedConverter: opt(obj({ importW: power(), exportW: power(), efficiencyPct: opt(pct()) })),
    evses: list(ref(Evse), { min: 1, max: 10_000 }),
    ess: opt(list(ref(Ess), { max: 64 })),
    generation: opt(list(ref(Generation), { max: 64 })),
    meters: opt(list(ref(Meter), { max: 10_000 })),
  },
  {
    clause: 'fo 3.2',
    doc: 'An EVCS in one of the five layouts of the standard. Layout rules: several or exactly one EVSE, AC or DC, on or off board.',
    rules: layoutIssues,
    example: {
      evcsId: 'evcs:harbour',
      revision: 1,
      csoId: 'cso:harbour',
      siteId: 'site:harbour',
      topology: 'singleDc',
      poc: { importLimitW: 50000, exportLimitW: 30000, nominalVoltageV: 230, phases: 3, nominalFrequencyHz: 50 },
      evses: [
        {
          evseId: 'DEMO-V2G-1.1',
          current: 'dc',
          converter: 'offBoard',
          maxImportW: 11000,
          maxExportW: 11000,
          minImportW: 0,
          minExportW: 0,
          protocol: 'ocpp2.1',
        },
      ],
    },
  },
);
export type EvcsConfiguration = Of<typeof EvcsConfiguration>;

/** The five layouts of fo 3.2: how many EVSE, which current, where the converter is. */
const LAYOUTS = {
  dcBusDc: { several: true, current: 'dc', converter: 'offBoard', shared: true },
  acBusDc: { several: true, current: 'dc', converter: 'offBoard', shared: false },
  acBusAc: { several: true, current: 'ac', converter: 'onBoard', shared: false },
  singleAc: { several: false, current: 'ac', converter: 'onBoard', shared: false },
  singleDc: { several: false, current: 'dc', converter: 'offBoard', shared: false },
} as const;

interface LayoutFacts {
  readonly topology: keyof typeof LAYOUTS;
  readonly sharedConverter?: unknown;
  readonly evses: readonly { readonly evseId: string; readonly current: string; readonly converter: string }[];
}

function layoutIssues(v: LayoutFacts): { path: string; code: string; message: string }[] {
  const rule = LAYOUTS[v.topology];
  const issue = (path: string, text: string) => ({ path, code: 'schema.semantic', message: text });
  const issues = [];
  if (rule.several ? v.evses.length < 2 : v.evses.length !== 1) {
    issues.push(
      issue(
        '/evses',
        `${v.topology} needs ${rule.several ? 'at least 2 EVSE' : 'exactly 1 EVSE'}, got ${v.evses.length}`,
      ),
    );
  }
  v.evses.forEach((e, i) => {
    if (e.current !== rule.current || e.converter !== rule.converter) {
      issues.push(
        issue(`/evses/${i}`, `${v.topology} needs ${rule.current} with ${rule.converter} converter at ${e.evseId}`),
      );
    }
  });
  if (rule.shared !== (v.sharedConverter !== undefined)) {
    issues.push(issue('/sharedConverter', `${v.topology} ${rule.shared ? 'needs' : 'has no'} sharedConverter`));
  }
  return issues;
}
