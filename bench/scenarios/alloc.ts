/** P12: runs `bench/alloc.ts` in a process of its own and takes over its table. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type Scenario, singleOf } from '../harness/run.ts';

/** Case, zeros, scaled; then for 1 000 and 10 000 EVSE ms and ÷ parse; growth, verdict. */
const LINE = /^(\S.*?)\s+\d+\s+\d+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+(?:ok|known|TOO SLOW)$/;

export const alloc: Scenario = async (o) => {
  const rounds = o.quick ? 7 : Math.max(21, o.rounds);
  o.say(`alloc: ${rounds} rounds`);
  const lines = (await output(join(import.meta.dirname, '..', 'alloc.ts'), `--rounds=${rounds}`)).split('\n');
  const rows = lines.flatMap((line) => {
    const [, name = '', small, perParse, large, , growth] = LINE.exec(line) ?? [];
    if (small === undefined) return [];
    const facts = { '1 000 EVSE ms': Number(small), '10 000 EVSE ms': Number(large) };
    return [
      singleOf(`alloc.parse/${name}`, Number(perParse), rounds, facts),
      singleOf(`alloc.growth/${name}`, Number(growth), rounds, facts),
    ];
  });
  if (rows.length === 0) throw new Error(`bench/alloc.ts printed no table:\n${lines.join('\n')}`);
  return rows;
};

/** It exits with 1 when a goal is missed: that is for the verdict to say. */
function output(file: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [file, ...args], (error, stdout, stderr) => {
      if (error !== null && stdout === '') reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}
