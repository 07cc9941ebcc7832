import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketGuard } from '../../protocols/fo/mqtt/guard.ts';
import { publishOptions } from '../../protocols/fo/mqtt/properties.ts';
import { mayAnswerAt, pairTopics, partsOf } from '../../protocols/fo/mqtt/topics.ts';

const own = pairTopics('up', 'fo:a', 'gw').own;

describe('response topics', () => {
  it('lie in the rsp branch of the answerer, one level below', () => {
    expect(mayAnswerAt('v2gfo/1/fo:a/gw/up/rsp/t-1', own)).toBe(true);
    const foreign = [
      '',
      'x',
      'v2gfo/1/fo:a/gw/up/rsp/',
      'v2gfo/1/fo:a/gw/up/rsp/a/b',
      'v2gfo/1/fo:a/gw/up/rsp/+',
      'v2gfo/1/fo:a/gw/up/rsp/#',
    ];
    for (const topic of [
      ...foreign,
      'v2gfo/1/fo:a/gw/dn/rsp/t',
      'v2gfo/1/fo:b/gw/up/rsp/t',
      'v2gfo/1/fo:a/gw/up/ctl',
    ]) {
      expect([topic, mayAnswerAt(topic, own)]).toEqual([topic, false]);
    }
  });

  it('and topics of a pair are found by their parts alone', () => {
    expect(partsOf('v2gfo/1/fo:a/gw/dn/rsp/t')).toEqual({ foId: 'fo:a', gwId: 'gw', side: 'dn', rest: 'rsp/t' });
    for (const topic of ['v2gfo/2/a/b/dn/ctl', 'v2gfo/1/+/gw/dn/ctl', 'v2gfo/1/a', '$SYS/x', '/v2gfo/1/a/b/dn/ctl']) {
      expect(partsOf(topic)).toBeUndefined();
    }
  });
});

describe('what is sent beside a message', () => {
  const id = '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001';
  const of = (type: string, more: object = {}) =>
    publishOptions({ type, messageId: id, body: {}, ...more }, 1_000_000, 'r').properties;

  it('is the remaining validity, never 0, and 60 s for Results and telemetry', () => {
    expect(of('UpdateSetpoint', { expiresAt: 1_004_500 })?.messageExpiryInterval).toBe(5);
    expect(of('UpdateSetpoint', { expiresAt: 900_000 })?.messageExpiryInterval).toBe(1);
    expect(of('ExecutionNotice')?.messageExpiryInterval).toBeUndefined();
    expect([of('Result')?.messageExpiryInterval, of('Telemetry')?.messageExpiryInterval]).toEqual([60, 60]);
  });

  it('is where to answer, unless no answer is wanted', () => {
    const topics = ['CancelService', 'Hello', 'Result', 'Telemetry', 'Heartbeat'].map((t) => of(t)?.responseTopic);
    expect(topics).toEqual(['r', 'r', undefined, undefined, undefined]);
    expect(of('UpdateSetpoint', { body: { noReply: true } })?.responseTopic).toBeUndefined();
  });
});

/** A packet of the given length: header, length in the form of MQTT, content. */
function packet(length: number): Buffer {
  const head = [0x30];
  let rest = length;
  do {
    head.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, length % 251)]);
}

/** What comes out behind the guard when these bytes come in these pieces. */
async function through(bytes: Buffer, cuts: readonly number[], max: number) {
  const [outside, inside] = duplexPair();
  outside.resume();
  const guard = new PacketGuard(inside, max);
  const got: Buffer[] = [];
  guard.on('data', (d: Buffer) => got.push(d));
  const ended = new Promise<void>((resolve) => guard.once('close', resolve));
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (cut > from && !guard.destroyed) outside.write(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  if (!guard.destroyed) outside.end();
  await ended;
  return Buffer.concat(got);
}

describe('the guard before the parser', () => {
  it('passes packets within the limit as they are, however they are cut', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.array(fc.nat(), { maxLength: 12 }), async (all, cuts) => {
        const bytes = Buffer.concat(all.map(packet));
        expect((await through(bytes, cuts, 300)).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('ends at the header of one above the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 301, max: 5_000 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (length, cuts) => {
          const good = packet(40);
          const got = await through(Buffer.concat([good, packet(length)]), cuts, 300);
          expect(got.length).toBeLessThanOrEqual(good.length + 3);
        },
      ),
      { numRuns: 50 },
    );
    expect(await through(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01]), [], 300)).toHaveLength(0);
    expect((await through(packet(9_000), [], 100_000)).length).toBe(0);
  });
});
