import { describe, expect, it } from 'vitest';
import { compile, type MappingError } from '../../core/mapping/index.ts';

/** Runs a mapping that must fail and gives what its error says. */
function failure(text: string, input: unknown = {}): Partial<MappingError> {
  const { mapping } = compile(text, { file: 'm.jsonata' });
  expect(mapping).toBeDefined();
  try {
    const value = mapping?.run(input, {});
    return { message: `no error but ${JSON.stringify(value)}` };
  } catch (e) {
    return e as MappingError;
  }
}

const ROWS: readonly (readonly [
  text: string,
  input: unknown,
  code: string,
  jsonata: string,
  line: number,
  column: number,
])[] = [
  ['1 + a', { a: 'x' }, 'mapping.type', 'T2002', 1, 3],
  ['a - 1', { a: true }, 'mapping.type', 'T2001', 1, 3],
  ['-a', { a: 'x' }, 'mapping.value', 'D1002', 1, 1],
  ['a < 1', { a: [] }, 'mapping.type', 'T2010', 1, 3],
  ['a >= "1"', { a: 1 }, 'mapping.type', 'T2009', 1, 3],
  ['{\n  "p": a,\n  "q": 2 * b\n}', { b: 'x' }, 'mapping.type', 'T2002', 3, 10],
  ['{a: 1}', { a: 2 }, 'mapping.type', 'T1003', 1, 1],
  ['{a: 1, b: 2}', { a: 'x', b: 'x' }, 'mapping.value', 'D1009', 1, 1],
  ['[a..3]', { a: 1.5 }, 'mapping.type', 'T2003', 1, 3],
  ['[1..a]', { a: 'x' }, 'mapping.type', 'T2004', 1, 3],
  ['[0..20000000]', {}, 'mapping.sequence', 'D2014', 1, 3],
  ['[0..200000]', {}, 'mapping.sequence', 'D2015', 1, 3],
  ['a ~> b', { a: 1, b: 2 }, 'mapping.type', 'T2006', 1, 1],
  ['a(1)', { a: 1 }, 'mapping.type', 'T1006', 1, 1],
  ['uppercase("x")', {}, 'mapping.type', 'T1005', 1, 1],
  ['list^(k)', { list: [{ k: 1 }, { k: 'x' }] }, 'mapping.type', 'T2007', 1, 5],
  ['list^(k)', { list: [{ k: 1 }, { k: true }] }, 'mapping.type', 'T2008', 1, 5],
  ['"x" & $uppercase(a)', { a: 1 }, 'mapping.type', 'T0410', 1, 7],
  ['a.$uppercase()', { a: 1 }, 'mapping.type', 'T0411', 1, 3],
  ['$sum(a)', { a: [1, 'x'] }, 'mapping.type', 'T0412', 1, 1],
  ['$number(a)', { a: 'x' }, 'mapping.value', 'D3030', 1, 1],
  ['$sqrt(a)', { a: -1 }, 'mapping.value', 'D3060', 1, 1],
  ['$power(10, 400)', {}, 'mapping.value', 'D3061', 1, 1],
  ['$toMillis(a)', { a: 'yesterday' }, 'mapping.value', 'D3110', 1, 1],
  ['$single(a)', { a: [1, 2] }, 'mapping.value', 'D3138', 1, 1],
  ['$sort(a)', { a: [1, 'x'] }, 'mapping.value', 'D3070', 1, 1],
  ['($r := 1 / 0; $r + 1)', {}, 'mapping.value', 'D1001', 1, 18],
  ['$string(1 / 0)', {}, 'mapping.value', 'D3001', 1, 1],
  ['a > 0 ? a : $error("a must be positive")', { a: -1 }, 'mapping.raised', 'D3137', 1, 13],
  ['$assert(a > 0, "a must be positive")', { a: -1 }, 'mapping.raised', 'D3141', 1, 1],
];

describe('run-time errors', () => {
  it.each(ROWS)('%s with %j is %s %s at %i:%i', (text, input, code, jsonata, line, column) => {
    const { code: got, jsonata: language, line: atLine, column: atColumn } = failure(text, input);
    expect([got, language, atLine, atColumn]).toEqual([code, jsonata, line, column]);
  });

  it('say in words what happened where, with the line and a caret', () => {
    const e = failure('(\n  $w := powerKw * 1000;\n  {"powerW": $w}\n)', { powerKw: 'much' });
    expect(e.message).toContain('m.jsonata, line 2, column 17: The left side of * must be a number, not "much".');
    expect(e.excerpt).toBe('  $w := powerKw * 1000;\n                ^');
  });

  it('carry the sentence of $error as it is', () => {
    expect(failure('$error("No phases are known.")').cause?.what).toContain('No phases are known.');
  });

  it('show little of the data that caused them', () => {
    const e = failure('1 + a', { a: 's3cret'.repeat(100) });
    expect(e.message?.length).toBeLessThan(300);
    expect(failure('1 + a', { a: { token: 's3cret' } }).message).not.toContain('s3cret');
  });
});

describe('where the interpreter breaks down', () => {
  it.each([
    ['$split("abc", missing)', 'Argument 2 of $split has the wrong type: a missing value.'],
    ['$replace("abc", missing, "x")', 'Argument 2 of $replace has the wrong type: a missing value.'],
    ['$zip()', 'Argument 1 of $zip has the wrong type: a missing value.'],
    ['$replace("abc", "b", function($m) { "x" })', 'Argument 3 of $replace has the wrong type: a function.'],
  ])('%s says what is wrong, and where', (text, sentence) => {
    expect(failure(text)).toMatchObject({ code: 'mapping.type', line: 1, message: expect.stringContaining(sentence) });
  });
});

