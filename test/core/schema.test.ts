import { describe, expect, expectTypeOf, it } from 'vitest';
import { codeOf, describeError, V2gateError } from '../../core/errors.ts';
import { list, type Message, message, num, type Of, text } from '../../core/schema.ts';
import { Everything, Limit, Reserve, Service, Setpoint, Window } from './schema-examples.ts';

type Example = Of<typeof Everything>;
const change = (o: Partial<Record<keyof Example, unknown>>): Record<string, unknown> => ({
  ...Everything.example,
  ...o,
});
const sentences = (m: Message<unknown>, v: unknown): string[] => m.check(v).map((i) => `${i.path}: ${i.message}`);

describe('a message', () => {
  it('takes its example and gives it back as it is', () => {
    for (const m of [Window, Setpoint, Limit, Reserve, Service, Everything]) {
      expect(m.check(m.example), m.name).toEqual([]);
      expect(m.parse(m.example)).toBe(m.example);
      expect(m.is(m.example)).toBe(true);
    }
  });

  it('has the static type of its fields', () => {
    expectTypeOf<Of<typeof Setpoint>>().toEqualTypeOf<{
      fsrId: string;
      seq: number;
      targetW: number;
      reactiveVar?: number;
      validUntil?: string;
    }>();
    expectTypeOf<Example['mode']>().toEqualTypeOf<'absolute' | 'relative'>();
    expectTypeOf<Example['points']>().toEqualTypeOf<{ offsetS: number; powerW?: number }[]>();
    expectTypeOf<Of<typeof Service>>().toEqualTypeOf<Of<typeof Limit> | Of<typeof Reserve>>();
    expectTypeOf<Example['parameters']>().toEqualTypeOf<Of<typeof Limit> | Of<typeof Reserve>>();
    expectTypeOf<Example['levels']>().toEqualTypeOf<Record<string, number> | undefined>();
  });

  it.each([
    ['a wrong type', { targetW: '5' }, '/targetW: targetW must be a number (W), got a text.'],
    ['NaN', { targetW: Number.NaN }, '/targetW: targetW must be a number (W), got NaN.'],
    ['Infinity', { targetW: Number.POSITIVE_INFINITY }, '/targetW: targetW must be a number (W), got Infinity.'],
    [
      'null',
      { reactiveVar: null },
      '/reactiveVar: reactiveVar must be a number (var), got null (leave the field out instead).',
    ],
    ['a fraction', { seq: 1.5 }, '/seq: seq must be a whole number, got 1.5.'],
    ['a value below the range', { seq: -1 }, '/seq: seq must be at least 0, got -1.'],
    ['a value above the range', { targetW: 2e9 }, '/targetW: targetW must be at most 1000000000, got 2000000000.'],
    ['a missing field', { seq: undefined }, '/seq: seq is missing: it must be a whole number.'],
    ['a bad id', { fsrId: 'a b' }, '/fsrId: fsrId must be an id (1–64 of A–Z a–z 0–9 . _ : -), got "a b".'],
    [
      'local time',
      { validUntil: '2026-03-02T17:00:00+01:00' },
      '/validUntil: validUntil must be a UTC time such as 2026-03-02T16:40:00.000Z, got "2026-03-02T17:00:00+01:00".',
    ],
    [
      'a near miss',
      { reactivevar: 1 },
      '/reactivevar: "reactivevar" is not a field of Setpoint. Did you mean reactiveVar?',
    ],
    ['a prefix', { valid: 1 }, '/valid: "valid" is not a field of Setpoint. Did you mean validUntil?'],
    ['an alien field', { zzzzzz: 1 }, '/zzzzzz: "zzzzzz" is not a field of Setpoint. Remove it.'],
    ['a pointer that needs escapes', { 'a/b~c': 1 }, '/a~1b~0c: "a/b~c" is not a field of Setpoint. Remove it.'],
  ])('says what is wrong with %s and what to do', (_name, wrong, expected) => {
    expect(sentences(Setpoint, { ...Setpoint.example, ...wrong })).toEqual([expected]);
  });

  it.each([undefined, null, 5, 'x', [], [[]]])('refuses %j as a whole', (v) => {
    expect(Setpoint.check(v)).toHaveLength(1);
    expect(Setpoint.check(v)[0]?.path).toBe('');
  });

  it('throws schema.invalid with the first finding in the sentence and all in the details', () => {
    let error: unknown;
    try {
      Setpoint.parse({ fsrId: 'a', seq: 'x' });
    } catch (e) {
      error = e;
    }
    expect(codeOf(error)).toBe('schema.invalid');
    expect(describeError(error).what).toBe('Setpoint: seq must be a whole number, got a text. (and 1 more)');
    if (!(error instanceof V2gateError)) throw error;
    expect(error.cause.path).toBe('/seq');
    expect(error.cause.details?.map((d) => d.path)).toEqual(['/seq', '/targetW']);
  });

  it('points into lists and inline objects', () => {
    expect(sentences(Everything, change({ points: [{ offsetS: 0 }, { offsetS: -1, power: 2 }] }))).toEqual([
      '/points/1/offsetS: offsetS must be at least 0, got -1.',
      '/points/1/power: "power" is not a field of points[1]. Did you mean powerW?',
    ]);
    expect(sentences(Everything, change({ points: [] }))).toEqual(['/points: points needs at least 1 item(s), got 0.']);
    expect(sentences(Everything, change({ points: Array(6).fill({ offsetS: 1 }) }))).toEqual([
      '/points: points may have at most 5 items, got 6.',
    ]);
  });

  it('bounds records by number and name', () => {
    expect(sentences(Everything, change({ levels: { a: 1, b: 2, c: 3 } }))).toEqual([
      '/levels: levels may have at most 2 entries, got 3.',
    ]);
    expect(Everything.check(change({ levels: { 'a b': 1 } }))[0]?.path).toBe('/levels/a b');
    expect(sentences(Everything, change({ levels: { a: -1 } }))).toEqual([
      '/levels/a: levels.a must be at least 0, got -1.',
    ]);
  });

  it('counts text length in code points', () => {
    expect(Everything.check(change({ name: '😀'.repeat(10) }))).toEqual([]);
    expect(sentences(Everything, change({ name: '😀'.repeat(11) }))).toEqual([
      '/name: name must be a text: it has more than 10 characters.',
    ]);
    expect(Everything.check(change({ name: '' }))).toHaveLength(1);
  });

  it('bounds the depth and the kind of opaque values', () => {
    expect(sentences(Everything, change({ extra: [[[1]]] }))).toEqual(['/extra: extra is nested too deep.']);
    expect(Everything.check(change({ extra: { a: () => 1 } }))).toHaveLength(1);
    expect(Everything.check(change({ extra: Number.NaN }))).toHaveLength(1);
    expect(Everything.check(change({ extra: Array(200_000).fill(0) }))).toHaveLength(1);
    expect(Everything.check(change({ terms: [] }))[0]?.message).toBe('terms must be an object, got a list.');
  });

  it('applies rules across fields only when the form is right, also inside others', () => {
    const turned = { start: '2026-03-02T18:00:00Z', end: '2026-03-02T17:00:00Z' };
    expect(Window.check(turned)).toEqual([
      { path: '/end', code: 'schema.semantic', message: 'end must be after start.' },
    ]);
    expect(sentences(Everything, change({ window: turned }))).toEqual(['/window/end: end must be after start.']);
    expect(Everything.check(change({ window: turned, on: 1 })).map((i) => i.path)).toEqual(['/on']);
    let code: string | undefined;
    try {
      Window.parse(turned);
    } catch (e) {
      code = codeOf(e);
    }
    expect(code).toBe('schema.semantic');
  });

  it('survives a rule that throws', () => {
    const fragile = message(
      'Fragile',
      { a: num() },
      {
        clause: 'none',
        doc: 'x',
        example: { a: 1 },
        rules: () => {
          throw new Error('boom');
        },
      },
    );
    expect(fragile.check({ a: 1 })[0]?.message).toContain('boom');
  });

  it('keeps unknown fields when it is open', () => {
    const open = message('Open', { a: num() }, { clause: 'none', doc: 'x', example: { a: 1 }, open: true });
    expect(open.check({ a: 1, b: 2 })).toEqual([]);
  });

  it('does not quote secrets in its findings', () => {
    const login = message(
      'Login',
      { password: text({ max: 3 }), pin: text({ pattern: '^\\d+$' }) },
      { clause: 'none', doc: 'x', example: { password: 'x', pin: '1' } },
    );
    const findings = sentences(login, { password: 's3cr3t', pin: 's3cr3t' });
    expect(findings).toHaveLength(2);
    expect(findings.join()).not.toContain('s3cr3t');
  });

  it('stops after 50 findings', () => {
    const many = message('Many', { xs: list(num(), { max: 1000 }) }, { clause: 'none', doc: 'x', example: { xs: [] } });
    expect(many.check({ xs: Array(1000).fill('x') })).toHaveLength(50);
    const alien = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1]));
    expect(many.check({ xs: [], ...alien })).toHaveLength(50);
  });
});

