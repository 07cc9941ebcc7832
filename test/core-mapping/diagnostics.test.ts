import { describe, expect, it } from 'vitest';
import { compile, DIAGNOSTICS, type Diagnostic, diagnose as diagnoseAll } from '../../core/mapping/index.ts';
import { id, int, list, message, num, obj, opt, power, text } from '../../core/schema.ts';

const Command = message(
  'Command',
  {
    commandId: id(),
    powerW: opt(power({ signed: true })),
    validUntil: text({ max: 40 }),
    steps: opt(list(obj({ startS: int({ min: 0, max: 86_400 }), limitW: power() }), { max: 10 })),
  },
  { clause: 'test', doc: 'A command.', example: { commandId: 'c-1', validUntil: '2026-01-01T00:00:00.000Z' } },
);

const Profile = message(
  'Profile',
  {
    profileId: int({ min: 0, max: 100 }),
    limitW: power(),
    note: opt(text({ max: 40 })),
    periods: opt(list(obj({ at: int({ min: 0, max: 86_400 }), value: num({ min: 0, max: 1e6 }) }), { max: 10 })),
  },
  { clause: 'test', doc: 'A profile.', example: { profileId: 1, limitW: 100 } },
);

/** JSON Schema as OCPP has it: definitions, open or closed objects. */
const OCPP = {
  definitions: {
    Sample: {
      type: 'object',
      additionalProperties: false,
      properties: { value: { type: 'number' }, unit: { type: 'string' } },
    },
  },
  type: 'object',
  additionalProperties: false,
  properties: {
    evseId: { type: 'integer' },
    samples: { type: 'array', items: { $ref: '#/definitions/Sample' } },
    customData: { type: 'object' },
  },
  required: ['evseId'],
};

const short = (d: Diagnostic): string => `${d.code} ${d.severity} ${d.line}:${d.column} ${d.message}`;

function diagnose(source: string, o: Parameters<typeof compile>[1] = {}): string[] {
  return compile(source, o).diagnostics.map(short);
}

const PLAIN: readonly (readonly [text: string, ...expected: string[]])[] = [
  ['powerW', ...[]],
  ['{"a": 1', 'mapping.syntax error 1:8 Expected "}" before end of expression (S0203)'],
  ['{\n  "a": 1,\n  "b" 2\n}', 'mapping.syntax error 3:7 Expected ":", got 2 (S0202)'],
  ['a b', 'mapping.syntax error 1:3 Syntax error: "b" (S0201)'],
  ['a + ', 'mapping.syntax error 1:5 Unexpected end of expression (S0207)'],
  ['$powr(2, 3)', 'mapping.unknownFunction error 1:1 There is no function $powr.'],
  ['{\n  "a": $foo(1)\n}', 'mapping.unknownFunction error 2:8 There is no function $foo.'],
  ['$now()', 'mapping.impureFunction error 1:1 $now is not available in mappings.'],
  ['$x.y + 1', 'mapping.unbound error 1:1 The variable $x is not bound.'],
  ['($power1 := 1; $powr1 + $power1)', 'mapping.unbound error 1:16 The variable $powr1 is not bound.'],
  ['a.__proto__.b', 'mapping.forbiddenName error 1:3 The name __proto__ is not available.'],
  ['($a := 1; 2)', 'mapping.unused warning 1:2 $a is bound but never used.'],
  ['a@$e.b', 'mapping.unused warning 1:1 $e is bound but never used.'],
  ['($a := 1; ($a := 2; $a) + $a)', 'mapping.shadowed warning 1:12 $a hides an outer variable of the same name.'],
  ['($sum := 1; $sum)', 'mapping.shadowed warning 1:2 $sum hides the function of the language of the same name.'],
  ['$map(a, function($ctx) { $ctx })', 'mapping.shadowed warning 1:18 $ctx hides an outer variable of the same name.'],
  [
    '{"a": $x := 1, "b": $x}',
    'mapping.slowConstruct warning 1:7 The interpreter is needed for a variable bound inside a constructor.',
  ],
  ['{"powerW": energyWh}', 'mapping.unit warning 1:12 powerW (W) is fed from energyWh (Wh).'],
  ['{"limitW": a.b.limitKw}', 'mapping.unit warning 1:16 limitW (W) is fed from limitKw (kW).'],
  ['{"p": {"durationS": timeMs}}', 'mapping.unit warning 1:21 durationS (s) is fed from timeMs (ms).'],
];