describe('guards', () => {
  const endless: readonly (readonly [name: string, text: string, code: string])[] = [
    ['endless tail recursion', '($f := function() { $f() }; $f())', 'mapping.budget'],
    [
      'mutual tail recursion',
      '($f := function($n) { $g($n) }; $g := function($n) { $f($n) }; $f(1))',
      'mapping.budget',
    ],
    ['endless recursion', '($f := function($n) { 1 + $f($n) }; $f(1))', 'mapping.depth'],
    ['recursion through $map', '($f := function($n) { $map([1, 2], $f) }; $f(1))', 'mapping.depth'],
    [
      'nested loops',
      '$sum($map([1..2000], function($i) { $sum($map([1..2000], function($j) { $i * $j })) }))',
      'mapping.budget',
    ],
    ['nested paths', '$count([1..2000].($x := $; [1..2000].($ * $x)))', 'mapping.sequence'],
    ['doubling arrays', '$reduce([1..40], function($a, $i) { $append($a, $a) }, [1])', 'mapping.sequence'],
    ['doubling texts', '$length($reduce([1..60], function($a, $i) { $a & $a }, "x"))', 'mapping.budget'],
    ['huge padding', '$pad("", 1000000000)', 'mapping.sequence'],
    ['quadratic distinct', '$distinct([1..20000])', 'mapping.budget'],
  ];

  it.each(endless)('%s ends with %s', (_name, text, code) => {
    const from = performance.now();
    expect(failure(text).code).toBe(code);
    expect(performance.now() - from).toBeLessThan(2000);
  });

  it('leave long but bounded work alone', () => {
    const { mapping } = compile('($f := function($n, $a) { $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(50000, 0))');
    expect(mapping?.run({}, {})).toBe(1250025000);
  });

  it('count every run anew, also after a run that failed', () => {
    const { mapping } = compile('$count(n ~> $map(function($v) { $v + 0 }))', { limits: { steps: 50 } });
    const few = { n: [1, 2, 3] };
    for (let i = 0; i < 100; i++) expect(mapping?.run(few, {})).toBe(3);
    expect(() => mapping?.run({ n: Array.from({ length: 60 }, () => 1) }, {})).toThrowError(/too many steps/);
    expect(mapping?.run(few, {})).toBe(3);
  });
});

describe('the door', () => {
  it('gives no mapping for a text that cannot be parsed', () => {
    const { mapping, diagnostics } = compile('{"a": }');
    expect(mapping).toBeUndefined();
    expect(diagnostics.map((d) => d.code)).toEqual(['mapping.syntax']);
  });

  it('marks what only the interpreter can do as slow and runs it there', async () => {
    const { mapping, diagnostics } = compile('{"a": $x := 1, "b": $x}', { file: 's.jsonata' });
    expect(diagnostics.map((d) => [d.code, d.line, d.column])).toContainEqual(['mapping.slowConstruct', 1, 7]);
    expect(mapping?.slow).toBe(true);
    expect(() => mapping?.run({}, {})).toThrowError(expect.objectContaining({ code: 'mapping.slow' }));
    expect(JSON.stringify(await mapping?.runAsync({}, {}))).toBe('{"a":1}');
    await expect(compile('[$x := 1, [$x, 1 + a]]').mapping?.runAsync({ a: 'x' }, {})).rejects.toMatchObject({
      code: 'mapping.type',
      jsonata: 'T2002',
      line: 1,
    });
  });

  it('holds regular expressions of slow mappings to a bound, too', async () => {
    const { mapping } = compile('[$x := $match(t, /(a+)+$/).match, $x]');
    expect(mapping?.slow).toBe(true);
    expect(JSON.stringify(await mapping?.runAsync({ t: 'baaa' }, {}))).toBe('["aaa"]');
    await expect(mapping?.runAsync({ t: `${'a'.repeat(60)}b` }, {})).rejects.toMatchObject({ code: 'mapping.budget' });
  });

  it('changes neither input nor context', () => {
    const input = { a: { b: [1, 2] }, c: [] };
    const ctx = { ids: { n: 1 } };
    const before = JSON.stringify([input, ctx]);
    const { mapping } = compile(
      '{"x": $ ~> |a|{"b": 5, "z": $$}, "c"|, "y": $$ ~> |$$.a|{"b": 6}|, "e": c{"k": 1}, "l": a.b[]}',
    );
    mapping?.run(input, ctx);
    expect(JSON.stringify([input, ctx])).toBe(before);
    expect(Object.keys(input.a.b)).toEqual(['0', '1']);
  });

  it('gives plain arrays and objects', () => {
    const { mapping } = compile('{"l": a.b[], "m": $map(a, function($v) { $v }), "k": $map(a, $keys), "c": a.[b]}');
    const result = mapping?.run({ a: [{ b: 1 }, { b: 2 }] }, {});
    expect(result).toStrictEqual({ l: [1, 2], m: [{ b: 1 }, { b: 2 }], k: [['b'], ['b']], c: [[1], [2]] });
    expect(structuredClone(result)).toStrictEqual(result);
  });
});
