import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redacted, redactedText } from '../../hub/trace/redact.ts';
import { summaryOf } from '../../hub/trace/summary.ts';

const SECRET = 'hunter2-and-more';

describe('secrets in the timeline', () => {
  it.each([
    ['a password', { password: SECRET, networkPassword: SECRET }],
    ['tokens of any name', { token: SECRET, access_token: SECRET, clientSecret: SECRET, apiKey: SECRET }],
    ['a header', { headers: { authorization: `Bearer ${SECRET}`, Authorization: SECRET } }],
    ['a setting of OCPP 1.6', { key: 'AuthorizationKey', value: SECRET }],
    ['settings in a list', { configurationKey: [{ key: 'AuthorizationKey', readonly: false, value: SECRET }] }],
    [
      'a variable of OCPP 2',
      {
        setVariableData: [
          { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' }, attributeValue: SECRET },
        ],
      },
    ],
    [
      'a connection profile',
      { connectionData: { basicAuthPassword: SECRET, apn: { apnPassword: SECRET, simPin: 1234 } } },
    ],
    ['an address', { ocppCsmsUrl: `wss://user:${SECRET}@csms.example/ocpp` }],
    ['an address with a token', { location: `https://x.example/firmware?token=${SECRET}&v=1` }],
    ['a private key', { pem: `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----` }],
    ['credentials', { credentials: [SECRET], credential: SECRET }],
    ['a text in a list', [[`Basic ${SECRET}`]]],
    [
      'the token of a driver',
      { idToken: { idToken: SECRET, type: 'ISO14443', additionalInfo: [{ additionalIdToken: SECRET, type: 'x' }] } },
    ],
    ['the tag of a driver', { idTag: SECRET, parentIdTag: SECRET }],
    ['a list of drivers', { localAuthorizationList: [{ idTag: SECRET, idTagInfo: { status: 'Accepted' } }] }],
    ['an address whose password has an @', { url: `https://me:p@${SECRET}@csms.example/x` }],
    ['an address with another name of a token', { location: `https://x.example/f?access_token=${SECRET}&v=1` }],
    ['the key of a VPN', { connectionData: { vpn: { server: 'v.example', user: 'u', key: SECRET, type: 'IPSec' } } }],
    ['a PIN that is a number', { apn: { apn: 'x', simPin: `${SECRET}` }, pin: SECRET }],
    ['what DataTransfer brings as a text', { vendorId: 'x', data: JSON.stringify({ a: [{ password: SECRET }] }) }],
    ['a text in a text', { data: JSON.stringify({ data: JSON.stringify({ idTag: SECRET, pin: SECRET }) }) }],
    ['a text that was cut off', { data: `{"password": "${SECRET}", "b": ` }],
    ['a text that names it', { data: `user=x;password=${SECRET};` }],
    ['a member that JSON says twice', { data: `{"x":{"password":"${SECRET}"},"x":1}` }],
    [
      'a report about a variable of OCPP 2',
      {
        reportData: [
          {
            component: { name: 'NetworkConfiguration' },
            variable: { name: 'VpnKey' },
            variableAttribute: [{ type: 'Actual', value: SECRET }],
          },
        ],
      },
    ],
    [
      'an event about a variable of OCPP 2',
      { eventData: [{ variable: { name: 'BasicAuthPassword' }, actualValue: SECRET }] },
    ],
    ['what a station tells of a person', { requestId: 1, seqNo: 0, generatedAt: 'now', data: `name ${SECRET}` }],
    ['a customer', { customerIdentifier: SECRET }],
  ])('%s is not shown', (_what, payload) => {
    const shown = JSON.stringify(redacted(payload));
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain('hunter2');
  });

  it('what is no secret stays as it is', () => {
    const payload = {
      configurationKey: [{ key: 'HeartbeatInterval', value: '30' }],
      tokenRef: 'fo-north',
      tokens: 3,
      url: 'wss://csms.example:9220/ocpp',
      variable: { name: 'TxCtrlr' },
      attributeValue: 'on',
      status: null,
      remoteStartId: 7,
    };
    expect(redacted(payload)).toEqual(payload);
  });

  it('a member with a name of its own kind is one like others', () => {
    const shown = redacted(JSON.parse(`{"__proto__":{"password":"${SECRET}"},"constructor":{"token":"${SECRET}"}}`));
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"password":"•••"},"constructor":{"token":"•••"}}');
    expect(Reflect.get({}, 'password')).toBeUndefined();
  });

  it('a PIN or password that is a number is hidden, a number of tokens is not', () => {
    expect(redacted({ simPin: 1234, password: 99, token: 3 })).toEqual({ simPin: '•••', password: '•••', token: 3 });
  });

  it('JSON in a text stays what it says', () => {
    expect(redacted({ data: '{"soc": 80, "list": [1, "a"]}' })).toEqual({ data: '{"soc":80,"list":[1,"a"]}' });
  });

  it('two drivers can be told apart, short tokens cannot be read', () => {
    expect(redacted({ idTag: 'ABCDEF' })).toEqual({ idTag: 'ABC…' });
    expect(redacted({ idTag: 'AB12' })).toEqual({ idTag: '•••' });
  });

  it('what was shown once is not made worse by looking twice, and nothing is too odd', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const once = redacted(value);
        expect(redacted(once)).toEqual(once);
        expect(typeof summaryOf('hub/PowerCommand', value, {})).toBe('string');
      }),
    );
  });

  it('long texts without an end take no time', () => {
    const before = performance.now();
    for (const part of [
      '//',
      'Basic ',
      '-----BEGIN PRIVATE KEY-----',
      '?token=',
      '//a@',
      'password',
      'token: ',
      '[',
      '{"a":',
    ])
      redactedText(part.repeat(20_000));
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe('one line about a message', () => {
  it.each([
    [
      'hub/PowerCommand',
      { resourceId: 'A.1', kind: 'setpoint', powerW: -9980, validUntil: '2026-03-02T17:11:00Z' },
      'A.1 · setpoint · −9.98 kW · until 17:11:00',
    ],
    [
      'hub/CommandOutcome',
      { resourceId: 'A.1', state: 'effective', measuredW: 450, shape: 'limitA' },
      'A.1 · effective · measured 450 W · limitA',
    ],
    ['hub/SetLimit', { nodeId: 'poc', source: 'operator', importLimitW: 10_000 }, 'poc · operator · import ≤ 10 kW'],
    [
      'ocpp1.6/SetChargingProfileRequest',
      {
        csChargingProfiles: {
          chargingProfilePurpose: 'TxProfile',
          chargingProfileKind: 'Relative',
          chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
        },
      },
      'CS-1: TxProfile · Relative · limit 16 A',
    ],
    [
      'ocpp2.1/SetChargingProfileRequest',
      {
        chargingProfile: {
          chargingProfilePurpose: 'TxProfile',
          chargingProfileKind: 'Dynamic',
          chargingSchedule: [{ chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, setpoint: -5000 }] }],
        },
      },
      'CS-1: TxProfile · Dynamic · setpoint -5000 W',
    ],
    ['ocpp2.1/ResetResponse', { status: 'Rejected', statusInfo: { reasonCode: 'Busy' } }, 'CS-1: Rejected · Busy'],
    ['fo1/Heartbeat', {}, ''],
    [
      'fo1/UpdateSetpoint',
      { setpoint: { fsrId: 'N-1', targetW: -8000, seq: 7 }, noReply: true },
      'N-1 · −8 kW · no. 7',
    ],
    [
      'fo1/RequestService',
      { fsr: { fsrId: 'N-1', serviceType: 'setpoint', contractId: 'C-9' } },
      'N-1 · setpoint · C-9',
    ],
  ])('%s', (topic, payload, words) => expect(summaryOf(topic, payload, { peer: 'CS-1' })).toBe(words));
});
