import fc from 'fast-check';
import { expression, input } from '../test/core-mapping/grammar.ts';
import { agrees, compiled, interpreted, type Outcome } from '../test/core-mapping/oracle.ts';

/**
 * Holds compiled mappings against the interpreter on generated expressions:
 *
 *     npx node tools/mapping-soak.ts [runs=20000] [seed=now]
 *
 * Prints every disagreement in its smallest form and ends with 1 if there is one.
 */

const USAGE = 'npx node tools/mapping-soak.ts [runs=20000] [seed]';
const BATCH = 1000;
const BINDINGS = { ctx: { k: 5 } };

interface Disagreement {
  readonly text: string;
  readonly data: unknown;
  readonly got: Outcome | undefined;
  readonly expected: Outcome;
}

const count = { values: 0, nothing: 0, errors: 0, notCompiled: 0 };

async function holds(text: string, data: unknown): Promise<boolean> {
  const got = compiled(text, data, BINDINGS);
  if (!got) {
    count.notCompiled++;
    return true;
  }
  const expected = await interpreted(text, data, BINDINGS);
  if ('error' in expected) count.errors++;
  else if (expected.value === 'nothing') count.nothing++;
  else count.values++;
  return agrees(text, got, expected);
}

async function batch(runs: number, seed: number): Promise<Disagreement | undefined> {
  const property = fc.asyncProperty(expression.any, input, holds);
  const { counterexample } = await fc.check(property, { numRuns: runs, seed, endOnFailure: false });
  if (!counterexample) return undefined;
  const [text, data] = counterexample;
  return { text, data, got: compiled(text, data, BINDINGS), expected: await interpreted(text, data, BINDINGS) };
}

const [runs = 20_000, seed = Math.floor(Date.now() / 1000)] = process.argv.slice(2).map(Number);
if (!Number.isInteger(runs) || !Number.isInteger(seed) || runs < 1) {
  console.error(`Usage: ${USAGE}`);
  process.exit(2);
}
let found = 0;
for (let done = 0; done < runs; done += BATCH) {
  const own = seed + done;
  const d = await batch(Math.min(BATCH, runs - done), own);
  if (!d) continue;
  found++;
  console.log(`${d.text}\n  on ${JSON.stringify(d.data)}\n  compiled    ${JSON.stringify(d.got)}`);
  console.log(
    `  interpreted ${JSON.stringify(d.expected)}\n  again with: npx node tools/mapping-soak.ts ${BATCH} ${own}\n`,
  );
}
console.log(`${runs} expressions, seed ${seed}: ${JSON.stringify(count)}, ${found} batches with a disagreement`);
process.exitCode = found === 0 ? 0 : 1;
