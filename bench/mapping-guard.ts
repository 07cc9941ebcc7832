import { execFileSync } from 'node:child_process';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CASES, type MappingCase } from './mapping-cases.ts';

/**
 * What the guards of the engine cost: the same mappings with them and without, each in processes of their own, in turn.
 * Without means that counting steps, depth and lengths is taken out of the runtime library while it is loaded.
 */

const SELF = fileURLToPath(import.meta.url);
const PAIRS = 6;
const ROUNDS = 25;
const ROUND_MS = 20;

/** The functions that are the guard, and what stands for them. */
const GUARDS: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  '/runtime/state.ts': ['charge', 'checkLength', 'checkRoom', 'checkText', 'weigh'].map((name) => [
    new RegExp(`export function ${name}\\([\\s\\S]*?\\n}`),
    `export function ${name}(_s, _n) {}`,
  ]),
  '/runtime/call.ts': [
    [/\n {2}enter\(s\);/, ''],
    [/\n {2}s\.depth--;/, ''],
  ],
};

function withoutGuards(): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const [, edits = []] = Object.entries(GUARDS).find(([path]) => url.endsWith(path)) ?? [];
      let source = String(loaded.source);
      for (const [pattern, by] of edits) {
        if (!pattern.test(source)) throw new Error(`${url} has no ${pattern}.`);
        source = source.replace(pattern, by);
      }
      return edits.length === 0 ? loaded : { ...loaded, source };
    },
  });
}

/** The mappings of the bench, and two that do hardly anything but what is guarded. */
const MEASURED: readonly Pick<MappingCase, 'name' | 'text' | 'input' | 'ctx'>[] = [
  ...CASES,
  { name: 'loop of 100', text: '$sum($map([1..100], function($v) { $v * 2 }))', input: {}, ctx: {} },
  {
    name: 'tail recursion of 100',
    text: '($f := function($n, $a) { $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(100, 0))',
    input: {},
    ctx: {},
  },
];

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

async function measure(): Promise<number[]> {
  const { compile } = await import('../core/mapping/index.ts');
  return MEASURED.map((c) => {
    const { mapping } = compile(c.text);
    const run = (): unknown => mapping?.run(c.input, c.ctx);
    time(run, 10 * ROUND_MS);
    return median(Array.from({ length: ROUNDS }, () => time(run, ROUND_MS)));
  });
}

/** Nanoseconds of processor time per call: other processes do not count. */
function time(f: () => unknown, ms: number): number {
  const from = spent();
  let calls = 0;
  let now = from;
  while (now < from + ms * 1000) {
    for (let i = 0; i < 200; i++) f();
    calls += 200;
    now = spent();
  }
  return ((now - from) * 1000) / calls;
}

/** Processor time of this thread, in microseconds. */
function spent(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

const child = (kind: string): number[] => {
  const out: unknown = JSON.parse(execFileSync(process.execPath, [SELF, kind], { encoding: 'utf8' }));
  return Array.isArray(out) ? out.map(Number) : [];
};

const [kind] = process.argv.slice(2);
if (kind === undefined) {
  const ratios = MEASURED.map((): number[] => []);
  for (let i = 0; i < PAIRS; i++) {
    const order = i % 2 === 0 ? ['guarded', 'unguarded'] : ['unguarded', 'guarded'];
    const [first = [], second = []] = order.map(child);
    const [guarded, unguarded] = i % 2 === 0 ? [first, second] : [second, first];
    for (const [k, list] of ratios.entries()) list.push((guarded[k] ?? Number.NaN) / (unguarded[k] ?? Number.NaN));
  }
  console.table(
    MEASURED.map((c, i) => {
      const cost = (median(ratios[i] ?? []) - 1) * 100;
      return { mapping: c.name, 'guard costs %': cost.toFixed(1), goal: '≤ 15', met: cost <= 15 ? 'yes' : 'NO' };
    }),
  );
} else {
  if (kind === 'unguarded') withoutGuards();
  console.log(JSON.stringify(await measure()));
}
