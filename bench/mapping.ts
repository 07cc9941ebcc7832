import jsonata from 'jsonata';
import { compile } from '../core/mapping/index.ts';
import { CASES, type MappingCase } from './mapping-cases.ts';

/**
 * Micro-benchmark of the mapping engine (goal P8): compiled mappings beside hand-written JavaScript and beside the
 * interpreter, in interleaved rounds. Prints ratios; absolute times only serve to judge whether a run was quiet.
 */

const ROUNDS = 15;
const ROUND_MS = 40;

/** Nanoseconds per call, measured over about one round. */
function time(f: () => unknown): number {
  const from = process.hrtime.bigint();
  const until = from + BigInt(ROUND_MS * 1e6);
  let calls = 0;
  let now = from;
  while (now < until) {
    for (let i = 0; i < 50; i++) f();
    calls += 50;
    now = process.hrtime.bigint();
  }
  return Number(now - from) / calls;
}

async function timeAsync(f: () => Promise<unknown>, calls: number): Promise<number> {
  const from = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) await f();
  return Number(process.hrtime.bigint() - from) / calls;
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

async function measure(c: MappingCase): Promise<Record<string, string | number>> {
  const { mapping, diagnostics } = compile(c.text);
  if (!mapping || mapping.slow) throw new Error(`${c.name} does not compile: ${diagnostics[0]?.message}`);
  const expression = jsonata(c.text);
  const reference = JSON.stringify(await expression.evaluate(c.input, { ctx: c.ctx }));
  for (const made of [c.byHand(c.input, c.ctx), mapping.run(c.input, c.ctx)]) {
    if (JSON.stringify(made) !== reference) throw new Error(`${c.name}: the results differ`);
  }
  const hand: number[] = [];
  const compiled: number[] = [];
  const interpreted: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    hand.push(time(() => c.byHand(c.input, c.ctx)));
    compiled.push(time(() => mapping.run(c.input, c.ctx)));
    interpreted.push(await timeAsync(() => expression.evaluate(c.input, { ctx: c.ctx }), c.interpreted));
  }
  const from = performance.now();
  for (let i = 0; i < 20; i++) compile(c.text);
  const compileMs = (performance.now() - from) / 20;
  const ratio = median(compiled.map((v, i) => v / (hand[i] ?? v)));
  return {
    mapping: c.name,
    'hand µs': (median(hand) / 1000).toFixed(2),
    'compiled ÷ hand': ratio.toFixed(1),
    goal: `≤ ${c.goal}`,
    'interpreter ÷ hand': (median(interpreted) / median(hand)).toFixed(0),
    'interpreter ÷ compiled': (median(interpreted) / median(compiled)).toFixed(0),
    'compile ms': compileMs.toFixed(2),
    met: ratio <= c.goal ? 'yes' : 'NO',
  };
}

const rows: Record<string, string | number>[] = [];
for (const c of CASES) rows.push(await measure(c));
console.table(rows);
