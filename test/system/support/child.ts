import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Name for messages of failed expectations. */
  readonly name: string;
  /** Signals reach also what it started (npm starts a shell that starts Node). */
  readonly group?: boolean;
}

/** A program under test: its lines on both outputs, waiting for one of them, an orderly end. */
export class Child {
  readonly #o: ChildOptions;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #exit: string | undefined;

  constructor(o: ChildOptions) {
    this.#o = o;
    this.#process = spawn(o.command, [...o.args], {
      cwd: o.cwd,
      env: o.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: o.group ?? false,
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#add(line));
    }
    this.#process.on('error', (e) => this.#ended(e.message));
    this.#process.on('close', (code, signal) => this.#ended(signal ?? `exit code ${code}`));
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** How it ended, as text; undefined while it runs. */
  get exit(): string | undefined {
    return this.#exit;
  }

  /** The first result of `find` over the lines that is not undefined, now or within `ms`; lines before `from` do not count. */
  async find<T>(what: string, find: (line: string) => T | undefined, ms: number, from = 0): Promise<T> {
    const until = performance.now() + ms;
    for (let i = from; ; i++) {
      while (i >= this.#lines.length) {
        const left = until - performance.now();
        if (left <= 0 || this.#exit !== undefined) throw new Error(this.#complaint(what));
        await this.#more(left);
      }
      const found = find(this.#lines[i] ?? '');
      if (found !== undefined) return found;
    }
  }

  say(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Asks it to end with `signal` and waits; after `ms` it is killed. Answers how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', ms = 10_000): Promise<string> {
    if (this.#exit !== undefined) return this.#exit;
    const gone = once(this.#process, 'close');
    this.#signal(signal);
    const timer = setTimeout(() => this.#signal('SIGKILL'), ms);
    await gone;
    clearTimeout(timer);
    return this.#exit ?? 'unknown';
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    try {
      if (this.#o.group === true && pid !== undefined) process.kill(-pid, signal);
      else this.#process.kill(signal);
    } catch {
      // It has just ended by itself.
    }
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }

  #ended(how: string): void {
    this.#exit ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  #more(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #complaint(what: string): string {
    const state = this.#exit === undefined ? 'is still running' : `has ended (${this.#exit})`;
    return `${this.#o.name} did not show ${what}; it ${state}. Its last lines:\n${this.#lines.slice(-25).join('\n')}`;
  }
}

/** Repeats `probe` until it answers something; its last error is told when the time is up. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  ms: number,
  stepMs = 200,
): Promise<T> {
  const until = performance.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (e) {
      last = e;
    }
    if (performance.now() > until) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`${what} did not come true within ${ms} ms${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
}
