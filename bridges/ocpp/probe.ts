import { codeOf } from '../../core/errors.ts';
import type { CallOptions, Station, Version } from '../../protocols/ocpp/index.ts';
import { type Capabilities, flag, unitsOf, whole, words } from './capabilities.ts';
import { field } from './effective.ts';
import { type MeterNeeds, meteringSteps, missing } from './metering.ts';

/** What the probe needs of a connected station. */
export type Asked = Pick<Station, 'open' | 'callAny'>;

type Note = Capabilities['notes'][number];

/** Questions come last in the queue of a station, and hold it up for a short time only (design 5). */
export const PROBE_OPTIONS: CallOptions = { priority: 'report', timeoutMs: 5_000 };
/** Calls that one probe may need at most. */
const MAX_CALLS = 32;
/** Asked at once at first; stations that are strict about the length of lists get fewer (ocpp 6). */
const FIRST_CHUNK = 12;

/** Nothing that is asked in another way would be answered. */
const HOPELESS = [
  'ocpp.timeout',
  'ocpp.closed',
  'ocpp.replaced',
  'ocpp.queueFull',
  'ocpp.notImplemented',
  'ocpp.notSupported',
  'ocpp.security',
];

/** Names of 1.6 keys, and of 2.x variables as `Component.Variable[Instance]`, behind what we want to know. */
const KEYS_16 = [
  'SupportedFeatureProfiles',
  'ChargingScheduleAllowedChargingRateUnit',
  'ChargeProfileMaxStackLevel',
  'ChargingScheduleMaxPeriods',
  'MaxChargingProfilesInstalled',
  'MeterValuesSampledData',
  'MeterValueSampleInterval',
] as const;
const VARIABLES_201 = [
  'SmartChargingCtrlr.Available',
  'SmartChargingCtrlr.Enabled',
  'SmartChargingCtrlr.RateUnit',
  'SmartChargingCtrlr.ProfileStackLevel',
  'SmartChargingCtrlr.PeriodsPerSchedule',
  'SampledDataCtrlr.TxUpdatedMeasurands',
  'SampledDataCtrlr.TxUpdatedInterval',
] as const;
const VARIABLES_21 = [
  ...VARIABLES_201,
  'SmartChargingCtrlr.SupportsDynamicProfiles',
  'V2XChargingCtrlr.Enabled',
  'V2XChargingCtrlr.SupportedOperationModes',
  'V2XChargingCtrlr.TxUpdatedMeasurands[CentralSetpoint]',
  'V2XChargingCtrlr.TxUpdatedInterval[CentralSetpoint]',
] as const;

/** List of measurands and interval: what the station samples in a session, and in 2.1 while it follows a setpoint. */
const METERING: Readonly<Record<Version, readonly (readonly [string, string])[]>> = {
  'ocpp1.6': [['MeterValuesSampledData', 'MeterValueSampleInterval']],
  'ocpp2.0.1': [['SampledDataCtrlr.TxUpdatedMeasurands', 'SampledDataCtrlr.TxUpdatedInterval']],
  'ocpp2.1': [
    ['V2XChargingCtrlr.TxUpdatedMeasurands[CentralSetpoint]', 'V2XChargingCtrlr.TxUpdatedInterval[CentralSetpoint]'],
    ['SampledDataCtrlr.TxUpdatedMeasurands', 'SampledDataCtrlr.TxUpdatedInterval'],
  ],
};

/**
 * Asks a station what it can do and sets its metering to what the path needs, one call at a time and with a bound; a
 * station that refuses, falls silent or answers in part leaves the rest unknown. Never rejects.
 */
export async function probe(version: Version, station: Asked, needs: MeterNeeds): Promise<Capabilities> {
  const p = new Probe(version, station);
  const names = version === 'ocpp1.6' ? KEYS_16 : version === 'ocpp2.0.1' ? VARIABLES_201 : VARIABLES_21;
  await p.read(names);
  const metering = await p.setMetering(needs);
  const seen = version === 'ocpp1.6' ? seen16(p) : seen2(p, version);
  return { source: p.heard ? 'probed' : 'assumed', ...seen, ...metering, notes: p.notes };
}

