import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonical } from '../../core/json.ts';
import { detached, type SignatureAlg } from '../../core/signing.ts';
import { verify } from '../../gateway/cli/verify.ts';
import type { SignedDocument } from '../../model/index.ts';
import { knownSigner } from './keys.ts';
import { rig } from './rig.ts';
import { accepted, ended } from './services.ts';

let dir: string;
const files = { record: '', proof: '', log: '', answer: '', jwks: '' };
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-verify-'));
  Object.assign(files, await evidenceOf('EdDSA'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** A service of three minutes, its documents and its log, as texts. */
async function evidenceOf(alg: SignatureAlg) {
  const signer = knownSigner(alg);
  const r = await rig({ signer });
  const service = accepted(r);
  for (let s = 0; s <= 800; s += 10) {
    for (const m of service.members) r.read(m, { powerW: 2900, importWh: s });
    if (s === 600) {
      r.change({ fsr: service.fsr, state: 'active', startedAt: r.clock.now() });
      r.evidence.applied('fo:test/N-1', { at: r.clock.now(), requestedW: 7000, appliedW: 6000, limitedBy: 'fuse' });
    }
    if (s === 780) ended(r, service);
    await r.advance(10);
  }
  const log = (await r.chain('fo:test')).map((e) => `${canonical(e)}\n`).join('');
  const [record] = await r.evidence.reader.documents('ServiceRecord');
  const [proof] = await r.evidence.reader.documents('Proof');
  const { data } = await r.evidence.queryRecords('fo:test', { ids: ['N-1'] });
  await r.close();
  const jwks = file(`jwks-${alg}.json`, JSON.stringify({ keys: signer.publicKeys() }));
  return {
    record: record?.text ?? '',
    proof: proof?.text ?? '',
    log,
    answer: JSON.stringify(data, undefined, 2),
    jwks,
  };
}

async function run(...args: readonly string[]): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const code = await verify(args, { out: say, err: say, stdin: (async function* () {})() });
  return { code, out: lines.join('\n') };
}

const check = (name: string, content: string | Uint8Array, ...more: readonly string[]) =>
  run(file(name, content), '--jwks', files.jwks, ...more);

/** Positions of a text, all of them or a sample. */
function positions(length: number, most: number): number[] {
  const step = Math.max(1, length / most);
  return Array.from({ length: Math.min(length, most) }, (_, i) => Math.floor(i * step));
}

describe('npx v2gate verify', () => {
  it.each(['EdDSA', 'ES256'] as const)('says what it has checked of record, proof and log (%s)', async (alg) => {
    const e = alg === 'EdDSA' ? files : await evidenceOf(alg);
    const paths = [file('r.json', e.record), file('p.json', e.proof), file('l.jsonl', e.log)];
    const { code, out } = await run(...paths, '--jwks', e.jwks);
    expect(out).not.toContain('✗');
    expect(code).toBe(0);
    for (const said of [
      `signed with ${alg} by the key`,
      'requested and delivered energy of each interval follow from its own numbers (setpoint)',
      'totals and performance follow from the intervals: 80 %',
      'are complete, in order and each follows from the one before',
      'the proof prf:N-1 belongs to the record rec:N-1',
      'the record rec:N-1 confirms the log',
      'Everything that was checked holds.',
    ])
      expect(out).toContain(said);
  });

  it('refuses a record in which any one byte was changed', async () => {
    const bytes = Buffer.from(files.record);
    for (const at of positions(bytes.length, 130)) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 7));
      const { code, out } = await check('bent.json', bent);
      expect(code, `byte ${at}: ${String.fromCharCode(bent[at] ?? 0)}\n${out}`).toBe(1);
      expect(out).toContain('✗');
    }
  });

  it('refuses a proof in which any one byte was changed', async () => {
    const bytes = Buffer.from(files.proof);
    for (const at of positions(bytes.length, 130)) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 7));
      expect((await check('bent.json', bent)).code, `byte ${at}`).toBe(1);
    }
  });

  it('refuses a log in which any one byte was changed, and names the line', async () => {
    const bytes = Buffer.from(files.log);
    for (const at of positions(bytes.length, 240)) {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 7));
      const { code, out } = await check('bent.jsonl', bent);
      expect(code, `byte ${at}\n${out}`).toBe(1);
      expect(out).toMatch(/✗ (line \d+|the file is not UTF-8)/);
    }
  });

  it('names the entry where lines of a log are missing, swapped or doubled', async () => {
    const lines = files.log.trimEnd().split('\n');
    const of = (order: readonly number[]) => order.map((i) => `${lines[i]}\n`).join('');
    expect((await check('l.jsonl', of([0, 2, 3]))).out).toContain('line 2, entry 3: entries 2 to 2 are missing');
    expect((await check('l.jsonl', of([0, 1, 1]))).out).toContain('line 3, entry 2: it is out of order');
    expect((await check('l.jsonl', of([1, 0]))).out).toContain('line 2, entry 1: it is out of order');
    expect((await check('l.jsonl', of([1, 2]))).out).toContain('– it begins with entry 2');
  });

  it('sees that a log is cut at its end by the record, or by a given head', async () => {
    const lines = files.log.trimEnd().split('\n');
    const cut = file('cut.jsonl', `${lines.slice(0, 1).join('\n')}\n`);
    const whole = file('whole.jsonl', files.log);
    const record = file('record.json', files.record);
    const hash = JSON.parse(lines.at(-1) ?? '').hash;
    expect(await run(cut, record, '--jwks', files.jwks)).toMatchObject({ code: 1 });
    expect(await run(whole, record, '--jwks', files.jwks)).toMatchObject({ code: 0 });
    expect(await run(cut, '--head', hash)).toMatchObject({ code: 1 });
    expect(await run(whole, '--head', hash)).toMatchObject({ code: 0 });
  });

  it('says which number of a proof does not follow from the others, also when the signer made it so', async () => {
    const signer = knownSigner();
    const forged = (
      change: (p: { intervals: { deliveredWh: number; targetWh: number }[]; performancePct: number }) => void,
    ) => {
      const { signature: _, ...doc } = JSON.parse(files.proof) as SignedDocument;
      const body = structuredClone(doc.body) as { proof: Parameters<typeof change>[0] };
      change(body.proof);
      const signature = detached(signer, doc.type, doc.messageId, body);
      return canonical({ ...doc, body, signature });
    };
    const better = await check(
      'f.json',
      forged((p) => {
        p.performancePct = 99;
      }),
    );
    expect(better.code).toBe(1);
    expect(better.out).toContain('✗ performancePct is 99, and 80 follows from the intervals');
    const more = await check(
      'f.json',
      forged((p) => {
        const [first] = p.intervals;
        if (first) first.deliveredWh = 100;
      }),
    );
    expect(more.out).toContain('✗ interval 1 says deliveredWh 100, and');
    expect(more.out).toContain('✗ totals/deliveredWh is');
  });

  it('refuses a document signed by somebody else, or checked with other keys', async () => {
    const others = file('others.json', JSON.stringify({ keys: knownSigner('ES256').publicKeys() }));
    const { code, out } = await run(file('p.json', files.proof), '--jwks', others);
    expect(code).toBe(1);
    expect(out).toMatch(/✗ the key \S+ is none of the 1 that are published/);
  });

  it('does not believe a proof and a record of different services to belong together', async () => {
    const e = await evidenceOf('ES256');
    const both = file(
      'both.json',
      JSON.stringify({ keys: [...knownSigner().publicKeys(), ...knownSigner('ES256').publicKeys()] }),
    );
    const lone = JSON.parse(e.proof) as SignedDocument;
    const body = structuredClone(lone.body) as { proof: { recordId: string } };
    body.proof.recordId = 'rec:N-2';
    const { signature: _, ...doc } = { ...lone, body };
    const proof = canonical({ ...doc, signature: detached(knownSigner('ES256'), doc.type, doc.messageId, body) });
    const { code, out } = await run(file('p.json', proof), file('r.json', files.record), '--jwks', both);
    expect(code).toBe(1);
    expect(out).toContain('belongs to the record rec:N-2, which is not among the files');
  });

  it('takes the answer to QueryRecords, and documents whose layout was changed when told so', async () => {
    expect(await check('answer.json', files.answer)).toMatchObject({ code: 0 });
    const pretty = JSON.stringify(JSON.parse(files.proof), undefined, 2);
    expect((await check('p.json', pretty)).out).toMatch(/✗ byte 1 is not as it was sent/);
    expect(await check('p.json', pretty, '--reformatted')).toMatchObject({ code: 0 });
  });

  it('asks the gateway of this machine for keys, and refuses without', async () => {
    const server = createServer((req, res) => {
      res.end(req.url === '/.well-known/jwks.json' ? JSON.stringify({ keys: knownSigner().publicKeys() }) : '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = String((server.address() as AddressInfo).port);
    const before = process.env.V2GATE_HTTP_PORT;
    process.env.V2GATE_HTTP_PORT = port;
    try {
      const path = file('p.json', files.proof);
      const there = await run(path);
      expect(there.out).toContain(
        `1 public key from http://127.0.0.1:${port}/.well-known/jwks.json, the gateway of this machine`,
      );
      expect(there.code).toBe(0);
      await new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      const gone = await run(path);
      expect(gone.out).toContain('No gateway answers at');
      expect(gone.out).toContain('✗ the signature cannot be checked without keys');
      expect(gone.code).toBe(1);
    } finally {
      if (before === undefined) delete process.env.V2GATE_HTTP_PORT;
      else process.env.V2GATE_HTTP_PORT = before;
    }
  });

  it('is called wrongly: says how', async () => {
    expect(await run()).toMatchObject({ code: 2 });
    await expect(run('--what')).rejects.toMatchObject({ code: 'verify.usage' });
    await expect(run(join(dir, 'none.json'))).rejects.toMatchObject({ code: 'verify.noFile' });
    await expect(run(file('p.json', files.proof), '--jwks', join(dir, 'none'))).rejects.toMatchObject({
      code: 'verify.noKeys',
    });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[1]'],
    ['another document', '{"a":1}'],
    ['bytes', Buffer.from([0xff, 0xfe])],
  ])('does not stumble over %s', async (_, content) => {
    const { code } = await check('x.json', content);
    expect(code).toBe(content === '' ? 0 : 1);
  });
});
