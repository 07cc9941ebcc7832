/**
 * Starts a program of the gateway in a container. Each V2GATE_…_FILE names a file that holds the value of V2GATE_…, as
 * secrets of Docker and Kubernetes come; then the program takes the place of this one, in the same process.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

for (const [name, file] of Object.entries(process.env)) {
  if (!/^V2GATE_\w+_FILE$/.test(name) || !file) continue;
  const variable = name.slice(0, -'_FILE'.length);
  try {
    process.env[variable] = readFileSync(file, 'utf8').trim();
    delete process.env[name];
  } catch (e) {
    process.stderr.write(
      `v2gate: ${name} names ${file}, which cannot be read: ${e instanceof Error ? e.message : e}\n`,
    );
    process.exit(78);
  }
}

const [program = 'gateway/start.mjs', ...args] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const script = program === 'v2gate' ? 'gateway/cli/main.js' : program;
process.argv = [process.argv[0] ?? 'node', join(root, script), ...args];
await import(join(root, script));
