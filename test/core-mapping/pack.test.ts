import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { checkExamples } from '../../core/mapping/examples.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { fileSource } from '../../gateway/mapping-files.ts';
import { compiled, interpreted } from './oracle.ts';

const root = fileURLToPath(new URL('../../mappings', import.meta.url));
const library = createMappingLibrary({ roots: [root], files: fileSource(), log: silentLog });

describe('the mappings of the pack', () => {
  it('all compile, without findings', () => {
    expect(library.broken()).toEqual([]);
    expect(library.entries().length).toBeGreaterThan(0);
    for (const e of library.entries()) expect([e.path, e.mapping.slow, e.diagnostics]).toEqual([e.path, false, []]);
  });

  it('give on their examples what the examples say and what the interpreter gives', async () => {
    for (const entry of library.entries()) {
      for (const result of checkExamples(entry)) {
        expect([entry.path, result.name, result.difference]).toEqual([entry.path, result.name, '']);
      }
      for (const { name, input, ctx } of entry.examples()) {
        const expected = await interpreted(entry.mapping.source, input, { ctx });
        expect([entry.path, name, compiled(entry.mapping.source, input, { ctx })]).toEqual([
          entry.path,
          name,
          expected,
        ]);
      }
    }
  });
});
