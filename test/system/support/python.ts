import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Child } from './child.ts';

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

/** One line of a station; the fields depend on `event`. */
export interface StationEvent {
  /** Epoch ms. */
  readonly at: number;
  readonly event: string;
  readonly status?: string;
  readonly powerW?: number;
  readonly importWh?: number;
  readonly exportWh?: number;
  readonly [field: string]: unknown;
}

export interface StationOptions {
  /** `ws://host:port/ocpp`, without the identity. */
  readonly url: string;
  readonly identity: string;
  readonly maxImportW?: number;
  readonly maxExportW?: number;
  readonly meterS?: number;
}

/** A station that knows nothing of v2gate: the Python package `ocpp`. Its socket stays open until `stop`. */
export class ForeignStation {
  readonly child: Child;

  constructor(python: string, script: 'station16.py' | 'station201.py' | 'station21.py', o: StationOptions) {
    const optional = {
      '--max-import-w': o.maxImportW,
      '--max-export-w': o.maxExportW,
      '--meter-s': o.meterS,
    };
    this.child = new Child({
      name: `station ${o.identity}`,
      command: python,
      args: [
        join(FOLDER, script),
        ...['--url', o.url, '--identity', o.identity],
        ...Object.entries(optional).flatMap(([key, value]) => (value === undefined ? [] : [key, `${value}`])),
      ],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', no_proxy: '*' },
    });
  }

  get events(): readonly StationEvent[] {
    return this.child.lines.flatMap((line) => parse(line) ?? []);
  }

  /** How many lines there are: pass it to `next` to look only at what comes after now. */
  get mark(): number {
    return this.child.lines.length;
  }

  next(event: string, holds: (e: StationEvent) => boolean = () => true, ms = 15_000, from = 0): Promise<StationEvent> {
    const find = (line: string): StationEvent | undefined => {
      const e = parse(line);
      return e !== undefined && e.event === event && holds(e) ? e : undefined;
    };
    return this.child.find(`the event "${event}"`, find, ms, from);
  }

  /** Ends the transaction and closes the socket. */
  async stop(): Promise<void> {
    if (this.child.running) this.child.say('stop');
    await this.next('stopped', () => true, 5_000).catch(() => undefined);
    await this.child.stop();
  }
}

function parse(line: string): StationEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  const value: unknown = JSON.parse(line);
  return isEvent(value) ? value : undefined;
}

function isEvent(value: unknown): value is StationEvent {
  return typeof value === 'object' && value !== null && 'event' in value && 'at' in value;
}
