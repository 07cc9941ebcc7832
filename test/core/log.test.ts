import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { errorTable } from '../../core/errors.ts';
import { createLog, type Log, type LogLevel, silentLog } from '../../core/log.ts';
import { isSecretKey } from '../../core/redact.ts';

function capture(format: 'json' | 'text', level: LogLevel = 'debug'): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const clock = manualClock(Date.UTC(2026, 0, 1, 12, 0, 1, 123));
  return { log: createLog({ clock, level, format, write: (l) => lines.push(l) }), lines };
}

const SECRET_KEYS = [
  'password',
  'Password',
  'basicAuthPassword',
  'client_secret',
  'accessToken',
  'Authorization',
  'AuthorizationKey',
  'idTag',
  'parentIdTag',
  'idToken',
  'signature',
  'private-key',
  'apiKey',
  'api_key',
  'set-cookie',
  'credentials',
  'passphrase',
  'pin',
  'psk',
  'vin',
  'simPin',
  'VpnKey',
];

describe('a text line', () => {
  it('reads time, level, event, fields', () => {
    const { log, lines } = capture('text');
    log.info('ocpp.boot', { station: 'CS1', evses: 2, ok: true, why: 'power up', list: [1, 'a'] });
    expect(lines).toEqual(['12:00:01.123 info  ocpp.boot station=CS1 evses=2 ok=true why="power up" list=[1,"a"]']);
  });

  it('stays one line, without control characters, whatever it is told', () => {
    const any = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii' }),
        fc.dictionary(fc.string({ unit: 'binary-ascii' }), any),
        (event, fields) => {
          for (const format of ['text', 'json'] as const) {
            const { log, lines } = capture(format);
            log.child(fields).warn(`${event}\u001b[31m\u2028\u202e`, fields);
            expect(lines).toHaveLength(1);
            expect(lines[0]).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
            if (format === 'json') expect(() => JSON.parse(lines[0] ?? '')).not.toThrow();
          }
        },
      ),
    );
  });

  it('cannot be made to show a forged field', () => {
    const { log, lines } = capture('text');
    log.info('fo.refused', { reason: 'bad" level=error user=admin', 'a b=c': 1 });
    expect(lines[0]).toContain('reason="bad\\" level=error user=admin" "a b=c"=1');
  });
});

describe('a JSON line', () => {
  it('has at, level, event and the fields, and keeps a field of the same name', () => {
    const { log, lines } = capture('json');
    log.error('x.failed', { n: 1, at: 'elsewhere', event: 5 });
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      at: '2026-01-01T12:00:01.123Z',
      level: 'error',
      event: 'x.failed',
      n: 1,
      at_: 'elsewhere',
      event_: 5,
    });
  });
});

describe('a log', () => {
  it('drops what is below its level', () => {
    const { log, lines } = capture('text', 'warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((l) => l.slice(13))).toEqual(['warn  c', 'error d']);
    const off = capture('text', 'off');
    off.log.error('e');
    expect(off.lines).toEqual([]);
  });

  it('adds the fields of its parents; nearer ones win', () => {
    const { log, lines } = capture('text');
    log.child({ link: 'A', n: 1 }).child({ n: 2 }).info('e', { m: 3 });
    expect(lines[0]).toMatch(/link=A n=2 m=3$/);
  });

  it('does not throw when its writer does', () => {
    const clock = manualClock();
    const log = createLog({
      clock,
      level: 'debug',
      format: 'text',
      write: () => {
        throw new Error('disk full');
      },
    });
    expect(() => log.error('x')).not.toThrow();
    expect(() => silentLog.child({}).error('x')).not.toThrow();
  });

  it('survives cycles, hostile getters and proxies', () => {
    const { log, lines } = capture('json');
    const cycle: Record<string, unknown> = { name: 'loop' };
    cycle.self = cycle;
    const hostile = {
      get boom(): string {
        throw new Error('no');
      },
      ok: 1,
    };
    const proxy = new Proxy({}, { ownKeys: () => [][1] ?? Reflect.ownKeys(Object(null).x) });
    log.info('e', { cycle, hostile, proxy });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      cycle: { name: 'loop', self: '[cycle]' },
      hostile: { boom: '[unreadable]', ok: 1 },
      proxy: '[unreadable]',
    });
  });

  it('cuts long values, long lists, deep trees and long lines', () => {
    const { log, lines } = capture('json');
    let deep: unknown = 'bottom';
    for (let i = 0; i < 50; i++) deep = { deep };
    log.info('e', {
      text: 'x'.repeat(1e6),
      list: Array.from({ length: 1e5 }, (_, i) => i),
      deep,
      bytes: new Uint8Array(1e6),
    });
    expect(lines[0]?.length).toBeLessThan(1500);
    expect(lines[0]).toContain('…(1000000)');
    expect(lines[0]).toContain('…99980 more');
    expect(lines[0]).toContain('[1000000 bytes]');
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'y'.repeat(400)]));
    log.info('e', wide);
    expect(lines[1]?.length).toBeLessThan(8300);
    expect(() => JSON.parse(lines[1] ?? '')).not.toThrow();
  });

  it('tells code and sentences of an error', () => {
    const { log, lines } = capture('json');
    const table = errorTable('demo', { 'demo.busy': { what: 'Busy.', remedy: 'Wait.', retry: 'later' } });
    log.warn('e', { err: table.fail('demo.busy'), plain: new Error('plain') });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: { message: 'Busy. Wait.', code: 'demo.busy', cause: { retry: 'later' } },
      plain: { message: 'plain' },
    });
  });
});

