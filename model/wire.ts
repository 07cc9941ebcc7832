import {
  anyObject,
  bool,
  current,
  duration,
  energy,
  freq,
  id,
  int,
  list,
  message,
  num,
  type Of,
  obj,
  oneOf,
  opt,
  pct,
  power,
  reactive,
  ref,
  semantic,
  text,
  time,
  voltage,
} from '../core/schema.ts';
import { quality } from './common.ts';
import { Signature } from './records.ts';
import { RESOURCE_STATES } from './resource.ts';

/** The languages that a topic may begin with (design 2.1). */
export const LANGUAGES = [
  'hub',
  'fo1',
  'ocpp1.6',
  'ocpp2.0.1',
  'ocpp2.1',
  'openadr2.0b',
  'openadr3.0',
  'openadr3.1',
  'eebus',
  'iec61850',
  'opcua',
] as const;
export type Language = (typeof LANGUAGES)[number];

export const MessageMeta = message(
  'MessageMeta',
  {
    id: id(),
    cause: opt(id({ doc: 'Id of the message that led to this one.' })),
    at: time(),
    link: text({ max: 128 }),
    peer: opt(text({ max: 128, doc: 'Station identity, party, SKI or VEN; also addresses one on the way out.' })),
    replyTo: opt(text({ max: 128, doc: 'Present where an answer is expected.' })),
    signature: opt(ref(Signature), { doc: 'Of a signed body, made over the message id in `id` (fo 9.4).' }),
  },
  {
    clause: 'design 2.1',
    doc: 'What travels beside topic and payload as `msg.v2gate`.',
    example: {
      id: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
      at: '2026-03-02T16:40:00Z',
      link: 'fo:main',
      peer: 'fo:north',
    },
  },
);
export type MessageMeta = Of<typeof MessageMeta>;

/** One message on a wire: plain data that can be cloned and carried to another process. */
export interface WireMessage {
  /** `<language>/<Message>` */
  readonly topic: string;
  readonly payload: unknown;
  readonly v2gate: MessageMeta;
}

export const PowerCommand = message(
  'PowerCommand',
  {
    commandId: id(),
    resourceId: id(),
    kind: oneOf('setpoint', 'limit', 'onOff'),
    powerW: opt(power({ signed: true, doc: 'Setpoint, load convention; for onOff: 0 is off.' })),
    importLimitW: opt(power()),
    exportLimitW: opt(power()),
    reactiveVar: opt(reactive({ signed: true })),
    validUntil: time(),
    level: int({ min: 1, max: 7, doc: 'Priority of fo 6.3, 1 is the highest.' }),
  },
  {
    clause: 'design 2.1',
    doc: 'What one resource shall do now, until when.',
    rules: (v) => {
      const need = (ok: boolean, path: string, text: string) =>
        ok ? [] : [{ path, code: 'schema.semantic', message: text }];
      if (v.kind === 'limit') {
        return need(
          v.importLimitW !== undefined || v.exportLimitW !== undefined,
          '/importLimitW',
          'a limit names importLimitW or exportLimitW',
        );
      }
      return need(v.powerW !== undefined, '/powerW', `a ${v.kind} needs powerW`);
    },
    example: {
      commandId: 'cmd:1',
      resourceId: 'DEMO-V2G-1.1',
      kind: 'setpoint',
      powerW: -10000,
      validUntil: '2026-03-02T17:11:00Z',
      level: 6,
    },
  },
);
export type PowerCommand = Of<typeof PowerCommand>;

export const ScheduleCommand = message(
  'ScheduleCommand',
  {
    commandId: id(),
    resourceId: id(),
    start: time(),
    points: list(
      obj({
        offsetS: duration(),
        powerW: opt(power({ signed: true })),
        importLimitW: opt(power()),
        exportLimitW: opt(power()),
      }),
      { min: 1, max: 1000 },
    ),
    validUntil: time(),
    level: int({ min: 1, max: 7 }),
  },
  {
    clause: 'design 2.1',
    doc: 'What one resource shall do over time.',
    example: {
      commandId: 'cmd:2',
      resourceId: 'DEMO-V2G-1.1',
      start: '2026-03-02T17:00:00Z',
      points: [{ offsetS: 0, powerW: 5000 }],
      validUntil: '2026-03-02T18:00:00Z',
      level: 6,
    },
  },
);
export type ScheduleCommand = Of<typeof ScheduleCommand>;

