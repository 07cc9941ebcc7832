import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime } from '../../core/clock.ts';
import { message, time } from '../../core/schema.ts';
import { Everything, Limit, Reserve, Service, Setpoint, Window } from './schema-examples.ts';

const change = (o: Partial<Record<keyof typeof Everything.example, unknown>>): Record<string, unknown> => ({
  ...Everything.example,
  ...o,
});

describe('the compiled check and the explanation', () => {
  const paths = [
    'messageId',
    'mode',
    'on',
    'window',
    'service',
    'serviceType',
    'parameters',
    'pricePerKWh',
    'name',
    'points',
    'levels',
    'extra',
    'terms',
    'alien',
  ];
  const value = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.constantFrom<unknown>(
      undefined,
      null,
      '',
      '0.1',
      'limit',
      'reserve',
      'absolute',
      0,
      -1,
      1e300,
      true,
      [],
      {},
      '2026-02-29T00:00:00Z',
    ),
    fc.constantFrom<unknown>(
      Limit.example,
      Reserve.example,
      Window.example,
      [{ offsetS: 1 }],
      [{ offsetS: 1, powerW: undefined }],
      { a: 1 },
    ),
    fc.constantFrom<unknown>({ kind: 'limit', importLimitW: 1, more: 1 }, { kind: 'reserve', blockS: 1, upW: -1 }, [
      { offsetS: 1, x: 1 },
    ]),
  );

  it('agree on every value: findings exactly when the form is wrong, and never only the general one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...paths), value), { minLength: 1, maxLength: 3 }), (changes) => {
        const v = { ...Everything.example, ...Object.fromEntries(changes) };
        const issues = Everything.check(v);
        for (const i of issues) {
          expect(i.message).not.toBe('Everything does not have the declared form.');
          expect(i.path).not.toBe('');
        }
        expect(Everything.is(v)).toBe(issues.length === 0);
      }),
      { numRuns: 3000 },
    );
  });

  it('agree on values that have nothing to do with the message', () => {
    fc.assert(
      fc.property(fc.anything(), (v) => {
        for (const m of [Setpoint, Service, Everything]) {
          expect(m.check(v)[0]?.message).not.toBe(`${m.name} does not have the declared form.`);
          expect(m.is(v)).toBe(false);
        }
      }),
    );
  });

  it('take exactly the times that parseTime takes, in UTC with at most milliseconds', () => {
    const T = message('T', { t: time() }, { clause: 'fo 2.1', doc: 'x', example: { t: '2026-01-01T00:00:00Z' } });
    const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
    const year = fc.oneof(
      fc.constantFrom('1900', '2000', '2024', '2026', '2100', '2400', '0000'),
      fc.integer({ min: 1000, max: 9999 }).map(String),
    );
    const parts = fc.tuple(
      year,
      two(13),
      two(32),
      two(24),
      two(60),
      two(59),
      fc.constantFrom('', '.1', '.12', '.123', '.1234', '.'),
    );
    fc.assert(
      fc.property(parts, ([y, mo, d, h, mi, s, f]) => {
        const t = `${y}-${mo}-${d}T${h}:${mi}:${s}${f}Z`;
        let ok = f.length < 5;
        try {
          parseTime(t);
        } catch {
          ok = false;
        }
        expect(T.is({ t }), t).toBe(ok);
      }),
      { numRuns: 3000 },
    );
  });

  it('read a message of 1 kB in microseconds once warm', () => {
    const v = change({ points: Array.from({ length: 5 }, (_, i) => ({ offsetS: i, powerW: i })) });
    for (let i = 0; i < 2000; i++) Everything.parse(v);
    const start = performance.now();
    for (let i = 0; i < 2000; i++) Everything.parse(v);
    expect((performance.now() - start) / 2000).toBeLessThan(0.05);
  });
});
