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
  semantic,
  text,
  time,
} from '../core/schema.ts';

export const StationCapabilities = message(
  'StationCapabilities',
  {
    resourceId: id(),
    at: time(),
    protocol: oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1', 'eebus', 'iec61850', 'other'),
    source: oneOf('probed', 'declared', 'assumed'),
    form: text({ max: 64, doc: 'The best form in which commands are given now, for example `dynamic`, `limitA`.' }),
    functions: list(text({ max: 64 }), { max: 32 }),
    rateUnits: opt(list(oneOf('W', 'A'), { max: 2 })),
    maxStackLevel: opt(int({ min: 0, max: 1_000_000_000 })),
    maxPeriods: opt(int({ min: 0, max: 1_000_000_000 })),
    maxProfiles: opt(int({ min: 0, max: 1_000_000_000 })),
    meterIntervalS: opt(duration({ doc: 'How often it sends meter values.' })),
    measurands: opt(list(text({ max: 64 }), { max: 64 })),
    shownImportW: opt(power({ doc: 'What its composite schedule shows below all commands.' })),
    steppedDown: opt(text({ max: 256, doc: 'Why the form is not the best one of its protocol, for people.' })),
    reasons: list(obj({ step: text({ max: 64 }), why: text({ max: 256 }) }), {
      max: 64,
      doc: 'Every step down, and what could not be seen or set.',
    }),
  },
  {
    clause: 'ocpp 4, ocpp 6, fo 6.4',
    doc: 'What was seen of a station: what it can do, in which form it is commanded and why.',
    example: {
      resourceId: 'DEMO-AC-1.1',
      at: '2026-03-02T17:00:00Z',
      protocol: 'ocpp1.6',
      source: 'probed',
      form: 'limitA',
      functions: ['smartCharging'],
      rateUnits: ['A'],
      reasons: [],
    },
  },
);
export type StationCapabilities = Of<typeof StationCapabilities>;

export const STATION_ACTIONS = [
  'start',
  'stop',
  'availability',
  'trigger',
  'reset',
  'unlock',
  'priorityCharging',
  'getConfiguration',
  'setConfiguration',
] as const;

export const StationOrder = message(
  'StationOrder',
  {
    orderId: id(),
    resourceId: opt(id()),
    identity: opt(text({ max: 64, doc: 'The whole station, where no resource is named.' })),
    action: oneOf(...STATION_ACTIONS),
    idToken: opt(text({ max: 36, doc: 'start: for whom; default the token of the last session.' })),
    operative: opt(bool({ doc: 'availability: true to put into service; default true.' })),
    message: opt(text({ max: 64, doc: 'trigger: which message; default StatusNotification.' })),
    hard: opt(bool({ doc: 'reset: at once, not when idle.' })),
    activate: opt(bool({ doc: 'priorityCharging: default true.' })),
    key: opt(
      text({
        min: 1,
        max: 128,
        doc: 'Configuration: the key of 1.6, or `Component.Variable[Instance]` of 2.x. getConfiguration without it: all settings.',
      }),
    ),
    value: opt(text({ max: 1000, doc: 'setConfiguration: the value as the station writes it.' })),
  },
  {
    clause: 'ocpp 5, ocpp 7',
    doc: 'What a flow or a person orders a station to do beside its power. The answer is a StationOrderOutcome.',
    rules: (v) =>
      v.resourceId === undefined && v.identity === undefined
        ? [semantic('/resourceId', 'give resourceId or identity')]
        : [],
    example: { orderId: 'order:1', resourceId: 'DEMO-AC-1.1', action: 'start', idToken: 'RFID-1' },
  },
);
export type StationOrder = Of<typeof StationOrder>;

export const StationOrderOutcome = message(
  'StationOrderOutcome',
  {
    orderId: id(),
    resourceId: opt(id()),
    identity: text({ max: 64 }),
    action: oneOf(...STATION_ACTIONS),
    state: oneOf('accepted', 'scheduled', 'rejected', 'done'),
    at: time(),
    code: opt(text({ max: 64 })),
    reason: opt(text({ max: 256, doc: 'What the station said, or what is missing.' })),
    sessionId: opt(id({ doc: 'done: the session that a start has led to.' })),
    settings: opt(
      list(
        obj({
          key: text({ max: 128 }),
          value: opt(text({ max: 2500 })),
          evse: opt(int({ min: 0, max: 1_000, doc: '2.x: what an EVSE has of its own.' })),
          readonly: opt(bool()),
        }),
        { max: 2_000, doc: 'getConfiguration: what the station has; values of passwords and keys are left out.' },
      ),
    ),
  },
  {
    clause: 'ocpp 5, ocpp 7',
    doc: 'What became of a StationOrder. A start that was accepted is `done` when its session begins.',
    example: {
      orderId: 'order:1',
      resourceId: 'DEMO-AC-1.1',
      identity: 'DEMO-AC-1',
      action: 'start',
      state: 'accepted',
      at: '2026-03-02T17:00:00Z',
    },
  },
);
export type StationOrderOutcome = Of<typeof StationOrderOutcome>;
