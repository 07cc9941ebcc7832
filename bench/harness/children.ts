import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';

/** What a child answers when it could not do what it was asked. */
export interface Failure {
  readonly failed: string;
}

/** A process of the bench that is driven over IPC: one question at a time, one answer each. */
export class Helper<Ask, Answer extends object> {
  readonly #process: ChildProcess;
  readonly #name: string;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, name: string) {
    this.#process = child;
    this.#name = name;
  }

  /** Starts `bench/<file>`; its first message says that it is ready, and what else there is to know. */
  static async start<Ask, Answer extends object, Hello extends object>(
    file: string,
    args: readonly string[] = [],
    core: Core = 'server',
  ): Promise<{ readonly helper: Helper<Ask, Answer>; readonly hello: Hello }> {
    const nodeArgs = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((a) => a !== '');
    const child = fork(join(import.meta.dirname, '..', file), args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: core === 'server' ? nodeArgs : (process.env.BENCH_LOAD_ARGS ?? '').split(' ').filter((a) => a !== ''),
    });
    const helper = new Helper<Ask, Answer>(child, `${file} ${args.join(' ')}`.trim());
    const hello = await helper.#next<Hello>(60_000);
    pin(helper.pid, core);
    if (core === 'load') prefer(helper.pid, 'PRIORITY_ABOVE_NORMAL');
    return { helper, hello };
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Rejects when the child says that it failed, has ended, or is silent for `ms`. */
  ask<T extends Answer>(question: Ask, ms = 120_000): Promise<T> {
    const turn = this.#tail.then(() => {
      const answered = this.#next<T>(ms);
      this.#process.send(question as object);
      return answered;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** Ends it; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.disconnect();
    await gone;
  }

  #next<T>(ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#process.off('message', told);
        this.#process.off('exit', ended);
      };
      const told = (m: unknown): void => {
        done();
        const failed = typeof m === 'object' && m !== null ? Reflect.get(m, 'failed') : undefined;
        if (typeof failed === 'string') reject(new Error(`${this.#name}: ${failed}`));
        else resolve(m as T);
      };
      const ended = (code: number | null): void => {
        done();
        reject(new Error(`${this.#name} ended with ${code}`));
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`${this.#name} did not answer within ${ms} ms`));
      }, ms);
      this.#process.once('message', told);
      this.#process.once('exit', ended);
    });
  }
}

/** The side of a child: answers what the orchestrator asks, one after the other. */
export function serveQuestions<Ask, Answer extends object>(answer: (ask: Ask) => Promise<Answer> | Answer): void {
  const tell = (m: Answer | Failure): void => void process.send?.(m);
  process.on('message', (m: Ask) => {
    Promise.resolve()
      .then(() => answer(m))
      .then(tell, (e: unknown) => tell({ failed: e instanceof Error ? e.message : String(e) }));
  });
  process.on('disconnect', () => process.exit());
}

/** Servers share one core, everything that makes load the other. */
export type Core = 'server' | 'load';

/** Whether processes can be bound to a core here, in words for the report. */
export const pinning = (): string => {
  return CORES === undefined ? 'not pinned' : `servers on core ${CORES.server}, load on core ${CORES.load}`;
};

/** Binds all threads of a process to its core, where the system can and lets us use two; otherwise nothing happens. */
export function pin(pid: number, core: Core): void {
  if (CORES === undefined) return;
  try {
    execFileSync('taskset', ['-apc', String(CORES[core]), String(pid)], { stdio: 'ignore' });
  } catch {
    // It has just ended.
  }
}

/** Lets a process go before its neighbours on the same core, where the system lets us: who takes times must not wait. */
export function prefer(pid: number, how: 'PRIORITY_ABOVE_NORMAL' | 'PRIORITY_HIGH'): void {
  try {
    setPriority(pid, constants.priority[how]);
  } catch {
    // Only root may.
  }
}

/** The first two cores that this process may use. */
function coresHere(): Readonly<Record<Core, number>> | undefined {
  try {
    const told = execFileSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' });
    const [server, load] = listed(told.trim().replace(/^.*: /, ''));
    return server === undefined || load === undefined ? undefined : { server, load };
  } catch {
    return undefined;
  }
}

/** As they were before anybody was bound to one of them. */
const CORES = coresHere();

/** `0,2-4` → 0, 2, 3, 4 */
export function listed(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    return Number.isInteger(from) ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : [];
  });
}
