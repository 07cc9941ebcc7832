import { fieldOf, type Told } from './csms-words.ts';
import type { Payload } from './foreign.ts';
import type { Script } from './python.ts';
import type { Version } from './status-rows.ts';

/** What the messages of ocpp 7 are called in a version. */
export interface StatusWords {
  readonly version: Version;
  readonly old: boolean;
  readonly protocol: 'ocpp1.6' | 'ocpp2.0.1' | 'ocpp2.1';
  readonly script: Script;
  /** The CALLs with which a station tells start and end of a transaction, and what it meters in between. */
  readonly starts: Told;
  readonly ends: Told;
  readonly meters: Told;
  /** A reading that was asked for. */
  readonly triggered: Told;
  /** Why the transaction has ended, in its last message. */
  readonly reason: (end: Payload) => unknown;
  /** A StatusNotification of the first connector with this state. */
  readonly shows: (state: string) => (p: Payload) => boolean;
  /** A car is there and nothing runs. */
  readonly plugged: string;
  readonly remoteStart: string;
  readonly remoteStop: string;
  readonly intervalKey: string;
  readonly readonlyKey: string;
  readonly unknownKey: string;
  /** What setting a key that is not there is answered with. */
  readonly unknown: string;
}

const any = (): boolean => true;
const has = (text: string) => (p: Payload) => JSON.stringify(p).includes(text);

const WORDS_16: StatusWords = {
  version: '1.6',
  old: true,
  protocol: 'ocpp1.6',
  script: 'station16.py',
  starts: ['StartTransaction', any],
  ends: ['StopTransaction', any],
  meters: ['MeterValues', has('"Sample.Periodic"')],
  triggered: ['MeterValues', has('"Trigger"')],
  reason: (p) => p.reason,
  shows: (state) => (p) => p.connectorId === 1 && p.status === state,
  plugged: 'Preparing',
  remoteStart: 'RemoteStartTransaction',
  remoteStop: 'RemoteStopTransaction',
  intervalKey: 'MeterValueSampleInterval',
  readonlyKey: 'NumberOfConnectors',
  unknownKey: 'NobodyKnowsThis',
  unknown: 'NotSupported',
};

const kind = (eventType: string) => (p: Payload) => p.eventType === eventType;

const words2 = (version: Version, protocol: StatusWords['protocol'], script: Script): StatusWords => ({
  version,
  old: false,
  protocol,
  script,
  starts: ['TransactionEvent', kind('Started')],
  ends: ['TransactionEvent', kind('Ended')],
  meters: ['TransactionEvent', (p) => p.triggerReason === 'MeterValuePeriodic'],
  triggered: ['MeterValues', has('"Trigger"')],
  reason: ({ transactionInfo }) => fieldOf(transactionInfo, 'stoppedReason'),
  shows: (state) => (p) => p.evseId === 1 && p.connectorStatus === state,
  plugged: 'Occupied',
  remoteStart: 'RequestStartTransaction',
  remoteStop: 'RequestStopTransaction',
  intervalKey: 'SampledDataCtrlr.TxUpdatedInterval',
  readonlyKey: 'SmartChargingCtrlr.Enabled',
  unknownKey: 'SmartChargingCtrlr.NobodyKnowsThis',
  unknown: 'UnknownVariable',
});

export const STATUS_WORDS: readonly StatusWords[] = [
  WORDS_16,
  words2('2.0.1', 'ocpp2.0.1', 'station201.py'),
  words2('2.1', 'ocpp2.1', 'station21.py'),
];

/** When the first meter value of a CALL was taken, epoch ms. */
export const takenAt = ({ meterValue }: Payload): number =>
  Date.parse(String(fieldOf([meterValue].flat()[0], 'timestamp')));
