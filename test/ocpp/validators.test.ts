import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Version } from '../../protocols/ocpp/index.ts';
import { callError, ocppTime, RPC_CODES, rpcCodeOf, VERSIONS, wireCode } from '../../protocols/ocpp/index.ts';
import type { JsonSchema } from '../../protocols/ocpp/schemas.ts';
import { readSchemas, schemaPath } from '../../protocols/ocpp/schemas.ts';
import { ALL, NOW, VALIDATORS } from './kit.ts';

const accept = (version: Version, action: string, payload: unknown): string | undefined =>
  VALIDATORS[version].action(action)?.accept('request', payload)?.code;
const problem = (version: Version, action: string, payload: unknown) =>
  VALIDATORS[version].action(action)?.check('request', payload);

/** Names of the members below `s` that take any content. */
function openMembers(root: JsonSchema, s: JsonSchema, name: string): string[] {
  if (s.$ref !== undefined) {
    return openMembers(root, root.definitions?.[s.$ref.replace('#/definitions/', '')] ?? {}, name);
  }
  if (s.type === 'array') return openMembers(root, s.items ?? {}, name);
  if (s.type !== 'object') return s.type === undefined && s.enum === undefined ? [name] : [];
  const below = Object.entries(s.properties ?? {}).flatMap(([member, schema]) => openMembers(root, schema, member));
  return s.additionalProperties === false ? below : [name, ...below];
}

describe('the schema files', () => {
  it.each(ALL)('%s: is the one this stack was tested with', (version) => {
    const hash = createHash('sha256')
      .update(readFileSync(schemaPath(version)))
      .digest('hex');
    expect(hash).toBe(VERSIONS[version].schemaSha256);
  });

  it.each<[Version, number, number]>([
    ['ocpp1.6', 39, 0],
    ['ocpp2.0.1', 64, 0],
    ['ocpp2.1', 90, 1],
  ])('%s: %i CALLs with request and response, %i SEND', (version, calls, sends) => {
    const v = VALIDATORS[version];
    const infos = v.names.map((name) => v.action(name));
    expect(infos.filter((i) => i?.has('request') && i.has('response'))).toHaveLength(calls);
    expect(infos.filter((i) => i?.has('send'))).toHaveLength(sends);
  });

  it.each(ALL)('%s: every name in the table of directions exists', (version) => {
    const { fromStation, bothWays } = VERSIONS[version];
    for (const name of [...fromStation, ...bothWays]) expect(VALIDATORS[version].action(name), name).toBeDefined();
  });

  it.each(ALL)('%s: the table knows how members without a bound on their depth end', (version) => {
    const open = readSchemas(version).flatMap(({ schema }) => openMembers(schema, schema, ''));
    const { openMark } = VERSIONS[version];
    for (const name of open) expect(`${name}"`.endsWith(openMark ?? 'no such member'), name).toBe(true);
    expect(open.length > 0).toBe(openMark !== undefined);
  });

  it('all compile', () => {
    VALIDATORS['ocpp1.6'].warm(VALIDATORS['ocpp1.6'].names);
    VALIDATORS['ocpp2.1'].warm(['NotifyPeriodicEventStream', 'SetChargingProfile', 'not an action']);
    expect(problem('ocpp1.6', 'Heartbeat', {})).toBeUndefined();
  });
});

