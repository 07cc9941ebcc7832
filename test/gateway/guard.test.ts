import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { createGuard } from '../../gateway/guard.ts';
import type { Principal } from '../../gateway/roles.ts';

const ANYBODY = { identifyNow: () => ({ name: 'anybody', role: 'engineer' }) satisfies Principal };

function verdict(
  headers: Record<string, string>,
  o: { method?: string; url?: string; upgrade?: boolean; listen?: string } = {},
) {
  const req = { headers, method: o.method ?? 'GET', url: o.url ?? '/v2gate/api/site' } as IncomingMessage;
  return codeOf(createGuard(o.listen ?? '127.0.0.1', ANYBODY).complaint(req, o.upgrade ?? false));
}

describe('guard of the web server', () => {
  it('a host name that was rebound to loopback is refused', () => {
    expect(verdict({ host: 'evil.example:1880' })).toBe('api.forbiddenHost');
    expect(verdict({ host: '127.0.0.1.evil.example' })).toBe('api.forbiddenHost');
    expect(verdict({})).toBe('api.forbiddenHost');
  });

  it('every name of loopback may be used, with any port', () => {
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1880', '[::1]:1880', '[::1]']) {
      expect(verdict({ host })).toBeUndefined();
    }
  });

  it('a page of another origin may not change anything', () => {
    const host = '127.0.0.1:1880';
    expect(verdict({ host, origin: 'https://evil.example' }, { method: 'POST' })).toBe('api.forbiddenOrigin');
    expect(verdict({ host, origin: 'http://127.0.0.1:8080' }, { method: 'DELETE' })).toBe('api.forbiddenOrigin');
    expect(verdict({ host, origin: 'null' }, { method: 'POST' })).toBe('api.forbiddenOrigin');
    expect(verdict({ host, 'sec-fetch-site': 'cross-site' }, { method: 'POST' })).toBe('api.forbiddenOrigin');
  });

  it('the own console and programs without origin may', () => {
    const host = '127.0.0.1:1880';
    expect(verdict({ host, origin: 'http://127.0.0.1:1880' }, { method: 'POST' })).toBeUndefined();
    expect(verdict({ host }, { method: 'POST' })).toBeUndefined();
  });

  it('a page of another origin may not open the socket of the editor', () => {
    const host = 'localhost:1880';
    expect(verdict({ host, origin: 'https://evil.example' }, { upgrade: true, url: '/comms' })).toBe(
      'api.forbiddenOrigin',
    );
    expect(verdict({ host, origin: 'http://localhost:1880' }, { upgrade: true, url: '/comms' })).toBeUndefined();
  });

  it('http nodes of flows may serve pages of other origins', () => {
    const headers = { host: 'localhost:1880', origin: 'https://shop.example' };
    expect(verdict(headers, { method: 'POST', url: '/http/order' })).toBeUndefined();
    expect(verdict(headers, { method: 'POST', url: '/httpx' })).toBe('api.forbiddenOrigin');
  });

  it('on another address any host name is served, foreign origins still not', () => {
    expect(verdict({ host: 'gate.example' }, { listen: '0.0.0.0' })).toBeUndefined();
    expect(
      verdict({ host: 'gate.example', origin: 'https://evil.example' }, { listen: '0.0.0.0', method: 'POST' }),
    ).toBe('api.forbiddenOrigin');
  });
});
