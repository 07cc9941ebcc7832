import type { Payload } from './foreign.ts';

/** What a CSMS says and expects in one version of OCPP (ocpp 7). */
export interface CsmsWords {
  readonly subprotocol: string;
  /** The CALL with which a station tells the start of a transaction, and its end. */
  readonly starts: Told;
  readonly ends: Told;
  /** The id of the transaction that this CALL starts; in 1.6 the CSMS chooses it, and our first is 1. */
  readonly transactionId: (call: Payload) => unknown;
  /** Periodic meter values. */
  readonly meters: Told;
  readonly profile: (transactionId: unknown, limitW: number) => Payload;
  readonly clear: Payload;
  readonly triggerReading: Payload;
  /** What TriggerMessage of the above brings. */
  readonly triggered: Told;
  readonly remoteStop: readonly [action: string, payload: (transactionId: unknown) => Payload];
  readonly hardReset: Payload;
}

/** An action and what its payload must be like. */
export type Told = readonly [action: string, holds: (payload: Payload) => boolean];

const any = (): boolean => true;

const ocpp16: CsmsWords = {
  subprotocol: 'ocpp1.6',
  starts: ['StartTransaction', any],
  ends: ['StopTransaction', any],
  transactionId: () => 1,
  meters: ['MeterValues', any],
  profile: (transactionId, limit) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      transactionId,
      stackLevel: 1,
      chargingProfilePurpose: 'TxProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  }),
  clear: { id: 1 },
  triggerReading: { requestedMessage: 'MeterValues', connectorId: 1 },
  triggered: ['MeterValues', (p) => JSON.stringify(p).includes('"Trigger"')],
  remoteStop: ['RemoteStopTransaction', (transactionId) => ({ transactionId })],
  hardReset: { type: 'Hard' },
};

const kind = (eventType: string) => (p: Payload) => p.eventType === eventType;

const ocpp2 = (subprotocol: string): CsmsWords => ({
  subprotocol,
  starts: ['TransactionEvent', kind('Started')],
  ends: ['TransactionEvent', kind('Ended')],
  transactionId: ({ transactionInfo }) => fieldOf(transactionInfo, 'transactionId'),
  meters: ['TransactionEvent', (p) => p.triggerReason === 'MeterValuePeriodic'],
  profile: (transactionId, limit) => ({
    evseId: 1,
    chargingProfile: {
      id: 1,
      transactionId,
      stackLevel: 1,
      chargingProfilePurpose: 'TxProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: [{ id: 1, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit }] }],
    },
  }),
  clear: { chargingProfileId: 1 },
  triggerReading: { requestedMessage: 'MeterValues', evse: { id: 1 } },
  triggered: ['MeterValues', any],
  remoteStop: ['RequestStopTransaction', (transactionId) => ({ transactionId })],
  hardReset: { type: 'Immediate' },
});

/** By the name of the subprotocol. */
export const CSMS_WORDS: readonly CsmsWords[] = [ocpp16, ocpp2('ocpp2.0.1'), ocpp2('ocpp2.1')];

/** The field of an object that came over the wire. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The power that a CALL with meter values shows, W; undefined where it shows none. */
export function powerOf({ meterValue }: Payload): number | undefined {
  const samples = [meterValue].flat().flatMap((m) => [fieldOf(m, 'sampledValue')].flat());
  const power = samples.find((s) => fieldOf(s, 'measurand') === 'Power.Active.Import');
  return power === undefined ? undefined : Number(fieldOf(power, 'value'));
}
