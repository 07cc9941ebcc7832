import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expression, input } from './grammar.ts';
import { agrees, compiled, interpreted } from './oracle.ts';

/** The same every time; `npx node tools/mapping-soak.ts` runs more, and new ones. */
const RUNS = 2000;

it('random expressions give the interpreter’s result or error code', async () => {
  let values = 0;
  await fc.assert(
    fc.asyncProperty(expression.any, input, async (text, data) => {
      const got = compiled(text, data, { ctx: { k: 5 } });
      if (!got) return;
      const expected = await interpreted(text, data, { ctx: { k: 5 } });
      if ('value' in expected && expected.value !== 'nothing') values++;
      expect(agrees(text, got, expected), JSON.stringify({ text, data, got, expected }, null, 1)).toBe(true);
    }),
    { numRuns: RUNS, seed: 20_260_101 },
  );
  // Guards the generator: expressions that mostly fail or find nothing would prove little.
  expect(values).toBeGreaterThan(RUNS / 5);
}, 60_000);
