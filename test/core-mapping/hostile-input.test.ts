import { describe, expect, it } from 'vitest';
import { compile } from '../../core/mapping/index.ts';
import { run } from './engine.ts';

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
