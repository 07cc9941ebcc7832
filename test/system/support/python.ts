import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChildOptions } from './child.ts';
import { ForeignProgram, ForeignStation } from './foreign.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = join(import.meta.dirname, '../python');

/** The Python of a virtual environment with the pinned packages; made once and kept in `.data/venv` by their hash. */
export function pythonWithPackages(): string {
  const requirements = join(FOLDER, 'requirements.txt');
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const venv = join(ROOT, '.data', 'venv', hash);
  const python = join(venv, 'bin', 'python');
  const ready = join(venv, 'ready');
  if (existsSync(ready)) return python;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  run('python3', ['-m', 'venv', venv], 'make a virtual environment (Debian: apt install python3-venv)');
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  run(
    python,
    ['-m', 'pip', 'install', ...quiet, '--requirement', requirements],
    'install the Python packages (is the package index reachable?)',
  );
  writeFileSync(ready, '');
  return python;
}

function run(command: string, args: readonly string[], what: string): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 180_000 });
  if (status !== 0) throw new Error(`Could not ${what}: ${error?.message ?? `${stdout}\n${stderr}`}`);
}

export type Script = 'station16.py' | 'station201.py' | 'station21.py';

export interface StationOptions {
  /** `ws://host:port/ocpp`, without the identity. */
  readonly url: string;
  readonly identity: string;
  readonly maxImportW?: number;
  readonly maxExportW?: number;
  /** Distance of its meter values until the server sets another. */
  readonly meterS?: number;
  /** How fast its profiles age without a server; default 1. */
  readonly offlineSpeed?: number;
  /** Nobody comes by himself. */
  readonly idle?: boolean;
}

/** A station on the Python package `ocpp`. */
export function pythonStation(python: string, script: Script, o: StationOptions): ForeignStation {
  const optional = {
    '--max-import-w': o.maxImportW,
    '--max-export-w': o.maxExportW,
    '--meter-s': o.meterS,
    '--offline-speed': o.offlineSpeed,
  };
  const args = ['--url', o.url, '--identity', o.identity, ...(o.idle === true ? ['--idle'] : [])];
  for (const [key, value] of Object.entries(optional)) if (value !== undefined) args.push(key, `${value}`);
  return new ForeignStation(program(python, script, `station ${o.identity}`, args));
}

/** A central system of all three versions on the Python package `ocpp`, and its URL without the identity. */
export async function pythonCsms(python: string): Promise<{ readonly csms: ForeignProgram; readonly url: string }> {
  const csms = new ForeignProgram(program(python, 'csms.py', 'foreign CSMS', []));
  const { port } = await csms.next('listening');
  return { csms, url: `ws://127.0.0.1:${String(port)}/ocpp` };
}

/** A script of the folder `python`, as a child that prints at once and leaves nothing behind. */
export function program(python: string, script: string, name: string, args: readonly string[]): ChildOptions {
  return {
    name,
    command: python,
    args: [join(FOLDER, script), ...args],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', no_proxy: '*' },
  };
}
