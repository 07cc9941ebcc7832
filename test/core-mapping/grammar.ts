import fc from 'fast-check';

/** Random expressions of the language with inputs that they mostly fit. */

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

const leaf = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0.5, -2.25, 1e3) },
  { weight: 3, arbitrary: fc.constantFrom('', 'x', 'ab', '12', 'a b', 'Zoë') },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constant(null) },
);

export const inputs = fc.letrec<{ value: unknown; object: unknown; list: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('object'), tie('list')),
  object: fc.dictionary(fc.constantFrom(...NAMES, '1', '0'), tie('value'), { maxKeys: 4 }),
  list: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: tie('object') },
      { weight: 2, arbitrary: leaf },
      { weight: 1, arbitrary: tie('list') },
    ),
    {
      maxLength: 4,
    },
  ),
}));

export const input = fc.oneof(
  { weight: 6, arbitrary: inputs.object },
  { weight: 2, arbitrary: inputs.list },
  { weight: 1, arbitrary: leaf },
);

const join = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((p) => (typeof p === 'string' ? fc.constant(p) : p))).map((t) => t.join(''));

const name = fc.constantFrom(...NAMES);
const literal = fc.oneof(
  fc.integer({ min: -3, max: 12 }).map(String),
  fc.constantFrom('"x"', '"ab"', "'12'", '""', 'true', 'false', 'null', '0.5', '"a"'),
);
const variable = fc.constantFrom('$', '$$', '$ctx.k', '$x', '$y', '$ctx');
const operator = fc.constantFrom(
  '+',
  '-',
  '*',
  '/',
  '%',
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '&',
  'and',
  'or',
  'in',
  '?:',
  '??',
);
const unary = fc.constantFrom(
  'sum',
  'count',
  'max',
  'min',
  'average',
  'string',
  'length',
  'uppercase',
  'trim',
  'number',
  'abs',
  'floor',
  'round',
  'boolean',
  'not',
  'exists',
  'keys',
  'spread',
  'merge',
  'reverse',
  'sort',
  'distinct',
  'type',
  'sqrt',
  'join',
  'zip',
  'base64encode',
  'clone',
);
const binary = fc.constantFrom(
  'append',
  'lookup',
  'substring',
  'substringBefore',
  'substringAfter',
  'contains',
  'split',
  'join',
  'pad',
  'power',
  'round',
  'zip',
  'formatBase',
);
const higher = fc.constantFrom('map', 'filter', 'each', 'sift', 'single', 'sort', 'reduce');
const regex = fc.constantFrom('/[a-z]/', '/b/i', '/(a)(b)?/', '/\\d+/', '/(a|ab)*/', '/(?:a*)*b/', '/^(\\w+ ?)+$/');

/** Texts for `$eval`: good and bad ones, that read and bind. */
const evaluated = fc.constantFrom(
  '"a"',
  '"$x"',
  '"$x + $y"',
  '"a.b[0]"',
  '"$y := 3"',
  '"$x := a"',
  '"$map(a, function($v){$v & $ctx.k})"',
  '"$$.b"',
  '"1 +"',
  '"$eval(\\"b\\")"',
);

/** What may stand behind a step. */
const bound = fc.constantFrom('#$x', '@$y', '@$y#$x', '#$y', '[0]', '');
const sorted = fc.constantFrom('', '', '^($)', '^(>a)', '^(b, >$x)', '^($y)#$x');
const group = fc.constantFrom('', '', '{"g": $}', '{$string($x): $y}', '{$type($): [$x, $]}');

type Rule = 'any' | 'path' | 'step' | 'simple' | 'block' | 'call' | 'fn' | 'late';

