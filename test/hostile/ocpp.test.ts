import { describe, expect, it } from 'vitest';
import { openStation } from './peers.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const AT = '2026-03-02T12:00:00Z';
const VERSIONS = ['ocpp1.6', 'ocpp2.1'] as const;
type OcppVersion = (typeof VERSIONS)[number];
const STATION: Readonly<Record<OcppVersion, string>> = { 'ocpp1.6': 'DEMO-AC-2', 'ocpp2.1': 'DEMO-V2G-2' };

const open = (version: OcppVersion) => openStation(world().ocpp, STATION[version], version);
const call = (action: unknown, payload: unknown, id: unknown = 'x'): string => JSON.stringify([2, id, action, payload]);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const longText = 'x'.repeat(300_000);

interface Bad {
  readonly name: string;
  readonly frame: Readonly<Partial<Record<OcppVersion, string>>>;
  /** Id of the CALLERROR; -1 where the frame has none that can be read. */
  readonly id?: string;
  readonly code: Readonly<Partial<Record<OcppVersion, string>>>;
  readonly says: RegExp;
}

const both = (text: string): Readonly<Record<OcppVersion, string>> => ({ 'ocpp1.6': text, 'ocpp2.1': text });
const UNREADABLE = { 'ocpp1.6': 'FormationViolation', 'ocpp2.1': 'RpcFrameworkError' };
const FORM = { 'ocpp1.6': 'FormationViolation', 'ocpp2.1': 'FormatViolation' };
const OCCURRENCE = { 'ocpp1.6': 'OccurenceConstraintViolation', 'ocpp2.1': 'OccurrenceConstraintViolation' };
const status = (patch: object) => ({
  'ocpp1.6': call('StatusNotification', {
    connectorId: 1,
    errorCode: 'NoError',
    status: 'Available',
    timestamp: AT,
    ...patch,
  }),
  'ocpp2.1': call('StatusNotification', {
    evseId: 1,
    connectorId: 1,
    connectorStatus: 'Available',
    timestamp: AT,
    ...patch,
  }),
});

