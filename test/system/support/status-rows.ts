/** The rows of the status of OCPP (ocpp 7): each is one test, named by its id, and one mark of docs/ocpp-status.md. */

export const VERSIONS = ['1.6', '2.0.1', '2.1'] as const;
export type Version = (typeof VERSIONS)[number];

/** `gateway`: our gateway and a station of another make; `station`: our station and a CSMS of another make. */
export const SIDES = ['gateway', 'station'] as const;
export type Side = (typeof SIDES)[number];

interface Case {
  readonly id: string;
  readonly kind: 'function' | 'edge';
  readonly name: string;
  /** Section of OCPP 1.6, and use case of OCPP 2.0.1 and 2.1. */
  readonly clauses: readonly [old: string, young: string];
  /** What the tests of a side look at. */
  readonly gateway: string;
  readonly station: string;
}

export const CASES = [
  {
    id: 'boot',
    kind: 'function',
    name: 'Boot notification',
    clauses: ['4.2', 'B01'],
    gateway:
      'The subprotocol is agreed on; BootNotification is Accepted with time and interval; StatusNotification is answered; the site shows the station online.',
    station:
      'It offers its subprotocol, boots with vendor and model, and tells the status of each connector (1.6: of connector 0 as well).',
  },
  {
    id: 'heartbeat',
    kind: 'function',
    name: 'Heartbeat',
    clauses: ['4.6', 'G02'],
    gateway: 'A triggered Heartbeat is answered with the time, within 10 s of that of the station.',
    station: 'It sends Heartbeat at the interval that it is told, and on TriggerMessage.',
  },
  {
    id: 'availability',
    kind: 'function',
    name: 'Change availability',
    clauses: ['5.2', 'G03'],
    gateway:
      'An order takes the EVSE out of service and back; StatusNotification Unavailable and Available follow; in a transaction it is Scheduled and comes after it.',
    station:
      'ChangeAvailability of EVSE and of the whole station: Accepted, or Scheduled in a transaction; StatusNotification tells each change.',
  },
  {
    id: 'get-configuration',
    kind: 'function',
    name: 'Get configuration',
    clauses: ['5.8', 'B06, B07'],
    gateway:
      'An order reads one setting, or all of them, and gives the values that the station has; 2.x: GetBaseReport, and NotifyReport until `tbc` is false.',
    station:
      'GetConfiguration / GetVariables give value and access; the whole set comes by GetConfiguration without keys (1.6), or by GetBaseReport and NotifyReport until `tbc` is false.',
  },
  {
    id: 'set-configuration',
    kind: 'function',
    name: 'Set configuration',
    clauses: ['5.3', 'B05'],
    gateway: 'An order sets the interval of meter values; reading it again shows the new value.',
    station: 'ChangeConfiguration / SetVariables: Accepted, shown when read again, and acted upon.',
  },
  {
    id: 'start-local',
    kind: 'function',
    name: 'Start, local',
    clauses: ['4.1, 4.8', 'C01, E02'],
    gateway: 'Authorize and the start of the transaction are Accepted; the site shows the session under its id.',
    station:
      'Plug and card: StatusNotification Preparing / Occupied, Authorize, StartTransaction / TransactionEvent Started, then Charging.',
  },
  {
    id: 'start-remote',
    kind: 'function',
    name: 'Start, remote',
    clauses: ['5.11', 'F01, F02'],
    gateway:
      'An order starts a session for a token; it is matched with the transaction that begins (2.x: by remoteStartId).',
    station: 'A remote start is Accepted; the transaction begins with the token (2.x: RemoteStart and remoteStartId).',
  },
  {
    id: 'stop-local',
    kind: 'function',
    name: 'Stop, local',
    clauses: ['4.10', 'E07'],
    gateway: 'The end with reason Local is answered; the site shows no session any more.',
    station: 'The end of the transaction tells the reason Local; unplugging makes the connector Available.',
  },
  {
    id: 'stop-remote',
    kind: 'function',
    name: 'Stop, remote',
    clauses: ['5.12', 'F03'],
    gateway: 'An order stops the session; its end tells the reason Remote.',
    station: 'A remote stop is Accepted; the end tells the reason Remote (2.x: trigger RemoteStop).',
  },
  {
    id: 'meter',
    kind: 'function',
    name: 'Meter reading',
    clauses: ['4.7, 5.17', 'J02, F06'],
    gateway:
      'Periodic meter values are answered and shown as power of the session; a reading on demand comes by an order.',
    station:
      'Power and energy come at the configured interval; TriggerMessage brings a reading of the context Trigger.',
  },
  {
    id: 'reset-soft',
    kind: 'function',
    name: 'Reset, soft',
    clauses: ['5.14', 'B12'],
    gateway:
      'An order in a transaction: 1.6 ends it with SoftReset and boots; 2.x is Scheduled and boots when it is over.',
    station: 'The same as station: SoftReset and boot (1.6), Scheduled and boot ScheduledReset after the end (2.x).',
  },
  {
    id: 'reset-hard',
    kind: 'function',
    name: 'Reset, hard',
    clauses: ['5.14', 'B12'],
    gateway:
      'An order ends the transaction with HardReset / ImmediateReset; after the boot the site shows the station without a session.',
    station: 'The transaction ends with HardReset (1.6) or ImmediateReset and ResetCommand (2.x); the station boots.',
  },
  {
    id: 'unknown-connector',
    kind: 'edge',
    name: 'Unknown connector or EVSE',
    clauses: ['5.2, 5.11', 'G03, F01'],
    gateway:
      'Orders for an EVSE that the station does not have come back as rejected; what a station tells of one that the site does not have is answered and starts no session.',
    station: 'ChangeAvailability, remote start and TriggerMessage for it are Rejected.',
  },
  {
    id: 'unknown-transaction',
    kind: 'edge',
    name: 'Stop of an unknown transaction',
    clauses: ['5.12, 4.10', 'F03, E07'],
    gateway:
      'An order where nothing runs is rejected without a call; a refusal of the station reaches who ordered; the end of an unknown transaction is answered.',
    station: 'The remote stop is Rejected, and what runs goes on.',
  },
  {
    id: 'start-inoperative',
    kind: 'edge',
    name: 'Remote start while Inoperative',
    clauses: ['5.11', 'F01'],
    gateway: 'The order comes back as rejected; no session begins.',
    station: 'The remote start is Rejected; no transaction begins.',
  },
  {
    id: 'boot-pending',
    kind: 'edge',
    name: 'Boot Pending, then Accepted',
    clauses: ['4.2', 'B02'],
    gateway:
      'A station that nobody knows gets Pending and may start nothing; after it was accepted at the API its next boot is Accepted.',
    station: 'It repeats the boot after the interval and tells nothing else before it is accepted.',
  },
  {
    id: 'readonly-key',
    kind: 'edge',
    name: 'Read-only key',
    clauses: ['5.3', 'B05'],
    gateway: 'The order comes back as rejected; the value stays.',
    station: 'Rejected; the value stays.',
  },
  {
    id: 'unknown-key',
    kind: 'edge',
    name: 'Unknown key',
    clauses: ['5.3, 5.8', 'B05, B06'],
    gateway: 'Orders to read and to set it come back as rejected, with NotSupported / UnknownVariable.',
    station: 'NotSupported and unknownKey (1.6), UnknownVariable (2.x).',
  },
  {
    id: 'disconnect',
    kind: 'edge',
    name: 'Disconnected in a transaction, with queued messages',
    clauses: ['3.7', 'E11'],
    gateway: 'What the station queued is answered in its order; it is still the same session.',
    station: 'Meter values and the end of the transaction wait, and come in their order after the connection is back.',
  },
  {
    id: 'lost-answer',
    kind: 'edge',
    name: 'Start repeated after a lost answer',
    clauses: ['3.7, 4.8', 'E13'],
    gateway: 'The same start once more gets the same answer (1.6: the same transactionId) and makes no second session.',
    station: 'The start is repeated as it was, and what follows belongs to the id of the second answer.',
  },
] as const satisfies readonly Case[];

export type CaseId = (typeof CASES)[number]['id'];

/** What ocpp 7 names beside and nothing here claims. */
export const NOT_YET: readonly { readonly name: string; readonly side: Side; readonly what: string }[] = [
  {
    name: 'Reset ImmediateAndResume (2.1)',
    side: 'gateway',
    what: 'No order for it; a hard reset is Immediate.',
  },
  {
    name: 'Reset ImmediateAndResume (2.1)',
    side: 'station',
    what: 'Rejected with UnsupportedParam; so is the reset of one EVSE.',
  },
];

export interface StatusRow {
  /** Name of its test, e.g. `boot 1.6 gateway`. */
  readonly id: string;
  readonly caseId: CaseId;
  readonly version: Version;
  readonly side: Side;
}

export const rowId = (caseId: CaseId, version: Version, side: Side): string => `${caseId} ${version} ${side}`;

/** All rows that are claimed. */
export const ROWS: readonly StatusRow[] = SIDES.flatMap((side) =>
  CASES.flatMap(({ id: caseId }) =>
    VERSIONS.map((version) => ({ id: rowId(caseId, version, side), caseId, version, side })),
  ),
);
