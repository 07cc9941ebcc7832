import { describe, expect, it } from 'vitest';
import { run } from './engine.ts';

/** What tries to take all time or memory ends within a bound, with the code of the guard that stopped it. */

const LONG = 'a'.repeat(50_000);
const WIDE = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]));
const LIST = Array.from({ length: 50_000 }, (_, i) => i);

/** Values that hold themselves twice, twice, twice: small in memory, endless when written out. */
const ARRAYS = '$reduce([1..60], function($a, $i) { [[$a], [$a]] }, 0)';
const OBJECTS = '$reduce([1..60], function($a, $i) { {"l": $a, "r": $a} }, 1)';

const nested = (levels: number, wrap: (v: unknown) => unknown): unknown => {
  let v: unknown = 1;
  for (let i = 0; i < levels; i++) v = wrap(v);
  return v;
};
const DEEP = nested(100_000, (a) => ({ a }));
const DEEP_LIST = nested(100_000, (v) => [v]);

const ROWS = { l: Array.from({ length: 50_000 }, (_, v) => ({ v, k: `k${v}` })) };

const loop = (body: string): string => `$map([1..100000], function($i) { ${body} })`;
const chain = (step: (i: number) => string): string =>
  `(${Array.from({ length: 40 }, (_, i) => `$f${i} := function($x) { ${i === 0 ? '$x' : step(i - 1)} }`).join('; ')}; $f39(1))`;

type Row = readonly [text: string, input: unknown, outcome: string];

const BOMBS: Readonly<Record<string, readonly Row[]>> = {
  'long sequences': [
    ['[1..1000000000]', {}, 'D2014'],
    ['[1..200000]', {}, 'D2015'],
    ['[-9007199254740991..9007199254740991]', {}, 'D2014'],
    ['[1..100000].[1..100000]', {}, 'D1012'],
    ['([1..300])@$a.([1..900])@$b.{"x": $a}', {}, 'D2015'],
    ['$reduce([1..40], function($a, $i) { $append($a, $a) }, [1])', {}, 'D2015'],
    ['$reduce([1..100000], function($a, $i) { $append($a, $i) }, [])', {}, 'D1012'],
    ['$distinct([1..20000])', {}, 'D1012'],
    ['$split($, "")', 'a'.repeat(200_000), 'D2015'],
    ['($a := [1..100000]; $a.($a))', {}, 'D2015'],
    ['($a := [1..100000]; $o := {"v": $a}; [1..300].($o).v)', {}, 'D2015'],
    ['($a := [1..2000]; $a@$x.$a)', {}, 'D2015'],
    ['($f := function($s, $n) { $n = 0 ? $s : $f([$s, $s], $n - 1) }; $f([1], 60))', {}, 'D2015'],
  ],
  'values that hold themselves many times': [
    [`$string(${OBJECTS})`, {}, 'D1012'],
    [`"" & ${OBJECTS}`, {}, 'D1012'],
    [`$clone(${OBJECTS})`, {}, 'D1012'],
    [`(${OBJECTS}).**`, {}, 'D1012'],
    [`${OBJECTS} ~> |**|{"x": 1}|`, {}, 'D1012'],
    [`($x := ${ARRAYS}; $y := ${ARRAYS}; $x = $y)`, {}, 'D1012'],
    [`$distinct([${OBJECTS}, ${OBJECTS}])`, {}, 'D1012'],
    [`$boolean(${ARRAYS})`, {}, 'D1012'],
    [`(${ARRAYS}) and true`, {}, 'D1012'],
    [`[1, 2][${ARRAYS}]`, {}, 'D1012'],
    [`(${ARRAYS}).x`, {}, 'D1012'],
    [`$lookup(${ARRAYS}, "x")`, {}, 'D1012'],
    [`$keys(${ARRAYS})`, {}, 'D1012'],
    [`$spread(${ARRAYS})`, {}, 'D1012'],
    [`{"a": ${ARRAYS}}.*`, {}, 'D1012'],
  ],
  'long texts': [
    ['$reduce([1..60], function($a, $i) { $a & $a }, "x")', {}, 'X0006'],
    ['$join($map([1..1000], function($i) { $$ }), "")', LONG, 'X0006'],
    ['$replace($$, "a", $$)', LONG, 'X0006'],
    ['$replace($$, /a/, $$)', LONG, 'X0006'],
    ['$pad("", 1000000000)', {}, 'D2015'],
    ['$fromMillis(0, "[Y,500000000]")', {}, 'X0006'],
    ['($u := $$ & "b" & $$; $contains($u & $u & $u & $u, $$ & "c" & $$))', LONG, 'D1012'],
    ['($u := $$ & "b" & $$; $count($split($u & $u & $u & $u, $$ & "c" & $$)))', LONG, 'D1012'],
    ['($u := $$ & "a"; $v := $$ & "b"; [1..90000].($u = $v))', LONG, 'D1012'],
    ['($u := $$ & "a"; $v := $$ & "b"; [1..90000].($u < $v))', LONG, 'D1012'],
    ['($u := $$ & "a"; $v := $$ & "b"; $u in [1..90000].($v))', LONG, 'D1012'],
    ['$sort([1..90000].($$ & ""))', LONG, 'D1012'],
    ['$formatNumber(1, $$)', '0'.repeat(50_000), 'D1012'],
    ['$formatNumber(123456789, "#,##0", {"grouping-separator": $$})', 'x'.repeat(3_000_000), 'D1012'],
  ],
  'large arguments, many times': [
    [loop('$uppercase($$)'), LONG, 'D1012'],
    [loop('$substring($$, 5)'), LONG, 'D1012'],
    [loop('$length($$)'), LONG, 'D1012'],
    [loop('$count($split($$, ""))'), LONG, 'D1012'],
    [loop('$contains($$, /x.*y/)'), LONG, 'D1012'],
    [loop('$string($$)'), WIDE, 'D1012'],
    [loop('$count($keys($$))'), WIDE, 'D1012'],
    [loop('$merge([$$, $$])'), WIDE, 'D1012'],
    ['$filter([1..100000], function($i) { $$ })', WIDE, 'D1012'],
    [loop('$sum($$)'), LIST, 'D1012'],
    [loop('-1 in $$'), LIST, 'D1012'],
    [loop('$$.x'), LIST, 'D1012'],
    [loop('[1..100000]{"x": $}'), {}, 'D1012'],
  ],
  'recursion and loops': [
    ['($f := function() { $f() }; $f())', {}, 'D1012'],
    ['($f := function($n) { 1 + $f($n) }; $f(1))', {}, 'D1011'],
    ['($f := function($n) { $map([1, 2], $f) }; $f(1))', {}, 'D1011'],
    ['($f := function($n) { $n = 0 ? 0 : $f($n - 1) + $f($n - 1) }; $f(60))', {}, 'D1012'],
    [chain((i) => `$f${i}($x) + $f${i}($x)`), {}, 'D1012'],
    [chain((i) => `$x.($f${i}($) + $f${i}($))`), {}, 'D1012'],
    ['$sort([1..500], function($a, $b) { $sum([1..1000]) > 0 })', {}, 'D1012'],
    ['[1..100000]^($sum([1..100]))', {}, 'D1012'],
  ],
  'deep input': [
    ['$count(**)', DEEP, 'D1011'],
    ['$string($)', DEEP, 'D1011'],
    ['$ = $clone($)', DEEP, 'D1011'],
    ['$ ~> |**|{"x": 1}|', DEEP, 'D1011'],
    ['$boolean($)', DEEP_LIST, 'D1011'],
    ['$keys($)', DEEP_LIST, 'D1011'],
    ['x', DEEP_LIST, 'D1011'],
    ['{"a": $}.*', DEEP_LIST, 'D1011'],
  ],
  'evaluated texts': [
    ['($f := function($n) { 1 + $eval("$f($n + 1)") }; $f(0))', {}, 'D3121 D1011'],
    ['($t := "$eval($t)"; $eval($t))', {}, 'D3121 D1011'],
    [loop('$eval("1 + " & $i)'), {}, 'D1012'],
    ['$eval($$)', `${'('.repeat(9000)}1${')'.repeat(9000)}`, 'D3120'],
    ['$eval($$)', `${'1+'.repeat(19_000)}1`, 'D3120'],
    ['$eval($$)', `${'('.repeat(60)}a${' ?? b)'.repeat(60)}`, 'D3120'],
    ['$eval("$reduce([1..60], function($a, $i) { $a & $a }, \\"x\\")")', {}, 'D3121 X0006'],
  ],
  'regular expressions': [
    ['$contains($$, /(a+)+$/)', `${'a'.repeat(40)}b`, 'D1012'],
    ['$match($$, /^(a|a)*$/)', `${'a'.repeat(60)}b`, 'D1012'],
    ['$replace($$, /(\\w+\\s?)*$/, "")', `${'word '.repeat(2000)}!`, 'D1012'],
    ['$contains($$, /a*a*a*a*a*b/)', 'a'.repeat(3000), 'D1012'],
    ['$contains($$, /\\s+$/)', `${' '.repeat(50_000)}x`, 'D1012'],
    ['$contains($$, /(a*)*\\1b/)', 'a'.repeat(60), 'D1012'],
    ['$contains($$, /(?=(a+)+b)a/)', 'a'.repeat(60), 'D1012'],
    ['$split($$, /(a?){25}x/)', 'a'.repeat(200), 'D1012'],
    ['$toMillis($$, "[MNn][MNn][MNn][MNn][MNn][MNn][MNn][MNn]")', `${'a'.repeat(200)}!`, 'D1012'],
  ],
};

