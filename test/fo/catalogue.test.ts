import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { detached, jwkOfKey, signBytes } from '../../core/signing.ts';
import { Heartbeat, Hello } from '../../protocols/fo/envelope.ts';
import { FO_CATALOGUE, type FoType } from '../../protocols/fo/index.ts';
import { envelope, FO, GW, type Pair, pair } from './pair.ts';

/** fo 4.3 as written there: number, direction, kind, signature. Rows that are not spoken are absent. */
const TABLE: readonly (readonly [FoType, number, 'up' | 'down' | 'both', 'request' | 'event' | 'stream', boolean])[] = [
  ['PublishResources', 6, 'up', 'event', false],
  ['QueryResources', 7, 'down', 'request', false],
  ['AvailabilityReport', 8, 'up', 'event', false],
  ['RequestService', 11, 'down', 'request', false],
  ['ServiceDecision', 12, 'up', 'event', false],
  ['Opt', 13, 'both', 'request', false],
  ['AmendService', 14, 'down', 'request', false],
  ['ActivateService', 15, 'down', 'request', false],
  ['UpdateSetpoint', 16, 'down', 'request', false],
  ['CancelService', 17, 'both', 'request', false],
  ['ExecutionNotice', 18, 'up', 'event', false],
  ['SubscribeTelemetry', 19, 'down', 'request', false],
  ['Telemetry', 20, 'up', 'stream', false],
  ['QueryEvents', 22, 'down', 'request', false],
  ['ServiceRecord', 23, 'up', 'event', true],
  ['Proof', 24, 'up', 'event', true],
  ['QueryRecords', 25, 'down', 'request', false],
];
const NOT_SPOKEN = [
  'Enrol',
  'CheckCredential',
  'CredentialStatus',
  'ContractChange',
  'DiscoverHolders',
  'SetPreferences',
  'SettlementNotice',
];

const ID = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
const { privateKey } = generateKeyPairSync('ed25519');
const jwk = jwkOfKey(privateKey);
const signer = { alg: 'EdDSA' as const, keyId: jwk.kid, sign: (b: Uint8Array) => signBytes(privateKey, 'EdDSA', b) };

function bodyOf(type: FoType): Record<string, unknown> {
  return structuredClone(FO_CATALOGUE[type].message.example) as Record<string, unknown>;
}

/** The time at which the examples are told. */
const EXAMPLE_TIME = Date.UTC(2026, 2, 2, 16, 30);

interface Case {
  readonly to: 'fo' | 'gw';
  readonly over: Record<string, unknown>;
}

/** The example of a type as its rightful (or wrong) sender would send it. */
function sent(type: FoType, to: 'fo' | 'gw', over: Record<string, unknown> = {}): Case {
  const row = FO_CATALOGUE[type];
  const body = over.body ?? bodyOf(type);
  const numbered = to === 'fo' && (row.kind === 'event' || type === 'Opt' || type === 'CancelService');
  return {
    to,
    over: {
      type,
      messageId: ID,
      ...(to === 'fo' ? { from: GW, to: FO } : {}),
      ...(numbered ? { eventSeq: 1 } : {}),
      ...(row.signed ? { signature: detached(signer, type, ID, body) } : {}),
      ...over,
      body,
    },
  };
}

async function link(): Promise<Pair> {
  const p = pair({
    gw: { signatures: { keys: () => [jwk] } },
    fo: { signatures: { keys: () => [jwk] } },
  });
  p.clock.set(EXAMPLE_TIME);
  await p.connect();
  return p;
}

const last = (p: Pair) => p.of('Result').at(-1);
const ends = (direction: string): ('fo' | 'gw')[] =>
  direction === 'both' ? ['fo', 'gw'] : direction === 'up' ? ['fo'] : ['gw'];

describe('the catalogue', () => {
  it('has the rows of fo 4.3, each with its direction, kind and signature', () => {
    const rows = Object.entries(FO_CATALOGUE).map(([type, r]) => [type, r.no, r.direction, r.kind, r.signed]);
    expect(rows).toEqual(TABLE);
  });

  it.each(NOT_SPOKEN)('answers %s with type.unknown', async (type) => {
    const p = await link();
    await p.inject('gw', envelope(p.clock, { type, body: {} }));
    expect(last(p)).toMatchObject({ correlationId: ID, body: { status: 'error', code: 'type.unknown' } });
  });
});

