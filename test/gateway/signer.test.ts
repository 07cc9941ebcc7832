import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { verifyKey } from '../../core/signing.ts';
import { openSigners, type SignerOptions } from '../../gateway/signer.ts';
import { siteFile } from '../support/site-file.ts';

let dir: string;
let lines: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-signer-'));
  lines = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (patch: Partial<SignerOptions> = {}) =>
  openSigners({
    file: join(dir, 'signing-key.pem'),
    alg: 'EdDSA',
    folder: dir,
    secret: () => undefined,
    log: createLog({ clock: realClock(), level: 'debug', format: 'json', write: (line) => lines.push(line) }),
    ...patch,
  });

const bytes = new TextEncoder().encode('what is signed');
const signature = (s: { alg: 'EdDSA' | 'ES256'; keyId: string; sign(b: Uint8Array): Uint8Array }) => ({
  alg: s.alg,
  keyId: s.keyId,
  value: Buffer.from(s.sign(bytes)).toString('base64url'),
});

describe('the signing key', () => {
  it.each(['EdDSA', 'ES256'] as const)('is made at the first start, for its owner only, and kept (%s)', async (alg) => {
    const first = await open({ alg });
    expect(statSync(join(dir, 'signing-key.pem')).mode & 0o777).toBe(0o600);
    const again = await open();
    expect(again.signer.keyId).toBe(first.signer.keyId);
    expect(again.signer.alg).toBe(alg);
    const [jwk] = again.publicKeys();
    expect(jwk).toMatchObject({ alg, kid: first.signer.keyId, use: 'sig' });
    expect(jwk && verifyKey(jwk).verify(bytes, signature(first.signer))).toBe(true);
  });

  it('never reaches a log or what is published', async () => {
    const { publicKeys } = await open();
    const pem = readFileSync(join(dir, 'signing-key.pem'), 'utf8');
    const secret = pem.split('\n')[1] ?? pem;
    const said = [...lines, JSON.stringify(publicKeys()), readFileSync(join(dir, 'signing-keys.json'), 'utf8')].join();
    expect(said).not.toContain(secret);
    expect(said).not.toContain('"d"');
  });

  it('is rotated by another in its place; what the former signed stays checkable', async () => {
    const old = await open();
    const made = signature(old.signer);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(dir, 'signing-key.pem'), pem, { mode: 0o600 });
    const now = await open();
    expect(now.signer.keyId).not.toBe(old.signer.keyId);
    expect(now.publicKeys().map((k) => k.kid)).toEqual([now.signer.keyId, old.signer.keyId]);
    expect(now.signer.publicKeys()).toEqual(now.publicKeys());
    const former = now.publicKeys().find((k) => k.kid === made.keyId);
    expect(former && verifyKey(former).verify(bytes, made)).toBe(true);
  });

  it('that is gone is not replaced by itself, where anything was signed with it', async () => {
    const { signer } = await open();
    unlinkSync(join(dir, 'signing-key.pem'));
    await expect(open()).rejects.toMatchObject({ code: 'signer.lost', message: expect.stringContaining(signer.keyId) });
    unlinkSync(join(dir, 'signing-keys.json'));
    await expect(open({ signedBefore: async () => true })).rejects.toMatchObject({ code: 'signer.lost' });
    expect(existsSync(join(dir, 'signing-key.pem'))).toBe(false);
    expect((await open({ signedBefore: async () => false })).signer.keyId).not.toBe(signer.keyId);
  });

  it('warns when others may read it', async () => {
    await open();
    chmodSync(join(dir, 'signing-key.pem'), 0o644);
    await open();
    expect(lines.join()).toContain('signer.readable');
  });

  it('of another kind, or broken, is refused without showing it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    for (const content of [privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'no key at all']) {
      writeFileSync(join(dir, 'signing-key.pem'), content, { mode: 0o600 });
      await expect(open()).rejects.toMatchObject({ code: 'signer.broken' });
      await expect(open()).rejects.not.toThrow(content.slice(0, 12));
    }
    writeFileSync(join(dir, 'signing-keys.json'), '[]');
    unlinkSync(join(dir, 'signing-key.pem'));
    await expect(open()).rejects.toMatchObject({ code: 'signer.broken' });
    expect(existsSync(join(dir, 'signing-key.pem'))).toBe(false);
  });

  it('of a site is the one that its file names: a secret or a path', async () => {
    const pem = (curve: 'ed25519' | 'P-256'): string =>
      (curve === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
      ).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const secrets: Record<string, string> = { 'harbour-sign': pem('P-256') };
    writeFileSync(join(dir, 'site.pem'), pem('ed25519'), { mode: 0o600 });
    const signers = await open({ secret: (ref) => secrets[ref] });
    const of = (keyRef: string) => signers.forSite(siteFile({ keys: [{ keyId: 'k', use: 'sign', keyRef }] }));
    const [bySecret, byPath] = [await of('harbour-sign'), await of('site.pem')];
    expect([bySecret.alg, byPath.alg]).toEqual(['ES256', 'EdDSA']);
    expect(await signers.forSite(siteFile())).toBe(signers.signer);
    const kids = signers.publicKeys().map((k) => k.kid);
    expect(kids).toEqual(expect.arrayContaining([bySecret.keyId, byPath.keyId, signers.signer.keyId]));
    await expect(of('nowhere')).rejects.toMatchObject({ code: 'signer.broken' });
  });
});
