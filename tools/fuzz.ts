/**
 * Fuzzes for as long as somebody likes: `npx node tools/fuzz.ts [inputs per target, default 1 000 000] [first seed]`.
 * Runs test/fuzz in rounds of 20 000 inputs with a seed each (a million take one to two hours on two cores) and stops at
 * the first round that fails; that round is repeated by the command that it prints. What is found belongs in
 * `test/fuzz/cases`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROUND = 20_000;
const ROOT = join(import.meta.dirname, '..');

const [wanted = 1_000_000, firstSeed = Date.now() % 1_000_000_000] = process.argv.slice(2).map(Number);
if (!(wanted > 0) || !Number.isSafeInteger(firstSeed)) {
  process.stderr.write('Usage: npx node tools/fuzz.ts [inputs per target] [first seed]\n');
  process.exit(2);
}

const rounds = Math.ceil(wanted / ROUND);
for (let round = 0; round < rounds; round++) {
  const env = {
    V2GATE_FUZZ_INPUTS: String(Math.min(ROUND, wanted - round * ROUND)),
    V2GATE_FUZZ_SEED: String(firstSeed + round * 1_000),
  };
  const command = `V2GATE_FUZZ_INPUTS=${env.V2GATE_FUZZ_INPUTS} V2GATE_FUZZ_SEED=${env.V2GATE_FUZZ_SEED} npx vitest run test/fuzz`;
  process.stdout.write(`round ${round + 1} of ${rounds}: ${command}\n`);
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/fuzz', '--reporter=dot'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (status === 0) continue;
  process.stderr.write(`found something; repeat it with: ${command}\n`);
  process.exit(1);
}
process.stdout.write(`${wanted} inputs per target, nothing found\n`);
