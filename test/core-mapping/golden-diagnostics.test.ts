import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnose, fileDiagnostic } from '../../core/mapping/diagnose.ts';
import { DIAGNOSTICS } from '../../core/mapping/diagnostic.ts';
import { mappingSchemas } from '../../gateway/mapping-schemas.ts';

/** A text with a mistake, and the finding that it must lead to, word by word. Lines of texts are items of lists. */
interface Golden {
  readonly path?: string;
  readonly source: readonly string[];
  readonly code: string;
  readonly severity: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint: string;
  readonly excerpt: readonly string[];
}

const { cases } = JSON.parse(readFileSync(new URL('golden-diagnostics.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Golden[];
};
const schemas = mappingSchemas();

describe('golden diagnostics', () => {
  it.each(cases.map((c, i) => [`${c.code} #${i}: ${c.message}`, c] as const))('%s', (_name, golden) => {
    const { path, source, excerpt, ...finding } = golden;
    const found = diagnose(source.join('\n'), { schemas, ...(path === undefined ? {} : { path }) });
    const wanted = { ...finding, excerpt: excerpt.join('\n'), ...(path === undefined ? {} : { file: path }) };
    expect(found.filter((d) => d.code === golden.code)).toContainEqual(wanted);
    // The caret stands below the mistake, not beside it.
    expect(excerpt[1]).toBe(`${' '.repeat((excerpt[1]?.length ?? 1) - 1)}^`);
  });

  it('what is nested too deeply is named where that begins to be too much', () => {
    const [found, ...more] = diagnose(`${'('.repeat(400)}1${')'.repeat(400)}`, { schemas });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'mapping.nested', severity: 'error', line: 1, column: 302 });
    for (const text of [`a${' & a'.repeat(9000)}`, `a${'.a'.repeat(9000)}`, '$map(a, function($x){'.repeat(400)]) {
      expect(diagnose(text, { schemas })).toHaveLength(1);
    }
  });

  it('of examples name their file', () => {
    expect(fileDiagnostic('mapping.examples', 'x.examples.json', 'The example “a” does not hold.')).toEqual({
      code: 'mapping.examples',
      severity: 'error',
      message: 'The example “a” does not hold.',
      hint: 'Correct the mapping, or the example.',
      file: 'x.examples.json',
      line: 1,
      column: 1,
      excerpt: '\n^',
    });
  });

  it('exist for every code', () => {
    const covered = new Set([...cases.map((c) => c.code), 'mapping.nested', 'mapping.examples']);
    expect(Object.keys(DIAGNOSTICS).filter((code) => !covered.has(code))).toEqual([]);
    expect(Object.keys(DIAGNOSTICS).length).toBeGreaterThanOrEqual(25);
  });
});
