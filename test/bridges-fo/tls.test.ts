import { X509Certificate } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openFoLink } from '../../bridges/fo/index.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { TlsMaterial, TlsSource } from '../../core/tls.ts';
import { makeCertificate } from '../../core/tls-files.ts';
import type { SiteFile } from '../../model/index.ts';
import {
  createFoClient,
  createFoMqttClient,
  type FoClient,
  type FoClientOptions,
  type FoMqttClientOptions,
} from '../../protocols/fo/index.ts';
import { linkConfig, SECRETS, until, type World, world } from './world.ts';

let w: World;
let server: TlsMaterial;
let other: TlsMaterial;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  [server, other] = await Promise.all([makeCertificate({ now: Date.now() }), makeCertificate({ now: Date.now() })]);
});
afterEach(async () => {
  for (const x of open.splice(0).reverse()) await x.close();
  await w.close();
});

/** A certificate that a test changes. */
function changing(material: TlsMaterial): TlsSource & { change(m: TlsMaterial): void } {
  const listeners = new Set<() => void>();
  let now = material;
  return {
    get material() {
      return now;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => undefined,
    change(m) {
      now = m;
      for (const listener of listeners) listener();
    },
  };
}

const withTls = (source: TlsSource = changing(server)) => ({ tls: { fo: { source, profile: 'modern' as const } } });
const handlers = { onMessage: () => undefined };

/** What every operator of these tests has in common. */
const common = () => ({
  url: w.link.url.replace('0.0.0.0', '127.0.0.1'),
  partyId: 'fo:test',
  to: 'cso:test',
  clock: w.clock,
  ca: server.cert,
  handlers,
});

function operator(o: Partial<FoClientOptions> = {}): FoClient {
  const client: FoClient = createFoClient({ ...common(), log: listening(() => client), ...o });
  open.push(client);
  return client;
}

function onBroker(o: Partial<FoMqttClientOptions> = {}): FoClient {
  const client: FoClient = createFoMqttClient({ ...common(), log: listening(() => client), ...o });
  open.push(client);
  return client;
}

/** Turned away, and waiting for its next try. */
const refused = (...clients: FoClient[]) => until(() => clients.every((c) => turnedAway.has(c)));

/** Clients that had to think of their next try. */
const turnedAway = new WeakSet<FoClient>();

/** Hears of that from the log of a client. */
function listening(client: () => FoClient): Log {
  const log: Log = {
    ...silentLog,
    info: (event) => {
      if (event === 'fo.reconnect') turnedAway.add(client());
    },
    child: () => log,
  };
  return log;
}

describe('an FO link with TLS', () => {
  it('lets in over WebSocket who trusts its certificate, and changes it while it runs', async () => {
    const source = changing(server);
    w = await world({ runtime: withTls(source) });
    expect(w.link.url).toMatch(/^wss:/);
    const running = operator();
    await until(() => running.state === 'up');
    source.change(other);
    const late = operator({ partyId: 'fo:secured', token: SECRETS['fo-secret'] ?? '', ca: other.cert });
    await until(() => late.state === 'up');
    expect(running.state).toBe('up');
    const stranger = operator({ ca: server.cert });
    await refused(stranger);
    expect(stranger.state).toBe('down');
  });

  it('does the same at its own broker', async () => {
    const source = changing(server);
    w = await world({ link: { transport: 'mqtt' }, runtime: withTls(source) });
    expect(w.link.url).toMatch(/^mqtts:/);
    const running = onBroker();
    await until(() => running.state === 'up');
    source.change(other);
    const late = onBroker({ partyId: 'fo:secured', token: SECRETS['fo-secret'] ?? '', ca: other.cert });
    await until(() => late.state === 'up');
    const stranger = onBroker({ ca: server.cert });
    const plain = onBroker({ url: w.link.url.replace('mqtts', 'mqtt') });
    await refused(stranger, plain);
    expect([running.state, stranger.state, plain.state]).toEqual(['up', 'down', 'down']);
  });

  const parties = (certificate: NonNullable<SiteFile['parties']>[number]['certificate']) => [
    { partyId: 'fo:test', role: 'fo' as const, ...(certificate ? { certificate } : {}) },
  ];

  it('knows a party by its pinned certificate, and believes nobody else to be it', async () => {
    const { fingerprint256 } = new X509Certificate(other.cert);
    w = await world({ runtime: withTls(), site: { parties: parties({ fingerprint256 }), partySecrets: [] } });
    const right = operator({ certificate: other });
    await until(() => right.state === 'up');
    const wrong = operator({ certificate: server });
    const none = operator();
    await refused(wrong, none);
    expect([wrong.state, none.state, right.state]).toEqual(['down', 'down', 'up']);
  });

  it('knows a party by the common name of a certificate only where a trusted issuer signed it', async () => {
    const commonName = /CN=(.*)/.exec(new X509Certificate(other.cert).subject)?.[1] ?? '';
    const site = { parties: parties({ commonName }), partySecrets: [] };
    w = await world({ runtime: withTls(changing(server)), site });
    const unverified = operator({ certificate: other });
    await refused(unverified);
    expect(unverified.state).toBe('down');
    await w.close();
    w = await world({ runtime: withTls(changing({ ...server, ca: other.cert })), site });
    const verified = operator({ certificate: other });
    await until(() => verified.state === 'up');
  });

  it('wants token and certificate of a party that has both', async () => {
    const { fingerprint256 } = new X509Certificate(other.cert);
    const partySecrets = [{ partyId: 'fo:test', tokenRef: 'fo-secret' }];
    w = await world({ runtime: withTls(), site: { parties: parties({ fingerprint256 }), partySecrets } });
    const token = SECRETS['fo-secret'] ?? '';
    const half = [operator({ token }), operator({ certificate: other }), operator({ token, certificate: server })];
    await refused(...half);
    expect(half.map((c) => c.state)).toEqual(['down', 'down', 'down']);
    const both = operator({ token, certificate: other });
    await until(() => both.state === 'up');
  });
});

describe('beyond loopback', () => {
  const host = '0.0.0.0';
  const all = { partySecrets: ['fo:test', 'fo:secured'].map((partyId) => ({ partyId, tokenRef: 'fo-secret' })) };

  it.each(['websocket', 'mqtt'] as const)(
    '%s opens with TLS and credentials of every operator, else not',
    async (transport) => {
      w = await world();
      const config = linkConfig({ host, transport, linkId: 'fo:2' });
      await expect(openFoLink(config, { ...w.runtime, ...withTls() })).rejects.toMatchObject({ code: 'fo.insecure' });
      await w.site.reload({ ...w.site.file(), ...all });
      await expect(openFoLink(config, w.runtime)).rejects.toMatchObject({ code: 'fo.insecure' });
      const link = await openFoLink(config, { ...w.runtime, ...withTls() });
      open.push(link);
      expect(link.url).toMatch(/^(wss|mqtts):\/\/0\.0\.0\.0:/);
    },
  );

  it('opens in plain text where that was given up in words', async () => {
    w = await world();
    const settings = { ...w.runtime.settings, insecure: true };
    const link = await openFoLink(linkConfig({ host, linkId: 'fo:2' }), { ...w.runtime, settings });
    open.push(link);
    expect(link.url).toMatch(/^ws:/);
  });
});
