/** The OCPP versions of this stack, written as their WebSocket subprotocol (ocpp 1.1). */
export type Version = 'ocpp1.6' | 'ocpp2.0.1' | 'ocpp2.1';

/** Where a message stands: the payload of a CALL (2), of a CALLRESULT (3) or of a SEND (6). */
export type Part = 'request' | 'response' | 'send';

/** Everything in which the versions differ on the wire. One row per version; adding one needs nothing else. */
export interface VersionRow {
  readonly version: Version;
  /** File in `ocpp-rpc/lib/schemas`. */
  readonly schemaFile: string;
  /** SHA-256 of that file as this stack was tested with it. */
  readonly schemaSha256: string;
  /** Ending of the schema's `$id` per part of a message, after `urn:<Action>`. */
  readonly suffix: Readonly<Record<Part, string>>;
  /** Name of the module with the generated types. */
  readonly typesFile: string;
  /** 1.6 spells two error codes differently and lacks two (ocpp 1.4). */
  readonly oldErrorNames: boolean;
  /** CALLRESULTERROR (5) and SEND (6) exist (ocpp 1.2). */
  readonly newFrames: boolean;
  /** permessage-deflate must be supported by the CSMS (ocpp 1.1). */
  readonly compression: boolean;
  /** Actions that the station starts; all others come from the CSMS, except those in `bothWays`. */
  readonly fromStation: readonly string[];
  readonly bothWays: readonly string[];
  /** How the names of members end whose content no schema bounds: only there can a valid payload nest deeply. */
  readonly openMark: string | undefined;
}

const FROM_STATION_ALL = [
  'Authorize',
  'BootNotification',
  'FirmwareStatusNotification',
  'Heartbeat',
  'LogStatusNotification',
  'MeterValues',
  'SecurityEventNotification',
  'SignCertificate',
  'StatusNotification',
];

const FROM_STATION_2 = [
  ...FROM_STATION_ALL,
  'ClearedChargingLimit',
  'Get15118EVCertificate',
  'GetCertificateStatus',
  'NotifyChargingLimit',
  'NotifyCustomerInformation',
  'NotifyDisplayMessages',
  'NotifyEVChargingNeeds',
  'NotifyEVChargingSchedule',
  'NotifyEvent',
  'NotifyMonitoringReport',
  'NotifyReport',
  'PublishFirmwareStatusNotification',
  'ReportChargingProfiles',
  'ReservationStatusUpdate',
  'TransactionEvent',
];

/** `customData` and `data`. */
const OPEN_MARK = 'ata"';

const SUFFIX_OLD = { request: '.req', response: '.conf', send: '.send' } as const;
const SUFFIX_NEW = { request: 'Request', response: 'Response', send: '' } as const;

export const VERSIONS: Readonly<Record<Version, VersionRow>> = {
  'ocpp1.6': {
    version: 'ocpp1.6',
    schemaFile: 'ocpp1_6.json',
    schemaSha256: 'bcef6a1779d7e729d88f604b18a27084b25e3f1d94e95c5c744f1b4a23c47ae5',
    suffix: SUFFIX_OLD,
    typesFile: 'ocpp16.ts',
    oldErrorNames: true,
    newFrames: false,
    compression: false,
    fromStation: [
      ...FROM_STATION_ALL,
      'DiagnosticsStatusNotification',
      'SignedFirmwareStatusNotification',
      'StartTransaction',
      'StopTransaction',
    ],
    bothWays: ['DataTransfer'],
    openMark: undefined,
  },
  'ocpp2.0.1': {
    version: 'ocpp2.0.1',
    schemaFile: 'ocpp2_0_1.json',
    schemaSha256: 'bb3c94678892a15bea969666bda599cc342eb3c34b7b351ddcfa974da9765a60',
    suffix: SUFFIX_OLD,
    typesFile: 'ocpp201.ts',
    oldErrorNames: false,
    newFrames: false,
    compression: true,
    fromStation: FROM_STATION_2,
    bothWays: ['DataTransfer'],
    openMark: OPEN_MARK,
  },
  'ocpp2.1': {
    version: 'ocpp2.1',
    schemaFile: 'ocpp2_1.json',
    schemaSha256: '05ca95379552acf5de73d70566a063f44f6a1d4427072646605c5b352a05adb5',
    suffix: SUFFIX_NEW,
    typesFile: 'ocpp21.ts',
    oldErrorNames: false,
    newFrames: true,
    compression: true,
    fromStation: [
      ...FROM_STATION_2,
      'BatterySwap',
      'ClosePeriodicEventStream',
      'GetCertificateChainStatus',
      'NotifyDERAlarm',
      'NotifyDERStartStop',
      'NotifyPeriodicEventStream',
      'NotifyPriorityCharging',
      'NotifySettlement',
      'OpenPeriodicEventStream',
      'PullDynamicScheduleUpdate',
      'ReportDERControl',
      'VatNumberValidation',
    ],
    bothWays: ['DataTransfer', 'NotifyAllowedEnergyTransfer', 'NotifyWebPaymentStarted'],
    openMark: OPEN_MARK,
  },
};

/** Whether `name` is a subprotocol of this stack. */
export function isVersion(name: string): name is Version {
  return Object.hasOwn(VERSIONS, name);
}
