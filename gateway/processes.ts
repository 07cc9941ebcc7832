import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { BoundedSet } from '../core/bounded.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** A program that runs beside the gateway. */
export interface Program {
  readonly name: string;
  /** Path of its TypeScript or JavaScript file. */
  readonly script: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hears each line of its standard output. */
  readonly onLine?: (line: string) => void;
  readonly onState?: (state: ProgramState, text: string) => void;
}

/** `ended`: exit code 0. `failed`: its settings are wrong (exit code 2), another start would not help. */
export type ProgramState = 'running' | 'waiting' | 'failed' | 'ended';

export interface RunningProcess {
  /** Writes a line to its standard input, if it runs. */
  write(line: string): void;
  stop(): Promise<void>;
}

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** A program that ran this long starts again without delay. */
const HEALTHY_MS = 60_000;
/** Time to end after SIGTERM, before SIGKILL. */
const GRACE_MS = 2_000;
const MAX_PROGRAMS = 16;
/** Exit code of a program whose settings are wrong. */
const BAD_SETTINGS = 2;

/**
 * Runs programs as child processes, starts them again when they fail, forwards their lines to the log (level debug), and
 * ends them with the gateway. A child should also end when its standard input closes, for the case that the gateway is killed.
 */
export class Processes {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new BoundedSet<Runner>({ name: 'gateway.processes', max: MAX_PROGRAMS, overflow: 'refuse' });

  constructor(o: { clock: Clock; log: Log }) {
    this.#clock = o.clock;
    this.#log = o.log;
  }

  /** Throws `programs.full`. */
  start(program: Program): RunningProcess {
    const runner = new Runner(program, this.#clock, this.#log.child({ program: program.name }));
    if (this.#running.size >= MAX_PROGRAMS) throw GATEWAY_ERRORS.fail('programs.full');
    this.#running.add(runner);
    runner.start();
    return {
      write: (line) => runner.write(line),
      stop: () => {
        this.#running.delete(runner);
        return runner.stop();
      },
    };
  }

  async stop(): Promise<void> {
    const all = [...this.#running];
    this.#running.clear();
    await Promise.all(all.map((runner) => runner.stop()));
  }
}

class Runner {
  readonly #program: Program;
  readonly #clock: Clock;
  readonly #log: Log;
  #child: ChildProcess | undefined;
  #retry: TimerHandle | undefined;
  #delayMs = RETRY_MIN_MS;
  #stopping = false;
  /** The first line of what it complained about. */
  #complaint: string | undefined;

  constructor(program: Program, clock: Clock, log: Log) {
    this.#program = program;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    if (this.#stopping) return;
    const { script, args, env, onLine } = this.#program;
    const startedAt = this.#clock.now();
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    });
    this.#child = child;
    this.#complaint = undefined;
    this.#forward(child.stdout, (line) => onLine?.(line));
    this.#forward(child.stderr, (line) => {
      this.#complaint ??= line;
    });
    // A program that is ending reads no more.
    child.stdin.on('error', () => undefined);
    child.on('error', (e) => this.#log.error('process.failed', { text: e.message }));
    child.once('close', (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      if (this.#clock.now() - startedAt > HEALTHY_MS) this.#delayMs = RETRY_MIN_MS;
      this.#closed(code, signal);
    });
    this.#tell('running', 'running');
  }

  write(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#retry?.cancel();
    const child = this.#child;
    if (!child) return;
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    child.kill('SIGTERM');
    const force = this.#clock.after(GRACE_MS, () => child.kill('SIGKILL'));
    await ended;
    force.cancel();
  }

  #closed(code: number | null, signal: NodeJS.Signals | null): void {
    const text = this.#complaint ?? `ended with ${signal ?? `exit code ${code}`}`;
    if (code === 0) {
      this.#tell('ended', 'done');
    } else if (code === BAD_SETTINGS) {
      this.#log.warn('process.ended', { code, text });
      this.#tell('failed', text);
    } else {
      this.#log.warn('process.ended', { code, signal, text, againInMs: this.#delayMs });
      this.#retry = this.#clock.after(this.#delayMs, () => this.start());
      this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
      this.#tell('waiting', text);
    }
  }

  #tell(state: ProgramState, text: string): void {
    this.#program.onState?.(state, text.slice(0, 200));
  }

  #forward(stream: Readable, hear: (line: string) => void): void {
    createInterface({ input: stream }).on('line', (line) => {
      this.#log.debug('process.line', { line: line.slice(0, 2_000) });
      hear(line);
    });
  }
}
