import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { createLog, silentLog } from '../../core/log.ts';
import { createTlsServer, type TlsMaterial, type TlsProfile, type TlsSource } from '../../core/tls.ts';
import { checkMaterial, makeCertificate, openDevelopmentTls, openTlsFiles } from '../../core/tls-files.ts';

let folder: string;
let clock: ManualClock;
let first: TlsMaterial;
let second: TlsMaterial;
const open: (() => void)[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([makeCertificate({ now: Date.now() }), makeCertificate({ now: Date.now() })]);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'v2gate-tls-'));
  clock = manualClock(Date.now());
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) close();
  await rm(folder, { recursive: true, force: true });
});

const put = async (m: Partial<TlsMaterial>): Promise<void> => {
  if (m.cert !== undefined) await writeFile(join(folder, 'cert.pem'), m.cert);
  if (m.key !== undefined) await writeFile(join(folder, 'key.pem'), m.key);
};
const files = () => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') });
const fingerprint = (m: TlsMaterial) => new X509Certificate(m.cert).fingerprint256;

async function serve(source: TlsSource, profile: TlsProfile = 'modern'): Promise<number> {
  const server = createTlsServer(source, { profile }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (d) => socket.write(d));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function shake(port: number, o: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ...o });
  open.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Files are read by the thread pool, which the manual clock does not wait for. */
async function look(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) {
    await clock.advance(5_000);
    await new Promise((r) => setTimeout(r, 2));
  }
  expect(done()).toBe(true);
}

describe('certificates from files', () => {
  it('serve TLS 1.3 and nothing older, unless that is asked for', async () => {
    await put(first);
    const source = await openTlsFiles(files(), { clock, log: silentLog });
    open.push(() => source.close());
    const port = await serve(source);
    expect((await shake(port, { ca: first.cert })).getProtocol()).toBe('TLSv1.3');
    await expect(shake(port, { ca: first.cert, maxVersion: 'TLSv1.2' })).rejects.toThrow();
    const old = await serve(source, 'compatible');
    const socket = await shake(old, { ca: first.cert, maxVersion: 'TLSv1.2' });
    expect([socket.getProtocol(), socket.getCipher().standardName]).toEqual([
      'TLSv1.2',
      expect.stringMatching(/^TLS_ECDHE_.*(GCM|POLY1305)/),
    ]);
    await expect(
      shake(old, { ca: first.cert, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }),
    ).rejects.toThrow();
    await expect(shake(old, { ca: second.cert })).rejects.toThrow();
  });

  it('change without a restart: new connections get the new one, running ones stay', async () => {
    await put(first);
    const source = await openTlsFiles(files(), { clock, log: silentLog });
    open.push(() => source.close());
    const port = await serve(source);
    const running = await shake(port, { ca: first.cert });
    await put(second);
    await look(() => source.material.cert === second.cert);
    const later = await shake(port, { ca: second.cert });
    expect(later.getPeerCertificate().fingerprint256).toBe(fingerprint(second));
    running.write('still here');
    expect(String((await once(running, 'data'))[0])).toBe('still here');
  });

  it('that are broken, or half changed, do not take the place of good ones, and are reported once', async () => {
    await put(first);
    const lines: string[] = [];
    const log = createLog({ clock, level: 'info', format: 'json', write: (line) => lines.push(line) });
    const source = await openTlsFiles(files(), { clock, log });
    open.push(() => source.close());
    const complaints = () => lines.filter((l) => l.includes('tls.kept'));
    await put({ cert: second.cert });
    await look(() => complaints().length === 1);
    await put({ cert: 'garbage' });
    for (let i = 0; i < 5; i++) {
      await clock.advance(5_000);
      await new Promise((r) => setTimeout(r, 2));
    }
    expect([complaints().length, source.material.cert]).toEqual([1, first.cert]);
    await rm(files().key);
    await look(() => complaints().length === 2);
    expect(complaints()[1]).toContain('tls.unreadable');
    await put(second);
    await look(() => source.material.cert === second.cert);
    expect(lines.join()).not.toContain('PRIVATE KEY');
  });

  it('that are missing or do not belong together are refused at the start', async () => {
    await expect(openTlsFiles(files(), { clock, log: silentLog })).rejects.toMatchObject({ code: 'tls.unreadable' });
    await put({ cert: first.cert, key: second.key });
    await expect(openTlsFiles(files(), { clock, log: silentLog })).rejects.toMatchObject({ code: 'tls.broken' });
    expect(() => checkMaterial({ cert: '', key: '' })).toThrow('belong together');
  });
});

describe('the development certificate', () => {
  const names = (text: string) => new X509Certificate(text).subjectAltName ?? '';

  it('is made once, for this machine, readable by its owner only, with a loud warning', async () => {
    const lines: string[] = [];
    const log = createLog({ clock, level: 'warn', format: 'json', write: (line) => lines.push(line) });
    const made = await openDevelopmentTls(join(folder, 'tls'), { clock, log });
    open.push(() => made.close());
    for (const name of ['localhost', hostname(), '127.0.0.1', '0:0:0:0:0:0:0:1'])
      expect(names(made.material.cert)).toContain(name);
    for (const file of ['development-cert.pem', 'development-key.pem']) {
      expect((await stat(join(folder, 'tls', file))).mode & 0o777).toBe(0o600);
    }
    expect(lines.some((l) => l.includes('tls.development'))).toBe(true);
    expect(new X509Certificate(made.material.cert).publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    const again = await openDevelopmentTls(join(folder, 'tls'), { clock, log: silentLog });
    open.push(() => again.close());
    expect(again.material).toEqual(made.material);
    const port = await serve(again);
    const ca = await readFile(again.certFile, 'utf8');
    expect((await shake(port, { ca, servername: 'localhost' })).authorized).toBe(true);
    clock.set(clock.now() + 340 * 86_400_000);
    const renewed = await openDevelopmentTls(join(folder, 'tls'), { clock, log: silentLog });
    open.push(() => renewed.close());
    expect(renewed.material.cert).not.toBe(made.material.cert);
  });
});