function seen16(p: Probe): Partial<Capabilities> {
  const profiles = p.text('SupportedFeatureProfiles');
  return defined({
    smartCharging: profiles === undefined ? undefined : words(profiles).includes('SmartCharging'),
    rateUnits: unitsOf(p.text('ChargingScheduleAllowedChargingRateUnit')),
    maxStackLevel: whole(p.text('ChargeProfileMaxStackLevel')),
    maxPeriods: whole(p.text('ChargingScheduleMaxPeriods')),
    maxProfiles: whole(p.text('MaxChargingProfilesInstalled')),
  });
}

function seen2(p: Probe, version: Version): Partial<Capabilities> {
  const available = flag(p.text('SmartChargingCtrlr.Available'));
  const enabled = flag(p.text('SmartChargingCtrlr.Enabled'));
  const modes = words(p.text('V2XChargingCtrlr.SupportedOperationModes'));
  const central = modes.length === 0 ? undefined : modes.includes('CentralSetpoint');
  return defined({
    smartCharging: available === false || enabled === false ? false : (enabled ?? available),
    rateUnits: unitsOf(p.text('SmartChargingCtrlr.RateUnit')),
    maxStackLevel: whole(p.text('SmartChargingCtrlr.ProfileStackLevel')),
    maxPeriods: whole(p.text('SmartChargingCtrlr.PeriodsPerSchedule')),
    dynamic: version === 'ocpp2.1' ? flag(p.text('SmartChargingCtrlr.SupportsDynamicProfiles')) : undefined,
    // Without a word about modes the first refusal tells.
    setpoint: flag(p.text('V2XChargingCtrlr.Enabled')) === false ? false : central,
  });
}

/** One conversation with one station. */
class Probe {
  readonly notes: Note[] = []; // bounded by: the calls of one probe, twice
  /** It has answered at least one question. */
  heard = false;
  readonly #version: Version;
  readonly #station: Asked;
  readonly #values = new Map<string, string>(); // bounded by: the names above
  readonly #readonly = new Set<string>(); // bounded by: the names above
  #calls = 0;
  #hopeless = false;

  constructor(version: Version, station: Asked) {
    this.#version = version;
    this.#station = station;
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Reads these names; halves the list when the station refuses it, leaves out what it refuses alone. */
  async read(names: readonly string[]): Promise<void> {
    let size = FIRST_CHUNK;
    for (let i = 0; i < names.length && !this.#hopeless; ) {
      const chunk = names.slice(i, i + size);
      const answer = await this.#call(
        this.#version === 'ocpp1.6' ? 'GetConfiguration' : 'GetVariables',
        this.#question(chunk),
      );
      if (answer !== undefined) {
        this.#take(answer);
        i += chunk.length;
      } else if (size > 1) size = Math.ceil(Math.min(size, chunk.length) / 2);
      else if (this.heard) i++;
      else this.#hopeless = true;
    }
  }

