import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect as connectMqtt } from 'mqtt';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './support/child.ts';
import { GatewayProcess } from './support/gateway.ts';

let gw: GatewayProcess | undefined;
let folder: string | undefined;
afterEach(async () => {
  await gw?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  gw = folder = undefined;
});

function getJson(url: string, ca: string): Promise<{ status: number | undefined; body: unknown; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca, keepAlive: false });
    const req = request(url, { agent }, (res) => {
      let text = '';
      const { fingerprint256: fingerprint = '' } = 'getPeerCertificate' in res.socket ? peerOf(res.socket) : {};
      res.on('data', (d: Buffer) => {
        text += d.toString();
      });
      res.on('end', () => resolve({ status: res.statusCode, body: JSON.parse(text), fingerprint }));
    });
    req.on('error', reject).end();
  });
}

function peerOf(socket: object): { fingerprint256?: string } {
  const get: unknown = Reflect.get(socket, 'getPeerCertificate');
  return typeof get === 'function' ? (get.call(socket) as { fingerprint256?: string }) : {};
}

/** A certificate as a company's issuer might give one, RSA for old stations. */
async function rsa(): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** The version and suite of a handshake, or why there was none. */
function shake(url: string, o: { ca: string; maxVersion?: 'TLSv1.2'; ciphers?: string }): Promise<string> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connectTls({ host, port: Number(port), ...o }, () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
    socket.on('error', (e) => resolve(e.message));
  });
}

describe('the gateway process with TLS', () => {
  it('shows its demo over TLS: simulated stations and operator trust the certificate it has made', async () => {
    gw = await GatewayProcess.start({ env: { V2GATE_TLS: 'dev' } });
    const { url, dataDir } = gw;
    expect(url).toMatch(/^https:/);
    const ca = await readFile(join(dataDir, 'tls', 'development-cert.pem'), 'utf8');
    const [stations, operators] = [await gw.link('stations'), await gw.link('operators')];
    expect([stations, operators].map((u) => u.slice(0, 4))).toEqual(['wss:', 'wss:']);
    await eventually(
      'eight stations and the operator are there',
      async () => {
        const { components } = (await getJson(`${url}/health`, ca)).body as {
          components: Record<string, { text: string }>;
        };
        const texts = Object.values(components).map((c) => c.text);
        if (!texts.some((t) => t.startsWith('8 stations')) || !texts.some((t) => t.startsWith('fo:'))) {
          throw new Error(texts.join(' | '));
        }
        return texts;
      },
      60_000,
    );
  });

  it('shows its demo’s broker over mqtts', async () => {
    gw = await GatewayProcess.start({ env: { V2GATE_TLS: 'dev' }, foLink: { transport: 'mqtt' } });
    const ca = await readFile(join(gw.dataDir, 'tls', 'development-cert.pem'), 'utf8');
    const url = await gw.link('operators');
    expect(url).toMatch(/^mqtts:/);
    const anybody = connectMqtt(url, {
      ca,
      protocolVersion: 4,
      clientId: 'fo:north/x',
      username: 'fo:north',
      reconnectPeriod: 0,
    });
    const stranger = connectMqtt(url, {
      ca,
      protocolVersion: 4,
      clientId: 'x',
      username: 'nobody',
      reconnectPeriod: 0,
    });
    const refused = new Promise<string>((resolve) => stranger.on('error', (e) => resolve(e.message)));
    await new Promise((resolve) => anybody.once('connect', resolve));
    expect(await refused).toMatch(/Bad username|refused/i);
    await Promise.all([anybody.endAsync(true), stranger.endAsync(true)]);
  });

  it('takes over new certificate files without a restart, keeps running connections, and keeps good ones', async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-certs-'));
    const [first, second] = await Promise.all([rsa(), rsa()]);
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = async (m: { cert: string; key: string }) => {
      await writeFile(key, m.key, { mode: 0o600 });
      await writeFile(cert, m.cert);
    };
    await put(first);
    gw = await GatewayProcess.start({ env: { V2GATE_TLS_CERT: cert, V2GATE_TLS_KEY: key } });
    const { url, child } = gw;
    const stations = await gw.link('stations');
    const station = new WebSocket(`${stations}/DEMO-TEST-1`, 'ocpp1.6', { ca: first.cert });
    await new Promise((resolve, reject) => station.once('open', resolve).once('error', reject));
    const old = { ca: first.cert, maxVersion: 'TLSv1.2' as const };
    expect(await shake(stations, { ...old, ciphers: 'AES128-GCM-SHA256' })).toBe('TLSv1.2 AES128-GCM-SHA256');
    expect(await shake(stations, { ...old, ciphers: 'AES128-SHA' })).toMatch(/handshake failure/);
    expect(await shake(url, old)).toMatch(/protocol version/);
    expect(await shake(url, { ca: first.cert })).toMatch(/^TLSv1.3/);
    await writeFile(cert, 'garbage');
    await child.find('the complaint', (line) => (line.includes('tls.kept') ? line : undefined), 20_000);
    expect((await getJson(`${url}/health`, first.cert)).fingerprint).toBe(
      new X509Certificate(first.cert).fingerprint256,
    );
    await put(second);
    await child.find('the rotation', (line) => (line.includes('tls.rotated') ? line : undefined), 20_000);
    expect((await getJson(`${url}/health`, second.cert)).fingerprint).toBe(
      new X509Certificate(second.cert).fingerprint256,
    );
    expect(await shake(stations, { ca: second.cert })).toMatch(/^TLSv1.3/);
    expect(await shake(stations, { ca: first.cert })).toMatch(/self-signed/);
    expect(station.readyState).toBe(WebSocket.OPEN);
    station.terminate();
    expect(child.lines.join('\n')).not.toContain('PRIVATE KEY');
  });

  it('does not start with a certificate that cannot be used, and says which', async () => {
    folder = await mkdtemp(join(tmpdir(), 'v2gate-certs-'));
    const [first, second] = await Promise.all([rsa(), rsa()]);
    await writeFile(join(folder, 'cert.pem'), first.cert);
    await writeFile(join(folder, 'key.pem'), second.key);
    const env = { V2GATE_TLS_CERT: join(folder, 'cert.pem'), V2GATE_TLS_KEY: join(folder, 'key.pem') };
    await expect(GatewayProcess.start({ env })).rejects.toThrow(/tls\.broken/);
  });
});
