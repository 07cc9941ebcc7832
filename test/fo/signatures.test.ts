import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { detached, jwkOfKey, type SignatureAlg, signBytes } from '../../core/signing.ts';
import { FO_CATALOGUE, type FoSignatures, type FoStamp } from '../../protocols/fo/index.ts';
import { cancel, envelope, FO, GW, notice, type Pair, pair, setpoint } from './pair.ts';

const ID = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';

function keyOf(alg: SignatureAlg) {
  const key: KeyObject =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519').privateKey
      : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const jwk = jwkOfKey(key);
  return { jwk, signer: { alg, keyId: jwk.kid, sign: (b: Uint8Array) => signBytes(key, alg, b) } };
}
const own = keyOf('EdDSA');
const next = keyOf('ES256');
const foreign = keyOf('EdDSA');

const last = (p: Pair) => p.of('Result').at(-1);

async function up(gw: FoSignatures, fo: FoSignatures = {}): Promise<Pair> {
  const p = pair({ gw: { signatures: gw }, fo: { signatures: fo } });
  await p.connect();
  return p;
}

describe('a signed request', () => {
  const keys = () => [own.jwk, next.jwk];
  const sent = (p: Pair, signer: typeof own.signer, over: Record<string, unknown> = {}) => {
    const body = cancel(p.clock);
    return envelope(p.clock, {
      type: 'CancelService',
      body,
      signature: detached(signer, 'CancelService', ID, body),
      ...over,
    });
  };

  it.each([
    ['the present key', own],
    ['the other key of a rotation', next],
  ])('with %s is taken, and its signature handed on', async (_, { signer, jwk }) => {
    const p = await up({ keys });
    await p.inject('gw', sent(p, signer));
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages[0]?.signature).toMatchObject({ alg: jwk.alg, keyId: jwk.kid });
  });

  it('covers fields that nobody declared, in any order of keys', async () => {
    const p = await up({ keys });
    const body = { 'x-new': { b: 1, a: [0.1, 'ü'] }, ...cancel(p.clock) };
    const signature = detached(own.signer, 'CancelService', ID, body);
    const turned = Object.fromEntries(Object.entries(body).reverse());
    await p.inject('gw', envelope(p.clock, { type: 'CancelService', body: turned, signature }));
    expect(last(p)?.body).toEqual({ status: 'ok' });
    expect(p.gw.seen.messages[0]?.body).toEqual(body);
  });

  it.each([
    ['a key that is not known', (p: Pair) => sent(p, foreign.signer)],
    ['another body', (p: Pair) => sent(p, own.signer, { body: cancel(p.clock, 'N-2') })],
    ['another id', (p: Pair) => sent(p, own.signer, { messageId: ID.replace('0197', '0198') })],
    [
      'another algorithm',
      (p: Pair) =>
        sent(p, own.signer, {
          signature: { ...detached(own.signer, 'CancelService', ID, cancel(p.clock)), alg: 'none' },
        }),
    ],
    [
      'the name of another key',
      (p: Pair) =>
        sent(p, own.signer, {
          signature: { ...detached(own.signer, 'CancelService', ID, cancel(p.clock)), keyId: next.jwk.kid },
        }),
    ],
    [
      'a value that is none',
      (p: Pair) => sent(p, own.signer, { signature: { alg: 'EdDSA', keyId: own.jwk.kid, value: '!' } }),
    ],
  ])('with %s is refused before anything else looks at it', async (_, text) => {
    const p = await up({ keys });
    await p.inject('gw', text(p));
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'auth.signature' });
    expect(p.gw.seen.messages).toEqual([]);
  });

  it('that names a key twice is refused', async () => {
    const p = await up({ keys });
    await p.inject('gw', sent(p, own.signer).replace('"reason":"test"', '"reason":"test","reason":"other"'));
    expect(last(p)?.body).toMatchObject({ status: 'error', code: 'schema.invalid' });
    expect(p.gw.seen.messages).toEqual([]);
  });

  it('of a party without keys is refused; unsigned ones are not', async () => {
    const p = await up({ keys: () => [] });
    await p.inject('gw', sent(p, own.signer));
    expect(last(p)?.body).toMatchObject({ code: 'auth.signature' });
    await p.inject('gw', envelope(p.clock, {}));
    expect(last(p)?.body).toEqual({ status: 'ok' });
  });
});

