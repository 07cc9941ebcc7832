import {
  bool,
  energy,
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
  ref,
  text,
  time,
} from '../core/schema.ts';
import { limitSeries, quality } from './common.ts';
import { RESOURCE_STATES } from './resource.ts';
import type { ServiceTarget } from './wire.ts';
import { OUTCOME_STATES } from './wire.ts';

/** Why an allocation run happens; `target` is what came over the wire from `service`. */
export interface AllocationRequest {
  readonly reason: string;
  readonly target?: ServiceTarget;
  /** Id of the message that caused the run. */
  readonly cause?: string;
}

export const PendingStation = message(
  'PendingStation',
  {
    identity: text({ max: 64 }),
    since: time(),
    protocol: oneOf('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'),
    vendor: opt(text({ max: 64 })),
    model: opt(text({ max: 64 })),
    serial: opt(text({ max: 64 })),
    evses: int({ min: 0, max: 1000, doc: 'How many EVSE it reported so far.' }),
    remote: opt(text({ max: 64 })),
  },
  {
    clause: 'design 2',
    doc: 'A station that connected but is not in the site file; it waits for somebody to accept it.',
    example: {
      identity: 'CS-77',
      since: '2026-03-02T17:00:00Z',
      protocol: 'ocpp1.6',
      vendor: 'Acme',
      model: 'Wall 1',
      evses: 1,
    },
  },
);
export type PendingStation = Of<typeof PendingStation>;

export const FleetEntry = message(
  'FleetEntry',
  {
    resourceId: id(),
    identity: opt(text({ max: 64 })),
    protocol: text({ max: 16 }),
    online: bool(),
    state: oneOf(...RESOURCE_STATES),
    errorCode: opt(text({ max: 64, doc: 'faulted: what the station said; `Unavailable` where it is out of service.' })),
    measuredW: opt(power({ signed: true })),
    measuredAt: opt(time()),
    quality: quality(),
    socPct: opt(pct()),
    importWh: opt(energy()),
    exportWh: opt(energy()),
    sessionId: opt(id()),
    grantedW: opt(power({ signed: true })),
    neededW: power({ signed: true }),
    wishedW: power({ signed: true }),
    lowestW: power({ signed: true, doc: 'lo of fo 8.1: least power, export negative.' }),
    importLimitW: opt(power({ doc: 'Envelope.' })),
    exportLimitW: opt(power({ doc: 'Envelope.' })),
    outcome: opt(oneOf(...OUTCOME_STATES), { doc: 'Of the last command.' }),
    outcomeCode: opt(text({ max: 64 })),
    shape: opt(text({ max: 64 })),
    steppedDown: opt(text({ max: 256, doc: 'Why the form of its commands is not the best of its protocol.' })),
    optState: oneOf('in', 'out'),
  },
  {
    clause: 'fo 3.3',
    doc: 'One row of the fleet twin.',
    example: {
      resourceId: 'DEMO-V2G-1.1',
      identity: 'DEMO-V2G-1',
      protocol: 'ocpp2.1',
      online: true,
      state: 'charging',
      measuredW: 5000,
      quality: 'good',
      grantedW: 5000,
      neededW: 0,
      wishedW: 11000,
      lowestW: -11000,
      optState: 'in',
    },
  },
);
export type FleetEntry = Of<typeof FleetEntry>;

