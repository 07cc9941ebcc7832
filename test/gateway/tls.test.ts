import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { siteNodes, startTestGateway, type TestGateway } from '../support/gateway.ts';

const PASSWORD = 'only for this test';
let gw: TestGateway;
let ca: string;

beforeAll(async () => {
  gw = await startTestGateway({ env: { V2GATE_TLS: 'dev', V2GATE_HTTP_PASSWORD: PASSWORD } });
  ca = await readFile(join(gw.dataDir, 'tls', 'development-cert.pem'), 'utf8');
  await gw.deploy(siteNodes());
});
afterAll(() => gw.stop());

function get(path: string, auth?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const req = request(`${gw.gateway.url}${path}`, { ca, ...(auth === undefined ? {} : { auth }) }, (res) => {
      res.resume();
      resolve(res);
    });
    req.on('error', reject).end();
  });
}

function upgrade(url: string, protocol: string, trusted = true): Promise<string> {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, protocol, trusted ? { ca } : {});
    ws.on('open', () => {
      resolve('open');
      ws.terminate();
    });
    ws.on('error', (e) => resolve(e.message));
  });
}

describe('a gateway with V2GATE_TLS=dev', () => {
  it('speaks HTTPS, with its password for everything but health and public keys', async () => {
    expect(gw.gateway.url).toMatch(/^https:/);
    const status = async (path: string, auth?: string) => (await get(path, auth)).statusCode;
    expect([200, 503]).toContain(await status('/health'));
    expect(await status('/.well-known/jwks.json')).toBe(200);
    const refused = await get('/');
    expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Basic')]);
    expect(await status('/v2gate/api/site', 'anybody:wrong')).toBe(401);
    expect(await status('/metrics')).toBe(401);
    expect(await status('/v2gate/api/site', `anybody:${PASSWORD}`)).toBe(200);
    expect(await status('/console/', `anybody:${PASSWORD}`)).toBe(200);
    await expect(fetch(`${gw.gateway.url}/health`)).rejects.toThrow();
  });

  it('lets stations and operators connect over TLS', async () => {
    const [stations, operators] = [await gw.linkUrl('v2gate-ocpp-server'), await gw.linkUrl('v2gate-fo-link')];
    expect([stations, operators].map((url) => new URL(url).protocol)).toEqual(['wss:', 'wss:']);
    expect(await upgrade(`${stations}/DEMO-AC-1`, 'ocpp1.6')).toBe('open');
    expect(await upgrade(operators, 'v2gate-fo.v1.json')).toBe('open');
    expect(await upgrade(operators, 'v2gate-fo.v1.json', false)).toContain('self-signed');
    expect(await upgrade(`${gw.gateway.url.replace('https', 'wss')}/comms`, 'x')).toContain('401');
  });

  it('never shows its password', async () => {
    expect(gw.log.join('\n')).not.toContain(PASSWORD);
  });
});
