import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { canonical, type JsonLimits, parseJson } from '../../core/json.ts';

const LIMITS: JsonLimits = { maxBytes: 100_000, maxDepth: 20, duplicateKeys: 'reject' };
const LAST: JsonLimits = { ...LIMITS, duplicateKeys: 'last' };

function failure(fn: () => unknown): { code: string | undefined; message: string } {
  try {
    fn();
  } catch (e) {
    return { code: codeOf(e), message: e instanceof Error ? e.message : '' };
  }
  return { code: undefined, message: '' };
}

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        if (text.includes('__proto__')) return;
        expect(parseJson(text, LIMITS)).toEqual(JSON.parse(text));
        expect(parseJson(text, LAST)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, with a position inside the text and without quoting it', () => {
    const pieces = fc.array(
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '1', '-', 'true', ' ', '\n', 'secret'),
      {
        maxLength: 14,
      },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const { code, message } = failure(() => parseJson(text, LAST));
        expect(code).toBe(valid ? undefined : 'json.malformed');
        expect(message).not.toContain('secret');
        if (!valid) expect(Number(/position (\d+)/.exec(message)?.[1])).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"a":}', 5, ''],
    ['{"a":1,}', 7, ''],
    ['[1,2', 4, ''],
    ['[1 2]', 3, ''],
    ['{"a" 1}', 5, ''],
    ['{a:1}', 1, ''],
    ['["\\x"]', 2, ''],
    ['["\\u12g4"]', 2, ''],
    ['["a\tb"]', 3, ''],
    ['[01]', 2, ''],
    ['[1] x', 4, ''],
    ['', 0, ''],
    ['{\n  "a": 1,\n  "b": ?\n}', 19, ' (line 3, column 8)'],
  ])('says where %j is malformed', (text, position, more) => {
    const { code, message } = failure(() => parseJson(text, LIMITS));
    expect(code).toBe('json.malformed');
    expect(message).toContain(`at position ${position}${more}.`);
  });

  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"b":{},"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"x":[1,{"a":1,"b":[],"a":2}]}]',
    '{"":1,"":1}',
    '{"a\\"b":1,"a\\"b":1}',
  ])('refuses the duplicate key in %s on signed paths and takes the last one elsewhere', (text) => {
    expect(failure(() => parseJson(text, LIMITS)).code).toBe('json.duplicateKey');
    expect(parseJson(text, LAST)).toEqual(JSON.parse(text));
  });

  it.each([
    '{"a":{"a":1},"b":{"a":1}}',
    '["a","a"]',
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":1}]',
    '{"a":["b","b"],"b":1}',
  ])('takes %s, where equal texts are not the keys of one object', (text) => {
    expect(parseJson(text, LIMITS)).toEqual(JSON.parse(text));
  });

  it('finds any duplicated key, wherever it is', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), {
      minKeys: 1,
      maxKeys: 6,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(object, fc.nat(), fc.integer({ min: 0, max: 5 }), (o, pick, depth) => {
        if (Object.hasOwn(o, '__proto__')) return;
        const members = Object.entries(o).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
        const wrap = (list: string[]): string => `${'[{"x":'.repeat(depth)}{${list.join(' , ')}}${'}]'.repeat(depth)}`;
        expect(failure(() => parseJson(wrap(members), LIMITS)).code).toBeUndefined();
        const twice = [...members, members[pick % members.length] ?? ''];
        expect(failure(() => parseJson(wrap(twice), LIMITS)).code).toBe('json.duplicateKey');
      }),
    );
  });

  it.each(['{"__proto__":{}}', '[{"a":{"__proto__":1}}]', '{"\\u005f_proto__":1}', '{"_\\u005Fproto\\u005f_":1}'])(
    'refuses the forbidden key in %s',
    (text) => {
      expect(failure(() => parseJson(text, LIMITS)).code).toBe('json.forbiddenKey');
      expect(failure(() => parseJson(text, LAST)).code).toBe('json.forbiddenKey');
    },
  );

  it('takes __proto__ as a value', () => {
    expect(parseJson('{"a":"__proto__"}', LAST)).toEqual({ a: '__proto__' });
    expect(parseJson('["__proto__","__proto__",{"a":["b","__proto__"]}]', LIMITS)).toHaveLength(3);
  });

  it('counts depth in objects and lists, but not brackets in texts', () => {
    const at = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}"[[[{{{\\"[["${'}]'.repeat(depth / 2)}`;
    for (const limits of [LIMITS, LAST]) {
      expect(failure(() => parseJson(at(20), limits)).code).toBeUndefined();
      expect(failure(() => parseJson(at(22), limits)).code).toBe('json.tooDeep');
      expect(failure(() => parseJson('[]', { ...limits, maxDepth: 0 })).code).toBe('json.tooDeep');
      expect(parseJson('1', { ...limits, maxDepth: 0 })).toBe(1);
    }
  });

  it('counts size in UTF-8 bytes', () => {
    const text = '"€"';
    expect(parseJson(text, { ...LIMITS, maxBytes: 5 })).toBe('€');
    expect(failure(() => parseJson(text, { ...LIMITS, maxBytes: 4 })).code).toBe('json.tooLarge');
    expect(failure(() => parseJson('x'.repeat(1000), { ...LIMITS, maxBytes: 999 })).code).toBe('json.tooLarge');
  });

  it('answers hostile texts quickly', () => {
    const n = 90_000;
    const hostile = [
      '['.repeat(n),
      '"'.repeat(n),
      `"${'\\'.repeat(n)}`,
      `["${'\\"'.repeat(n / 2)}`,
      '{"a":'.repeat(n / 5),
      `[${'1,'.repeat(n / 2)}`,
    ];
    const start = performance.now();
    for (const text of hostile) {
      for (const limits of [LIMITS, LAST]) expect(failure(() => parseJson(text, limits)).code).toMatch(/^json\./);
      expect(failure(() => parseJson(text, { ...LAST, maxDepth: 1e9 })).code).toBe('json.malformed');
    }
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it('costs at most three times JSON.parse for a frame of 1 kB', () => {
    const sample = { value: 230.1, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } };
    const meterValue = Array.from({ length: 3 }, () => ({
      timestamp: '2026-03-02T16:40:00.000Z',
      sampledValue: [sample, sample, sample],
    }));
    const text = JSON.stringify([2, '0197f2c0-5b1e', 'MeterValues', { evseId: 1, meterValue }]);
    const time = (fn: () => unknown): number => {
      const start = performance.now();
      for (let i = 0; i < 1000; i++) fn();
      return performance.now() - start;
    };
    // Pairs, because other work on the machine slows both.
    const ratios = Array.from({ length: 25 }, () => time(() => parseJson(text, LAST)) / time(() => JSON.parse(text)));
    expect(Math.min(...ratios)).toBeLessThan(3);
  });
});

describe('the canonical form', () => {
  it('is that of RFC 8785 3.2.2 and 3.2.3', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonical(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonical(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}');
  });

  it('does not depend on the order of keys and reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        const shuffled: unknown = JSON.parse(JSON.stringify(value), (_k, v: unknown) =>
          typeof v === 'object' && v !== null && !Array.isArray(v)
            ? Object.fromEntries(Object.entries(v).reverse())
            : v,
        );
        expect(canonical(shuffled)).toBe(text);
        expect(canonical(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ['NaN', { a: Number.NaN }],
    ['Infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', undefined],
    ['an undefined member', { a: undefined }],
    ['a hole in a list', new Array(2)],
    ['a function', { a: () => 1 }],
    ['a bigint', 1n],
    ['half a surrogate pair', 'a\ud800'],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a cycle', cycle],
  ])('does not exist for %s', (_name, value) => {
    expect(failure(() => canonical(value)).code).toBe('json.notCanonical');
  });

  it('writes −0 as 0', () => {
    expect(canonical(-0)).toBe('0');
  });
});