export const CurveCommand = message(
  'CurveCommand',
  {
    commandId: id(),
    resourceId: id(),
    curve: oneOf('pf', 'qu', 'pu'),
    points: list(obj({ x: num({ min: 0, max: 100_000 }), y: num({ min: -1e9, max: 1e9 }) }), { min: 2, max: 20 }),
    baselineW: opt(power({ signed: true })),
    validUntil: time(),
    level: int({ min: 1, max: 7 }),
  },
  {
    clause: 'design 2.1',
    doc: 'A curve that one resource shall follow by itself; y in W or var, load convention.',
    example: {
      commandId: 'cmd:3',
      resourceId: 'DEMO-V2G-1.1',
      curve: 'pf',
      points: [
        { x: 49.8, y: -10000 },
        { x: 50.2, y: 10000 },
      ],
      validUntil: '2026-03-02T18:00:00Z',
      level: 6,
    },
  },
);
export type CurveCommand = Of<typeof CurveCommand>;

export const CommandBatch = message(
  'CommandBatch',
  {
    batchId: id(),
    siteId: id(),
    fsrId: opt(id()),
    at: time(),
    commands: list(ref(PowerCommand), { min: 1, max: 10_000 }),
  },
  {
    clause: 'design 2.1',
    doc: 'The commands of one allocation run.',
    example: {
      batchId: 'batch:1',
      siteId: 'site:harbour',
      at: '2026-03-02T17:10:00Z',
      commands: [PowerCommand.example],
    },
  },
);
export type CommandBatch = Of<typeof CommandBatch>;

export const OUTCOME_STATES = [
  'sent',
  'accepted',
  'effective',
  'notEffective',
  'refused',
  'superseded',
  'expired',
  'unknown',
] as const;
export type OutcomeState = (typeof OUTCOME_STATES)[number];

export const CommandOutcome = message(
  'CommandOutcome',
  {
    commandId: id(),
    resourceId: id(),
    state: oneOf(...OUTCOME_STATES),
    at: time(),
    code: opt(text({ max: 64 })),
    measuredW: opt(power({ signed: true })),
    shape: opt(text({ max: 64, doc: 'The form in which it was expressed, for example `dynamic`, `limit.A`.' })),
    appliedW: opt(power({ signed: true, doc: 'What was sent after clipping to the envelope.' })),
  },
  {
    clause: 'design 2.1',
    doc: 'What became of a command. `sent` and `accepted` are interim: accepted is not effective.',
    example: {
      commandId: 'cmd:1',
      resourceId: 'DEMO-V2G-1.1',
      state: 'effective',
      at: '2026-03-02T17:10:04Z',
      measuredW: -9980,
      shape: 'dynamic',
    },
  },
);
export type CommandOutcome = Of<typeof CommandOutcome>;

export const MeterReading = message(
  'MeterReading',
  {
    resourceId: opt(id()),
    meterId: opt(id({ doc: 'A meter that is not at an EVSE.' })),
    at: time(),
    powerW: opt(power({ signed: true, doc: 'Import minus export, load convention.' })),
    reactiveVar: opt(reactive({ signed: true })),
    voltageV: opt(voltage()),
    currentA: opt(current()),
    frequencyHz: opt(freq()),
    socPct: opt(pct()),
    importWh: opt(energy({ doc: 'Import register.' })),
    exportWh: opt(energy({ doc: 'Export register.' })),
    quality: quality(),
  },
  {
    clause: 'fo 3.9, ocpp 5.1',
    doc: 'What a meter said. Exactly one of resourceId and meterId.',
    rules: (v) =>
      (v.resourceId === undefined) === (v.meterId === undefined)
        ? [semantic('/resourceId', 'give exactly one of resourceId and meterId')]
        : [],
    example: { resourceId: 'DEMO-V2G-1.1', at: '2026-03-02T17:10:04Z', powerW: -9980, exportWh: 1234, quality: 'good' },
  },
);
export type MeterReading = Of<typeof MeterReading>;

