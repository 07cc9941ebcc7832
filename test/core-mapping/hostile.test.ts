import { describe, expect, it } from 'vitest';
import { parse } from '../../core/mapping/ast.ts';
import { build } from '../../core/mapping/engine.ts';
import { compile } from '../../core/mapping/index.ts';
import { DEFAULT_LIMITS } from '../../core/mapping/runtime/state.ts';
import { run } from './engine.ts';

class Meter {
  reading = 5;
  get secret(): string {
    return 'inherited';
  }
  stop(): string {
    return 'called';
  }
}

const NAMES = ['__proto__', 'constructor', 'prototype'];
const INHERITED = [
  ...NAMES,
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  '__defineGetter__',
  '__lookupGetter__',
  'length',
  'name',
  'call',
  'apply',
  'bind',
  'push',
  'secret',
  'stop',
  'caller',
  'arguments',
];

describe('generated code sees own fields only', () => {
  const values = [
    {},
    [],
    [[]],
    'text',
    5,
    true,
    null,
    new Meter(),
    [new Meter()],
    () => 1,
    { f: () => 1 },
    Object.create({ secret: 1 }),
  ];

  it.each(INHERITED)('%s', (name) => {
    const quoted = `\`${name}\``;
    for (const v of values) {
      for (const text of [
        quoted,
        `$.${quoted}`,
        `$lookup($, "${name}")`,
        `x.${quoted}`,
        `$$.${quoted}`,
        `(${quoted})[0]`,
      ]) {
        expect([text, run(text, v)]).toEqual([text, undefined]);
      }
      expect(run(`$ctx.${quoted}`, {}, v)).toBeUndefined();
    }
  });

  it('functions of the language have no fields', () => {
    for (const f of ['$sum', 'function($x){$x}', '$r := /a/', '$substring(?, 1)', '($sum ~> $string)', '|a|{}|']) {
      for (const field of ['code', 'kind', 'builtin', 'impl', 'inner', 'signature', 'arity', ...INHERITED]) {
        expect([f, field, run(`(${f}).\`${field}\``)]).toEqual([f, field, undefined]);
      }
      for (const all of [`(${f}).*`, `$keys(${f})`, `$spread(${f}).code`]) expect(run(all)).toBeUndefined();
      expect(run(`$string(${f})`)).toBe('');
      expect(run(`$type(${f})`)).toBe('function');
    }
  });

  it('own fields with the names of methods are ordinary fields', () => {
    const data = JSON.parse('{"toString": 1, "length": 2, "hasOwnProperty": 3, "name": "x"}');
    expect(run('[toString, length, hasOwnProperty, name]', data)).toEqual([1, 2, 3, 'x']);
  });
});

describe('nothing leads to prototypes', () => {
  const poisoned = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "a": {"b": 1}}',
  );

  it('fields of these names in the input cannot be read', () => {
    for (const name of NAMES) {
      expect(run(`\`${name}\``, poisoned)).toBeUndefined();
      expect(run(`$lookup($, "${name}")`, poisoned)).toBeUndefined();
    }
    expect(run('$keys($)', poisoned)).toBe('a');
    expect(run('**.polluted', poisoned)).toBeUndefined();
  });

  it('fields of these names cannot be written', () => {
    for (const name of NAMES) {
      for (const text of [
        `{"${name}": {"polluted": 1}}`,
        `{"a" & "": 1, "${name}": 2}`,
        `{$join(["${name.slice(0, 3)}", "${name.slice(3)}"]): {"polluted": 1}}`,
        `a{"${name}": 1}`,
        `$ ~> |a|{"${name}": 1}|`,
      ]) {
        expect([text, run(text, { a: { b: 1 } })]).toEqual([text, 'failed: X0001']);
      }
    }
    for (const text of ['$merge([{}, $])', '$spread($)', '$sift($, function($v) { true })', '$ ~> |a|$$|']) {
      expect([text, run(text, poisoned)]).toEqual([text, 'failed: X0001']);
    }
  });

  it('pollute nothing', () => {
    for (const text of [
      '$clone($)',
      '$ ~> |**|{"x": 1}|',
      '$each($, function($v) { $v })',
      '$map($, $clone)',
      '$string($)',
    ])
      run(text, poisoned);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Reflect.get([], 'polluted')).toBeUndefined();
  });

  it('variables of these names are only variables', () => {
    for (const name of NAMES) {
      expect(run(`($${name} := 5; $${name})`)).toBe(5);
      expect(run(`$${name}`)).toBeUndefined();
      expect(run(`a@$${name}.{"v": $${name}.b}`, { a: { b: 1 } })).toEqual({ v: 1 });
      expect(run(`a#$${name}.{"v": $${name}}`, { a: [1] })).toEqual({ v: 0 });
    }
    expect(Reflect.get({}, 'b')).toBeUndefined();
  });
});

describe('functions of the host are not callable', () => {
  it('as field, argument, step or matcher', () => {
    let called = 0;
    const input = {
      f: () => ++called,
      list: [1, 2],
      m: new Meter(),
      p: { next: () => ++called },
    };
    for (const text of [
      'f()',
      'list.f()',
      'f ~> f',
      '$map(list, f)',
      'f(?)',
      '$sort(list, f)',
      '$match("a", f)',
      'm.stop()',
      '1 ~> f',
      '$reduce(list, f)',
    ]) {
      expect([text, run(text, input)]).toEqual([text, expect.stringMatching(/^failed: /)]);
    }
    expect(run('p', input)).toBe(input.p);
    expect(called).toBe(0);
  });
});

