import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundOf, worstCase } from '../../core/mapping/runtime/regex/bound.ts';
import { SafeRegex } from '../../core/mapping/runtime/regex/index.ts';
import { execute, programOf } from '../../core/mapping/runtime/regex/machine.ts';
import { parseRegex } from '../../core/mapping/runtime/regex/syntax.ts';
import { DEFAULT_LIMITS, RunState } from '../../core/mapping/runtime/state.ts';

const join = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((p) => (typeof p === 'string' ? fc.constant(p) : p))).map((t) => t.join(''));

const atom = fc.constantFrom(
  ...['a', 'b', 'B', '1', 'é', '.', '\\d', '\\w', '\\s', '\\S', '[ab]', '[^a]', '[a-c1\\]]', '\\x61', '\\u0062'],
  ...['^', '$', '\\b', '\\B', '\\1', '\\2', '\\/', '{', ']', '\\0', '\\cA', '\\c'],
);
const quantifier = fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{2,}', '{0,2}', '*?', '+?', '??', '{1,2}?');
const open = fc.constantFrom('(', '(?:', '(?=', '(?!', '(?<=', '(?<!', '(?i:', '(?-i:');
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small', withCrossShrink: true, maxDepth: 5 },
    { weight: 4, arbitrary: atom },
    { weight: 3, arbitrary: join(tie('pattern'), tie('pattern')) },
    { weight: 2, arbitrary: join('(?:', tie('pattern'), ')', quantifier) },
    { weight: 1, arbitrary: join('(', tie('pattern'), ')', quantifier) },
    { weight: 2, arbitrary: join(open, tie('pattern'), ')') },
    { weight: 1, arbitrary: join('(', tie('pattern'), '|', tie('pattern'), ')') },
    { weight: 1, arbitrary: join(tie('pattern'), '|', tie('pattern')) },
  ),
}));
const text = fc
  .array(fc.constantFrom('a', 'b', 'B', 'c', '1', ' ', '\n', 'é', '_'), { maxLength: 8 })
  .map((c) => c.join(''));

const isValid = (source: string): boolean => {
  try {
    return new RegExp(source, 'g').source === source;
  } catch {
    return false;
  }
};

describe('the matcher that can be stopped', () => {
  it('finds what RegExp finds, in the same place, with the same groups', () => {
    let found = 0;
    fc.assert(
      fc.property(
        pattern.filter(isValid),
        fc.constantFrom('', 'i', 'm', 'im'),
        text,
        fc.nat(3),
        (source, flags, t, from) => {
          const syntax = parseRegex(source, flags);
          expect(syntax, source).toBeDefined();
          if (!syntax) return;
          const re = new RegExp(source, `${flags}g`);
          re.lastIndex = from;
          const m = from > t.length ? null : re.exec(t);
          if (m) found++;
          const expected = m && { start: m.index, end: m.index + m[0].length, groups: m.slice(1) };
          expect(execute(programOf(syntax), t, from, () => undefined) ?? null).toEqual(expected);
        },
      ),
      { numRuns: 3000, seed: 20_260_101 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it('knows named groups, in references too', () => {
    const re = new SafeRegex('(?<q>["\']).*?\\k<q>(?<rest>.*)*', '');
    expect(re.find(new RunState(DEFAULT_LIMITS), `x "it's" y`, 0)).toEqual({
      start: 2,
      end: 10,
      groups: ['"', ' y'],
    });
  });
});

const bound = (source: string): { degree: number; factor: number } => {
  const syntax = parseRegex(source, '');
  if (!syntax) throw new Error(source);
  return boundOf(syntax);
};

describe('the time of a pattern', () => {
  it.each([
    ['^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d(\\.\\d+)?(Z|[+-]\\d\\d)$', 1],
    ['^[a-z]+\\d*X?$', 1],
    ['[^A-Za-z0-9]', 2],
    ['\\s+$', 2],
    ['^(\\w+\\.)*\\d', 2],
    ['a*a*b', 3],
    ['^.*,.*,.*$', 3],
  ])('%s grows with power %i of the length', (source, degree) => {
    expect(bound(source).degree).toBe(degree);
    expect(bound(source).factor).toBeLessThan(1000);
  });

  it.each([
    '(a+)+$',
    '(a|a)*b',
    '(a|ab)*c',
    '(x+x+)+y',
    '(a*)*',
    '(?:a?){30}b',
    '(.*)*\\1',
    '^(\\w+\\s?)*$',
    '((a|b)*|c)*d',
  ])('%s may be exponential', (source) => {
    expect(worstCase(bound(source), 40)).toBeGreaterThan(1e6);
  });

  it('decides who matches: short texts are left to RegExp', () => {
    const s = new RunState(DEFAULT_LIMITS);
    const slow = new SafeRegex('(a+)+$', '');
    expect(() => slow.holds(s, `${'a'.repeat(40)}b`)).toThrowError(expect.objectContaining({ code: 'D1012' }));
    s.reset();
    const time = new SafeRegex('^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(\\.\\d+)?Z$', '');
    for (let i = 0; i < 10_000; i++) expect(time.holds(s, '2026-11-20T10:00Z')).toBe(true);
    expect(s.left).toBeGreaterThan(0);
  });
});
