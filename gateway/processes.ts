import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { BoundedMap } from '../core/bounded.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** A program that runs beside the gateway. */
export interface Program {
  readonly name: string;
  /** Path of its TypeScript or JavaScript file. */
  readonly script: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** A program that ran this long starts again without delay. */
const HEALTHY_MS = 60_000;
/** Time to end after SIGTERM, before SIGKILL. */
const GRACE_MS = 2_000;

/**
 * Runs programs as child processes, starts them again when they end, forwards their lines to the log (level debug), and
 * ends them with the gateway. A child should also end when its standard input closes, for the case that the gateway is killed.
 */
export class Processes {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new BoundedMap<string, Runner>({ name: 'gateway.processes', max: 16, overflow: 'refuse' });

  constructor(o: { clock: Clock; log: Log }) {
    this.#clock = o.clock;
    this.#log = o.log;
  }

  /** Starts a program, in place of one of the same name that runs with other arguments. */
  async run(program: Program): Promise<void> {
    const known = this.#running.get(program.name);
    if (known?.isFor(program)) return;
    await known?.stop();
    const runner = new Runner(program, this.#clock, this.#log.child({ program: program.name }));
    if (this.#running.set(program.name, runner)) runner.start();
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()];
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

  constructor(program: Program, clock: Clock, log: Log) {
    this.#program = program;
    this.#clock = clock;
    this.#log = log;
  }

  isFor({ script, args }: Program): boolean {
    return script === this.#program.script && args.join('\0') === this.#program.args.join('\0');
  }

  start(): void {
    if (this.#stopping) return;
    const { script, args, env } = this.#program;
    const startedAt = this.#clock.now();
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    });
    this.#child = child;
    this.#forward(child.stdout);
    this.#forward(child.stderr);
    child.on('error', (e) => this.#log.error('process.failed', { text: e.message }));
    child.once('close', (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      if (this.#clock.now() - startedAt > HEALTHY_MS) this.#delayMs = RETRY_MIN_MS;
      this.#log.warn('process.ended', { code, signal, againInMs: this.#delayMs });
      this.#retry = this.#clock.after(this.#delayMs, () => this.start());
      this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
    });
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

  #forward(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) =>
      this.#log.debug('process.line', { line: line.slice(0, 2_000) }),
    );
  }
}