export const StationStatus = message(
  'StationStatus',
  {
    resourceId: id(),
    at: time(),
    state: oneOf(...RESOURCE_STATES),
    protocol: opt(oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1', 'eebus', 'iec61850', 'other')),
    errorCode: opt(text({ max: 64 })),
    offlineImportW: opt(power({ doc: 'What the profile below lets it draw without word from us.' })),
  },
  {
    clause: 'fo 3.3, ocpp 5',
    doc: 'The state of one EVSE as its link knows it; `offline` when the link is gone. The twin completes it to a ResourceState.',
    example: { resourceId: 'DEMO-AC-1.1', at: '2026-03-02T17:00:00Z', state: 'charging' },
  },
);
export type StationStatus = Of<typeof StationStatus>;

export const SessionEvent = message(
  'SessionEvent',
  {
    resourceId: id(),
    sessionId: id(),
    kind: oneOf('started', 'updated', 'ended'),
    at: time(),
    seqNo: opt(int({ min: 0, max: Number.MAX_SAFE_INTEGER })),
    state: opt(oneOf('connected', 'charging', 'suspended')),
    importWh: opt(energy()),
    exportWh: opt(energy()),
    reason: opt(text({ max: 64 })),
    offline: opt(bool({ doc: 'It was queued at the station while it had no connection.' })),
  },
  {
    clause: 'ocpp 5',
    doc: 'A charging session started, changed or ended.',
    example: {
      resourceId: 'DEMO-V2G-1.1',
      sessionId: 'tx-1',
      kind: 'started',
      at: '2026-03-02T17:00:00Z',
      importWh: 0,
    },
  },
);
export type SessionEvent = Of<typeof SessionEvent>;

export const EvNeeds = message(
  'EvNeeds',
  {
    resourceId: id(),
    at: time(),
    departureAt: opt(time()),
    socPct: opt(pct()),
    capacityWh: opt(energy()),
    energyToMinWh: opt(energy()),
    energyToTargetWh: opt(energy()),
    energyToMaxWh: opt(energy()),
    exportableWh: opt(energy()),
    importMinW: opt(power()),
    importMaxW: opt(power()),
    exportMaxW: opt(power()),
    bidirectional: bool(),
  },
  {
    clause: 'ocpp 2.7',
    doc: 'What the EV said about its needs and limits.',
    example: {
      resourceId: 'DEMO-V2G-1.1',
      at: '2026-03-02T17:00:00Z',
      energyToTargetWh: 800,
      importMaxW: 11000,
      exportMaxW: 11000,
      bidirectional: true,
    },
  },
);
export type EvNeeds = Of<typeof EvNeeds>;

export const SetLimit = message(
  'SetLimit',
  {
    nodeId: text({ max: 64, doc: '`poc`, a circuitId or an evseId.' }),
    source: text({ max: 64, doc: 'Who set it; a later limit of the same source and node replaces it.' }),
    importLimitW: opt(power()),
    exportLimitW: opt(power()),
    validUntil: opt(time({ doc: 'Absent: until it is lifted.' })),
    lift: opt(bool({ doc: 'Takes the limit of this source and node back.' })),
  },
  {
    clause: 'fo 6.3 level 2–4, design 2',
    doc: 'A limit from outside the site file: operator, EMS, grid. Holds without any wire.',
    rules: (v) =>
      v.lift === true || v.importLimitW !== undefined || v.exportLimitW !== undefined
        ? []
        : [semantic('/importLimitW', 'give importLimitW, exportLimitW or lift')],
    example: { nodeId: 'poc', source: 'operator', importLimitW: 10000, validUntil: '2026-03-02T18:00:00Z' },
  },
);
export type SetLimit = Of<typeof SetLimit>;

export const ServiceTarget = message(
  'ServiceTarget',
  {
    fsrId: id(),
    foId: opt(id({ doc: 'Whose service; may be left out while no other FO has one of this id.' })),
    targetW: power({ signed: true }),
    validUntil: time(),
    seq: opt(int({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  },
  {
    clause: 'design 2',
    doc: 'The target of a running service on its way from `service` to `allocate`.',
    example: { fsrId: 'N-4711', targetW: -8000, validUntil: '2026-03-02T17:11:00Z', seq: 61 },
  },
);
export type ServiceTarget = Of<typeof ServiceTarget>;

export const EnvelopeUpdate = message(
  'EnvelopeUpdate',
  {
    siteId: id(),
    at: time(),
    revision: int({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    evses: list(obj({ resourceId: id(), importLimitW: power(), exportLimitW: power() }), { max: 10_000 }),
  },
  {
    clause: 'design 2',
    doc: 'The highest permitted import and export per EVSE right now.',
    example: {
      siteId: 'site:harbour',
      at: '2026-03-02T17:00:00Z',
      revision: 7,
      evses: [{ resourceId: 'DEMO-AC-1.1', importLimitW: 7000, exportLimitW: 0 }],
    },
  },
);
export type EnvelopeUpdate = Of<typeof EnvelopeUpdate>;

export const MappedMessages = message(
  'MappedMessages',
  { messages: list(obj({ topic: text({ max: 128 }), payload: anyObject() }), { max: 1000 }) },
  {
    clause: 'design 3',
    doc: 'The result of a mapping that yields several messages.',
    example: {
      messages: [
        { topic: 'hub/MeterReading', payload: { resourceId: 'r', at: '2026-03-02T17:00:00Z', quality: 'good' } },
      ],
    },
  },
);
export type MappedMessages = Of<typeof MappedMessages>;
