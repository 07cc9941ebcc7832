import { AT, COUNTER } from './frames.ts';

/** Versions that the bench speaks. */
export type Version = 'ocpp1.6' | 'ocpp2.1';

/** What differs between stations in their messages. */
export interface Session {
  readonly transactionId: number | string;
  readonly powerW: number;
}

/** A 412-byte MeterValues of 1.6. */
function meterValues({ transactionId, powerW }: Session): unknown {
  return {
    connectorId: 1,
    transactionId,
    meterValue: [
      {
        timestamp: AT,
        sampledValue: [
          { value: '12345', measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
          { value: powerW.toFixed(1), measurand: 'Power.Active.Import', unit: 'W' },
          { value: (powerW / 690).toFixed(1), measurand: 'Current.Import', unit: 'A', phase: 'L1' },
          { value: '229.8', measurand: 'Voltage', unit: 'V', phase: 'L1' },
        ],
      },
    ],
  };
}

const sample = (measurand: string, value: number, unit: string, phase?: string): unknown => ({
  value,
  context: 'Sample.Periodic',
  measurand,
  ...(phase === undefined ? {} : { phase }),
  unitOfMeasure: { unit },
});

/** A TransactionEvent of 2.1 of 1.1 kB. */
function transactionEvent({ transactionId, powerW }: Session, eventType = 'Updated'): unknown {
  return {
    eventType,
    timestamp: AT,
    triggerReason: eventType === 'Started' ? 'CablePluggedIn' : 'MeterValuePeriodic',
    seqNo: COUNTER,
    transactionInfo: { transactionId, chargingState: 'Charging' },
    evse: { id: 1, connectorId: 1 },
    ...(eventType === 'Started' ? { idToken: { idToken: 'BENCH', type: 'Central' } } : {}),
    meterValue: [
      {
        timestamp: AT,
        sampledValue: [
          sample('Energy.Active.Import.Register', 12345.6, 'Wh'),
          sample('Power.Active.Import', powerW, 'W'),
          sample('Current.Import', 32.1, 'A', 'L1'),
          sample('Current.Import', 31.9, 'A', 'L2'),
          sample('Current.Import', 32, 'A', 'L3'),
          sample('Voltage', 229.8, 'V', 'L1-N'),
          sample('SoC', 61, 'Percent'),
        ],
      },
    ],
  };
}

/** The text of a CALL whose id is the counter of its frame. */
const call = (action: string, payload: unknown): string => JSON.stringify([2, String(COUNTER), action, payload]);

/** The message that a station sends again and again. */
export function upstreamCall(version: Version, session: Session): string {
  return version === 'ocpp1.6'
    ? call('MeterValues', meterValues(session))
    : call('TransactionEvent', transactionEvent(session));
}

/** What a station says before its first meter value, in order. */
export function openingCalls(version: Version, transactionId: string): readonly string[] {
  if (version === 'ocpp1.6') {
    return [
      call('BootNotification', { chargePointVendor: 'Bench', chargePointModel: 'Raw16' }),
      call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp: AT }),
      call('StartTransaction', { connectorId: 1, idTag: 'BENCH', meterStart: 12_000, timestamp: AT }),
      call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp: AT }),
    ];
  }
  return [
    call('BootNotification', { reason: 'PowerUp', chargingStation: { vendorName: 'Bench', model: 'Raw21' } }),
    call('StatusNotification', { timestamp: AT, connectorStatus: 'Occupied', evseId: 1, connectorId: 1 }),
    call('TransactionEvent', transactionEvent({ transactionId, powerW: 0 }, 'Started')),
  ];
}

/** The boot alone, as a station says it after a reconnection. */
export const bootCall = (version: Version): string => openingCalls(version, '')[0] ?? '';

export const heartbeatCall = (): string => call('Heartbeat', {});

const CONFIGURATION = {
  SupportedFeatureProfiles: 'Core,SmartCharging,RemoteTrigger',
  ChargingScheduleAllowedChargingRateUnit: 'Current,Power',
  ChargeProfileMaxStackLevel: '10',
  ChargingScheduleMaxPeriods: '24',
  MaxChargingProfilesInstalled: '10',
  MeterValuesSampledData: 'Power.Active.Import,Energy.Active.Import.Register,Voltage',
  MeterValueSampleInterval: '10',
};

/** What a station answers to a question of the gateway: it accepts everything, and knows little of itself. */
export function answerTo(action: string, payload: string): string {
  if (action === 'GetConfiguration') {
    const configurationKey = Object.entries(CONFIGURATION).map(([key, value]) => ({ key, value, readonly: true }));
    return JSON.stringify({ configurationKey });
  }
  if (action === 'GetCompositeSchedule') return '{"status":"Rejected"}';
  if (action !== 'GetVariables') return '{"status":"Accepted"}';
  const asked = JSON.parse(payload) as { readonly getVariableData: readonly object[] };
  const getVariableResult = asked.getVariableData.map((row) => ({ ...row, attributeStatus: 'UnknownVariable' }));
  return JSON.stringify({ getVariableResult });
}

/** A SetChargingProfile of 1.6 with a limit of its own per station, as the yardsticks send it. */
export function profileFor(station: number): Record<string, unknown> {
  return {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1000 + station,
      stackLevel: 1,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        startSchedule: '2026-01-01T12:00:00.000Z',
        duration: 900,
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 + (station % 260) / 10, numberPhases: 3 }],
      },
    },
  };
}
