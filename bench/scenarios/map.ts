/** P8: compiled mappings beside hand-written JavaScript and beside the interpreter, in interleaved rounds. */
import jsonata from 'jsonata';
import { compile } from '../../core/mapping/index.ts';
import { type Row, type RunOptions, rounded, rowOf, type Scenario } from '../harness/run.ts';
import { median } from '../harness/stats.ts';
import { CASES, type MappingCase } from '../mapping-cases.ts';

const ROUND_MS = 40;

export const map: Scenario = async (o) => {
  o.say(`map: ${CASES.length} mappings`);
  const rows: Row[] = [];
  for (const c of CASES) rows.push(await measure(c, o));
  return rows;
};

async function measure(c: MappingCase, o: RunOptions): Promise<Row> {
  const { mapping, diagnostics } = compile(c.text);
  if (!mapping || mapping.slow) throw new Error(`${c.name} does not compile: ${diagnostics[0]?.message}`);
  const expression = jsonata(c.text);
  const reference = JSON.stringify(await expression.evaluate(c.input, { ctx: c.ctx }));
  for (const made of [c.byHand(c.input, c.ctx), mapping.run(c.input, c.ctx)]) {
    if (JSON.stringify(made) !== reference) throw new Error(`${c.name}: the results differ`);
  }
  const times = { hand: [] as number[], compiled: [] as number[], interpreted: [] as number[] };
  for (let round = 0; round < o.rounds; round++) {
    times.hand.push(time(() => c.byHand(c.input, c.ctx)));
    times.compiled.push(time(() => mapping.run(c.input, c.ctx)));
    times.interpreted.push(await timeAsync(() => expression.evaluate(c.input, { ctx: c.ctx }), c.interpreted));
  }
  const ratios = times.compiled.map((v, i) => v / (times.hand[i] ?? v));
  return rowOf(`map/${c.id}`, ratios, o.rounds, {
    'hand µs': rounded(median(times.hand) / 1000),
    'compiled µs': rounded(median(times.compiled) / 1000),
    'interpreter µs': rounded(median(times.interpreted) / 1000),
  });
}

/** CPU time of this thread, ns: neighbours on the machine do not count. */
function spentNs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds per call, measured over about one round. */
function time(f: () => unknown): number {
  const from = spentNs();
  const until = from + ROUND_MS * 1e6;
  let [calls, now] = [0, from];
  while (now < until) {
    for (let i = 0; i < 200; i++) f();
    calls += 200;
    now = spentNs();
  }
  return (now - from) / calls;
}

async function timeAsync(f: () => Promise<unknown>, calls: number): Promise<number> {
  const from = spentNs();
  for (let i = 0; i < calls; i++) await f();
  return (spentNs() - from) / calls;
}
