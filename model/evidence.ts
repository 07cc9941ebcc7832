import {
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
  text,
  time,
  voltage,
} from '../core/schema.ts';
import { quality } from './common.ts';
import { serviceType } from './contract.ts';

export const TelemetrySample = message(
  'TelemetrySample',
  {
    fsrId: opt(id()),
    resourceId: opt(id()),
    groupId: opt(id()),
    at: time(),
    powerW: opt(power({ signed: true, doc: 'Absent when the quality is missing.' })),
    reactiveVar: opt(reactive({ signed: true })),
    voltageV: opt(voltage()),
    frequencyHz: opt(freq()),
    socPct: opt(pct()),
    importWh: opt(energy({ doc: 'Import register.' })),
    exportWh: opt(energy({ doc: 'Export register.' })),
    setpointW: opt(power({ signed: true, doc: 'Applied setpoint.' })),
    quality: quality(),
  },
  {
    clause: 'fo 3.9',
    doc: 'One measured point of a resource or group. A gap is visible by `quality: missing`.',
    example: { groupId: 'g:depot', at: '2026-03-02T17:10:01Z', powerW: -6900, setpointW: -7000, quality: 'good' },
  },
);
export type TelemetrySample = Of<typeof TelemetrySample>;

export const EventEntry = message(
  'EventEntry',
  {
    logSeq: int({ min: 1, max: Number.MAX_SAFE_INTEGER, doc: 'Per FO, no gaps.' }),
    at: time(),
    kind: text({ max: 64 }),
    severity: oneOf('info', 'warning', 'alarm'),
    subject: list(id(), { max: 64 }),
    cause: opt(text({ max: 128 })),
    text: opt(text({ max: 1024 })),
    prevHash: text({ max: 64 }),
    hash: text({ max: 64 }),
  },
  {
    clause: 'fo 3.9, fo 9.4',
    doc: 'One entry of a hash-chained event log.',
    example: {
      logSeq: 1,
      at: '2026-03-02T17:00:00Z',
      kind: 'service.active',
      severity: 'info',
      subject: ['N-4711'],
      prevHash: '0'.repeat(64),
      hash: 'a'.repeat(64),
    },
  },
);
export type EventEntry = Of<typeof EventEntry>;

