import { iso } from '../../core/clock.ts';
import { serviceRequest, setpoint } from '../hostile/world.ts';

const AT = '2026-03-02T12:00:00.000Z';
/** Ids differ, since a CALL that comes again gets the answer that it got before. */
let calls = 0;
const call = (action: string, payload: object) => () => [2, `f${++calls}`, action, payload];

const sampled16 = [{ value: '4100', measurand: 'Power.Active.Import', unit: 'W', phase: 'L1' }];
const sampled2 = [{ value: 4100, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W', multiplier: 0 } }];

/** What a station of OCPP 1.6 says. */
export const OCPP16 = [
  call('BootNotification', { chargePointVendor: 'v', chargePointModel: 'm', chargePointSerialNumber: 's' }),
  call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp: AT }),
  call('Authorize', { idTag: 'DEMO-1' }),
  call('StartTransaction', { connectorId: 1, idTag: 'DEMO-1', meterStart: 0, timestamp: AT }),
  call('StopTransaction', { transactionId: 1, meterStop: 5, timestamp: AT, transactionData: [] }),
  call('MeterValues', { connectorId: 1, transactionId: 1, meterValue: [{ timestamp: AT, sampledValue: sampled16 }] }),
  call('DataTransfer', { vendorId: 'v', messageId: 'm', data: 'd' }),
  call('FirmwareStatusNotification', { status: 'Idle' }),
  call('DiagnosticsStatusNotification', { status: 'Idle' }),
  () => [3, 'f', { status: 'Accepted' }],
  () => [4, 'f', 'InternalError', 'no', {}],
];

const event = (eventType: string, triggerReason: string, more: object = {}) =>
  call('TransactionEvent', {
    eventType,
    triggerReason,
    seqNo: 3,
    timestamp: AT,
    transactionInfo: { transactionId: 'f', chargingState: 'Charging' },
    evse: { id: 1, connectorId: 1 },
    idToken: { idToken: 'DEMO-1', type: 'ISO14443' },
    meterValue: [{ timestamp: AT, sampledValue: sampled2 }],
    ...more,
  });

/** What stations of OCPP 2.0.1 and 2.1 have in common. */
export const OCPP201 = [
  call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'v', model: 'm' } }),
  call('StatusNotification', { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp: AT }),
  call('Authorize', { idToken: { idToken: 'DEMO-1', type: 'ISO14443' } }),
  event('Started', 'CablePluggedIn'),
  event('Updated', 'MeterValuePeriodic'),
  event('Ended', 'EVDeparted', { offline: true }),
  call('MeterValues', { evseId: 1, meterValue: [{ timestamp: AT, sampledValue: sampled2 }] }),
  call('NotifyEvent', {
    generatedAt: AT,
    seqNo: 0,
    eventData: [
      {
        eventId: 1,
        timestamp: AT,
        trigger: 'Delta',
        actualValue: 'Occupied',
        eventNotificationType: 'HardWiredNotification',
        component: { name: 'Connector', evse: { id: 1, connectorId: 1 } },
        variable: { name: 'AvailabilityState' },
      },
    ],
  }),
  call('NotifyReport', {
    requestId: 1,
    generatedAt: AT,
    seqNo: 0,
    tbc: false,
    reportData: [
      {
        component: { name: 'SmartChargingCtrlr' },
        variable: { name: 'RateUnit' },
        variableAttribute: [{ type: 'Actual', value: 'A,W' }],
      },
    ],
  }),
  call('SecurityEventNotification', { type: 'FirmwareUpdated', timestamp: AT }),
  call('DataTransfer', { vendorId: 'v', data: { a: [1, { b: 2 }] }, customData: { vendorId: 'v' } }),
  () => [3, 'f', { status: 'Accepted' }],
  () => [4, 'f', 'FormatViolation', 'no', {}],
];

/** What a station of OCPP 2.1 says. */
export const OCPP21 = [
  ...OCPP201,
  call('NotifyEVChargingNeeds', {
    evseId: 1,
    chargingNeeds: {
      requestedEnergyTransfer: 'DC_BPT',
      departureTime: AT,
      dcChargingParameters: { evMaxCurrent: 50, evMaxVoltage: 400, stateOfCharge: 50 },
    },
  }),
  call('NotifyPriorityCharging', { transactionId: 'f', activated: true }),
  () => [5, 'f', 'FormatViolation', 'no', {}],
  () => [6, 'f', 'NotifyPeriodicEventStream', { id: 1, pending: 0, basetime: AT, data: [{ t: 1, v: '2' }] }],
];

const inHours = (now: () => number, h: number): string => iso(now() + h * 3_600_000);

/** Type and body of what the operator `fo:rival` says. */
export const foBodies = (now: () => number): readonly (readonly [string, () => unknown])[] => [
  [
    'RequestService',
    () => serviceRequest('R-1', now(), { contractId: 'C-10', target: { groupId: 'g:rival', referencePoint: 'group' } }),
  ],
  ['UpdateSetpoint', () => setpoint('R-1', 1, 1_000, now())],
  ['AmendService', () => ({ fsrId: 'R-1', revision: 2, window: { start: inHours(now, 0), end: inHours(now, 1) } })],
  ['ActivateService', () => ({ fsrId: 'R-1', action: 'activate', at: iso(now()) })],
  ['CancelService', () => ({ fsrId: 'R-1', reason: 'enough', at: iso(now()) })],
  ['Opt', () => ({ choice: 'in', actor: 'fleet', scope: { fsrId: 'R-1', resources: ['DEMO-V2G-3.1'] } })],
  [
    'SubscribeTelemetry',
    () => ({ subject: { groupId: 'g:rival' }, fields: ['powerW'], intervalS: 5, until: iso(now() + 30_000) }),
  ],
  ['Heartbeat', () => ({ at: iso(now()), seq: 1, ackEventSeq: 0 })],
  ['Result', () => ({ status: 'ok' })],
  ['Telemetry', () => ({ samples: [{ resourceId: 'DEMO-AC-1.1', at: iso(now()), powerW: 1, quality: 'good' }] })],
];