export const FleetSnapshot = message(
  'FleetSnapshot',
  {
    siteId: id(),
    at: time(),
    measuredW: power({ signed: true }),
    grantedW: power({ signed: true }),
    requestedW: opt(power({ signed: true })),
    quality: quality(),
    limits: list(
      obj({
        nodeId: id(),
        importLimitW: power(),
        exportLimitW: power(),
        measuredW: power({ signed: true }),
        source: opt(text({ max: 64 })),
      }),
      { max: 10_001 },
    ),
    meters: opt(
      list(
        obj({
          meterId: id(),
          at: oneOf('poc', 'circuit', 'evse', 'ess', 'gen'),
          subjectRef: opt(id()),
          state: oneOf('waiting', 'good', 'substituted', 'lost', {
            doc: 'waiting: nothing has come yet; substituted: the newest value is not believed (fo 6.4).',
          }),
          powerW: opt(power({ signed: true, doc: 'Import of what it measures minus export.' })),
          measuredAt: opt(time()),
          cause: opt(text({ max: 32, doc: 'Why it is lost or not believed.' })),
        }),
        { max: 10_000 },
      ),
    ),
    others: opt(
      obj({
        usedW: power({ doc: 'P_used of fo 8.2: what flows at the POC beside the EVs.' }),
        generationW: power({ doc: 'P_gen of fo 8.2.' }),
        source: oneOf('declared', 'measured', 'unknown', {
          doc: 'unknown: the POC meter is lost, the EVs stay within the static share and export nothing.',
        }),
      }),
    ),
    clock: opt(
      obj({
        source: oneOf('fo', 'unknown', { doc: 'With whose clock ours was compared (fo 6.4).' }),
        state: oneOf('good', 'degraded', 'unknown', { doc: 'degraded: off by more than 1 s.' }),
        offsetMs: opt(int({ min: -1e9, max: 1e9, doc: 'Their clock less ours.' })),
      }),
    ),
    services: list(
      obj({
        fsrId: id(),
        foId: id(),
        revision: opt(int({ min: 1, max: 2_147_483_647 })),
        contractId: opt(id()),
        serviceType: text({ max: 16 }),
        priority: opt(int({ min: 0, max: 9 })),
        mandatory: opt(bool()),
        state: text({ max: 32 }),
        waitsFor: opt(oneOf('confirm', 'opt'), { doc: 'A word of the FO about a part, or of drivers and owners.' }),
        waitsUntil: opt(time()),
        phase: opt(text({ max: 16 })),
        start: time(),
        end: time(),
        requestedW: opt(power({ signed: true, doc: 'The newest setpoint of the FO.' })),
        targetW: opt(power({ signed: true, doc: 'What reached allocate.' })),
        flow: opt(oneOf('silent'), { doc: 'Setpoints come, but none reaches allocate.' }),
        appliedW: opt(power({ signed: true })),
        measuredW: opt(power({ signed: true, doc: 'At its reference point, while it is active.' })),
        limitedBy: opt(oneOf('needed', 'wished', 'fuse', 'poc', 'minimum')),
        validUntil: opt(time()),
        decision: opt(oneOf('accepted', 'partial', 'rejected', 'optedOut')),
        optEvents: opt(list(obj({ at: time(), actor: text({ max: 16 }), choice: oneOf('in', 'out') }), { max: 1000 })),
        limits: opt(limitSeries(), { doc: 'Of a congestion service.' }),
        firm: opt(bool({ doc: 'Its limits hold at every instant.' })),
        limitW: opt(power({ doc: 'Its import limit of now.' })),
      }),
      { max: 1000 },
    ),
    resources: list(ref(FleetEntry), { max: 10_000 }),
    warnings: opt(
      list(
        obj({
          code: text({ max: 64 }),
          subject: opt(text({ max: 128, doc: 'The resource, meter or service; absent: the site.' })),
          text: text({ max: 256 }),
          since: time(),
        }),
        { max: 2000, doc: 'What needs somebody to look at it now, the oldest first.' },
      ),
    ),
    selection: opt(
      obj({
        online: int({ min: 0, max: 10_000 }),
        measuredW: power({ signed: true }),
        neededW: power({ signed: true }),
        upW: power({ doc: 'How much more they could take now, within wish and envelope.' }),
        downW: power({ doc: 'How much less they could take, or more they could give, now.' }),
      }),
      { doc: 'Sums over `resources`, in the answer to a query of a flow.' },
    ),
  },
  {
    clause: 'design 2',
    doc: 'What the site knows at one moment.',
    example: {
      siteId: 'site:harbour',
      at: '2026-03-02T17:10:00Z',
      measuredW: 5000,
      grantedW: 5000,
      quality: 'good',
      limits: [{ nodeId: 'poc', importLimitW: 50000, exportLimitW: 30000, measuredW: 5000 }],
      services: [],
      resources: [FleetEntry.example],
    },
  },
);
export type FleetSnapshot = Of<typeof FleetSnapshot>;