describe.each(TABLE)('%s', (type, _no, direction, kind) => {
  it('is handed over in its direction and answered once, a stream not at all', async () => {
    for (const to of ends(direction)) {
      const p = await link();
      const before = p.of('Result').length;
      const { over } = sent(type, to);
      await p.inject(to, envelope(p.clock, over));
      const { messages } = p[to].seen;
      expect(messages.map((m) => m.type)).toEqual([type]);
      expect(messages[0]?.body).toEqual(over.body);
      expect(messages[0]?.replyTo === undefined).toBe(kind === 'stream');
      const results = p.of('Result').slice(before);
      expect(results.map((r) => [r.correlationId, r.body])).toEqual(kind === 'stream' ? [] : [[ID, { status: 'ok' }]]);
    }
  });

  it('is refused from the wrong side', async () => {
    for (const to of ['fo', 'gw'] as const) {
      if (ends(direction).includes(to)) continue;
      const p = await link();
      const before = p.of('Result').length;
      await p.inject(to, envelope(p.clock, sent(type, to).over));
      expect(p[to].seen.messages).toEqual([]);
      const codes = p
        .of('Result')
        .slice(before)
        .map((r) => r.body.code);
      expect(codes).toEqual(kind === 'stream' ? [] : ['auth.forbidden']);
    }
  });

  it('is refused before Hello', async () => {
    for (const to of ends(direction)) {
      const p = pair();
      p.clock.set(EXAMPLE_TIME);
      p.lose = (f) => f.type === 'Hello';
      await p.connect();
      await p.inject(to, envelope(p.clock, sent(type, to).over));
      expect(p[to].seen.messages).toEqual([]);
      expect(p.closes.map((c) => c.code)).toEqual([4000]);
      if (kind !== 'stream') expect(last(p)?.body).toMatchObject({ status: 'error', code: 'state.invalid' });
    }
  });

  it('is refused with a body of another form, naming the fields', async () => {
    for (const to of ends(direction)) {
      const p = await link();
      const before = p.of('Result').length;
      const required = Object.keys(bodyOf(type))[0] ?? '';
      const bad = { ...bodyOf(type), [required]: [[true]] };
      await p.inject(to, envelope(p.clock, sent(type, to, { body: bad }).over));
      expect(p[to].seen.messages).toEqual([]);
      const [result] = p.of('Result').slice(before);
      if (kind === 'stream') expect(result).toBeUndefined();
      else {
        expect(result?.body).toMatchObject({ status: 'error', code: 'schema.invalid' });
        expect(JSON.stringify(result?.body.details)).toContain(`/${required}`);
      }
    }
  });

  it('keeps fields that nobody declared', async () => {
    for (const to of ends(direction)) {
      const p = await link();
      const { over } = sent(type, to, { body: { ...bodyOf(type), 'x-novelty': { a: [1, 'b'] } } });
      await p.inject(to, envelope(p.clock, { ...over, 'x-envelope': 1 }));
      expect(p[to].seen.messages[0]?.body).toEqual(over.body);
    }
  });
});

describe('what the session keeps to itself', () => {
  it('Hello and Heartbeat go both ways, and Heartbeat is never answered', async () => {
    const p = await link();
    const before = p.of('Result').length;
    const at = new Date(p.clock.now()).toISOString();
    for (const to of ['gw', 'fo'] as const) {
      const who = to === 'fo' ? { from: GW, to: FO } : {};
      await p.inject(to, envelope(p.clock, { ...who, type: 'Heartbeat', body: { ...Heartbeat.example, at } }));
      await p.inject(to, envelope(p.clock, { ...who, type: 'Heartbeat', body: { at: 'never' } }));
    }
    expect(p.of('Result')).toHaveLength(before);
    await p.inject('gw', envelope(p.clock, { type: 'Hello', body: Hello.example }));
    await p.inject(
      'fo',
      envelope(p.clock, { from: GW, to: FO, type: 'Hello', body: { ...Hello.example, role: 'fcsbe' } }),
    );
    expect(
      p
        .of('Result')
        .slice(before)
        .map((r) => r.body.status),
    ).toEqual(['ok', 'ok']);
  });
});