const TABLE: readonly Bad[] = [
  { name: 'text that is no JSON', frame: both('{"half":'), id: '-1', code: UNREADABLE, says: /not JSON/ },
  { name: 'an object instead of a list', frame: both('{}'), id: '-1', code: UNREADABLE, says: /not a JSON array/ },
  { name: 'an empty list', frame: both('[]'), id: '-1', code: UNREADABLE, says: /message type/ },
  { name: 'a null', frame: both('null'), id: '-1', code: UNREADABLE, says: /array/ },
  { name: 'a type written as text', frame: both('["2","x","Heartbeat",{}]'), code: FORM, says: /message type/ },
  { name: 'an id that is a number', frame: both('[2,7,"Heartbeat",{}]'), id: '-1', code: UNREADABLE, says: /id/ },
  {
    name: 'an id of 100 000 characters',
    frame: both(call('Heartbeat', {}, 'i'.repeat(1e5))),
    id: '-1',
    code: UNREADABLE,
    says: /id/,
  },
  { name: 'an action that is a number', frame: both('[2,"x",7,{}]'), code: FORM, says: /action/ },
  { name: 'a fifth element', frame: both('[2,"x","Heartbeat",{},1]'), code: FORM, says: /four elements/ },
  {
    name: 'a message type of no version',
    frame: { 'ocpp2.1': '[9,"x",{}]' },
    code: { 'ocpp2.1': 'MessageTypeNotSupported' },
    says: /message type/,
  },
  {
    name: 'an unknown action',
    frame: both(call('FlyToTheMoon', {})),
    code: both('NotImplemented'),
    says: /no such action/,
  },
  ...['__proto__', 'constructor', 'toString', ''].map((action) => ({
    name: `the action “${action}”`,
    frame: both(call(action, {})),
    code: both('NotImplemented'),
    says: /no such action/,
  })),
  {
    name: 'an action of the other direction',
    frame: {
      'ocpp1.6': call('RemoteStartTransaction', { idTag: 'x' }),
      'ocpp2.1': call('RequestStartTransaction', {}),
    },
    code: both('NotSupported'),
    says: /Start\w*Transaction is not sent in this direction/,
  },
  {
    name: 'a text where a number belongs',
    frame: status({ connectorId: 'one' }),
    code: both('TypeConstraintViolation'),
    says: /\/connectorId .*integer/,
  },
  {
    name: 'a word that is not allowed',
    frame: {
      'ocpp1.6': status({ status: 'Burning' })['ocpp1.6'],
      'ocpp2.1': status({ connectorStatus: 'Burning' })['ocpp2.1'],
    },
    code: both('PropertyConstraintViolation'),
    says: /[sS]tatus is not one of the allowed values/,
  },
  {
    name: 'a field that is missing',
    frame: status({ timestamp: undefined, connectorId: undefined }),
    code: { ...OCCURRENCE },
    says: /\/(connectorId|timestamp) is missing/,
  },
  { name: 'a field that nobody knows', frame: status({ mood: 'sad' }), code: OCCURRENCE, says: /mood is not a field/ },
  {
    name: 'a list as payload',
    frame: both(call('Heartbeat', [])),
    code: both('TypeConstraintViolation'),
    says: /object/,
  },
  {
    name: 'a text as payload',
    frame: both(call('Heartbeat', 'now')),
    code: both('TypeConstraintViolation'),
    says: /object/,
  },
  {
    name: 'a number beyond all numbers',
    frame: {
      'ocpp1.6': status({})['ocpp1.6'].replace('"connectorId":1', '"connectorId":1e999'),
      'ocpp2.1': status({})['ocpp2.1'].replace('"connectorId":1', '"connectorId":1e999'),
    },
    code: both('TypeConstraintViolation'),
    says: /\/connectorId/,
  },
  {
    name: 'a key __proto__',
    frame: {
      'ocpp1.6': status({})['ocpp1.6'].replace('{"', '{"__proto__":{"polluted":1},"'),
      'ocpp2.1': status({})['ocpp2.1'].replace('{"', '{"__proto__":{"polluted":1},"'),
    },
    code: OCCURRENCE,
    says: /__proto__ is not a field/,
  },
  {
    name: 'a frame of 300 000 characters',
    frame: both(call('DataTransfer', { vendorId: 'v', data: longText })),
    code: both('GenericError'),
    says: /longer than 262144 characters/,
  },
  {
    name: 'a payload nested 40 levels deep',
    frame: { 'ocpp2.1': `[2,"x","DataTransfer",{"vendorId":"v","data":${nested(40)}}]` },
    code: { 'ocpp2.1': 'GenericError' },
    says: /deeper than 32/,
  },
  {
    name: 'a payload nested 100 000 levels deep',
    frame: both(`[2,"x","Heartbeat",${nested(100_000)}]`),
    code: { 'ocpp1.6': 'TypeConstraintViolation', 'ocpp2.1': 'TypeConstraintViolation' },
    says: /object/,
  },
];

const ROWS = TABLE.flatMap((bad) =>
  VERSIONS.flatMap((version) => {
    const frame = bad.frame[version];
    const code = bad.code[version];
    return frame === undefined || code === undefined ? [] : [{ ...bad, version, frame, code }];
  }),
);

describe('a station that sends nonsense', () => {
  it.each(ROWS)('$version: $name is answered with $code', async ({ version, frame, id = 'x', code, says }) => {
    const station = await open(version);
    station.send(frame);
    const error = await station.error(id);
    expect(error).toEqual({ code, description: expect.stringMatching(says) });
    expect(error.description.length).toBeLessThanOrEqual(255);
    expect(await station.call('Heartbeat', {})).toHaveProperty('currentTime');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    await world().unharmed();
  });
});
