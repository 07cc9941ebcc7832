/** The messages that all servers of this bench exchange: a 412-byte MeterValues of 1.6, a 1.1 kB TransactionEvent of 2.1. */

export type Kind = 'echo' | 'hand' | 'v2gate';
export type Version = 'ocpp1.6' | 'ocpp2.1';

const AT = '2026-01-01T12:00:00.000Z';

const meterValues = {
  connectorId: 1,
  transactionId: 4711,
  meterValue: [
    {
      timestamp: AT,
      sampledValue: [
        { value: '12345', measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
        { value: '7360.0', measurand: 'Power.Active.Import', unit: 'W' },
        { value: '10.7', measurand: 'Current.Import', unit: 'A', phase: 'L1' },
        { value: '229.8', measurand: 'Voltage', unit: 'V', phase: 'L1' },
      ],
    },
  ],
};

const sample = (measurand: string, value: number, unit: string, phase?: string): unknown => ({
  value,
  context: 'Sample.Periodic',
  measurand,
  ...(phase === undefined ? {} : { phase }),
  unitOfMeasure: { unit },
});

const transactionEvent = {
  eventType: 'Updated',
  timestamp: AT,
  triggerReason: 'MeterValuePeriodic',
  seqNo: 17,
  transactionInfo: { transactionId: '0c0a1e9e-5a3b-4a77-9c53-4b8ce2f4e5a1', chargingState: 'Charging' },
  evse: { id: 1, connectorId: 1 },
  meterValue: [
    {
      timestamp: AT,
      sampledValue: [
        sample('Energy.Active.Import.Register', 12345.6, 'Wh'),
        sample('Power.Active.Import', 22080, 'W'),
        sample('Current.Import', 32.1, 'A', 'L1'),
        sample('Current.Import', 31.9, 'A', 'L2'),
        sample('Current.Import', 32, 'A', 'L3'),
        sample('Voltage', 229.8, 'V', 'L1-N'),
        sample('SoC', 61, 'Percent'),
      ],
    },
  ],
};

export const UPSTREAM: Readonly<Record<Version, { readonly action: string; readonly payload: unknown }>> = {
  'ocpp1.6': { action: 'MeterValues', payload: meterValues },
  'ocpp2.1': { action: 'TransactionEvent', payload: transactionEvent },
};

/** A SetChargingProfile of 1.6 with a limit of its own per station. */
export function profileFor(station: number): Record<string, unknown> {
  return {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1000 + station,
      stackLevel: 1,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        startSchedule: AT,
        duration: 900,
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 + (station % 260) / 10, numberPhases: 3 }],
      },
    },
  };
}

/** What the orchestrator asks a server, and what it answers. */
export type ToServer = { readonly do: 'usage' } | { readonly do: 'fanout' };
export type FromServer =
  | { readonly port: number }
  | { readonly cpuUs: number; readonly messages: number }
  | { readonly fanoutMs: number; readonly fanoutCpuUs: number; readonly answers: number };

/** What the orchestrator asks the load generator, and what it answers. */
export type ToLoad =
  | { readonly do: 'connect'; readonly port: number; readonly stations: number; readonly version: Version }
  | { readonly do: 'run'; readonly ms: number; readonly check: boolean }
  | { readonly do: 'close' };
export type FromLoad = { readonly done: string; readonly answers: number; readonly wrong: number };
