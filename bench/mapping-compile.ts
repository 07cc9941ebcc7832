import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '../core/mapping/index.ts';

/**
 * How long the mappings of the pack take to compile (goal P8: 2 ms, diagnostics included). `warm`: in a process that has
 * compiled many; `cold`: as the second one of a process, where the engine's own code has hardly run. Processor time.
 */

const SELF = fileURLToPath(import.meta.url);
const PACK = fileURLToPath(new URL('../mappings/', import.meta.url));
const GOAL_MS = 2;
const WARM_UP = 150;
const WARM_RUNS = 40;
const COLD_RUNS = 3;

/** What a process compiles before its one cold mapping. */
const FIRST = 'ocpp2.1/to-hub/MeterValuesRequest.jsonata';
const FIRST_BUT_ONE = 'ocpp1.6/to-hub/MeterValuesRequest.jsonata';

const pack = readdirSync(PACK, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.jsonata'))
  .sort();
const textOf = (file: string): string => readFileSync(PACK + file, 'utf8');

/** Milliseconds of processor time of this thread per text; `all`: with the diagnostics, which are found on demand. */
function timed(texts: readonly string[], all = false): number {
  const from = process.threadCpuUsage();
  for (const text of texts) {
    const result = compile(text);
    if (!result.mapping || (all && result.diagnostics.length > 5))
      throw new Error('A mapping of the pack is not sound.');
  }
  const { user, system } = process.threadCpuUsage(from);
  return (user + system) / 1000 / texts.length;
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

/** No text comes twice: JavaScript engines keep what they have compiled. */
const unlike = (text: string, n: number): string => `($n${n} := ${n}; ${text}\n)`;

const [mode, file = ''] = process.argv.slice(2);
if (mode === 'cold') {
  compile(textOf(file === FIRST ? FIRST_BUT_ONE : FIRST));
  console.log(timed([textOf(file)]));
} else {
  for (let i = 0; i < WARM_UP; i++) for (const name of pack) void compile(unlike(textOf(name), i)).diagnostics;
  const rows = pack.map((name) => {
    const text = textOf(name);
    const texts = (from: number): string[] => Array.from({ length: WARM_RUNS }, (_, i) => unlike(text, from + i));
    const warm = timed(texts(WARM_UP));
    const full = timed(texts(WARM_UP + WARM_RUNS), true);
    const cold = median(
      Array.from({ length: COLD_RUNS }, () => Number(execFileSync(process.execPath, [SELF, 'cold', name]))),
    );
    return {
      mapping: name,
      characters: text.length,
      'warm ms': warm.toFixed(2),
      'with diagnostics': full.toFixed(2),
      'cold ms': cold.toFixed(2),
      met: full <= GOAL_MS ? 'yes' : 'NO',
    };
  });
  console.table(rows);
}
