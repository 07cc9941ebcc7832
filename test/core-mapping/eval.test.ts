import { describe, expect, it } from 'vitest';
import { compile, type MappingError, SLOW_CONSTRUCTS } from '../../core/mapping/index.ts';
import type { Effects } from '../../core/mapping/runtime/state.ts';
import { run } from './engine.ts';

const AT = Date.UTC(2026, 10, 20, 10, 15, 30, 250);

/** A clock that moves with every look, and dice that always fall alike. */
function effects(): Effects & { looks: number } {
  const e = {
    looks: 0,
    now: () => AT + 1000 * e.looks++,
    random: () => 0.25,
  };
  return e;
}

const withEffects = (text: string, input: unknown = {}): unknown => run(text, input, {}, { effects: effects() });

describe('time and chance', () => {
  it('come from what the engine is given', () => {
    expect(withEffects('$now()')).toBe('2026-11-20T10:15:30.250Z');
    expect(withEffects('$now("[H]:[m]", "+0100")')).toBe('11:15');
    expect(withEffects('$millis()')).toBe(AT);
    expect(withEffects('$random()')).toBe(0.25);
    expect(withEffects('$shuffle([1, 2, 3, 4])')).toEqual([3, 4, 2, 1]);
    expect(withEffects('$toMillis("12:30", "[H]:[m]")')).toBe(Date.UTC(2026, 10, 20, 12, 30));
  });

  it('stand still within a run', () => {
    const e = effects();
    const same =
      '($a := $millis(); $b := $eval("$millis()"); $map([1, 2], function($v) { $millis() }) ~> $append($b) ~> $distinct() = [$a])';
    expect(run(same, {}, {}, { effects: e })).toBe(true);
    expect(e.looks).toBe(1);
  });

  it('are refused without, at the latest when they are used', () => {
    for (const text of ['$now()', '$millis()', '$random()', '$shuffle([1])', '$map([1], $random)']) {
      expect(run(text)).toBe('refused: impure');
      expect(run(`$eval(${JSON.stringify(text)})`)).toBe('failed: D3121 X0004');
      expect(compile(text).mapping).toBeUndefined();
      expect(compile(text, { effects: effects() }).mapping?.slow).toBe(false);
    }
  });
});

describe('$eval', () => {
  it('is part of mappings; its text sees input, context and variables', () => {
    const { mapping, diagnostics } = compile('($k := 1000; $eval(rule))');
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(mapping?.slow).toBe(false);
    expect(mapping?.run({ rule: 'powerKw * $k + $ctx.offsetW', powerKw: 2 }, { offsetW: 5 })).toBe(2005);
    expect(mapping?.run({ rule: '$sum(list)', list: [1, 2] }, {})).toBe(3);
  });

  it('says where the call stands and what went wrong inside', () => {
    const failure = (input: object): MappingError => {
      try {
        compile('{\n  "a": $eval(t)\n}').mapping?.run(input, {});
      } catch (e) {
        return e as MappingError;
      }
      throw new Error('It did not fail.');
    };
    expect(failure({ t: '1 + "x"' })).toMatchObject({ code: 'mapping.type', jsonata: 'D3121', line: 2, column: 8 });
    expect(failure({ t: '1 + "x"' }).message).toContain('The right side of + must be a number, not "x".');
    expect(failure({ t: '1 +' })).toMatchObject({ code: 'mapping.value', jsonata: 'D3120', line: 2, column: 8 });
  });

  it('is bounded together with the run that it is part of', () => {
    expect(run('$map([1..100000], function($i) { $eval("$i") })')).toBe('failed: D1012');
    expect(run('$eval(t)', { t: `"${'x'.repeat(30_000)}"` })).toBe('failed: D3120');
  });

  it('compiles a text once per run, however often it comes', () => {
    const list = Array.from({ length: 100 }, (_, i) => i);
    expect(run('$count(list.$eval("$ + 1"))', { list })).toBe(100);
  });
});

describe('variables bound inside constructors', () => {
  it.each([
    ['{"a": $x := 1, "b": 2}', { a: 1, b: 2 }],
    ['({"a": $x := 1, "b": 2}; $x)', 1],
    ['[$x := 1, [$y := 2, 3]]', [1, [2, 3]]],
    ['($l := [$x := 1, 2]; $x + $l[1])', 3],
  ])('%s is compiled', (text, expected) => {
    expect(run(text)).toEqual(expected);
    expect(compile(text).mapping?.slow).toBe(false);
  });

  it.each([
    ['[$x := 1, $x]', SLOW_CONSTRUCTS.race],
    ['[$x := 1, $x := 2]', SLOW_CONSTRUCTS.race],
    ['($x := 0; $f := function() { $x }; [$x := 1, $f()])', SLOW_CONSTRUCTS.race],
    ['($x := 0; [$eval("$x := 1"), $x])', SLOW_CONSTRUCTS.race],
    ['($x := 0; [$eval(t), $x])', SLOW_CONSTRUCTS.race],
    ['list{id: $x := w}', SLOW_CONSTRUCTS.groupBind],
  ])('%s is left to the interpreter, and the diagnostic says why', (text, { construct }) => {
    const { mapping, diagnostics } = compile(text);
    expect(mapping?.slow).toBe(true);
    expect(diagnostics.map((d) => d.message).join()).toContain(construct);
  });

  it('beside evaluated texts only what both deal with counts', () => {
    expect(run('a.{"n": b, "t": $eval("b * 2")}', { a: { b: 2 } })).toEqual({ n: 2, t: 4 });
    expect(run('($y := 1; [$eval("$x := 2"), $y])')).toEqual([2, 1]);
  });
});
