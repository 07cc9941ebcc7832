import { type IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { createGuard } from '../../gateway/guard.ts';
import type { Principal } from '../../gateway/roles.ts';

const ANYBODY = { required: false, identifyNow: () => ({ name: 'anybody', role: 'engineer' }) satisfies Principal };

function verdict(
  headers: Record<string, string>,
  o: { method?: string; url?: string; upgrade?: boolean; listen?: string; required?: boolean } = {},
) {
  const req = { headers, method: o.method ?? 'GET', url: o.url ?? '/v2gate/api/site' } as IncomingMessage;
  return codeOf(
    createGuard(o.listen ?? '127.0.0.1', { ...ANYBODY, required: o.required ?? false }).complaint(
      req,
      o.upgrade ?? false,
    ),
  );
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

  it('where people log in, pages of other origins do not act for them in flows either', () => {
    const headers = { host: 'localhost:1880', origin: 'https://shop.example' };
    const o = { method: 'POST', url: '/http/order', required: true };
    expect(verdict(headers, o)).toBe('api.forbiddenOrigin');
    expect(verdict(headers, { ...o, upgrade: true, method: 'GET' })).toBe('api.forbiddenOrigin');
    expect(verdict({ host: 'localhost:1880' }, o)).toBeUndefined();
    expect(verdict({ ...headers, origin: 'http://localhost:1880' }, o)).toBeUndefined();
  });

  it('a session that has ended closes its WebSocket; who shows a password keeps theirs', () => {
    let known = true;
    const access = { required: true, identifyNow: () => (known ? ANYBODY.identifyNow() : undefined) };
    const guard = createGuard('127.0.0.1', access);
    const server = new Server();
    guard.upgrades(server);
    const connected = (headers: Record<string, string>) => {
      const socket = new Socket();
      server.emit('upgrade', { headers: { host: 'localhost', ...headers }, url: '/comms', method: 'GET' }, socket);
      return socket;
    };
    const [byCookie, byPassword] = [connected({ cookie: 'x' }), connected({ authorization: 'Basic x' })];
    guard.recheck('sessions');
    expect([byCookie.destroyed, byPassword.destroyed]).toEqual([false, false]);
    known = false;
    guard.recheck('sessions');
    expect([byCookie.destroyed, byPassword.destroyed]).toEqual([true, false]);
    guard.recheck('all');
    expect(byPassword.destroyed).toBe(true);
  });

  it('on another address any host name is served, foreign origins still not', () => {
    expect(verdict({ host: 'gate.example' }, { listen: '0.0.0.0' })).toBeUndefined();
    expect(
      verdict({ host: 'gate.example', origin: 'https://evil.example' }, { listen: '0.0.0.0', method: 'POST' }),
    ).toBe('api.forbiddenOrigin');
  });
});
