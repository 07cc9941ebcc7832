import { innerOf } from './inner.ts';
import type { TraceNote } from './types.ts';

/** One line for people about what passed. Never throws. */
export function summaryOf(topic: string, payload: unknown, note: Pick<TraceNote, 'peer'>): string {
  const name = topic.slice(topic.indexOf('/') + 1);
  const words = (WORDS[name] ?? generic)(reader(innerOf(payload)));
  const station = topic.startsWith('ocpp') ? note.peer : undefined;
  return [station, words]
    .filter((w) => w !== undefined && w !== '')
    .join(': ')
    .slice(0, 256);
}

interface Read {
  text(...path: string[]): string;
  power(...path: string[]): string;
  time(...path: string[]): string;
  list(...path: string[]): readonly unknown[];
  has(...path: string[]): boolean;
}

const WORDS: Readonly<Record<string, (r: Read) => string>> = {
  PowerCommand: (r) =>
    line(
      r.text('resourceId'),
      r.text('kind'),
      r.power('powerW'),
      r.has('importLimitW') && `import ≤ ${r.power('importLimitW')}`,
      r.has('exportLimitW') && `export ≤ ${r.power('exportLimitW')}`,
      `until ${r.time('validUntil')}`,
    ),
  CommandBatch: (r) => counted(r.list('commands').length, 'command'),
  CommandOutcome: (r) =>
    line(
      r.text('resourceId'),
      r.text('state'),
      r.text('code'),
      r.has('measuredW') && `measured ${r.power('measuredW')}`,
      r.has('appliedW') && `applied ${r.power('appliedW')}`,
      r.text('shape'),
    ),
  MeterReading: (r) =>
    line(r.text('resourceId') || r.text('meterId'), r.power('powerW'), r.has('socPct') && `SoC ${r.text('socPct')} %`),
  ServiceTarget: (r) => line(r.text('fsrId'), r.power('targetW'), `until ${r.time('validUntil')}`),
  UpdateSetpoint: (r) => line(r.text('fsrId'), r.power('targetW'), r.has('seq') && `no. ${r.text('seq')}`),
  RequestService: (r) => line(r.text('fsrId'), r.text('serviceType'), r.text('contractId')),
  ServiceDecision: (r) => line(r.text('fsrId'), r.text('decision'), r.text('code')),
  ExecutionNotice: (r) => line(r.text('fsrId'), r.text('phase'), r.text('cause')),
  ResultBody: (r) => line(r.text('status'), r.text('code'), r.text('message')),
  Result: (r) => line(r.text('status'), r.text('code'), r.text('message')),
  SetLimit: (r) =>
    line(
      r.text('nodeId'),
      r.text('source'),
      r.text('lift') === 'true' && 'lifted',
      r.has('importLimitW') && `import ≤ ${r.power('importLimitW')}`,
      r.has('exportLimitW') && `export ≤ ${r.power('exportLimitW')}`,
    ),
  EnvelopeUpdate: (r) => line(`revision ${r.text('revision')}`, counted(r.list('evses').length, 'outlet')),
  StationStatus: (r) => line(r.text('resourceId'), r.text('state'), r.text('errorCode')),
  SessionEvent: (r) => line(r.text('resourceId'), r.text('kind'), r.text('state'), r.text('reason')),
  StationOrder: (r) => line(r.text('resourceId') || r.text('identity'), r.text('action')),
  StationOrderOutcome: (r) => line(r.text('action'), r.text('state'), r.text('reason')),
  BootNotificationRequest: (r) =>
    line(
      r.text('chargingStation', 'vendorName') || r.text('chargePointVendor'),
      r.text('chargingStation', 'model') || r.text('chargePointModel'),
    ),
  SetChargingProfileRequest: (r) => profile(r),
  UpdateDynamicScheduleRequest: (r) =>
    line('scheduleUpdate', r.has('scheduleUpdate', 'setpoint') && r.power('scheduleUpdate', 'setpoint')),
  TransactionEventRequest: (r) =>
    line(r.text('eventType'), r.text('triggerReason'), r.text('transactionInfo', 'chargingState')),
  StatusNotificationRequest: (r) => line(r.text('connectorStatus') || r.text('status')),
};

function profile(r: Read): string {
  const at = r.has('chargingProfile') ? 'chargingProfile' : 'csChargingProfiles';
  const [schedule] = r.list(at, 'chargingSchedule');
  const s = reader(schedule ?? r.list(at)[0]);
  const unit = s.text('chargingRateUnit') || r.text(at, 'chargingSchedule', 'chargingRateUnit');
  const periods = s.list('chargingSchedulePeriod');
  const all = periods.length > 0 ? periods : r.list(at, 'chargingSchedule', 'chargingSchedulePeriod');
  const first = reader(all[0]);
  const value = first.text('setpoint') || first.text('limit');
  return line(
    r.text(at, 'chargingProfilePurpose'),
    r.text(at, 'chargingProfileKind'),
    value && `${first.text('setpoint') ? 'setpoint' : 'limit'} ${value} ${unit}`,
    all.length > 1 && `${all.length} periods`,
  );
}

/** What most messages of any language have: the service or resource, and what it says of its state. */
const generic = (r: Read): string =>
  line(
    r.text('fsrId'),
    r.text('resourceId'),
    r.text('status') || r.text('state') || r.text('decision'),
    r.text('code'),
    r.text('statusInfo', 'reasonCode') || r.text('description'),
  );

const line = (...words: (string | false)[]): string => words.filter((w) => w !== false && w !== '').join(' · ');

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

function reader(payload: unknown): Read {
  const at = (path: readonly string[]): unknown => {
    let value: unknown = payload;
    for (const key of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = Reflect.get(value, key);
    }
    return value;
  };
  return {
    text(...path) {
      const value = at(path);
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
    },
    power(...path) {
      const value = at(path);
      return typeof value === 'number' ? kilowatts(value) : '';
    },
    time(...path) {
      const value = at(path);
      return typeof value === 'string' ? (/T(\d\d:\d\d:\d\d)/.exec(value)?.[1] ?? value) : '';
    },
    list(...path) {
      const value = at(path);
      return Array.isArray(value) ? value : [];
    },
    has: (...path) => at(path) !== undefined,
  };
}

/** 9980 → `9.98 kW`; below 1 kW in W. */
function kilowatts(w: number): string {
  const sign = w < 0 ? '−' : '';
  const size = Math.abs(w);
  return size < 1_000 ? `${sign}${Math.round(size)} W` : `${sign}${Number((size / 1_000).toFixed(2))} kW`;
}