describe('what is wrong becomes the code of ocpp 1.4 and names the field', () => {
  const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
  it.each<[string, unknown, string, string]>([
    ['missing', { ...status, status: undefined }, 'OccurrenceConstraintViolation', '/status'],
    ['surplus', { ...status, 'a/b': 1 }, 'OccurrenceConstraintViolation', '/a~1b'],
    ['type', { ...status, connectorId: '1' }, 'TypeConstraintViolation', '/connectorId'],
    ['enum', { ...status, status: 'Sleepy' }, 'PropertyConstraintViolation', '/status'],
    ['length', { ...status, info: 'x'.repeat(51) }, 'PropertyConstraintViolation', '/info'],
    ['format', { ...status, timestamp: 'yesterday' }, 'PropertyConstraintViolation', '/timestamp'],
    ['not an object', [], 'TypeConstraintViolation', ''],
  ])('%s', (_, payload, code, path) => {
    expect(problem('ocpp1.6', 'StatusNotification', payload)).toMatchObject({ code, path });
  });

  it('2.1: range and size of lists', () => {
    const value = (soc: number) => ({ evseId: soc, meterValue: [] });
    expect(problem('ocpp2.1', 'MeterValues', value(-1))).toMatchObject({
      path: expect.stringMatching(/evseId|meterValue/),
    });
    expect(problem('ocpp2.1', 'MeterValues', value(1))).toMatchObject({
      code: 'OccurrenceConstraintViolation',
      path: '/meterValue',
    });
  });

  it('neither values nor long names of the peer are repeated', () => {
    const v = problem('ocpp1.6', 'StatusNotification', { ...status, status: 'topsecret', ['k'.repeat(5000)]: 1 });
    expect(v?.message.length).toBeLessThan(255);
    expect(problem('ocpp1.6', 'StatusNotification', { ...status, status: 'topsecret' })?.message).not.toContain(
      'topsecret',
    );
  });
});