export const expression = fc.letrec<Record<Rule, string>>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true, maxDepth: 5 },
    { weight: 3, arbitrary: tie('simple') },
    { weight: 6, arbitrary: tie('path') },
    { weight: 3, arbitrary: join('(', tie('any'), ' ', operator, ' ', tie('any'), ')') },
    { weight: 2, arbitrary: tie('call') },
    { weight: 2, arbitrary: join('[', tie('any'), ', ', tie('any'), ']') },
    { weight: 1, arbitrary: join('[', tie('any'), ']') },
    {
      weight: 1,
      arbitrary: join('[', fc.constantFrom('0', '1', 'a', '-1'), '..', fc.constantFrom('3', '1', '0', 'b', '2'), ']'),
    },
    { weight: 2, arbitrary: join('{"p": ', tie('any'), ', "q": ', tie('any'), '}') },
    { weight: 1, arbitrary: join('{', tie('any'), ': ', tie('any'), '}') },
    { weight: 2, arbitrary: join('(', tie('any'), ' ? ', tie('any'), ' : ', tie('any'), ')') },
    { weight: 1, arbitrary: join('(', tie('any'), ' ? ', tie('any'), ')') },
    { weight: 2, arbitrary: tie('block') },
    { weight: 1, arbitrary: tie('late') },
    { weight: 1, arbitrary: join('(', tie('any'), ' ~> ', tie('fn'), ')') },
    { weight: 1, arbitrary: join('-', tie('simple')) },
    { weight: 1, arbitrary: join('(', tie('any'), ' ~> |', tie('path'), '|{"z": ', tie('any'), '}|)') },
    { weight: 1, arbitrary: join('($ ~> |', tie('path'), '|{"a": ', tie('any'), '}, ', tie('any'), '|)') },
  ),
  simple: fc.oneof(
    { weight: 3, arbitrary: name },
    { weight: 2, arbitrary: literal },
    { weight: 2, arbitrary: variable },
  ),
  step: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    { weight: 8, arbitrary: name },
    { weight: 1, arbitrary: fc.constantFrom('*', '**', '$', '%', '$x') },
    { weight: 1, arbitrary: join('(', tie('any'), ')') },
    { weight: 1, arbitrary: join('[', tie('any'), ']') },
    { weight: 1, arbitrary: join('{"p": ', tie('any'), '}') },
    { weight: 1, arbitrary: tie('call') },
    {
      weight: 3,
      arbitrary: join(name, '[', fc.constantFrom('0', '1', '-1', 'a', 'b > 1', '$ = 1', 'true', '[0,1]'), ']'),
    },
    { weight: 1, arbitrary: join(name, '[', tie('any'), ']') },
    { weight: 1, arbitrary: join(name, '[]') },
    { weight: 1, arbitrary: join(name, fc.constantFrom('#$x', '@$y', '@$y#$x')) },
    { weight: 1, arbitrary: join(name, '^(', fc.constantFrom('', '>', '<'), tie('simple'), ')') },
  ),
  path: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    { weight: 4, arbitrary: join(tie('step'), '.', tie('step')) },
    { weight: 2, arbitrary: join(tie('step'), '.', tie('step'), '.', tie('step')) },
    { weight: 1, arbitrary: join(variable, '.', tie('step')) },
    { weight: 1, arbitrary: join(tie('step'), '.', tie('step'), '{', tie('any'), ': ', tie('any'), '}') },
    { weight: 1, arbitrary: join(tie('step'), '.', tie('step'), '^(', tie('simple'), ', >', tie('simple'), ')') },
    { weight: 1, arbitrary: join('(', tie('any'), ')[', tie('simple'), ']') },
    { weight: 1, arbitrary: join(tie('step'), '.', tie('step'), '[', tie('simple'), '].', name) },
    { weight: 1, arbitrary: join('[', tie('any'), ', ', tie('simple'), ']', bound, sorted, '.', tie('step')) },
    { weight: 1, arbitrary: join(tie('step'), bound, sorted, bound, '.', tie('step'), group) },
  ),
  block: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    join('($x := ', tie('any'), '; ', tie('any'), ')'),
    join('($x := ', tie('any'), '; $y := ', tie('any'), '; ', tie('any'), ')'),
    join('($f := function($x){', tie('any'), '}; $f(', tie('any'), '))'),
    join(
      '($f := function($n, $y){$n <= 0 ? ',
      tie('any'),
      ' : $f($n - 1, ',
      tie('any'),
      ')}; $f(3, ',
      tie('simple'),
      '))',
    ),
    join('(($x := ', tie('any'), '); ', tie('any'), ')'),
    join('($g := function($x){function($y){', tie('any'), '}}; $g(', tie('simple'), ')(', tie('simple'), '))'),
  ),
  /** What binds and calls where one would not expect it. */
  late: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    join('$eval(', evaluated, ')'),
    join('$eval(', evaluated, ', ', tie('any'), ')'),
    join('($x := ', tie('any'), '; [$eval(', evaluated, '), ', '$x, $y])'),
    join('($x := 1; $f := function($y){$eval(', evaluated, ') & ""}; $f(', tie('any'), '))'),
    join('[$x := ', tie('any'), ', ', tie('any'), ']'),
    join('({"p": $y := ', tie('any'), ', "q": ', tie('any'), '}; $y)'),
    join('($f := function($x){', tie('any'), '}; $g := function($y){$f($y)}; [$g(', tie('any'), '), $f(1), $g])'),
    join('($f := function($x){$x.a}; $x := ', tie('any'), '; $map([$f(', tie('any'), '), $x], $f))'),
    join('$reduce(', tie('any'), ', function($x, $y){', tie('any'), '})'),
    join('$sort(', tie('any'), ', function($x, $y){', tie('any'), '})'),
  ),
  call: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    { weight: 4, arbitrary: join('$', unary, '(', tie('any'), ')') },
    { weight: 1, arbitrary: join('$', unary, '()') },
    { weight: 2, arbitrary: join('$', binary, '(', tie('any'), ', ', tie('any'), ')') },
    { weight: 1, arbitrary: join('$', binary, '(', tie('any'), ')') },
    { weight: 3, arbitrary: join('$', higher, '(', tie('any'), ', ', tie('fn'), ')') },
    {
      weight: 1,
      arbitrary: join('$', fc.constantFrom('match', 'split', 'contains'), '(', tie('any'), ', ', regex, ')'),
    },
    { weight: 1, arbitrary: join('$replace(', tie('any'), ', ', regex, ', "<$0$1>")') },
    { weight: 1, arbitrary: join('$', binary, '(?, ', tie('any'), ')(', tie('any'), ')') },
  ),
  fn: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    join('function($x){', tie('any'), '}'),
    join('function($x, $y){', tie('any'), '}'),
    join('$', unary),
    join('$', binary, '(?, ', tie('simple'), ')'),
  ),
}));