describe('texts cannot break out of the generated code', () => {
  const nasty = [
    '"',
    "'",
    '`',
    '\\',
    '\n',
    '\u2028',
    '\u2029',
    `\u0024{process.exit()}`,
    '*/',
    '//',
    '</script>',
    '");process.exit(1);("',
    "']);globalThis.x=1;(['",
    '\\u0022',
    ')=>{',
    'constructor.constructor("return process")()',
    '\ud800',
  ];

  it.each(nasty)('%j', (text) => {
    const quoted = JSON.stringify(text);
    expect(run(quoted)).toBe(text);
    expect(run(`{${quoted}: 1}`)).toEqual({ [text]: 1 });
    if (!text.includes('`')) expect(run(`\`${text}\``, { [text]: 7 })).toBe(7);
    expect(run(`$replace("a", "a", ${JSON.stringify(text.replaceAll('$', '$$'))})`)).toBe(text.replaceAll('$', '$$'));
    expect(Reflect.get(globalThis, 'x')).toBeUndefined();
  });

  it('in names of variables and parameters', () => {
    for (const name of ['x"', "x'", 'x\\', 'x;process', 'x`', 'x=1', 'ünï', 'x\u2028']) {
      const result = run(`($${name} := 4; $${name})`);
      expect([name, typeof result === 'string' ? result.slice(0, 7) : result]).toEqual([
        name,
        expect.toBeOneOf([4, 'refused', 'failed:', undefined]),
      ]);
    }
  });

  it('in regular expressions', () => {
    expect(run('$match("a\\"b", /"/).match')).toBe('"');
    expect(run('$contains("x", /`\\u2028|x/)')).toBe(true);
  });

  it('and the code names nothing but the runtime', () => {
    const parsed = parse('($process := 1; globalThis; require; process.env; this; eval; Function; $process)');
    if ('failure' in parsed) throw new Error('does not parse');
    const built = build(parsed.ast, ['ctx'], DEFAULT_LIMITS);
    const code = built.kind === 'compiled' ? built.code.replace(/"(?:[^"\\]|\\.)*"/g, '') : '';
    expect(code).not.toMatch(/\b(process|globalThis|require|eval|Function|this|import|new|constructor|__proto__)\b/);
    expect(code.length).toBeGreaterThan(100);
  });
});

describe('evaluated texts reach no more than the expression around them', () => {
  const texts = [
    'constructor',
    '$.constructor',
    '`__proto__`',
    '$lookup($, "constructor")',
    'constructor.constructor("return process")()',
    'globalThis',
    'this',
    'S',
    'R.fail',
    'C[0]',
    '$process',
    '$S',
  ];

  it.each(texts)('%s', (text) => {
    const input = new Meter();
    expect(run(`$eval(${JSON.stringify(text)})`, input)).toEqual(expect.toBeOneOf([undefined, 'failed: D3121 T1006']));
    expect(run('$eval(text)', { text, constructor: 1 })).toEqual(expect.toBeOneOf([undefined, 'failed: D3121 T1006']));
  });

  it('write no forbidden names, call no functions of the host, know no time', () => {
    const input = { f: () => 1, t: '{"__proto__": 1}', list: ['f()', '$map([1], f)', '$now()', '$random()'] };
    expect(run('$eval(t)', input)).toBe('failed: D3121 X0001');
    const codes = ['T1006', 'T0410', 'X0004', 'X0004'];
    codes.forEach((code, i) => {
      expect(run(`$eval(list[${i}])`, input)).toBe(`failed: D3121 ${code}`);
    });
    for (const name of NAMES) {
      expect(run(`($eval("$${name} := {\\"x\\": 1}"); $${name}.x)`)).toBe(1);
      expect(Reflect.get({}, 'x')).toBeUndefined();
    }
  });

  it('are code of their own: quotes, comments and line ends stay texts', () => {
    for (const text of ["'\u2028'", '"*/"', '"\\u0022);process.exit();(\\u0022"', '`a");b`', '$string(/[`"]/)']) {
      const result = run('$eval(t)', { t: text });
      expect([text, typeof result]).toEqual([text, expect.toBeOneOf(['string', 'undefined'])]);
      expect(String(result)).not.toMatch(/^failed/);
    }
  });
});

describe('the door refuses', () => {
  it.each([
    ['a.__proto__', 'mapping.forbiddenName'],
    ['constructor.prototype', 'mapping.forbiddenName'],
    ['$now()', 'mapping.impureFunction'],
    ['$map([1], $random)', 'mapping.impureFunction'],
    ['$millis() + 1', 'mapping.impureFunction'],
    ['$shuffle([1, 2])', 'mapping.impureFunction'],
    ['$require("fs")', 'mapping.unknownFunction'],
    ['$process.env', 'mapping.unbound'],
  ])('%s', (text, code) => {
    const { mapping, diagnostics } = compile(text);
    expect(mapping).toBeUndefined();
    expect(diagnostics.map((d) => d.code)).toContain(code);
  });
});
