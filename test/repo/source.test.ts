import { describe, expect, it } from 'vitest';
import { depths, loadSources, toSource } from './rules/source.ts';

const code = (text: string): string => toSource('a.ts', text).code;

describe('the scanner of sources', () => {
  it('blanks comments, strings and regular expressions and keeps lengths and lines', () => {
    const text = `let a = 'x\\'y'; // 'note'\n/* b\n" */ const r = /[/'"]\\//g.test("q"); c`;
    const masked = code(text);
    expect(masked).toHaveLength(text.length);
    expect(masked.split('\n')).toHaveLength(3);
    expect(masked.replace(/\s+/g, ' ')).toBe(`let a = ' '; const r = / /g.test(" "); c`);
  });

  it('keeps what stands inside the braces of a template', () => {
    const text = ['`a ', '{f({ x: `b ', '{y} c` })} d`;z'].join('$');
    expect(code(text).replace(/ +/g, ' ')).toBe('` {f({ x: ` {y} ` })} `;z');
  });

  it('tells a division from a regular expression', () => {
    expect(code(`a / b; (c) / d; e[1] / 2 / 3 // '`).trimEnd()).toBe('a / b; (c) / d; e[1] / 2 / 3');
    expect(code(`x = /a'/; return /b'/; f(/c'/)`)).not.toContain("'");
  });

  it('finds strings and comments with their places', () => {
    const s = toSource('a.ts', `import a from './a.ts'; // why`);
    expect(s.strings.map((p) => p.value)).toEqual(['./a.ts']);
    expect(s.comments.map((p) => p.value)).toEqual([' why']);
  });

  it('ends every source of the repository at depth 0', () => {
    const open = loadSources().filter((s) => {
      const closers = (s.code.match(/[)\]}]/g) ?? []).length;
      return closers !== (s.code.match(/[([{]/g) ?? []).length || depths(s.code).some((d) => d < 0);
    });
    expect(open.map((s) => s.path)).toEqual([]);
  });
});