describe('a choice', () => {
  it('by discriminator speaks about the chosen branch only', () => {
    expect(sentences(Service, { kind: 'reserve', blockS: 0 })).toEqual(['/blockS: blockS must be above 0, got 0.']);
    expect(sentences(Service, { kind: 'limit', importLimitW: 1, blockS: 2 })[0]).toContain(
      'is not a field of LimitService',
    );
    expect(sentences(Service, { kind: 'none' })).toEqual([
      '/kind: kind must be one of "limit", "reserve", got "none".',
    ]);
    expect(sentences(Service, {})).toEqual(['/kind: kind is missing: it must be one of "limit", "reserve".']);
    expect(sentences(Service, { kind: 'toString' })).toHaveLength(1);
    expect(Service.check({ kind: 'reserve', blockS: 1, upW: 0 })).toEqual([
      { path: '/upW', code: 'param.range', message: 'upW must be above 0.' },
    ]);
  });

  it('by a sibling follows the sibling', () => {
    expect(sentences(Everything, change({ serviceType: 'limit' }))[0]).toMatch(
      /^\/parameters\/kind: kind must be "limit"/,
    );
    expect(sentences(Everything, change({ parameters: { kind: 'reserve' } }))).toEqual([
      '/parameters/blockS: blockS is missing: it must be a number (s).',
    ]);
    expect(sentences(Everything, change({ parameters: { kind: 'reserve', blockS: 1, upW: 0 } }))).toEqual([
      '/parameters/upW: upW must be above 0.',
    ]);
    expect(Everything.check(change({ serviceType: 'nothing' })).map((i) => i.path)).toEqual(['/serviceType']);
    expect(sentences(Everything, change({ parameters: 5 }))).toEqual([
      '/parameters: parameters must be an object, got the number 5.',
    ]);
  });
});
