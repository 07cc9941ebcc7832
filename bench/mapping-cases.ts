/** The mappings that the benchmark measures, each with its hand-written counterpart. */
export interface MappingCase {
  /** What stands behind `map/` in goals.json. */
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly input: object;
  readonly ctx: object;
  byHand(input: unknown, ctx: unknown): unknown;
  /** Calls of the interpreter per round. */
  readonly interpreted: number;
}

interface Interval {
  startS: number;
  powerW: number;
  limitW?: number;
}
interface Setpoint {
  setpointId: string;
  validUntil: string;
  intervals: Interval[];
}
interface ProfileContext {
  at: string;
  ids: { chargingProfileId: number; chargingScheduleId: number };
  resource: { evse: number };
  session: { transactionId: string };
}

const PROFILE = `/* from: hub/ScheduleCommand   to: ocpp2.1/SetChargingProfileRequest */
(
  $rows := intervals^(startS);
  {
    "evseId": $ctx.resource.evse,
    "chargingProfile": {
      "id": $ctx.ids.chargingProfileId,
      "stackLevel": 1,
      "chargingProfilePurpose": 'TxProfile',
      "chargingProfileKind": 'Absolute',
      "transactionId": $ctx.session.transactionId,
      "validTo": validUntil,
      "chargingSchedule": [{
        "id": $ctx.ids.chargingScheduleId,
        "startSchedule": $ctx.at,
        "chargingRateUnit": 'W',
        "chargingSchedulePeriod": [$rows.{
          "startPeriod": startS,
          "operationMode": $exists(limitW) ? 'ChargingOnly' : 'CentralSetpoint',
          "limit": limitW,
          "setpoint": $exists(limitW) ? null : powerW
        }]
      }]
    }
  }
)`;

function profileByHand(given: unknown, context: unknown): unknown {
  const input = given as Setpoint;
  const ctx = context as ProfileContext;
  const rows = [...input.intervals].sort((a, b) => a.startS - b.startS);
  return {
    evseId: ctx.resource.evse,
    chargingProfile: {
      id: ctx.ids.chargingProfileId,
      stackLevel: 1,
      chargingProfilePurpose: 'TxProfile',
      chargingProfileKind: 'Absolute',
      transactionId: ctx.session.transactionId,
      validTo: input.validUntil,
      chargingSchedule: [
        {
          id: ctx.ids.chargingScheduleId,
          startSchedule: ctx.at,
          chargingRateUnit: 'W',
          chargingSchedulePeriod: rows.map((r) => ({
            startPeriod: r.startS,
            operationMode: r.limitW === undefined ? 'CentralSetpoint' : 'ChargingOnly',
            ...(r.limitW === undefined ? {} : { limit: r.limitW }),
            setpoint: r.limitW === undefined ? r.powerW : null,
          })),
        },
      ],
    },
  };
}

const setpoint = (n: number): Setpoint => ({
  setpointId: 'sp-1',
  validUntil: '2026-01-02T00:00:00.000Z',
  intervals: Array.from({ length: n }, (_, i) => ({ startS: ((i * 7) % n) * 900, powerW: 1000 + i * 50 })),
});

const PROFILE_CONTEXT: ProfileContext = {
  at: '2026-01-01T00:00:00.000Z',
  ids: { chargingProfileId: 17, chargingScheduleId: 17 },
  resource: { evse: 1 },
  session: { transactionId: 'tx-1' },
};

interface Sample {
  value: number;
  measurand?: string;
  unitOfMeasure?: { unit?: string; multiplier?: number };
}
interface TransactionEvent {
  eventType: string;
  timestamp: string;
  meterValue: { timestamp: string; sampledValue: Sample[] }[];
}

const MEASUREMENTS = `/* from: ocpp2.1/TransactionEventRequest   to: hub/MeasurementList */
{
  "resourceId": $ctx.resource.evseId,
  "measurements": [meterValue.(
    $at := timestamp;
    sampledValue.{
      "at": $at,
      "measurand": measurand ? measurand : 'Energy.Active.Import.Register',
      "value": value * (unitOfMeasure.unit in ['kWh', 'kW'] ? 1000 : 1),
      "unit": unitOfMeasure.unit = 'kWh' ? 'Wh' : unitOfMeasure.unit = 'kW' ? 'W' : unitOfMeasure.unit
    }
  )]
}`;

function measurementsByHand(given: unknown, context: unknown): unknown {
  const input = given as TransactionEvent;
  const ctx = context as { resource: { evseId: string } };
  const measurements: object[] = [];
  for (const m of input.meterValue) {
    for (const s of m.sampledValue) {
      const unit = s.unitOfMeasure?.unit;
      const kilo = unit === 'kWh' || unit === 'kW';
      measurements.push({
        at: m.timestamp,
        measurand: s.measurand || 'Energy.Active.Import.Register',
        value: s.value * (kilo ? 1000 : 1),
        ...(unit === undefined ? {} : { unit: kilo ? unit.slice(1) : unit }),
      });
    }
  }
  return { resourceId: ctx.resource.evseId, measurements };
}

const TRANSACTION_EVENT: TransactionEvent = {
  eventType: 'Updated',
  timestamp: '2026-01-01T00:00:00.000Z',
  meterValue: [
    {
      timestamp: '2026-01-01T00:00:00.000Z',
      sampledValue: [
        { value: 12.345, measurand: 'Energy.Active.Import.Register', unitOfMeasure: { unit: 'kWh' } },
        { value: 7.4, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'kW' } },
        { value: 231.5, measurand: 'Voltage', unitOfMeasure: { unit: 'V' } },
        { value: 63, measurand: 'SoC', unitOfMeasure: { unit: 'Percent' } },
      ],
    },
  ],
};

export const CASES: readonly MappingCase[] = [
  ...[1, 4, 96].map(
    (n): MappingCase => ({
      id: `${n}`,
      name: `schedule of ${n} → charging profile`,
      text: PROFILE,
      input: setpoint(n),
      ctx: PROFILE_CONTEXT,
      byHand: profileByHand,
      interpreted: n > 4 ? 20 : 200,
    }),
  ),
  {
    id: 'transaction event',
    name: 'transaction event → measurements',
    text: MEASUREMENTS,
    input: TRANSACTION_EVENT,
    ctx: { resource: { evseId: 'EVSE-1' } },
    byHand: measurementsByHand,
    interpreted: 200,
  },
];
