import { describe, expect, it } from 'vitest';
import { compile } from '../../core/mapping/index.ts';
import { run } from './engine.ts';

describe('transforms', () => {
  it.each([
    ['($clone := function($x) { $x }; $ ~> |list|{"n": 2}|)', { list: [{ n: 2 }] }],
    ['($clone := function($x) { $$ }; {} ~> |$|{"a": 1}, "list"|)', { a: 1 }],
    ['($clone := $lookup(?, "x"); {"x": $$} ~> |$|{"a": 1}, "list"|)', { a: 1 }],
    ['$eval("($clone := function($x) { $x }; $$ ~> |$|{\\"a\\": 1}, \\"list\\"|)")', { a: 1 }],
    ['($clone := function($x) { $ctx }; $ ~> |$|{"at": 2}|)', { at: 2 }],
    ['$ ~> |$$.list|{"n": 2}|', { list: [{ n: 1 }] }],
  ])('never reach the input or the context: %s', (text, expected) => {
    const [input, ctx] = [{ list: [{ n: 1 }] }, { at: 1 }];
    expect(run(text, input, ctx)).toEqual(expected);
    expect([input, ctx]).toEqual([{ list: [{ n: 1 }] }, { at: 1 }]);
  });

  it('refuse to put an object into itself, and may use a part twice', () => {
    const input = { a: { b: { c: 1 } } };
    expect(run('$ ~> |$|{"self": $}|', input)).toBe('failed: X0007');
    expect(run('$ ~> |a|{"list": [{"up": $}]}|', input)).toBe('failed: X0007');
    expect(run('$ ~> |$|{"twice": [a, a]}|', input)).toEqual({ ...input, twice: [input.a, input.a] });
    expect(() => compile('$ ~> |$|{"self": $}|').mapping?.run(input, {})).toThrowError(
      expect.objectContaining({ code: 'mapping.value', column: 9 }),
    );
  });
});

describe('input that is more than data', () => {
  it('gives the values of its own getters, and an error where one throws', () => {
    const input = {
      get own(): number {
        return 4;
      },
      get bad(): number {
        throw new Error('boom');
      },
      get code(): () => number {
        return () => 5;
      },
    };
    expect(run('own', input)).toBe(4);
    expect(run('bad', input)).toBe('failed: Error: boom');
    expect(run('code()', input)).toBe('failed: T1006');
    expect(() => compile('bad').mapping?.run(input, {})).toThrowError(
      expect.objectContaining({ code: 'mapping.failed' }),
    );
  });

  it('is not walked up to its prototype by functions over all fields', () => {
    const child: unknown = Object.assign(Object.create({ inherited: 1 }), { own: 2 });
    for (const [text, expected] of [
      ['$each($, function($v, $k) { $k })', 'own'],
      ['$sift($, function($v) { true })', { own: 2 }],
      ['$keys($)', 'own'],
      ['$spread($)', { own: 2 }],
      ['$merge([$])', { own: 2 }],
      ['*', 2],
      ['$string($)', '{"own":2}'],
      ['$clone($)', { own: 2 }],
      ['$ ~> |$|{"x": inherited}|', { own: 2 }],
    ] as const) {
      expect([text, run(text, child)]).toEqual([text, expected]);
    }
  });

  it('is not changed by transforms, whatever they match', () => {
    const input = { a: { b: 1 }, list: [{ c: 1 }], ctx: {} };
    const before = JSON.stringify(input);
    for (const text of [
      '$ ~> |**|{"x": 1}, "a"|',
      '$ ~> |$$|{"x": 1}|',
      '$ ~> |$$.a|{"b": 2}, ["b"]|',
      '$ ~> |$ctx|{"x": 1}|',
      '($l := list; $ ~> |$l|{"c": 2}|)',
      'a ~> |$$.list|{"c": 2}|',
      '$map(list, |$|{"c": 3}, "c"|)',
      '($f := |$$|{"y": 1}|; $f($$); $f(a))',
      '$eval("$ ~> |$$.a|{\\"b\\": 5}|")',
    ]) {
      run(text, input, input.ctx);
      expect([text, JSON.stringify(input)]).toEqual([text, before]);
    }
  });

  it('frozen all the way down is good enough', () => {
    const input = Object.freeze({ a: Object.freeze([Object.freeze({ b: 2 }), Object.freeze({ b: 1 })]) });
    expect(
      run('{"s": a^(b).b, "r": $reverse(a).b, "t": ($ ~> |a|{"c": 1}|).a.c, "g": a{$string(b): $}}', input),
    ).toEqual({
      s: [1, 2],
      r: [1, 2],
      t: [1, 1],
      g: { 1: { b: 1 }, 2: { b: 2 } },
    });
  });
});