export const ServiceRecord = message(
  'ServiceRecord',
  {
    recordId: id(),
    fsrId: id(),
    foId: opt(id({ doc: 'The party it is for; equals `to` of the envelope.' })),
    issuerId: opt(id({ doc: 'The party that made it; equals `from` of the envelope.' })),
    contractId: id(),
    serviceType: serviceType(),
    requested: text({ max: 65_536, doc: 'Canonical JSON of the request as received.' }),
    decision: oneOf('accepted', 'partial', 'rejected', 'optedOut'),
    headHash: text({ max: 64 }),
    resources: list(
      obj({
        resourceId: id(),
        joinedAt: time(),
        leftAt: opt(time()),
        leaveReason: opt(text({ max: 64 })),
        importWh: energy(),
        exportWh: energy(),
        minPowerW: power({ signed: true }),
        maxPowerW: power({ signed: true }),
        availabilityPct: pct(),
      }),
      { max: 10_000 },
    ),
    amendments: opt(list(obj({ revision: int({ min: 1, max: 2_147_483_647 }), at: time() }), { max: 1000 })),
    optEvents: opt(list(obj({ at: time(), actor: text({ max: 16 }), choice: oneOf('in', 'out') }), { max: 1000 })),
    deviations: opt(list(obj({ at: time(), shortfallW: power(), cause: opt(text({ max: 128 })) }), { max: 1000 })),
    curve: opt(
      list(
        obj({
          at: time(),
          requestedW: opt(power({ signed: true })),
          appliedW: opt(power({ signed: true })),
          limitedBy: opt(text({ max: 32 })),
        }),
        { max: 1000 },
      ),
      { doc: 'What was asked for and what was applied, where it changed; means where it changed too often.' },
    ),
    unlistedResources: opt(int({ min: 1, max: 10_000, doc: 'Members that would not fit into one message.' })),
    eventRange: obj({
      from: int({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      to: int({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    }),
    outcome: oneOf('completed', 'aborted', 'failed'),
  },
  {
    clause: 'fo 3.9',
    doc: 'What happened during one service, per resource.',
    example: {
      recordId: 'rec:N-4711',
      fsrId: 'N-4711',
      contractId: 'C-9',
      serviceType: 'setpoint',
      requested: '{}',
      decision: 'accepted',
      headHash: '0'.repeat(64),
      resources: [
        {
          resourceId: 'DEMO-V2G-1.1',
          joinedAt: '2026-03-02T17:00:00Z',
          importWh: 1200,
          exportWh: 300,
          minPowerW: -7000,
          maxPowerW: 11000,
          availabilityPct: 100,
        },
      ],
      eventRange: { from: 1, to: 42 },
      outcome: 'completed',
    },
  },
);
export type ServiceRecord = Of<typeof ServiceRecord>;

export const Proof = message(
  'Proof',
  {
    proofId: id(),
    replaces: opt(id()),
    fsrId: id(),
    foId: opt(id({ doc: 'The party it is for; equals `to` of the envelope.' })),
    issuerId: opt(id({ doc: 'The party that made it; equals `from` of the envelope.' })),
    recordId: id(),
    method: oneOf('declared', 'priorWindow', 'highXofY', 'zero'),
    formula: opt(oneOf('setpoint', 'up', 'down', 'limit'), { doc: 'Which formula of fo 3.9 made the numbers.' }),
    meterLevel: oneOf('poc', 'circuit', 'evse', 'ess', 'gen'),
    intervals: list(
      obj({
        start: time(),
        durationS: duration(),
        importWh: opt(energy()),
        exportWh: opt(energy()),
        baselineWh: opt(energy({ signed: true })),
        requestedWh: opt(energy()),
        deliveredWh: opt(energy({ signed: true })),
        targetWh: opt(energy({ signed: true, doc: 'setpoint: integral of what was applied.' })),
        minutes: opt(int({ min: 0, max: 100_000, doc: 'limit: minutes of the interval.' })),
        minutesWithin: opt(int({ min: 0, max: 100_000, doc: 'limit: minutes with a mean within the limit.' })),
        quality: quality(),
        meterRef: opt(id()),
      }),
      { min: 1, max: 10_000 },
    ),
    totals: obj({ requestedWh: energy(), deliveredWh: energy({ signed: true }) }),
    performancePct: pct({
      doc: '100 where nothing was requested and all was measured; 0 where no delivery can be shown.',
    }),
    trackingErrorPct: opt(pct({ max: 1e6 })),
    meterEvidence: opt(list(text({ max: 8192 }), { max: 10_000 })),
    trace: opt(
      list(
        obj({
          offsetMs: num({ min: -600_000, max: 86_400_000 }),
          frequencyHz: freq(),
          powerW: power({ signed: true }),
        }),
        {
          max: 100_000,
        },
      ),
    ),
    triggerAt: opt(time()),
    reachedAt: opt(time()),
    reactionMs: opt(num({ min: 0, max: 86_400_000 })),
    clock: obj({ source: text({ max: 64 }), maxErrorMs: opt(num({ min: 0, max: 1e9 })) }),
  },
  {
    clause: 'fo 3.9',
    doc: 'Delivered energy per interval against the baseline.',
    example: {
      proofId: 'prf:N-4711',
      fsrId: 'N-4711',
      recordId: 'rec:N-4711',
      method: 'zero',
      meterLevel: 'evse',
      intervals: [
        {
          start: '2026-03-02T17:00:00Z',
          durationS: 60,
          importWh: 100,
          exportWh: 0,
          baselineWh: 0,
          requestedWh: 100,
          deliveredWh: 100,
          quality: 'good',
        },
      ],
      totals: { requestedWh: 100, deliveredWh: 100 },
      performancePct: 100,
      clock: { source: 'unknown' },
    },
  },
);
export type Proof = Of<typeof Proof>;
