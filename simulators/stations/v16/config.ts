import { BoundedMap } from '../../../core/bounded.ts';
import { callError, type Response } from '../../../protocols/ocpp/index.ts';
import { MAX_PROFILES } from '../station.ts';
import { rateUnitsOf, type StationSpec } from '../types.ts';

type Status = Response<'ocpp1.6', 'ChangeConfiguration'>['status'];
type Check = (value: string) => boolean;

interface Key {
  readonly value: string;
  /** Absent = read-only. */
  readonly check?: Check;
  readonly rebootRequired?: boolean;
}

/** Measurands that this station can sample. */
export const MEASURANDS = [
  'Power.Active.Import',
  'Current.Import',
  'Current.Offered',
  'Power.Offered',
  'Voltage',
  'Energy.Active.Import.Register',
] as const;
export type Measurand = (typeof MEASURANDS)[number];

export const MAX_STACK_LEVEL = 10;
export const MAX_PERIODS = 24;
const DEFAULT_ITEMS = 50;

const isWhole: Check = (v) => /^\d{1,9}$/.test(v);
const isBool: Check = (v) => /^(true|false)$/i.test(v);
/** 1.6 stations refuse a whole list for one unknown entry (ocpp 6). */
const isMeasurandList =
  ({ measurands }: StationSpec): Check =>
  (v) =>
    v === '' || v.split(',').every((m) => sampleable(m.trim(), measurands));

const sampleable = (name: string, only: readonly string[] | undefined): boolean =>
  MEASURANDS.some((known) => known === name) && (only?.includes(name) ?? true);

const whole = (value: number): Key => ({ value: String(value), check: isWhole });
const bool = (value: boolean): Key => ({ value: String(value), check: isBool });
const ENERGY = 'Energy.Active.Import.Register';
const sampled = (spec: StationSpec, ...names: readonly string[]): Key => ({
  value: names.filter((m) => sampleable(m, spec.measurands)).join(','),
  check: isMeasurandList(spec),
});
const fixed = (value: string | number): Key => ({ value: String(value) });

/** What the simulation does not act on is read-only. */
const keysOf = (spec: StationSpec): Readonly<Record<string, Key>> => ({
  AllowOfflineTxForUnknownId: fixed('true'),
  AuthorizeRemoteTxRequests: bool(false),
  ClockAlignedDataInterval: fixed(0),
  ConnectionTimeOut: whole(60),
  ConnectorPhaseRotation: fixed('NotApplicable'),
  GetConfigurationMaxKeys: fixed(spec.itemsPerMessage ?? DEFAULT_ITEMS),
  HeartbeatInterval: whole(60),
  LocalAuthorizeOffline: fixed('true'),
  LocalPreAuthorize: fixed('false'),
  MeterValuesAlignedData: fixed(''),
  MeterValuesSampledData: sampled(spec, 'Power.Active.Import', 'Current.Import', 'Voltage', ENERGY),
  MeterValueSampleInterval: whole(spec.meterIntervalS),
  NumberOfConnectors: fixed(spec.evses),
  ResetRetries: fixed(1),
  StopTransactionOnEVSideDisconnect: fixed('true'),
  StopTransactionOnInvalidId: bool(true),
  StopTxnAlignedData: fixed(''),
  StopTxnSampledData: sampled(spec, ENERGY),
  SupportedFeatureProfiles: fixed(`Core,RemoteTrigger${spec.smartCharging === false ? '' : ',SmartCharging'}`),
  TransactionMessageAttempts: whole(3),
  TransactionMessageRetryInterval: whole(5),
  UnlockConnectorOnEVSideDisconnect: fixed('true'),
  WebSocketPingInterval: { value: '0', check: isWhole, rebootRequired: true },
  ...(spec.smartCharging === false ? {} : smartCharging(spec)),
});

const smartCharging = (spec: StationSpec): Readonly<Record<string, Key>> => ({
  ChargeProfileMaxStackLevel: fixed(MAX_STACK_LEVEL),
  ChargingScheduleAllowedChargingRateUnit: fixed(
    rateUnitsOf(spec)
      .map((unit) => (unit === 'A' ? 'Current' : 'Power'))
      .join(','),
  ),
  ChargingScheduleMaxPeriods: fixed(MAX_PERIODS),
  ConnectorSwitch3to1PhaseSupported: fixed('false'),
  MaxChargingProfilesInstalled: fixed(MAX_PROFILES),
});

/** Configuration keys of a 1.6 station (ocpp 6). */
export class Config16 {
  readonly #keys: Readonly<Record<string, Key>>;
  readonly #values: BoundedMap<string, string>;

  constructor(spec: StationSpec) {
    this.#keys = keysOf(spec);
    const names = Object.keys(this.#keys);
    this.#values = new BoundedMap({ name: 'simulator.config', max: names.length, overflow: 'refuse' });
  }

  text(key: string): string {
    return this.#values.get(key) ?? this.#keys[key]?.value ?? '';
  }

  number(key: string): number {
    return Number(this.text(key));
  }

  flag(key: string): boolean {
    return this.text(key).toLowerCase() === 'true';
  }

  measurands(key: string): Measurand[] {
    const names = this.text(key)
      .split(',')
      .map((m) => m.trim());
    return MEASURANDS.filter((m) => names.includes(m));
  }

  change(key: string, value: string): Status {
    const row = this.#row(key);
    if (!row) return 'NotSupported';
    if (!row.check?.(value)) return 'Rejected';
    this.#values.set(key, value);
    return row.rebootRequired ? 'RebootRequired' : 'Accepted';
  }

  /** The asked keys, or all. Throws the CALLERROR OccurrenceConstraintViolation for too long a list. */
  read(asked: readonly string[] = []): Response<'ocpp1.6', 'GetConfiguration'> {
    const max = this.number('GetConfigurationMaxKeys');
    if (asked.length > max) throw callError('OccurrenceConstraintViolation', `At most ${max} keys per message.`);
    const names = asked.length === 0 ? Object.keys(this.#keys) : asked;
    const known = names.filter((key) => this.#row(key));
    const unknown = names.filter((key) => !this.#row(key));
    return {
      configurationKey: known.map((key) => ({ key, readonly: !this.#row(key)?.check, value: this.text(key) })),
      ...(unknown.length > 0 ? { unknownKey: unknown } : {}),
    };
  }

  #row(key: string): Key | undefined {
    return Object.hasOwn(this.#keys, key) ? this.#keys[key] : undefined;
  }
}