describe('values of another realm', () => {
  it('are told like our own: errors, dates, maps', () => {
    const { log, lines } = capture('json');
    const foreign: unknown = runInNewContext(
      "({ err: new TypeError('far'), at: new Date(0), map: new Map([[1, 2]]) })",
    );
    log.info('e', { foreign, at: new Date(0), bad: new Date(Number.NaN), set: new Set([1]) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      foreign: { err: { message: 'far' }, at: '1970-01-01T00:00:00.000Z', map: '[1 entries]' },
      at_: '1970-01-01T00:00:00.000Z',
      bad: 'invalid date',
      set: '[1 entries]',
    });
  });
});

describe('a secret', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9+/=.]{12,40}$/).map((s) => `s3cr3t${s}`);

  it('under a secret key never appears, at any depth and in any shape', () => {
    const step = fc.oneof(
      fc.constantFrom('list', 'cause', 'details', 'payload', 'error', 'json'),
      fc.constant('secretParent'),
    );
    fc.assert(
      fc.property(secret, fc.constantFrom(...SECRET_KEYS), fc.array(step, { maxLength: 8 }), (value, key, steps) => {
        let tree: unknown = { [key]: value };
        for (const s of steps) {
          if (s === 'list') tree = ['x', tree];
          else if (s === 'error') tree = Object.assign(new Error('wrapped'), { data: tree });
          else if (s === 'json') tree = JSON.stringify(tree, (_k, v: unknown) => (v instanceof Error ? { ...v } : v));
          else if (s === 'secretParent') tree = { token: { nested: tree, deep: [value] } };
          else tree = { [s]: tree };
        }
        for (const format of ['text', 'json'] as const) {
          const { log, lines } = capture(format);
          log.child({ tree, [key]: value }).info('e', { tree, [key]: [value, { a: value }] });
          expect(lines).toHaveLength(1);
          expect(lines[0]).not.toContain(value);
          expect(lines[0]).not.toContain('s3cr3t');
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['wss://user:s3cr3t@host/path', 'wss://[redacted]@host/path'],
    ['connect to https://s3cr3t@host failed', 'https://[redacted]@host failed'],
    ['Authorization: Basic czNjcjN0OnM=', '[redacted]'],
    ['got Bearer s3cr3t.s3cr3t', 'Bearer [redacted]'],
    ['GET /x?token=s3cr3t&a=1', 'token=[redacted]&a=1'],
    ['{"password":"s3cr3t","a":1}', '{"password":[redacted],"a":1}'],
    ['password is wrong: password=s3cr3t, try again', 'password=[redacted], try again'],
    ["{ idTag: 's3cr3t' }", 'idTag: [redacted] }'],
    ['-----BEGIN EC PRIVATE KEY-----\ns3cr3t\n-----END EC PRIVATE KEY-----', '[redacted]'],
    ['-----BEGIN PRIVATE KEY-----\ns3cr3t cut off', '[redacted]'],
  ])('is found in the text %j', (text, left) => {
    const { log, lines } = capture('json');
    log.info('e', { text, err: new Error(text) });
    const entry: unknown = JSON.parse(lines[0] ?? '');
    expect(entry).toMatchObject({ text: expect.stringContaining(left) as unknown });
    expect(lines[0]).not.toMatch(/s3cr3t|czNjcjN0/);
  });

  it('is found beside the name that tells what it is, as in OCPP configuration', () => {
    const { log, lines } = capture('json');
    log.info('e', {
      change: { key: 'AuthorizationKey', value: 's3cr3t' },
      set: [
        { component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' }, attributeValue: 's3cr3t' },
      ],
      harmless: { key: 'HeartbeatInterval', value: '60' },
    });
    expect(lines[0]).not.toContain('s3cr3t');
    expect(lines[0]).toContain('"value":"60"');
    expect(lines[0]).toContain('AuthorizationKey');
  });

  it('is not seen where there is none', () => {
    for (const key of [
      'station',
      'connectorId',
      'powerW',
      'code',
      'keys',
      'credentialId',
      'passed',
      'pinned',
      'evRef',
      'contractId',
    ]) {
      expect(isSecretKey(key), key).toBe(false);
    }
  });
});
