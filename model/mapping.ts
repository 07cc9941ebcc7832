import {
  anyObject,
  bool,
  id,
  int,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  power,
  record,
  scalar,
  text,
  time,
  voltage,
} from '../core/schema.ts';

/** What a mapping may know beside its source payload: bound as `$ctx` (design 3). Plain data. */
export const MappingContext = message(
  'MappingContext',
  {
    at: time({ doc: 'Time of the translation.' }),
    ids: record(scalar(), { doc: 'Ids that the bridge allocated for this translation, e.g. `chargingProfileId`.' }),
    resource: obj(
      {
        evseId: id(),
        current: oneOf('ac', 'dc'),
        protocol: oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1', 'eebus', 'iec61850', 'other'),
        evse: int({ min: 0, doc: 'EVSE or connector number at the station.' }),
        phases: int({ min: 1, max: 3, doc: 'Phases in use; 1 for DC.' }),
        voltageV: voltage({ doc: 'Line to neutral: the higher of nominal and last measured (fo 8.3.7).' }),
        maxImportW: power(),
        maxExportW: power(),
      },
      { doc: 'The resource that the message is about.' },
    ),
    session: obj(
      {
        identity: text({ max: 128, doc: 'Under which the peer connects.' }),
        vendor: opt(text({ max: 128 })),
        model: opt(text({ max: 128 })),
        transactionId: opt(scalar({ doc: 'Of the transaction that is running.' })),
        rateUnit: opt(oneOf('W', 'A', { doc: 'What the station takes.' })),
        hasDynamic: opt(bool()),
        dynamicInstalled: opt(bool({ doc: 'The dynamic profile is installed; only its values change.' })),
      },
      { doc: 'What the bridge knows of the peer and its session.' },
    ),
    settings: anyObject({ doc: 'What the bridge chose for this translation, e.g. `shape`, `durationS`.' }),
  },
  {
    clause: 'design 3',
    doc: 'What a mapping may know beside its source payload, bound as `$ctx`.',
    example: {
      at: '2026-03-02T17:10:00Z',
      ids: { chargingProfileId: 11, chargingScheduleId: 11 },
      resource: {
        evseId: 'DEMO-V2G-1.1',
        current: 'dc',
        protocol: 'ocpp2.1',
        evse: 1,
        phases: 1,
        voltageV: 230,
        maxImportW: 11000,
        maxExportW: 11000,
      },
      session: { identity: 'DEMO-V2G-1', transactionId: 'tx-1' },
      settings: { shape: 'setpoint', durationS: 120 },
    },
  },
);
/** Settings are simple values. */
export type MappingContext = Omit<Of<typeof MappingContext>, 'settings'> & {
  readonly settings: Readonly<Record<string, string | number | boolean>>;
};
