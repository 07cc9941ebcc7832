import { describe, expect, it } from 'vitest';
import { CORE_ERROR_TABLES } from '../../core/error-tables.ts';
import {
  codeOf,
  describeError,
  errorReference,
  errorTable,
  fromPlain,
  INTERNAL_ERRORS,
  toPlain,
  V2gateError,
} from '../../core/errors.ts';

const TABLE = errorTable('demo', {
  'demo.busy': { what: 'The demo is busy.', remedy: 'Try again.', retry: 'later', protocol: 'InternalError' },
  'demo.wrong': { what: 'The demo is wrong.', remedy: 'Correct it.', retry: 'no' },
});

describe('an error', () => {
  it('has code and cause as own enumerable properties, as catch nodes need them', () => {
    const e = TABLE.fail('demo.busy');
    expect(Object.keys(e).sort()).toEqual(['cause', 'code']);
    expect(e.cause).toEqual({
      what: 'The demo is busy.',
      remedy: 'Try again.',
      retry: 'later',
      protocol: 'InternalError',
    });
    expect(e.message).toBe('The demo is busy. Try again.');
    expect(e).toBeInstanceOf(Error);
    expect(e.name).toBe('V2gateError');
  });

  it('takes a specific sentence, a path and details in place of the general ones', () => {
    const details = [{ path: '/a', code: 'x', message: 'y' }];
    const e = TABLE.fail('demo.wrong', 'a is wrong.', { remedy: 'Drop a.', path: '/a', details });
    expect(e.message).toBe('a is wrong. Drop a.');
    expect(e.cause).toEqual({ what: 'a is wrong.', remedy: 'Drop a.', retry: 'no', path: '/a', details });
  });

  it('is recognised by code, also when another copy of the class made it', () => {
    expect(codeOf(Object.assign(new Error('x'), { code: 'demo.busy' }))).toBe('demo.busy');
    expect(codeOf({ code: 5 })).toBeUndefined();
    expect(codeOf(undefined)).toBeUndefined();
    expect(codeOf('demo.busy')).toBeUndefined();
    expect(codeOf(Object.create({ code: 'inherited' }))).toBeUndefined();
  });

  it('survives structuredClone in its plain form', () => {
    const e = TABLE.fail('demo.busy', undefined, { details: [{ path: '', code: 'c', message: 'm' }] });
    const back = fromPlain(structuredClone(toPlain(e)));
    expect(back).toBeInstanceOf(V2gateError);
    expect({ code: back.code, cause: back.cause, message: back.message }).toEqual({
      code: e.code,
      cause: e.cause,
      message: e.message,
    });
  });
});

describe('describeError', () => {
  it('tells the four things of a known error', () => {
    expect(describeError(TABLE.fail('demo.busy'))).toEqual({
      code: 'demo.busy',
      what: 'The demo is busy.',
      remedy: 'Try again.',
      retry: 'later',
    });
  });

  it.each([
    ['a plain Error', new Error('boom'), 'boom'],
    ['a system error with a foreign code', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'refused'],
    ['a text', 'boom', 'boom'],
    ['nothing', undefined, 'unexpected'],
    ['null', null, 'unexpected'],
  ])('makes internal.permanent of %s', (_name, thrown, hint) => {
    const d = describeError(thrown);
    expect(d.code).toBe('internal.permanent');
    expect(d.what).toContain(hint);
    expect(d.retry).toBe('no');
    expect(toPlain(thrown).cause.protocol).toBe('internal.permanent');
  });

  it('survives hostile getters and proxies', () => {
    const getter = Object.defineProperty({}, 'code', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const proxy = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error('no');
        },
      },
    );
    for (const hostile of [getter, proxy]) {
      expect(codeOf(hostile)).toBeUndefined();
      expect(describeError(hostile).code).toBe('internal.permanent');
      expect(toPlain(hostile).code).toBe('internal.permanent');
    }
  });
});

describe('the error reference', () => {
  it('lists every error of the kits with sentences a person can act on', () => {
    const rows = errorReference(CORE_ERROR_TABLES);
    expect(rows.map((r) => r.code)).toContain('schema.invalid');
    expect(rows.map((r) => r.code)).toEqual(rows.map((r) => r.code).sort());
    for (const r of rows) {
      expect(r.code, r.code).toMatch(/^[a-z]+(\.[a-zA-Z]+)+$/);
      expect(r.what, r.code).toMatch(/^[A-Z].*\.$/);
      expect(r.remedy, r.code).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('refuses a code that two tables declare', () => {
    const twin = errorTable('twin', { 'demo.busy': { what: 'X.', remedy: 'Y.', retry: 'no' } });
    expect(() => errorReference([TABLE, twin])).toThrow(/demo\.busy is declared by demo and by twin/);
  });

  it('states that a temporary fault of ours may be retried and a permanent one not', () => {
    expect(INTERNAL_ERRORS.kinds['internal.temporary'].retry).toBe('yes');
    expect(INTERNAL_ERRORS.kinds['internal.permanent'].retry).toBe('no');
  });
});
