import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { V2gateError } from '../../core/errors.ts';
import { ResultBody } from '../../model/index.ts';
import { bodyHash, decode, encode } from '../../protocols/fo/codec.ts';
import { Envelope, Heartbeat, Hello, HelloResult } from '../../protocols/fo/envelope.ts';
import { FO_CATALOGUE, FO_ERRORS, FO_LINK_ERRORS, resultOf } from '../../protocols/fo/index.ts';

/** The examples of fo 5, character for character. */
const GOLDEN = [
  `{"profile":"v2gate-fo/1","messageId":"0197f2c0-5b1e-7c34-9a51-2f6f0a4be001","type":"RequestService",
 "from":"fo:north","to":"cso:harbour","sentAt":"2026-03-02T16:40:00Z",
 "body":{"fsr":{"fsrId":"N-4711","revision":1,"contractId":"C-9","serviceType":"setpoint",
  "target":{"groupId":"g:depot","referencePoint":"group"},
  "window":{"start":"2026-03-02T17:00:00Z","end":"2026-03-02T18:00:00Z"},"decisionBy":"2026-03-02T16:45:00Z",
  "mandatory":false,"priority":5,
  "parameters":{"mode":"absolute","initialW":20000,"minW":-20000,"maxW":44000,"toleranceW":500,
   "updateIntervalS":10,"validityS":60},
  "fallback":{"onExpiry":"baseline","rampS":30}}}}`,
  `{"profile":"v2gate-fo/1","messageId":"0197f2d2-8f00-7d11-b0c2-55a1c6f1e777","type":"UpdateSetpoint",
 "from":"fo:north","to":"cso:harbour","sentAt":"2026-03-02T17:10:00.000Z",
 "body":{"setpoint":{"fsrId":"N-4711","seq":61,"targetW":-8000,"validUntil":"2026-03-02T17:11:00Z"}}}`,
  `{"profile":"v2gate-fo/1","messageId":"0197f2d2-8f44-7a02-8c11-9be0f7d30001","type":"Result",
 "from":"cso:harbour","to":"fo:north","sentAt":"2026-03-02T17:10:00.120Z",
 "correlationId":"0197f2d2-8f00-7d11-b0c2-55a1c6f1e777",
 "body":{"status":"ok","code":"limit.clipped","data":{"appliedW":-7000,"limitedBy":"needed"}}}`,
];

/** The codes of fo 4.4, written out. */
const CODES =
  `schema.invalid schema.semantic schema.tooLarge profile.unsupported type.unknown auth.failed auth.forbidden
  auth.signature id.conflict id.unknown time.skew time.past time.expired time.window seq.stale state.invalid
  contract.unknown contract.inactive contract.scope contract.limit credential.missing credential.invalid
  credential.expired credential.revoked credential.unverifiable credential.claims capability.unsupported
  capability.insufficient capability.rate resource.unknown resource.offline resource.faulted resource.optedOut
  resource.refused param.invalid param.unstable param.range conflict.overlap conflict.gridFunction limit.clipped
  mandatory.noOptOut mandatory.unproven preference.infeasible rate.tooOften internal.temporary internal.permanent`
    .split(/\s+/)
    .sort();

