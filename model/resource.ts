import { energy, id, list, message, type Of, oneOf, opt, pct, power, semantic, time } from '../core/schema.ts';
import { availabilitySeries, quality, referencePoint } from './common.ts';

export const RESOURCE_STATES = [
  'offline',
  'available',
  'connected',
  'charging',
  'discharging',
  'suspended',
  'faulted',
  'reserved',
] as const;

export const ResourceState = message(
  'ResourceState',
  {
    resourceId: id(),
    at: time(),
    state: oneOf(...RESOURCE_STATES),
    evRef: opt(id({ doc: 'Pseudonym; only with a contract of the asking FO (fo 9.4).' })),
    socPct: opt(pct({ doc: 'Only if really known.' })),
    capacityWh: opt(energy()),
    energyToMinWh: opt(energy({ doc: 'From EVSE terminals, losses included.' })),
    energyToTargetWh: opt(energy({ doc: 'From EVSE terminals, losses included.' })),
    energyToMaxWh: opt(energy({ doc: 'From EVSE terminals, losses included.' })),
    exportableWh: opt(energy({ doc: "Energy above the driver's floor." })),
    departureAt: opt(time()),
    importMinW: opt(power({ doc: 'Least import that is not 0; absent: 0.' })),
    importMaxW: power({ doc: 'Now usable.' }),
    exportMaxW: power({ doc: 'Now usable.' }),
    neededW: power({ signed: true, doc: 'P_needed of fo 8.1.' }),
    wishedW: power({ signed: true, doc: 'P_wished of fo 8.1.' }),
    optState: oneOf('in', 'out'),
    quality: quality(),
  },
  {
    clause: 'fo 3.3',
    doc: 'What one resource is doing and could do now.',
    example: {
      resourceId: 'DEMO-V2G-1.1',
      at: '2026-03-02T17:00:00Z',
      state: 'charging',
      socPct: 55,
      importMaxW: 11000,
      exportMaxW: 11000,
      neededW: 0,
      wishedW: 11000,
      optState: 'in',
      quality: 'good',
    },
  },
);
export type ResourceState = Of<typeof ResourceState>;

export const FlexGroup = message(
  'FlexGroup',
  {
    groupId: id(),
    members: list(id(), { min: 1, max: 10_000 }),
    referencePoint: referencePoint(),
    gridNode: opt(id()),
  },
  {
    clause: 'fo 3.3',
    doc: 'Resources that are offered together; its numbers are sums limited by the circuit tree.',
    example: { groupId: 'g:depot', members: ['DEMO-V2G-1.1', 'DEMO-AC-1.1'], referencePoint: 'group' },
  },
);
export type FlexGroup = Of<typeof FlexGroup>;

export const AvailabilityReport = message(
  'AvailabilityReport',
  {
    groupId: opt(id()),
    resourceId: opt(id()),
    issuedAt: time(),
    series: availabilitySeries(),
    validUntil: opt(time()),
  },
  {
    clause: 'fo 3.3, fo 4.3 no. 8',
    doc: 'What a group or resource could do over time. Newer `issuedAt` replaces.',
    rules: (v) =>
      (v.groupId === undefined) === (v.resourceId === undefined)
        ? [semantic('', 'give exactly one of groupId and resourceId')]
        : [],
    example: {
      groupId: 'g:depot',
      issuedAt: '2026-03-02T16:00:00Z',
      series: {
        start: '2026-03-02T17:00:00Z',
        end: '2026-03-02T18:00:00Z',
        points: [{ offsetS: 0, importMaxW: 44000, exportMaxW: 20000, neededW: 0 }],
      },
    },
  },
);
export type AvailabilityReport = Of<typeof AvailabilityReport>;