describe('the tolerance list of ocpp 8', () => {
  const profile = (limit: number) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  });

  it('1.6: every tenth of an ampere is a multiple of 0.1, no hundredth is', () => {
    for (let i = 0; i <= 2000; i++) expect(problem('ocpp1.6', 'SetChargingProfile', profile(i / 10))).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 9 }), (tenths, hundredths) => {
        const v = problem('ocpp1.6', 'SetChargingProfile', profile((tenths * 10 + hundredths) / 100));
        expect(v?.code).toBe('PropertyConstraintViolation');
      }),
    );
  });

  const metered = (sampledValue: unknown) => ({ connectorId: 1, meterValue: [{ timestamp: NOW, sampledValue }] });

  it.each<[string, unknown, unknown]>([
    ['a blank sample is dropped', [{ value: '' }, { value: '5' }], [{ value: '5' }]],
    ['a null sample is dropped', [{ value: null }, { value: '5' }], [{ value: '5' }]],
    ['a number becomes text', [{ value: 5.5 }], [{ value: '5.5' }]],
    ['one sample without its list', { value: '5' }, [{ value: '5' }]],
    ['a null member is dropped', [{ value: '5', phase: null }], [{ value: '5' }]],
    ['odd units of 1.6 are there', [{ value: '5', unit: 'Celcius' }], [{ value: '5', unit: 'Celcius' }]],
  ])('1.6: %s', (_, sampledValue, expected) => {
    const payload = metered(sampledValue);
    expect(accept('ocpp1.6', 'MeterValues', payload)).toBeUndefined();
    expect(payload).toEqual(metered(expected));
  });

  it('1.6: a meter value left without samples is dropped, a single one becomes a list', () => {
    const blank = metered([{ value: ' ' }]);
    expect(accept('ocpp1.6', 'MeterValues', blank)).toBeUndefined();
    expect(blank.meterValue).toEqual([]);
    const single = { connectorId: 1, meterValue: { timestamp: NOW, sampledValue: [{ value: '5' }] } };
    expect(accept('ocpp1.6', 'MeterValues', single)).toBeUndefined();
    expect(single.meterValue).toHaveLength(1);
  });

  it('2.1: numbers as text, null samples, a single meter value; without samples the list goes', () => {
    const event = (meterValue: unknown): Record<string, unknown> => ({
      eventType: 'Updated',
      timestamp: NOW,
      triggerReason: 'MeterValuePeriodic',
      seqNo: 1,
      transactionInfo: { transactionId: 't', chargingState: null },
      meterValue,
    });
    const one = event({ timestamp: NOW, sampledValue: [{ value: '7.5' }, { value: null }, { value: 1 }] });
    expect(accept('ocpp2.1', 'TransactionEvent', one)).toBeUndefined();
    expect(one.meterValue).toEqual([{ timestamp: NOW, sampledValue: [{ value: 7.5 }, { value: 1 }] }]);
    const none = event([{ timestamp: NOW, sampledValue: [{ value: '' }] }]);
    expect(accept('ocpp2.1', 'TransactionEvent', none)).toBeUndefined();
    expect(none).not.toHaveProperty('meterValue');
  });

  it('what belongs to vendors keeps its nulls', () => {
    const payload = { vendorId: 'v', data: { a: null }, messageId: null };
    expect(accept('ocpp2.1', 'DataTransfer', payload)).toBeUndefined();
    expect(payload).toEqual({ vendorId: 'v', data: { a: null } });
  });

  it('endless nesting in a broken payload does no harm', () => {
    const payload = JSON.parse(`{"connectorId":${'{"a":['.repeat(20_000)}${']}'.repeat(20_000)},"meterValue":null}`);
    expect(accept('ocpp1.6', 'MeterValues', payload)).toBeDefined();
  });

  it('text that is no number stays wrong', () => {
    expect(
      accept('ocpp2.1', 'MeterValues', { evseId: 1, meterValue: [{ timestamp: NOW, sampledValue: [{ value: 'x' }] }] }),
    ).toBe('TypeConstraintViolation');
  });

  it('nothing thrown, whatever stands in a metering message', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL),
        fc.constantFrom('MeterValues', 'TransactionEvent', 'StopTransaction'),
        fc.jsonValue(),
        fc.jsonValue(),
        (version, action, a, b) => {
          const payload = { connectorId: 1, evseId: 1, meterValue: a, transactionData: b };
          VALIDATORS[version].action(action)?.accept('request', payload);
          VALIDATORS[version].action(action)?.accept('request', { meterValue: [{ sampledValue: a, timestamp: b }] });
        },
      ),
    );
  });

  it.each<[string, string, boolean]>([
    ['2026-01-01T01:00:00+01:00', NOW, false],
    ['2026-01-01T00:00:00Z', NOW, false],
    ['2026-01-01T00:00:00', NOW, true],
    ['2026-01-01 00:00', NOW, true],
    ['2025-12-31T18:30:00.000000-0530', NOW, false],
    ['2026-01-01T02:00:00,5+02', '2026-01-01T00:00:00.500Z', false],
  ])('time %s', (text, expected, assumedUtc) => {
    expect(ocppTime(text)).toEqual({ at: Date.parse(expected), assumedUtc });
  });

  it.each(['', 'yesterday', '2026-13-01T00:00:00Z', '2026-01-01', `2026-01-01T00:00:00.${'1'.repeat(50)}Z`])(
    'no time: %s',
    (text) => {
      expect(ocppTime(text)).toBeUndefined();
    },
  );
});

describe('error codes', () => {
  it('are spelled as the version does, and read in any spelling', () => {
    expect(wireCode('ocpp1.6', 'FormatViolation')).toBe('FormationViolation');
    expect(wireCode('ocpp1.6', 'OccurrenceConstraintViolation')).toBe('OccurenceConstraintViolation');
    expect(wireCode('ocpp2.0.1', 'FormatViolation')).toBe('FormatViolation');
    for (const code of RPC_CODES) {
      expect(rpcCodeOf(wireCode('ocpp2.1', code))).toBe(code);
      expect(callError(code).cause.protocol).toBe(code);
    }
  });

  it('1.6 has no code of later versions on the wire', () => {
    const allowed = [
      'NotImplemented',
      'NotSupported',
      'InternalError',
      'GenericError',
      'SecurityError',
      'ProtocolError',
    ];
    allowed.push(
      'FormationViolation',
      'PropertyConstraintViolation',
      'OccurenceConstraintViolation',
      'TypeConstraintViolation',
    );
    expect([...new Set(RPC_CODES.map((c) => wireCode('ocpp1.6', c)))].sort()).toEqual(allowed.sort());
  });
});