describe('diagnostics', () => {
  it.each(PLAIN)('%s', (source, ...expected) => {
    expect(diagnose(source)).toEqual(expected);
  });

  it('point at the place', () => {
    const [first] = compile('(\n  $limit := powerW;\n  {"limitW": $limt}\n)', { file: 'x.jsonata' }).diagnostics;
    expect(first).toMatchObject({ code: 'mapping.unused', line: 2, column: 3 });
    const unbound = compile('(\n  $limit := powerW;\n  {"limitW": $limt}\n)', { file: 'x.jsonata' }).diagnostics[1];
    expect(unbound).toEqual({
      code: 'mapping.unbound',
      severity: 'error',
      message: 'The variable $limt is not bound.',
      hint: 'Is $limit meant?',
      file: 'x.jsonata',
      line: 3,
      column: 14,
      excerpt: '  {"limitW": $limt}\n             ^',
    });
  });

  it('say nothing about what is in order', () => {
    const fine = [
      '($f := function($n) { $n = 0 ? 1 : $n * $f($n - 1) }; $f(3))',
      '($even := function($n) { $n = 0 ? true : $odd($n - 1) }; $odd := function($n) { $n = 0 ? false : $even($n - 1) }; $even(4))',
      'a@$e.b[c = $e.d]#$i.{"i": $i, "p": %.x}',
      'evses@$e[$e.id = 1].id',
      '{"powerW": powerW, "energyWh": meter.energyWh, "limitW": powerKw * 1000, "seqNo": seqNo, "via": DATA}',
      '$map(a, function($v, $i) { $v })',
      '(a ? $b := 1; $b)',
      'x ?: $ctx.at',
      'a ~> $map(function($x) { $x }) ~> $join(", ")',
      '($f := function($x, $y) { $x + $y }; a ~> $f(1))',
      'a.$substring(1) & b.$floor() & $formatBase(255, 16)',
      '$zip(a, b, c)',
      'steps{$string(startS): limitW}',
    ];
    for (const source of fine) expect([source, diagnose(source)]).toEqual([source, []]);
  });

  it('every code has a text for the reference, and a mapping with an error does not run', () => {
    for (const kind of Object.values(DIAGNOSTICS))
      expect([kind.about, kind.hint].every((t) => t.endsWith('.'))).toBe(true);
    expect(compile('$nope()').mapping).toBeUndefined();
    expect(compile('($unused := 1; 2)').mapping).toBeDefined();
  });
});

describe('with the schema of the source', () => {
  const rows: readonly (readonly [text: string, ...expected: string[]])[] = [
    ['powerW', ...[]],
    ['powrW', 'mapping.unknownSource warning 1:1 Command has no field powrW.'],
    ['$.steps.limit', 'mapping.unknownSource warning 1:9 steps has no field limit.'],
    ['steps[start = 0].limitW', 'mapping.unknownSource warning 1:7 steps has no field start.'],
    ['steps^(startS).limitW', ...[]],
    ['steps^(start).limitW', 'mapping.unknownSource warning 1:8 steps has no field start.'],
    ['steps.{"a": startS, "b": nothing}', 'mapping.unknownSource warning 1:26 steps has no field nothing.'],
    [
      '$map(steps, function($s) { $s.startS + $s.stop })',
      'mapping.unknownSource warning 1:43 steps has no field stop.',
    ],
    ['($s := steps[0]; $s.limitW + $s.w)', 'mapping.unknownSource warning 1:33 steps has no field w.'],
    ['$$.commandID', 'mapping.unknownSource warning 1:4 Command has no field commandID.'],
    ['powerW.value', 'mapping.unknownSource warning 1:8 a simple value has no field value.'],
    ['$ctx.anything.goes', ...[]],
    ['$merge([$, {"x": 1}]).x', ...[]],
  ];
  it.each(rows)('%s', (source, ...expected) => {
    expect(diagnose(source, { from: Command })).toEqual(expected);
  });

  it('JSON Schema with references counts as well', () => {
    expect(diagnose('samples.{"v": value, "u": units}', { from: OCPP })).toEqual([
      'mapping.unknownSource warning 1:27 samples has no field units.',
    ]);
    expect(diagnose('customData.vendor.x & evseId', { from: OCPP })).toEqual([]);
  });
});

describe('with the schema of the target', () => {
  const rows: readonly (readonly [text: string, ...expected: string[]])[] = [
    ['{"profileId": 1, "limitW": 2}', ...[]],
    [
      '{"profileId": 1}',
      'mapping.targetMissing warning 1:1 Profile requires the field limitW, which is not written here.',
    ],
    ['{"profileId": 1, "limitW": 2, "limit": 3}', 'mapping.targetUnknown warning 1:31 Profile has no field limit.'],
    [
      'a ? {"profileId": 1, "limitW": 2} : {"limitW": 2}',
      'mapping.targetMissing warning 1:37 Profile requires the field profileId, which is not written here.',
    ],
    [
      '($x := 1; {"profileId": $x, "limitW": 2, "periods": [{"at": 0, "value": 1, "unit": 3}]})',
      'mapping.targetUnknown warning 1:76 the target has no field unit.',
    ],
    [
      '{"profileId": 1, "limitW": 2, "periods": steps.{"at": startS}}',
      'mapping.targetMissing warning 1:48 the target requires the field value, which is not written here.',
    ],
    ['$merge([a, b])', ...[]],
    ['{"messages": [{"topic": "x", "payload": {}}]}', ...[]],
  ];
  it.each(rows)('%s', (source, ...expected) => {
    expect(diagnose(source, { to: Profile })).toEqual(expected);
  });
});

it('languages that exist are not called unknown, though none of their messages is known here', () => {
  const text = '/* from: openadr3.0/Event   to: hub/SetLimit */ {}';
  const message = (): undefined => undefined;
  const topics = (): string[] => ['hub/SetLimit'];
  const codes = (languages: string[]): string[] =>
    diagnoseAll(text, { schemas: { message, topics, languages } }).map((d) => d.code);
  expect(codes(['openadr3.0'])).toEqual([]);
  expect(codes([])).toEqual(['mapping.headerTopic']);
});