describe('a link on which everything must be signed', () => {
  const always: FoSignatures = { require: 'always', keys: () => [own.jwk] };

  it('works between two sides that do', async () => {
    const p = await up(
      { ...always, signer: next.signer },
      { require: 'always', keys: () => [next.jwk], signer: own.signer },
    );
    expect(await p.fo.session.request('UpdateSetpoint', setpoint(p.clock, 1))).toEqual({ status: 'ok' });
    await p.gw.session.publish('ExecutionNotice', notice(p.clock));
    await p.clock.advance(100_000);
    expect(p.fo.seen.messages).toHaveLength(1);
    expect([p.closes, p.gw.seen.downs]).toEqual([[], []]);
  });

  it('does not come up with an unsigned Hello', async () => {
    const p = await up(always);
    expect(p.gw.session.state).toBe('down');
    expect(p.of('Result')[0]?.body).toMatchObject({ code: 'auth.signature' });
    expect(p.closes[0]?.code).toBe(4001);
  });

  it('takes no unsigned heartbeat for an acknowledgement, and no unsigned Result', async () => {
    const p = await up(always, { signer: own.signer });
    p.lose = (f) => f.type === 'Result' && f.from === 'fo';
    await p.gw.session.publish('ExecutionNotice', notice(p.clock));
    await p.clock.advance(0);
    const sent = p.of('ExecutionNotice');
    const at = new Date(p.clock.now()).toISOString();
    await p.inject('gw', envelope(p.clock, { type: 'Heartbeat', body: { at, seq: 1, ackEventSeq: 1 } }));
    await p.inject(
      'gw',
      envelope(p.clock, { type: 'Result', correlationId: sent[0]?.messageId, body: { status: 'ok' } }),
    );
    await p.clock.advance(15_000);
    expect(p.of('ExecutionNotice').length).toBeGreaterThan(1);
  });
});

describe('a signed document', () => {
  const body = FO_CATALOGUE.Proof.message.example;
  const stamp = (p: Pair, ageMs = 0): FoStamp => ({
    messageId: ID,
    sentAt: new Date(p.clock.now() - ageMs).toISOString(),
    signature: detached(own.signer, 'Proof', ID, body),
  });

  it('is sent with its own date and signature, also when it is repeated', async () => {
    const p = await up({}, { keys: () => [own.jwk] });
    let lost = 0;
    p.lose = (f) => f.type === 'Proof' && lost++ < 2;
    await p.gw.session.publish('Proof', body, stamp(p, 3_600_000));
    await p.clock.advance(30_000);
    expect(p.fo.seen.messages.map((m) => m.type)).toEqual(['Proof']);
    const frames = p.of('Proof');
    expect(frames).toHaveLength(3);
    expect(new Set(frames.map((f) => `${f.messageId} ${f.sentAt}`)).size).toBe(1);
  });

  it('gets a new date where a peer does not take the old one, and holds nothing up', async () => {
    const p = await up({});
    await p.cut();
    // A peer of another make, which finds every date too old.
    const skewed: string[] = [];
    const answers: ((text: string) => void)[] = [];
    const reply = (to: string, result: object) =>
      answers[0]?.(
        envelope(p.clock, { type: 'Result', messageId: ID.replace('0197', '0199'), correlationId: to, body: result }),
      );
    const connection = p.gw.session.attach(
      {
        send(text, flushed) {
          flushed();
          const f = JSON.parse(text);
          if (f.type !== 'Proof' && f.type !== 'ExecutionNotice') return;
          const old = Math.abs(Date.parse(f.sentAt) - p.clock.now()) > 120_000;
          if (old) skewed.push(f.messageId);
          queueMicrotask(() => reply(f.messageId, old ? { status: 'error', code: 'time.skew' } : { status: 'ok' }));
        },
        close: () => undefined,
      },
      'listener',
    );
    answers.push((text) => connection.receive(text));
    connection.receive(
      envelope(p.clock, {
        type: 'Hello',
        body: { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 3600, lastEventSeq: 0 },
      }),
    );
    await p.clock.advance(0);
    await p.gw.session.publish('Proof', body, stamp(p, 3_600_000));
    await p.gw.session.publish('ExecutionNotice', notice(p.clock));
    await p.clock.advance(5_000);
    const state = await p.gw.session.publish('ExecutionNotice', notice(p.clock, 2));
    await p.clock.advance(0);
    expect([skewed, state]).toEqual([[ID], 3]);
  });

  it('with a wrong signature is refused by the operator and holds nothing up', async () => {
    const p = await up({}, { keys: () => [foreign.jwk] });
    await p.gw.session.publish('Proof', body, stamp(p));
    await p.gw.session.publish('ExecutionNotice', notice(p.clock));
    await p.clock.advance(0);
    expect(p.fo.seen.messages.map((m) => m.type)).toEqual(['ExecutionNotice']);
    expect(p.gw.seen.logs.some((l) => l.includes('auth.signature'))).toBe(true);
  });

  it('does not leave unsigned, and is not taken unsigned', async () => {
    const p = await up({});
    await expect(p.gw.session.publish('Proof', body)).rejects.toMatchObject({ code: 'auth.signature' });
    await p.inject('fo', envelope(p.clock, { from: GW, to: FO, type: 'Proof', body, eventSeq: 1 }));
    expect(last(p)?.body).toMatchObject({ code: 'auth.signature' });
  });
});
