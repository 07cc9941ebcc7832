import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openOcppLink } from '../../bridges/ocpp/index.ts';
import type { TlsMaterial, TlsSource } from '../../core/tls.ts';
import { makeCertificate } from '../../core/tls-files.ts';
import type { Link } from '../../hub/ports.ts';
import { BridgeWorld } from './world.ts';

let world: BridgeWorld;
let first: TlsMaterial;
let second: TlsMaterial;
const links: Link[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([makeCertificate({ now: Date.now() }), makeCertificate({ now: Date.now() })]);
});
afterEach(async () => {
  await Promise.all(links.splice(0).map((l) => l.close()));
  await world.close();
});

const config = (host: string) => ({
  linkId: 'ocpp:tls',
  siteId: 'site:test',
  host,
  port: 0,
  path: '/ocpp',
  portSearch: false,
  speaks: 'hub' as const,
});

async function secured(host: string) {
  let material = first;
  const listeners = new Set<() => void>();
  const ocpp: TlsSource = {
    get material() {
      return material;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => undefined,
  };
  const link = await openOcppLink(config(host), { ...world.runtime, tls: { ocpp } });
  links.push(link);
  const rotate = (m: TlsMaterial): void => {
    material = m;
    for (const listener of listeners) listener();
  };
  return { url: link.url.replace('0.0.0.0', '127.0.0.1'), rotate };
}

/** `open`, or why not. */
function knock(
  url: string,
  identity: string,
  o: { ca: string; auth?: string; maxVersion?: 'TLSv1.2'; ciphers?: string },
) {
  return new Promise<string>((resolve) => {
    const ws = new WebSocket(`${url}/${identity}`, 'ocpp1.6', o);
    ws.on('open', () => {
      resolve('open');
      ws.terminate();
    });
    ws.on('error', (e) => resolve(e.message));
  });
}

describe('an OCPP link with TLS', () => {
  it('takes stations of TLS 1.3 and of 1.2 with the suites of OCPP, and changes its certificate while it runs', async () => {
    world = await BridgeWorld.open();
    const identity = world.file.stations[0]?.identity ?? '';
    const { url, rotate } = await secured('127.0.0.1');
    expect(url).toMatch(/^wss:/);
    expect(await knock(url, identity, { ca: first.cert })).toBe('open');
    const old = { maxVersion: 'TLSv1.2' as const, ca: first.cert };
    expect(await knock(url, identity, { ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('open');
    expect(await knock(url, identity, { ...old, ciphers: 'ECDHE-ECDSA-AES128-SHA' })).not.toBe('open');
    rotate(second);
    expect(await knock(url, identity, { ca: second.cert })).toBe('open');
    expect(await knock(url, identity, { ca: first.cert })).toContain('self-signed');
  });

  it('beyond loopback lets only stations in that have a password', async () => {
    const [a, b] = ['CS-A', 'CS-B'];
    const evses = [{ evse: 1, current: 'ac' as const, maxImportW: 7000 }];
    world = await BridgeWorld.open({
      stations: [
        { identity: a, evses, passwordRef: 'a' },
        { identity: b, evses },
      ],
      groups: [],
      contracts: [],
    });
    world.secrets.a = 'sixteen or more characters';
    const { url } = await secured('0.0.0.0');
    const ca = first.cert;
    expect(await knock(url, a, { ca, auth: `${a}:sixteen or more characters` })).toBe('open');
    expect(await knock(url, a, { ca, auth: `${a}:wrong` })).toContain('401');
    expect(await knock(url, b, { ca })).toContain('401');
    expect(await knock(url, 'CS-NEW', { ca })).toContain('401');
  });
});
