import { isSecretKey } from '../../core/redact.ts';
import type { StationOrder, StationOrderOutcome } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import { field } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import { nameOf, placeOf } from './probe.ts';

type Action = 'getConfiguration' | 'setConfiguration';
type Settings = NonNullable<StationOrderOutcome['settings']>;

/** What a station said to an order. */
export interface Answered {
  readonly status: string;
  readonly why?: string | undefined;
  readonly settings?: Settings;
}

const MAX_SETTINGS = 2_000;
const MAX_KEY = 128;
const MAX_VALUE = 2500;

/**
 * The call that reads or sets a setting (ocpp 6, ocpp 7). Throws `order.incomplete` where key or value is missing and
 * `order.secret` for passwords and keys.
 */
export function configurationCall(
  version: Version,
  action: Action,
  { key, value }: Pick<StationOrder, 'key' | 'value'>,
  requestId: number,
): { readonly action: string; readonly payload: unknown } {
  const old = version === 'ocpp1.6';
  if (key !== undefined && isSecret(key)) throw BRIDGE_ERRORS.fail('order.secret', `${key} is a password or a key.`);
  if (action === 'getConfiguration') {
    if (old) return { action: 'GetConfiguration', payload: key === undefined ? {} : { key: [key] } };
    if (key === undefined) return { action: 'GetBaseReport', payload: { requestId, reportBase: 'FullInventory' } };
    return { action: 'GetVariables', payload: { getVariableData: [place(key)] } };
  }
  if (value === undefined) throw BRIDGE_ERRORS.fail('order.incomplete', 'Name the value.');
  if (!old) return { action: 'SetVariables', payload: { setVariableData: [{ ...place(key), attributeValue: value }] } };
  if (key === undefined) throw BRIDGE_ERRORS.fail('order.incomplete', 'Name the key.');
  return { action: 'ChangeConfiguration', payload: { key, value } };
}

/** What the station answered: `Accepted` where a setting that was asked for is there. */
export function readConfiguration(version: Version, action: Action, answer: unknown): Answered {
  const [result] = rows(answer, action === 'getConfiguration' ? 'getVariableResult' : 'setVariableResult');
  if (action === 'setConfiguration')
    return { status: String(version === 'ocpp1.6' ? field(answer, 'status') : field(result, 'attributeStatus')) };
  if (version !== 'ocpp1.6') {
    const status = String(field(result, 'attributeStatus'));
    return status === 'Accepted'
      ? { status, settings: [setting(nameOf(result), field(result, 'attributeValue'))] }
      : { status };
  }
  const known = rows(answer, 'configurationKey').slice(0, MAX_SETTINGS);
  const unknown = rows(answer, 'unknownKey').map(String);
  if (known.length === 0 && unknown.length > 0) return { status: 'unknownKey', why: unknown.join(', ') };
  const settings = known.map((row) => ({
    ...setting(String(field(row, 'key')), field(row, 'value')),
    ...(typeof field(row, 'readonly') === 'boolean' ? { readonly: field(row, 'readonly') === true } : {}),
  }));
  return { status: 'Accepted', settings };
}

/** The settings of a report of 2.x: the actual values. */
export const reportedSettings = (rows: readonly unknown[]): Settings =>
  rows.slice(0, MAX_SETTINGS).map((row) => {
    const attributes = [field(row, 'variableAttribute') ?? []].flat();
    const actual = attributes.find((a) => (field(a, 'type') ?? 'Actual') === 'Actual');
    const evse = field(field(field(row, 'component'), 'evse'), 'id');
    return {
      ...setting(nameOf(row), field(actual, 'value')),
      ...(typeof evse === 'number' ? { evse } : {}),
      readonly: field(actual, 'mutability') === 'ReadOnly',
    };
  });

function place(key: string | undefined): ReturnType<typeof placeOf> {
  if (key !== undefined && /^\w+\.\w+(?:\[\w+\])?$/.test(key)) return placeOf(key);
  throw BRIDGE_ERRORS.fail('order.incomplete', 'Name the key as Component.Variable or Component.Variable[Instance].');
}

function setting(key: string, value: unknown): Settings[number] {
  const shown = key.slice(0, MAX_KEY);
  return typeof value !== 'string' || isSecret(key) ? { key: shown } : { key: shown, value: value.slice(0, MAX_VALUE) };
}

const isSecret = (key: string): boolean => isSecretKey(key.split('.').at(-1) ?? key);

const rows = (answer: unknown, name: string): readonly unknown[] => [field(answer, name) ?? []].flat();