/** What ends well, and soon: nothing in it grows with the square of its input. */
const QUICK: readonly Row[] = [
  ['$count((l#$i{"a": $i}).a)', ROWS, '50000'],
  ['$count((l@$e{"a": $e.v}).a)', ROWS, '50000'],
  ['$count($merge(l.{k: [1]}).*)', ROWS, '50000'],
];

/** A third of what a run may use: the tests are to be quick. */
const LIMITS = { limits: { steps: 300_000 } };

/** Processor time, in microseconds. */
const MAX_US = 1_000_000;

describe.each(Object.entries(BOMBS))('%s', (_kind, rows) => {
  it.each(rows.map((row) => [row[0].slice(0, 70), ...row] as const))('%s', (_name, text, input, outcome) => {
    const from = process.threadCpuUsage();
    expect(run(text, input, {}, LIMITS)).toBe(`failed: ${outcome}`);
    expect(process.threadCpuUsage(from).user).toBeLessThan(MAX_US);
  });
});

describe('a text that doubles while it is parsed', () => {
  it('is refused, and an ordinary one is not', () => {
    expect(run(`${'('.repeat(40)}a${' ?: b)'.repeat(40)}`)).toBe('refused: S0500');
    expect(run('(((a ?? b) ?? c) ?: d) ?? "(?? ( ?? ("', { c: 0, d: 4 })).toBe(4);
  });
});

describe('what is long without being a bomb', () => {
  it.each(QUICK)('%s', (text, input, outcome) => {
    const from = process.threadCpuUsage();
    expect(String(run(text, input))).toBe(outcome);
    expect(process.threadCpuUsage(from).user).toBeLessThan(MAX_US);
  });
});
