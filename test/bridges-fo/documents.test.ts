import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openFoLink } from '../../bridges/fo/index.ts';
import { iso } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { detached, jwkOfKey, signBytes, signingInput, verifySignature } from '../../core/signing.ts';
import { HUB_MESSAGES, type WireMessage } from '../../model/index.ts';
import { createFoClient, type FoClient, type FoClientOptions, type FoInbound } from '../../protocols/fo/index.ts';
import { linkConfig, until, type World, world } from './world.ts';

let w: World;
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const x of open.splice(0).reverse()) await x.close();
  await w.close();
});

function operator(o: Partial<FoClientOptions> = {}) {
  const messages: FoInbound[] = [];
  const client: FoClient = createFoClient({
    url: w.link.url,
    partyId: 'fo:test',
    to: 'cso:test',
    clock: w.clock,
    log: silentLog,
    handlers: {
      onMessage: (m) => {
        messages.push(m);
        if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
      },
    },
    ...o,
  });
  open.push(client);
  return { client, messages };
}

const { privateKey } = generateKeyPairSync('ed25519');
const jwk = jwkOfKey(privateKey);
const signer = { alg: 'EdDSA' as const, keyId: jwk.kid, sign: (b: Uint8Array) => signBytes(privateKey, 'EdDSA', b) };
const ID = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be0aa';

/** A document as evidence signs it. */
function document(type: 'ServiceRecord' | 'Proof'): WireMessage {
  const name = `${type}Event` as const;
  const payload = HUB_MESSAGES[name].example;
  const signature = detached(signer, type, ID, payload);
  const at = iso(w.clock.now() - 86_400_000);
  return { topic: `hub/${name}`, payload, v2gate: { id: ID, at, link: 'site:test', peer: 'fo:test', signature } };
}

describe('signed documents', () => {
  it.each(['ServiceRecord', 'Proof'] as const)('%s reaches the operator as it was signed and dated', async (type) => {
    w = await world();
    const sent = document(type);
    await w.link.send(sent);
    await w.link.close();
    // The outbox kept it over a restart.
    w.link = await openFoLink(linkConfig(), w.runtime);
    const { messages } = operator({ signatures: { keys: () => [jwk] } });
    await until(() => messages.length === 1);
    expect(messages[0]).toMatchObject({
      type,
      messageId: ID,
      sentAt: Date.parse(sent.v2gate.at),
      body: sent.payload,
      signature: sent.v2gate.signature,
    });
    const { signature } = sent.v2gate;
    expect(signature && verifySignature([jwk], signingInput(type, ID, messages[0]?.body), signature)).toBe(true);
  });

  it('told again, because the gateway died before it knew that the outbox had them, leave once', async () => {
    w = await world();
    await w.link.send(document('Proof'));
    await w.link.close();
    w.link = await openFoLink(linkConfig(), w.runtime);
    await w.link.send(document('Proof'));
    const { messages } = operator({ signatures: { keys: () => [jwk] } });
    await until(() => messages.length === 1);
    // Also when it is acknowledged and gone from the outbox.
    await expect.poll(() => w.store.list('outbox')).toEqual([]);
    await w.link.send(document('Proof'));
    expect((await w.store.get('sequence', 'fo/fo:test'))?.body).toEqual({ seq: 1 });
    expect(await w.store.list('outbox')).toEqual([]);
  });

  it('without signature, or with an id that is none of a message, do not leave', async () => {
    w = await world();
    const { signature: _, ...unsigned } = document('Proof').v2gate;
    await expect(w.link.send({ ...document('Proof'), v2gate: unsigned })).rejects.toMatchObject({
      code: 'auth.signature',
    });
    const named = { ...document('Proof').v2gate, id: 'n-1' };
    await expect(w.link.send({ ...document('Proof'), v2gate: named })).rejects.toMatchObject({
      code: 'schema.invalid',
    });
  });
});

describe('what an operator signs', () => {
  const cancel = () => ({ fsrId: 'N-1', reason: 'x', at: iso(w.clock.now()) });
  const publicKeys = [{ alg: jwk.alg, x: jwk.x }];

  it('is checked with the keys of the site file and goes on with its signature', async () => {
    w = await world({ site: { parties: [{ partyId: 'fo:test', role: 'fo', publicKeys }] } });
    const { client } = operator({ signatures: { signer } });
    void client.request('CancelService', cancel()).catch(() => undefined);
    await until(() => w.received.length === 1);
    const { payload, v2gate } = w.received[0] as WireMessage;
    const bytes = signingInput('CancelService', v2gate.id, payload);
    expect(v2gate.signature && verifySignature([jwk], bytes, v2gate.signature)).toBe(true);
  });

  it('with a key that the site file does not know is refused', async () => {
    w = await world();
    const { client } = operator({ signatures: { signer } });
    await new Promise((r) => setTimeout(r, 50));
    expect([client.state, w.received]).toEqual([expect.not.stringMatching('up'), []]);
  });

  it('must be everything where the link asks for it', async () => {
    w = await world({
      link: { requireSignature: 'always' },
      site: { parties: [{ partyId: 'fo:test', role: 'fo', publicKeys }] },
    });
    const silent = operator();
    await new Promise((r) => setTimeout(r, 50));
    expect(silent.client.state).not.toBe('up');
    await silent.client.close();
    const signing = operator({ signatures: { signer } });
    await until(() => signing.client.state === 'up');
  });
});

describe('fields that nobody declared', () => {
  it('go on to the wires, and the site decides as if they were not there (fo 9.5)', async () => {
    w = await world();
    const ws = new WebSocket(w.link.url, 'v2gate-fo.v1.json');
    open.push({ close: async () => ws.terminate() });
    const results: Record<string, unknown>[] = [];
    ws.on('message', (data: Buffer) => results.push(JSON.parse(data.toString())));
    await new Promise((resolve) => ws.once('open', resolve));
    const say = (type: string, body: unknown, messageId: string) =>
      ws.send(
        JSON.stringify({
          profile: 'v2gate-fo/1',
          messageId,
          type,
          from: 'fo:test',
          to: 'cso:test',
          sentAt: iso(w.clock.now()),
          body,
        }),
      );
    say('Hello', { role: 'fo', profiles: ['v2gate-fo/1'], encodings: ['json'], heartbeatS: 30, lastEventSeq: 0 }, ID);
    await until(() => results.length === 1);
    const validUntil = iso(w.clock.now() + 60_000);
    const body = {
      setpoint: { fsrId: 'N-9', seq: 1, targetW: 0, validUntil, colour: 'green' },
      novelty: [1, { a: 2 }],
    };
    say('UpdateSetpoint', body, ID.replace('aa', 'ab'));
    await until(() => w.received.length === 1);
    expect(w.received[0]?.payload).toEqual(body);
    const { result } = await w.site.decide(w.received[0] as WireMessage);
    expect(result).toMatchObject({ status: 'rejected', code: 'id.unknown' });
  });
});
