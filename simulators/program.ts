/** What all simulator programs have in common: JSON lines in and out, and an end. */
import { fstatSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { codeOf, describeError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import { SIMULATOR_ERRORS } from './stations/errors.ts';

/** Time for closing handshakes after a signal, ms. */
export const GRACE_MS = 1000;

export const printLine = (event: unknown): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

/**
 * Ends the program after SIGTERM or SIGINT, when nobody reads its output, and when its parent is gone: `stop` is called
 * once, then the process has a moment for its sockets; `afterGrace` calls what it gets after {@link GRACE_MS}, if the
 * process is still there. Returns the same end for the program's own use.
 */
export function endable(stop: () => void, afterGrace: (exit: () => void) => void): () => void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    stop();
    afterGrace(() => process.exit(0));
    process.stdin.destroy();
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  // Without a reader there is nobody to simulate for.
  process.stdout.on('error', end);
  return end;
}

/** Hands each line of standard input and each message of a parent process to `take`, until either is gone. */
export function listen(take: (input: unknown) => void, end: () => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => line.trim() !== '' && take(line));
  // A parent that is gone has closed the pipe; /dev/null and terminals mean nothing.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) lines.on('close', end);
  process.on('message', take);
}

const MAX_FILE_BYTES = 1_000_000;

/** The content of a JSON file that an option names. Throws `simulator.settings`, or `json.…`. */
export function readOption(option: string, path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    const why = codeOf(e) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${codeOf(e) ?? 'unknown'})`;
    throw SIMULATOR_ERRORS.fail('simulator.settings', `--${option} ${path} is not usable: ${why}.`);
  }
  return parseJson(text, { maxBytes: MAX_FILE_BYTES, maxDepth: 16, duplicateKeys: 'reject' });
}

/** Runs a program; what is wrong with its settings goes to standard error with the usage, exit code 2. */
export function run(main: () => void, usage: string): void {
  try {
    main();
  } catch (e) {
    const { what, remedy } = describeError(e);
    process.stderr.write(`${what} ${remedy}\n${usage}`);
    process.exitCode = 2;
  }
}
