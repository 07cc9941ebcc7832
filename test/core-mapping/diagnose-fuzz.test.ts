import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile, describe as describeMapping, diagnose } from '../../core/mapping/index.ts';
import { mappingSchemas } from '../../gateway/mapping-schemas.ts';

const PACK = new URL('../../mappings', import.meta.url).pathname;
const texts = readdirSync(PACK, { recursive: true, encoding: 'utf8' })
  .filter((n) => n.endsWith('.jsonata'))
  .map((n) => readFileSync(join(PACK, n), 'utf8'));
const schemas = mappingSchemas();

/** What somebody has half typed: a mapping of the pack with a piece cut out, doubled or put elsewhere. */
const edited = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.nat(),
    fc.nat({ max: 60 }),
    fc.nat(),
    fc.constantFrom('cut', 'double', 'move', 'mix'),
  )
  .map(([text, from, length, to, how]) => {
    const at = from % text.length;
    const piece = text.slice(at, at + length);
    const rest = how === 'double' ? text : text.slice(0, at) + text.slice(at + length);
    const place = to % (rest.length + 1);
    return how === 'cut'
      ? rest
      : rest.slice(0, place) + (how === 'mix' ? [...piece].reverse().join('') : piece) + rest.slice(place);
  });

it('says something about any text, at a place inside it, and never fails', () => {
  fc.assert(
    fc.property(edited, (text) => {
      const lines = text.split('\n');
      for (const d of diagnose(text, { schemas, path: 'ocpp2.1/to-hub/MeterValuesRequest.jsonata' })) {
        expect(d.line).toBeLessThanOrEqual(lines.length);
        expect(d.column).toBeLessThanOrEqual((lines[d.line - 1]?.length ?? 0) + 1);
        expect(d.message).not.toMatch(/undefined|\[object/);
      }
      const { lost, coverage } = describeMapping({ source: text }, schemas);
      for (const path of lost.unstated) expect(lost.unread).toContain(path);
      for (const c of coverage) expect(c.required.set + c.required.missing.length).toBe(c.required.of);
    }),
    { numRuns: 80 },
  );
});

it('compiling finds nothing else than diagnosing', () => {
  fc.assert(
    fc.property(edited, (text) => {
      const all = diagnose(text, { schemas }).map((d) => `${d.code} ${d.line}:${d.column}`);
      for (const d of compile(text).diagnostics) expect(all).toContain(`${d.code} ${d.line}:${d.column}`);
    }),
    { numRuns: 30 },
  );
});