  /** Sets interval and measurands where they do not fit and can be set; each refusal shortens the list (ocpp 6). */
  async setMetering(needs: MeterNeeds): Promise<Partial<Capabilities>> {
    let measurands: string | undefined;
    let meterIntervalS: number | undefined;
    for (const [listName, intervalName] of METERING[this.#version]) {
      const interval = whole(this.text(intervalName));
      if (interval !== undefined && (interval === 0 || interval > needs.intervalS))
        await this.#change(intervalName, String(needs.intervalS));
      const list = this.text(listName);
      if (list !== undefined && missing(words(list), needs).length > 0)
        await this.#lengthen(listName, words(list), needs);
      measurands = this.text(listName) ?? measurands;
      meterIntervalS = whole(this.text(intervalName)) ?? meterIntervalS;
    }
    return defined({ meterIntervalS, measurands: measurands === undefined ? undefined : words(measurands) });
  }

  async #lengthen(name: string, present: readonly string[], needs: MeterNeeds): Promise<void> {
    for (const measurands of meteringSteps(present, needs)) {
      if (await this.#change(name, measurands.join(','))) return;
      if (this.#hopeless || this.#readonly.has(name)) return;
    }
  }

  async #change(name: string, value: string): Promise<boolean> {
    if (this.#readonly.has(name)) {
      this.notes.push({ step: name, why: 'it is read-only' });
      return false;
    }
    const old = this.#version === 'ocpp1.6';
    const answer = await this.#call(
      old ? 'ChangeConfiguration' : 'SetVariables',
      old ? { key: name, value } : { setVariableData: [{ ...placeOf(name), attributeValue: value }] },
    );
    const [first] = [field(answer, 'setVariableResult')].flat();
    const status = old ? field(answer, 'status') : field(first, 'attributeStatus');
    const taken = status === 'Accepted' || status === 'RebootRequired';
    if (status === 'Accepted') this.#values.set(name, value);
    if (!taken && answer !== undefined)
      this.notes.push({ step: name, why: `${value}: ${String(status)}`.slice(0, 200) });
    if (status === 'RebootRequired') this.notes.push({ step: name, why: 'it counts after the next boot' });
    return taken;
  }

  #question(names: readonly string[]): unknown {
    return this.#version === 'ocpp1.6' ? { key: names } : { getVariableData: names.map(placeOf) };
  }

  #take(answer: unknown): void {
    this.heard = true;
    for (const row of [field(answer, 'configurationKey') ?? []].flat()) {
      const [key, value] = [field(row, 'key'), field(row, 'value')];
      if (typeof key !== 'string') continue;
      if (typeof value === 'string') this.#values.set(key, value);
      if (field(row, 'readonly') === true) this.#readonly.add(key);
    }
    for (const row of [field(answer, 'getVariableResult') ?? []].flat()) {
      const value = field(row, 'attributeValue');
      if (field(row, 'attributeStatus') === 'Accepted' && typeof value === 'string')
        this.#values.set(nameOf(row), value);
    }
  }

  /** The answer, or undefined where there is none. */
  async #call(action: string, payload: unknown): Promise<unknown> {
    if (this.#hopeless || this.#calls++ >= MAX_CALLS || !this.#station.open) {
      this.#hopeless = true;
      return undefined;
    }
    try {
      return (await this.#station.callAny(action, payload, PROBE_OPTIONS)) ?? {};
    } catch (e) {
      const code = codeOf(e) ?? 'internal.permanent';
      this.notes.push({ step: action, why: code });
      if (HOPELESS.includes(code)) this.#hopeless = true;
      return undefined;
    }
  }
}

/** `Component.Variable[Instance]`; what EVSEs have of their own is asked of the first one. */
export function placeOf(name: string): { readonly component: object; readonly variable: object } {
  const [, component = '', variable = '', instance] = /^(\w+)\.(\w+)(?:\[(\w+)\])?$/.exec(name) ?? [];
  const evse = component === 'V2XChargingCtrlr' ? { evse: { id: 1 } } : {};
  return {
    component: { name: component, ...evse },
    variable: { name: variable, ...(instance === undefined ? {} : { instance }) },
  };
}

/** The name of a row of the device model, as {@link placeOf} reads it. */
export function nameOf(row: unknown): string {
  const [component, variable] = [field(row, 'component'), field(row, 'variable')];
  const instance = field(variable, 'instance');
  const name = `${String(field(component, 'name'))}.${String(field(variable, 'name'))}`;
  return instance === undefined ? name : `${name}[${String(instance)}]`;
}

/** The object without what is undefined. */
function defined<T extends object>(x: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(x).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