describe('frames', () => {
  it.each(GOLDEN)('of fo 5 are read, valid in their body, and survive a round trip', (text) => {
    const decoded = decode(text);
    if (!decoded.ok) throw decoded.error;
    expect(decoded.envelope).toEqual(JSON.parse(text));
    const { type, body } = decoded.envelope;
    const message =
      type === 'Result' ? ResultBody : Object.entries(FO_CATALOGUE).find(([t]) => t === type)?.[1].message;
    expect(message?.check(body)).toEqual([]);
    expect(decode(encode(decoded.envelope))).toEqual(decoded);
  });

  it('of any text never throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((j) => `{"profile":"v2gate-fo/1","body":${j}}`),
        ),
        (text) => {
          expect(typeof decode(text).ok).toBe('boolean');
        },
      ),
    );
  });

  it('of any envelope survive a round trip', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);
    const time = fc
      .date({ min: new Date(0), max: new Date('2099-12-31T00:00:00Z'), noInvalidDate: true })
      .map((d) => d.toISOString());
    const arbitrary = fc.record(
      {
        profile: fc.constant('v2gate-fo/1' as const),
        messageId: fc.uuid({ version: [4, 7] }),
        type: fc.string({ minLength: 1, maxLength: 20 }),
        from: id,
        to: id,
        sentAt: time,
        body: fc
          .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue({ maxDepth: 3, noUnicodeString: true }))
          .map((o) => JSON.parse(JSON.stringify(o))),
        correlationId: fc.uuid({ version: 7 }),
        expiresAt: time,
        eventSeq: fc.integer({ min: 1 }),
      },
      { requiredKeys: ['profile', 'messageId', 'type', 'from', 'to', 'sentAt', 'body'] },
    );
    fc.assert(
      fc.property(arbitrary, (envelope) => {
        const decoded = decode(encode(envelope));
        expect(decoded).toEqual({ ok: true, envelope });
        if (decoded.ok) expect(bodyHash(decoded.envelope.body)).toBe(bodyHash(envelope.body));
      }),
    );
  });

  it('that cannot be read tell whatever is needed to answer them', () => {
    const messageId = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
    expect(decode(`{"profile":"v2gate-fo/1","messageId":"${messageId}","type":"X"}`)).toMatchObject({
      ok: false,
      messageId,
      type: 'X',
    });
    expect(decode('{"messageId":"no uuid"}')).not.toHaveProperty('messageId');
  });

  it('have declared examples that are valid', () => {
    for (const m of [Envelope, Hello, HelloResult, Heartbeat]) expect(m.check(m.example)).toEqual([]);
  });
});

describe('error codes', () => {
  it('are those of fo 4.4', () => {
    expect(Object.keys(FO_ERRORS.kinds).sort()).toEqual(CODES);
  });

  it('say in words what happened and what to do', () => {
    for (const kind of [...Object.values(FO_ERRORS.kinds), ...Object.values(FO_LINK_ERRORS.kinds)]) {
      expect(kind.what).toMatch(/^[A-Z].*\.$/);
      expect(kind.remedy).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('become valid Results: business refusals are rejected, the rest is an error, clipping is ok', () => {
    const status = (code: keyof typeof FO_ERRORS.kinds) => resultOf(FO_ERRORS.fail(code)).status;
    for (const code of CODES) {
      const result = resultOf(new V2gateError(code, { what: 'A.', remedy: 'B.', retry: 'no' }));
      expect(result.code).toBe(code);
      expect(ResultBody.check(result)).toEqual([]);
    }
    expect(status('contract.inactive')).toBe('rejected');
    expect(status('seq.stale')).toBe('rejected');
    expect(status('time.past')).toBe('rejected');
    expect(status('time.skew')).toBe('error');
    expect(status('id.conflict')).toBe('error');
    expect(status('state.invalid')).toBe('error');
    expect(status('limit.clipped')).toBe('ok');
  });

  it('of other rooms travel as their counterpart, and without one as ours', () => {
    const make = (code: string, retry: 'yes' | 'no' | 'later', protocol?: string) =>
      new V2gateError(code, { what: 'The store burnt.', remedy: 'Call.', retry, ...(protocol ? { protocol } : {}) });
    expect(resultOf(make('json.tooLarge', 'no', 'schema.tooLarge'))).toMatchObject({
      status: 'error',
      code: 'schema.tooLarge',
    });
    expect(resultOf(make('store.failed', 'yes'))).toMatchObject({ status: 'error', code: 'internal.temporary' });
    expect(resultOf(make('ocpp.timeout', 'later', 'GenericError'))).toMatchObject({ code: 'internal.temporary' });
    expect(resultOf(make('mapping.widens', 'no'))).toMatchObject({ code: 'internal.permanent' });
    expect(resultOf(make('store.failed', 'yes')).message).not.toContain('burnt');
  });

  it('of anything thrown make a valid Result that gives nothing away', () => {
    fc.assert(
      fc.property(fc.anything(), (x) => {
        expect(ResultBody.check(resultOf(x))).toEqual([]);
      }),
    );
    const result = resultOf(new Error('password=hunter2'));
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});
